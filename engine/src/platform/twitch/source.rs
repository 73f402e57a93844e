//! The half that listens: one run is one session of `EventSub`, with all that is subscribed on it.

mod memory;
mod missed;
mod subscriptions;
mod wanted;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use self::memory::Memory;
use self::missed::{Missed, Plan, look_up};
use self::subscriptions::Subscriptions;
use super::event::Notice;
use super::eventsub::{Body, Connection, End, Frame, Heard, Notification, Welcome};
use super::helix::{Helix, HelixError};
use super::shared::Shared;
use super::topics::Topic;
use crate::auth::Access;
use crate::event::{Channel, Draft, now_ms};
use crate::observation::ConnectionState;
use crate::platform::{Disconnect, Link, Source};

/// Twitch's rule for what is no longer news.
const OLDEST_MS: u64 = 10 * 60 * 1000;
/// Why an event is dropped.
const REPEATED: &str = "repeated";
const OLD: &str = "old";
/// How soon it shows that somebody has signed in again.
const CONSENT_EVERY: Duration = Duration::from_secs(30);

/// What a source listens to and with what.
pub(super) struct Listening {
    /// The base address of `EventSub`, as it stands in the config.
    pub(super) address: String,
    /// The command that signs in whoever listens here.
    pub(super) sign_in: &'static str,
    /// Of the first channel are also whispers, which have none.
    pub(super) channels: Vec<Channel>,
    pub(super) topics: Vec<(Channel, &'static Topic)>,
    /// The account is a person's, for whom the bot speaks: not all that comes from it is ours.
    pub(super) is_person: bool,
    pub(super) helix: Arc<Helix>,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct TwitchSource {
    listening: Listening,
    memory: Arc<Memory>,
    /// From when on something may have been missed, by Twitch's clock, until it was looked up.
    missed_since: HashMap<Channel, u64>,
    /// When the last frame of a session that worked came, by Twitch's clock.
    last_heard_ms: Option<u64>,
}

impl TwitchSource {
    pub(super) fn new(listening: Listening, missed_since: HashMap<Channel, u64>) -> Self {
        // What is counted from zero is seen to rise.
        for why in [REPEATED, OLD] {
            count_dropped(why, 0);
        }
        Self { listening, memory: Arc::default(), missed_since, last_heard_ms: None }
    }
}

#[async_trait]
impl Source for TwitchSource {
    async fn run(&mut self, link: &Link) -> Disconnect {
        if let Some(since_ms) = self.last_heard_ms.take() {
            for channel in &self.listening.channels {
                self.missed_since.entry(channel.clone()).or_insert(since_ms);
            }
        }
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

type LookUp = BoxFuture<'static, (Vec<Missed>, Vec<String>)>;

/// One run, from its welcome on.
struct Session<'a> {
    source: &'a mut TwitchSource,
    link: &'a Link,
    access: Access,
    subscriptions: Subscriptions,
    /// How far Twitch's clock is ahead of ours.
    skew_ms: i64,
    is_ready: bool,
    look_up: Option<LookUp>,
}

impl<'a> Session<'a> {
    fn new(source: &'a mut TwitchSource, link: &'a Link, welcome: &Welcome, access: Access) -> Self {
        let Listening { helix, sign_in, topics, .. } = &source.listening;
        let subscriptions = Subscriptions::new(Arc::clone(helix), &welcome.session_id, sign_in, topics, &access);
        Self { subscriptions, skew_ms: skew_ms(welcome), source, link, access, is_ready: false, look_up: None }
    }

    async fn listen(mut self, connection: &mut Connection) -> Disconnect {
        let mut consent_at = Instant::now() + CONSENT_EVERY;
        loop {
            if self.subscriptions.is_hopeless() {
                return self.subscriptions.hopeless();
            }
            let events_due = self.source.listening.shared.next_due();
            let consent_due = self.subscriptions.lacks_consent().then_some(consent_at);
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
                found = found(&mut self.look_up) => self.tell_missed(found),
                () = wait_until(consent_due) => {
                    self.look_for_consent().await;
                    consent_at = Instant::now() + CONSENT_EVERY;
                }
            }
        }
    }

    fn hear(&mut self, frame: Frame) {
        if self.is_ready
            && let Some(at_ms) = frame.at_ms
        {
            let last_ms = self.source.last_heard_ms.get_or_insert(at_ms);
            *last_ms = at_ms.max(*last_ms);
        }
        match frame.body {
            Body::Notification(notification) => self.take(&frame.message_id, frame.at_ms, &notification),
            Body::Revocation(subscription) => {
                self.subscriptions.revoke(&subscription);
                self.report();
            }
            Body::Unknown(kind) => tracing::debug!(kind, "Twitch sent a type of message that is not known."),
            // That it came is all there is to it; moves are the connection's.
            Body::Welcome { .. } | Body::Keepalive | Body::Reconnect(_) => {}
        }
    }

    fn take(&mut self, message_id: &str, at_ms: Option<u64>, notification: &Notification) {
        let twitch_now_ms = self.twitch_now_ms();
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
            self.source.memory.hear(&channel, &subscription.topic, event);
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
        let Listening { shared, is_person, .. } = &self.source.listening;
        let user_id = &self.access.user_id;
        let mut drafts = shared.read(channel, if *is_person { "" } else { user_id }, notice);
        for draft in &mut drafts {
            draft.own |= *is_person && shared.is_echo(user_id, draft);
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
        self.skew_ms = skew_ms(welcome);
        self.subscriptions.move_to(&welcome.session_id);
        tracing::debug!("The connection was moved to another of Twitch's addresses.");
    }

    fn twitch_now_ms(&self) -> u64 {
        now_ms().saturating_add_signed(self.skew_ms)
    }

    fn ended(&self, end: &End) -> Disconnect {
        match end {
            End::Closed(close) if close.is_unused() && self.subscriptions.is_hopeless() => {
                self.subscriptions.hopeless()
            }
            end => Disconnect::Retry(end.to_string()),
        }
    }

    fn report(&mut self) {
        let state = self.subscriptions.state();
        let is_ready = matches!(state, ConnectionState::Ready { .. });
        // Once it is ready it stays so until the end: what is asked for again leaves the rest as it is.
        if is_ready || !self.is_ready {
            self.link.report(state);
        }
        if is_ready && !self.is_ready {
            self.is_ready = true;
            self.source.last_heard_ms = Some(self.twitch_now_ms());
            self.begin_look_up();
        }
    }

    fn emit_due(&self) {
        for draft in self.source.listening.shared.due(Instant::now()) {
            self.link.emit(draft);
        }
    }

    fn begin_look_up(&mut self) {
        let plans = self.source.listening.channels.iter().map(|channel| {
            let reads = |topic| self.subscriptions.is_confirmed(channel, topic);
            Plan {
                channel: channel.clone(),
                since_ms: self.source.missed_since.get(channel).copied(),
                followers: reads("channel.follow"),
                subscribers: reads("channel.subscribe"),
                redemptions: reads("channel.channel_points_custom_reward_redemption.add"),
                stream: reads("stream.online") && reads("stream.offline") && reads("channel.update"),
            }
        });
        let (helix, memory) = (Arc::clone(&self.source.listening.helix), Arc::clone(&self.source.memory));
        self.look_up = Some(look_up(helix, memory, plans.collect()).boxed());
    }

    fn tell_missed(&mut self, (missed, failures): (Vec<Missed>, Vec<String>)) {
        self.look_up = None;
        self.source.missed_since.clear();
        for why in failures {
            tracing::warn!(why, "What was missed while there was no connection can't be looked up.");
        }
        let count = missed.len();
        for missed in missed {
            match missed {
                Missed::Event(draft) => self.link.emit(*draft),
                Missed::Notice { channel, topic, version, id, at_ms, event } => {
                    let at_ms = at_ms.unwrap_or_else(|| self.twitch_now_ms());
                    let notice = Notice { message_id: &id, topic, version, at_ms, event: &event };
                    for draft in self.read(&channel, &notice) {
                        self.link.emit(draft.late());
                    }
                }
            }
        }
        if count > 0 {
            tracing::debug!(count, "Events that were missed were looked up.");
        }
    }

    /// Somebody may have signed in again meanwhile. A token that was merely refreshed changes nothing, or does no harm.
    async fn look_for_consent(&mut self) {
        if let Ok(access) = self.source.listening.helix.access().await
            && access.user_id == self.access.user_id
            && access.token.expose_secret() != self.access.token.expose_secret()
        {
            self.subscriptions.reconsider(&access);
            self.access = access;
        }
    }
}

impl Drop for Session<'_> {
    /// What waits for its group waits in vain: the rest of it may have gone with the connection.
    fn drop(&mut self) {
        for draft in self.source.listening.shared.all_due() {
            self.link.emit(draft);
        }
    }
}

fn skew_ms(welcome: &Welcome) -> i64 {
    let apart = welcome.at_ms.map(|at_ms| i128::from(at_ms) - i128::from(now_ms()));
    apart.and_then(|apart| i64::try_from(apart).ok()).unwrap_or_default()
}

fn dropped(why: &'static str, message_id: &str, topic: &str) {
    count_dropped(why, 1);
    tracing::debug!(why, message_id, topic, "An event of Twitch was dropped.");
}

fn count_dropped(why: &'static str, count: u64) {
    metrics::counter!("showrunner_twitch_dropped_total", "why" => why).increment(count);
}

async fn found(look_up: &mut Option<LookUp>) -> (Vec<Missed>, Vec<String>) {
    match look_up {
        Some(look_up) => look_up.await,
        None => pending().await,
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
