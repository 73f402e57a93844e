//! The half that listens: one run is one session of `EventSub`, with all that is subscribed on it.

mod clock;
mod gaps;
mod look_ups;
mod memory;
mod missed;
mod sign_in;
mod subscriptions;
mod wanted;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::pending;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::clock::Clock;
use self::look_ups::LookUps;
pub use self::memory::Memory;
use self::missed::{Gap, What};
use self::sign_in::{NextLook, look_closely, look_later};
use self::subscriptions::{AUTHORIZATION_REVOKED, Subscriptions};
use super::event::Notice;
use super::eventsub::{Body, Connection, End, Frame, Heard, Notification, Welcome};
use super::helix::{Helix, HelixError};
use super::shared::Shared;
use super::topics::Topic;
use crate::auth::Access;
use crate::event::{Channel, Draft};
use crate::metric;
use crate::observation::ConnectionState;
use crate::platform::{Disconnect, Link, Source};

/// Twitch's rule for what is no longer news.
const OLDEST_MS: u64 = 10 * 60 * 1000;
/// Why an event is dropped.
const REPEATED: &str = "repeated";
const OLD: &str = "old";
/// What is revoked at about the same time is told at once.
const TOGETHER: Duration = Duration::from_millis(200);

/// What a source listens to and with what.
pub(super) struct Listening {
    /// The base address of `EventSub`, as it stands in the config.
    pub(super) address: String,
    /// The command that signs in whoever listens here.
    pub(super) sign_in: &'static str,
    /// Of the first channel are also whispers, which have none.
    pub(super) channels: Vec<Channel>,
    pub(super) topics: Vec<(Channel, &'static Topic)>,
    pub(super) helix: Arc<Helix>,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct TwitchSource {
    listening: Listening,
    memory: Arc<Memory>,
}

impl TwitchSource {
    pub(super) fn new(listening: Listening, memory: Arc<Memory>) -> Self {
        // What is counted from zero is seen to rise.
        [REPEATED, OLD].into_iter().for_each(|why| count_dropped(why, 0));
        Self { listening, memory }
    }

    /// What goes by unheard while this source has no session.
    fn gaps(&self) -> HashSet<Gap> {
        let topics = self.listening.topics.iter();
        topics.filter_map(|(channel, topic)| Some((channel.clone(), What::told_by(topic.name)?))).collect()
    }
}

#[async_trait]
impl Source for TwitchSource {
    async fn run(&mut self, link: &Link) -> Disconnect {
        // Anew at each connection: it may have been refreshed, or somebody else signed in.
        let access = match self.listening.helix.access().await {
            Ok(access) => access,
            Err(HelixError::SignIn { why, what_to_do }) => return Disconnect::Stop { why, what_to_do },
            Err(error) => return Disconnect::Retry(format!("there is no token: {error}")),
        };
        let (mut connection, welcome) = match Connection::open(&self.listening.address).await {
            Ok(opened) => opened,
            Err(end) => return Disconnect::Retry(end.to_string()),
        };
        link.report(ConnectionState::Subscribing);
        let end = Session::new(self, link, &welcome, access).listen(&mut connection).await;
        connection.close().await;
        end
    }
}

/// One run, from its welcome on.
struct Session<'a> {
    source: &'a mut TwitchSource,
    link: &'a Link,
    access: Access,
    /// The account is one of these broadcasters', be it signed in as the bot's: what comes from it is not all ours.
    is_person: bool,
    subscriptions: Subscriptions,
    clock: Clock,
    is_ready: bool,
    /// Why there is no token any more, and what to do, while what is subscribed lives on.
    signed_out: Option<String>,
    /// When the last frame came while it worked, by Twitch's clock.
    last_heard_ms: Option<u64>,
    look_ups: LookUps,
    next_look: NextLook,
    /// Twitch says that the sign-in was revoked, and the next look finds out whether that is so.
    is_doubtful: bool,
    /// When to tell what was revoked: Twitch revokes all that one sign-in allowed, each by itself.
    report_due: Option<Instant>,
}

impl<'a> Session<'a> {
    fn new(source: &'a mut TwitchSource, link: &'a Link, welcome: &Welcome, access: Access) -> Self {
        let Listening { helix, sign_in, topics, channels, .. } = &source.listening;
        let is_person = channels.iter().any(|channel| *channel.id == *access.user_id);
        let subscriptions = Subscriptions::new(Arc::clone(helix), &welcome.session_id, sign_in, topics, &access);
        let look_ups = LookUps::new(Arc::clone(helix), Arc::clone(&source.memory));
        source.listening.shared.begin_session();
        let (clock, next_look) = (Clock::of(welcome), look_later(helix));
        Self {
            source,
            link,
            access,
            is_person,
            subscriptions,
            clock,
            is_ready: false,
            signed_out: None,
            last_heard_ms: None,
            look_ups,
            next_look,
            is_doubtful: false,
            report_due: None,
        }
    }

