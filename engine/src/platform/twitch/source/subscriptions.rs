//! Subscribes one session to all that is wanted, several at a time, and again what may still succeed.
//!
//! It decides what each answer means. It reads no events, and it never connects anew: when the session itself is
//! gone, or a person is needed, [`Subscriptions::next`] says so and the source ends the connection.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use reqwest::StatusCode;
use tokio::time::Instant;

use super::super::eventsub::Subscription;
use super::super::helix::{Helix, HelixError};
use super::super::topics::Topic;
use super::wait_until;
use super::wanted::{Standing, Wanted, missing};
use crate::auth::Access;
use crate::event::Channel;
use crate::observation::ConnectionState;
use crate::platform::Disconnect;

/// Asked for at once. The first must be confirmed within ten seconds, and the bucket of calls is everybody's.
const AT_ONCE: usize = 8;
/// The first pause after Twitch said that there are too many, and the longest.
const CROWDED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// The same after an answer that did not come.
const FAILED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// What is subscribed of those who never signed in costs something, and an account can't afford much. A session that
/// broke off may still count for a moment.
const TOO_COSTLY: &str = "Twitch lets an account read but little of broadcasters who have not signed in: set `accounts` \
                          in [twitch] to \"both\", and let each of them run `showrunner auth twitch`";
/// What Twitch does not allow it may allow later: the account is made a moderator meanwhile.
const FORBIDDEN: Duration = Duration::from_secs(300);

/// Why Twitch takes everything away: the user does, or changed their password.
pub(super) const AUTHORIZATION_REVOKED: &str = "authorization_revoked";

pub(super) struct Subscriptions {
    helix: Arc<Helix>,
    session_id: Arc<str>,
    /// The command that signs in again.
    sign_in: &'static str,
    all: Vec<Wanted>,
    asked: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// While Twitch takes no subscription of this session at all.
    turned_away: Option<TurnedAway>,
}

/// Twitch has as many sessions of this account as it takes, so one subscription finds out for all of them.
#[derive(Debug, Clone, Copy)]
struct TurnedAway {
    until: Instant,
    /// How often in a row.
    times: u32,
}

struct Answer {
    index: usize,
    session_id: Arc<str>,
    outcome: Result<(), HelixError>,
}