    async fn listen(mut self, connection: &mut Connection) -> Disconnect {
        loop {
            if self.subscriptions.is_hopeless() {
                return self.hopeless().await;
            }
            let events_due = self.source.listening.shared.next_due();
            tokio::select! {
                heard = connection.next() => match heard {
                    Ok(Heard::Frame(frame)) => self.hear(frame),
                    Ok(Heard::Moved(welcome)) => self.move_to(&welcome),
                    Err(end) => return self.ended(&end),
                },
                step = self.subscriptions.next() => match step {
                    Ok(()) => self.report(),
                    Err(end) => return end,
                },
                () = wait_until(events_due) => self.emit_due(),
                () = wait_until(self.report_due) => {
                    self.report_due = None;
                    self.report();
                }
                found = self.look_ups.next() => self.tell_missed(found),
                access = &mut self.next_look => {
                    self.next_look = look_later(&self.source.listening.helix);
                    self.is_doubtful = false;
                    if let Some(end) = self.look_at(access) {
                        return end;
                    }
                }
            }
        }
    }

    fn hear(&mut self, frame: Frame) {
        if self.is_ready
            && let Some(at_ms) = frame.at_ms
        {
            let last_ms = self.last_heard_ms.get_or_insert(at_ms);
            *last_ms = at_ms.max(*last_ms);
        }
        match frame.body {
            Body::Notification(notification) => self.take(&frame.message_id, frame.at_ms, &notification),
            Body::Revocation(subscription) => {
                self.subscriptions.revoke(&subscription);
                self.report_due.get_or_insert_with(|| Instant::now() + TOGETHER);
                if self.is_ready {
                    self.look_after_gaps();
                }
                if subscription.status == AUTHORIZATION_REVOKED && !self.is_doubtful {
                    self.is_doubtful = true;
                    self.next_look = look_closely(&self.source.listening.helix, self.access.clone());
                }
            }
            Body::Unknown(kind) => tracing::debug!(kind, "Twitch sent a type of message that is not known."),
            // That it came is all there is to it; moves are the connection's.
            Body::Welcome { .. } | Body::Keepalive | Body::Reconnect(_) => {}
        }
    }

    fn take(&mut self, message_id: &str, at_ms: Option<u64>, notification: &Notification) {
        let twitch_now_ms = self.clock.now_ms();
        let at_ms = at_ms.unwrap_or(twitch_now_ms);
        let shared = &self.source.listening.shared;
        if !shared.is_new(message_id) {
            return dropped(REPEATED, message_id, &notification.subscription.topic);
        }
        if at_ms.saturating_add(OLDEST_MS) < twitch_now_ms {
            return dropped(OLD, message_id, &notification.subscription.topic);
        }
        let subscription = &notification.subscription;
        for (number, (id, event)) in notification.events.iter().enumerate() {
            let channel = self.channel_of(&subscription.condition, event);
            let is_told = self.source.memory.is_told(&channel, &subscription.topic);
            self.source.memory.hear(&channel, &subscription.topic, event);
            if is_told {
                dropped(REPEATED, message_id, &subscription.topic);
                continue;
            }
            let in_batch = format!("{message_id}:{number}");
            let message_id = match (id, number) {
                (Some(id), _) => id,
                (None, 0) => message_id,
                (None, _) => &in_batch,
            };
            let (topic, version) = (&*subscription.topic, &*subscription.version);
            let notice = Notice { message_id, topic, version, at_ms, event };
            for draft in self.read(&channel, &notice) {
                self.link.emit(draft);
            }
        }
    }

    fn read(&self, channel: &Channel, notice: &Notice<'_>) -> Vec<Draft> {
        let (shared, user_id) = (&self.source.listening.shared, &self.access.user_id);
        let mut drafts = shared.read(channel, if self.is_person { "" } else { user_id }, notice);
        for draft in &mut drafts {
            draft.own |= self.is_person && shared.is_echo(user_id, draft);
        }
        drafts
    }