impl Subscriptions {
    pub(super) fn new(
        helix: Arc<Helix>,
        session_id: &str,
        sign_in: &'static str,
        topics: &[(Channel, &'static Topic)],
        access: &Access,
    ) -> Self {
        let all = topics.iter().map(|(channel, topic)| Wanted::new(channel, topic, access)).collect();
        Self { helix, session_id: session_id.into(), sign_in, all, asked: FuturesUnordered::new(), turned_away: None }
    }

    /// Twitch moved the session, with all that is subscribed. It may have another name now.
    pub(super) fn move_to(&mut self, session_id: &str) {
        self.session_id = session_id.into();
    }

    /// Asks for what is due and waits until an answer has changed something. May be dropped at any await and called
    /// again. An error ends the connection.
    pub(super) async fn next(&mut self) -> Result<(), Disconnect> {
        loop {
            let now = Instant::now();
            self.ask_due(now);
            let can_ask = self.asked.len() < self.at_once();
            let due = self.all.iter().filter_map(|wanted| wanted.due(now)).min().filter(|_| can_ask);
            tokio::select! {
                Some(answer) = self.asked.next() => return self.take(answer),
                () = wait_until(due) => {}
            }
        }
    }

    fn at_once(&self) -> usize {
        if self.turned_away.is_some() { 1 } else { AT_ONCE }
    }

    fn ask_due(&mut self, now: Instant) {
        let at_once = self.at_once();
        for (index, wanted) in self.all.iter_mut().enumerate() {
            if self.asked.len() >= at_once {
                return;
            }
            if wanted.due(now).is_some_and(|due| due <= now) {
                wanted.is_asked = true;
                let (helix, session_id) = (Arc::clone(&self.helix), Arc::clone(&self.session_id));
                let request = wanted.request(&session_id);
                let asking = async move {
                    // Each with the token of the moment: it may have been refreshed since.
                    let outcome = match helix.access().await {
                        Ok(access) => helix.ask(&access, &request).await.map(drop),
                        Err(error) => Err(error),
                    };
                    Answer { index, session_id, outcome }
                };
                self.asked.push(asking.boxed());
            }
        }
    }

    fn take(&mut self, answer: Answer) -> Result<(), Disconnect> {
        let is_of_this_session = answer.session_id == self.session_id;
        let Some(wanted) = self.all.get_mut(answer.index) else { return Ok(()) };
        wanted.is_asked = false;
        let error = match answer.outcome {
            Err(error) if error.status() != Some(StatusCode::CONFLICT) => error,
            // Where it is there already, that is what was wanted.
            Ok(()) | Err(_) => {
                wanted.standing = Standing::Confirmed;
                wanted.failures = 0;
                self.turned_away = None;
                return Ok(());
            }
        };
        match error.status() {
            _ if turns_session_away(&error) => {
                wanted.standing = Standing::Open;
                self.turn_away(&error);
            }
            Some(StatusCode::UNAUTHORIZED) if !error.words().contains("missing scope") => {
                return Err(Disconnect::Stop {
                    why: format!("Twitch does not accept the token, not even a fresh one: {error}"),
                    what_to_do: format!("run `{}` again", self.sign_in),
                });
            }
            Some(StatusCode::BAD_REQUEST) if names_session(&error) => {
                if is_of_this_session {
                    return Err(Disconnect::Retry(format!("Twitch no longer knows the session: {error}")));
                }
                // It was under way while the session moved.
                wanted.standing = Standing::Open;
            }
            _ => match error {
                HelixError::SignIn { why, what_to_do } => return Err(Disconnect::Stop { why, what_to_do }),
                error if error.is_passing() || is_crowded(&error) => postpone(wanted, &error),
                error => {
                    let again = (error.status() == Some(StatusCode::FORBIDDEN)).then(|| Instant::now() + FORBIDDEN);
                    wanted.standing = Standing::Refused { why: refusal(&error), again };
                }
            },
        }
        Ok(())
    }

    /// All that is still to be had waits together. Answers that were under way to the same are one.
    fn turn_away(&mut self, error: &HelixError) {
        let now = Instant::now();
        let before = self.turned_away;
        let turned_away = before.filter(|before| now < before.until).unwrap_or_else(|| {
            let times = before.map_or(0, |before| before.times);
            TurnedAway { until: now + pause(CROWDED, times).max(asked_pause(error)), times: times.saturating_add(1) }
        });
        self.turned_away = Some(turned_away);
        let why = format!("Twitch takes no more connections of this account ({error}); it is tried again");
        for wanted in self.all.iter_mut().filter(|wanted| wanted.is_awaited()) {
            wanted.standing = Standing::Later { why: why.clone(), at: turned_away.until };
        }
    }

    /// Twitch takes one away; the others go on.
    pub(super) fn revoke(&mut self, subscription: &Subscription) {
        for wanted in self.all.iter_mut().filter(|wanted| wanted.is(subscription)) {
            let why = revocation(&subscription.status, self.sign_in);
            tracing::debug!(channel = %wanted.channel, topic = wanted.topic.name, why, "Twitch revoked a subscription.");
            wanted.standing = Standing::Revoked { why };
        }
    }

    /// Whether it would be of use to look for another token.
    pub(super) fn lacks_consent(&self) -> bool {
        self.all.iter().any(Wanted::lacks_consent)
    }

    pub(super) fn reconsider(&mut self, access: &Access) {
        self.all.iter_mut().for_each(|wanted| wanted.reconsider(access));
    }

    /// Whether it will never hear anything, for Twitch closes a session on which nothing is subscribed.
    pub(super) fn is_hopeless(&self) -> bool {
        let is_lost = |wanted: &Wanted| wanted.lacks_consent() || matches!(wanted.standing, Standing::Refused { .. });
        self.all.iter().all(|wanted| !wanted.is_asked && is_lost(wanted))
    }

    /// Whether it is to be subscribed here at all.
    pub(super) fn wants(&self, channel: &Channel, topic: &str) -> bool {
        self.of(channel, topic).next().is_some()
    }

    pub(super) fn is_confirmed(&self, channel: &Channel, topic: &str) -> bool {
        self.of(channel, topic).any(|wanted| wanted.standing == Standing::Confirmed)
    }

    /// Whether events of it go by now that are heard at other times.
    pub(super) fn is_interrupted(&self, channel: &Channel, topic: &str) -> bool {
        self.of(channel, topic).any(Wanted::is_interrupted)
    }

    fn of(&self, channel: &Channel, topic: &str) -> impl Iterator<Item = &Wanted> {
        self.all.iter().filter(move |wanted| wanted.channel == *channel && wanted.topic.name == topic)
    }

    /// Ready when every one has had an answer and one of them at least is confirmed.
    pub(super) fn state(&self) -> ConnectionState {
        let is_open = self.all.iter().any(|wanted| wanted.standing == Standing::Open);
        let is_confirmed = self.all.iter().any(|wanted| wanted.standing == Standing::Confirmed);
        if is_open || !is_confirmed {
            return ConnectionState::Subscribing;
        }
        ConnectionState::Ready { degraded: self.missing() }
    }

    /// What can't be had at the moment, and why.
    pub(super) fn missing(&self) -> Option<String> {
        missing(&self.all, self.sign_in)
    }

    /// Why nothing of it can be had.
    pub(super) fn hopeless(&self) -> Disconnect {
        let why = self.missing().unwrap_or_else(|| "nothing is to be subscribed".to_owned());
        Disconnect::Stop {
            why: format!("nothing can be subscribed: {why}"),
            what_to_do: format!("run `{}` again, or look at `subscriptions` in [twitch]", self.sign_in),
        }
    }
}

fn postpone(wanted: &mut Wanted, error: &HelixError) {
    let (pauses, why) = match () {
        () if costs_too_much(error) => (CROWDED, format!("{TOO_COSTLY} ({error}); it is tried again")),
        () if is_crowded(error) => (CROWDED, format!("Twitch has too many of them ({error}); it is tried again")),
        () => (FAILED, format!("not confirmed yet ({error}); it is tried again")),
    };
    let pause = pause(pauses, wanted.failures).max(asked_pause(error));
    wanted.failures = wanted.failures.saturating_add(1);
    wanted.standing = Standing::Later { why, at: Instant::now() + pause };
}

/// After so many failures in a row; not the same for all.
fn pause((first, longest): (Duration, Duration), failures: u32) -> Duration {
    let pause = first.saturating_mul(2_u32.saturating_pow(failures)).min(longest);
    pause.mul_f64(0.75 + fastrand::f64() / 2.0)
}

/// For how long Twitch wants to be left alone.
fn asked_pause(error: &HelixError) -> Duration {
    match error {
        HelixError::Exhausted(wait) => *wait,
        HelixError::Status { wait, .. } => wait.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

fn costs_too_much(error: &HelixError) -> bool {
    is_crowded(error) && error.words().contains("cost")
}

/// It is about the session, whatever is subscribed on it.
fn turns_session_away(error: &HelixError) -> bool {
    is_crowded(error) && error.words().contains("number of websocket transports")
}

/// Twitch has answered the same with 429 and with 400.
fn is_crowded(error: &HelixError) -> bool {
    error.status() == Some(StatusCode::TOO_MANY_REQUESTS)
        || (error.status() == Some(StatusCode::BAD_REQUEST) && error.words().contains("exceeded"))
}

fn names_session(error: &HelixError) -> bool {
    error.words().contains("session") && !is_crowded(error)
}

fn refusal(error: &HelixError) -> String {
    let advice = match error.status() {
        Some(StatusCode::FORBIDDEN) => "Twitch does not allow it; is the account a moderator there?",
        Some(StatusCode::GONE) => "Twitch no longer has this version; update Showrunner",
        _ => "Twitch does not take it",
    };
    format!("{advice} ({error})")
}

fn revocation(status: &str, sign_in: &str) -> String {
    match status {
        AUTHORIZATION_REVOKED => format!("the sign-in was revoked or its password changed; run `{sign_in}` again"),
        "user_removed" => "the user is no longer on Twitch".to_owned(),
        "moderator_removed" => "the account is no moderator there any more; make it one and start again".to_owned(),
        "chat_user_banned" => "the account is banned from that chat; lift the ban and start again".to_owned(),
        "version_removed" => "Twitch no longer has this version; update Showrunner".to_owned(),
        "" => "revoked by Twitch".to_owned(),
        other => format!("revoked by Twitch: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::super::super::testing::{Answer, Service};
    use super::super::super::topics::{Scopes, TOPICS};
    use super::*;

    fn access() -> Access {
        Access {
            token: SecretString::from("irrelevant"),
            user_id: "9001".into(),
            login: "bot".into(),
            scopes: Vec::new(),
            expires_at_ms: None,
        }
    }

    /// Those of two channels that anybody may have.
    fn topics() -> Vec<(Channel, &'static Topic)> {
        let topics = TOPICS.iter().filter(|topic| topic.scopes == Scopes::None);
        topics.flat_map(|topic| ["1", "2"].map(|id| (Channel::new("twitch", id), topic))).collect()
    }

    #[test]
    fn what_waits_for_the_same_reason_is_one_clause_however_long_it_waits() {
        let mut all: Vec<Wanted> =
            topics().iter().take(2).map(|(channel, topic)| Wanted::new(channel, topic, &access())).collect();
        for (wanted, wait_ms) in all.iter_mut().zip([12_345, 12_344]) {
            postpone(wanted, &HelixError::Exhausted(Duration::from_millis(wait_ms)));
        }
        let missing = missing(&all, "sign in").unwrap();
        assert!(missing.starts_with("stream.online of 1, stream.online of 2: "), "{missing}");
    }

    fn subscriptions(service: &Service) -> Subscriptions {
        Subscriptions::new(service.helix(&Arc::default()), "s1", "sign in", &topics(), &access())
    }

    #[tokio::test(start_paused = true)]
    async fn while_twitch_takes_no_session_one_asks_for_all() {
        let tries = AT_ONCE + 3;
        let full = || Answer::error(429, "number of websocket transports limit exceeded");
        let service = Service::start((0..tries).map(|_| full())).await;
        let mut subscriptions = subscriptions(&service);
        for _ in 0..tries {
            subscriptions.next().await.unwrap();
        }
        assert!(topics().len() > AT_ONCE);
        assert_eq!(service.asked().len(), tries, "those that were under way, and then one at a time");
        let why = subscriptions.missing().unwrap();
        assert_eq!(why.matches("transports limit").count(), 1, "{why}");
        while subscriptions.missing().is_some() {
            subscriptions.next().await.unwrap();
        }
        assert_eq!(service.asked().len(), tries + topics().len());
    }
}