    /// The channel of a subscription, whatever it calls it. Whispers have none and come on the first.
    fn channel_of(&self, condition: &Value, event: &Value) -> Channel {
        let channels = &self.source.listening.channels;
        let places = [
            (condition, "broadcaster_user_id"),
            (condition, "to_broadcaster_user_id"),
            (condition, "from_broadcaster_user_id"),
            (event, "broadcaster_user_id"),
        ];
        let ids = places.iter().filter_map(|(place, field)| place.get(field)?.as_str());
        let ours = ids.filter_map(|id| channels.iter().find(|channel| *channel.id == *id)).next();
        ours.or(channels.first()).cloned().unwrap_or_else(|| Channel::new(super::PLATFORM, ""))
    }

    /// What is subscribed came along, so nothing is asked for again.
    fn move_to(&mut self, welcome: &Welcome) {
        self.clock = Clock::of(welcome);
        self.subscriptions.move_to(&welcome.session_id);
        tracing::debug!("The connection was moved to another of Twitch's addresses.");
    }

    /// Nothing will ever be heard. When the sign-in is to blame, that is known now, and what to do about it.
    async fn hopeless(&mut self) -> Disconnect {
        if self.is_doubtful
            && let Err(HelixError::SignIn { why, what_to_do }) = (&mut self.next_look).await
        {
            return Disconnect::Stop { why, what_to_do };
        }
        self.subscriptions.hopeless()
    }

    fn ended(&self, end: &End) -> Disconnect {
        match end {
            End::Closed(close) if close.is_unused() => match self.subscriptions.missing() {
                _ if self.subscriptions.is_hopeless() => self.subscriptions.hopeless(),
                Some(why) => Disconnect::Retry(format!("{end}: {why}")),
                None => Disconnect::Retry(end.to_string()),
            },
            end => Disconnect::Retry(end.to_string()),
        }
    }

    fn report(&mut self) {
        let mut state = self.subscriptions.state();
        if let ConnectionState::Ready { degraded } = &mut state {
            let reasons: Vec<String> = degraded.take().into_iter().chain(self.signed_out.clone()).collect();
            *degraded = (!reasons.is_empty()).then(|| reasons.join("; "));
        }
        let is_ready = matches!(state, ConnectionState::Ready { .. });
        // Once it is ready it stays so until the end: what is asked for again leaves the rest as it is.
        if is_ready || !self.is_ready {
            self.link.report(state);
        }
        if is_ready && !self.is_ready {
            self.is_ready = true;
            self.last_heard_ms = Some(self.clock.now_ms());
        }
        if self.is_ready {
            self.look_after_gaps();
        }
    }

    fn emit_due(&self) {
        for draft in self.source.listening.shared.due(Instant::now()) {
            self.link.emit(draft);
        }
    }

    /// Somebody may have signed in again meanwhile, or out. A token that was merely refreshed changes nothing, or does
    /// no harm; another account needs a session of its own.
    fn look_at(&mut self, access: Result<Access, HelixError>) -> Option<Disconnect> {
        let signed_out = match &access {
            Err(error @ HelixError::SignIn { .. }) => Some(error.to_string()),
            Err(_) => return None,
            Ok(_) => None,
        };
        if self.signed_out != signed_out {
            self.signed_out = signed_out;
            self.report();
        }
        let access = access.ok()?;
        if access.user_id != self.access.user_id {
            return Some(Disconnect::Retry("another account has signed in".to_owned()));
        }
        let is_another = access.token.expose_secret() != self.access.token.expose_secret();
        self.access = access;
        if is_another && self.subscriptions.lacks_consent() {
            self.subscriptions.reconsider(&self.access);
        }
        None
    }
}

impl Drop for Session<'_> {
    /// Also where the account is taken away in the midst of it.
    fn drop(&mut self) {
        if let Some(since_ms) = self.last_heard_ms {
            self.source.gaps().iter().for_each(|gap| self.source.memory.note_gap(gap, since_ms));
        }
        for draft in self.source.listening.shared.end_session() {
            self.link.emit(draft);
        }
    }
}

fn dropped(why: &'static str, message_id: &str, topic: &str) {
    count_dropped(why, 1);
    tracing::debug!(why, message_id, topic, "An event of Twitch was dropped.");
}

fn count_dropped(why: &'static str, count: u64) {
    metrics::counter!(metric::TWITCH_DROPPED, "why" => why).increment(count);
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
