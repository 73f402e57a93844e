//! What Twitch tells, read with tolerance, as events of the vocabulary. Nothing here does any IO.
//!
//! | type | event | remarks |
//! |---|---|---|
//! | `channel.chat.message` | chat | |
//! | `user.whisper.message` | whisper | |
//! | `channel.chat.message_delete` | moderation "delete" | |
//! | `channel.chat.clear`, `.clear_user_messages` | moderation "clear" | of one user: not when it is told why |
//! | `channel.chat_settings.update` | broadcast "chat-settings" | how the chat is set now |
//! | `channel.chat.user_message_hold`, `automod.message.hold` | moderation "automod-hold" | |
//! | `channel.chat.user_message_update`, `automod.message.update` | moderation "automod-approved", "-denied", "-expired", ... | |
//! | `channel.follow` | follow | |
//! | `channel.subscribe` | subscription "new", "gifted" | |
//! | `channel.subscription.message`, `.end` | subscription "resub", "end" | |
//! | `channel.subscription.gift` | gift | one, with its names |
//! | `channel.cheer`, `channel.bits.use` | support "bits" | what is bought with bits has an `item` |
//! | `channel.raid` | raid; broadcast "raid-out" | |
//! | `channel.ban`, `.unban` | moderation "ban", "timeout", "unban" | |
//! | `channel.moderate` | moderation: the above, "warn", "clear", "raid", "unraid", "chat-settings", "terms", "unban-request", "shared-chat-ban", ... | |
//! | `channel.warning.send`, `.acknowledge` | moderation "warn", "warn-acknowledged" | |
//! | `channel.suspicious_user.message`, `.update` | moderation "suspicious", "suspicious-update" | |
//! | `channel.moderator.add`, `.remove` | moderation "moderator-added", "moderator-removed" | |
//! | `channel.vip.add`, `.remove` | moderation "vip-added", "vip-removed" | |
//! | `channel.update` | broadcast "title", "category" | what changed; both at first |
//! | `stream.online`, `.offline` | broadcast "online", "offline" | |
//! | `channel.ad_break.begin` | broadcast "ad-break" | |
//! | `channel.shoutout.create`, `.receive` | broadcast "shoutout-sent", "shoutout-received" | |
//! | `channel.shared_chat.begin`, `.update`, `.end` | broadcast "shared-chat" | `extra` has the phase |
//! | `channel.channel_points_*_redemption.add`, `.update` | redemption | |
//! | `channel.poll.*`, `channel.prediction.*` | ballot "poll", "prediction" | |
//! | `channel.hype_train.*` | goal "hype-train" | |
//! | `channel.chat.notification` | what it tells of: subscription (also "upgrade"), gift, raid, moderation "unraid", support "charity"; chat for an announcement | |
//!
//! Everything else is raw, under its type; a notification of the chat under its type and what it tells of
//! (`channel.chat.notification.watch_streak`), and what happened in another channel of a shared chat is raw, too:
//! nobody is to be thanked for it here. What the vocabulary has no field for is in `extra`, under the names that Twitch
//! has.
//!
//! What several topics tell of is told once, see [`deduplicator`], [`gifts`] and [`cleared`].
//!
//! Read field by field from JSON: the types of the crate `twitch_api` refuse a payload as a whole when one field is
//! unknown to them, so they check our fakes, not our viewers.

mod broadcast;
mod chat;
mod cleared;
mod deduplicator;
mod fields;
mod gifts;
mod missed;
mod moderation;
mod notices;
mod participation;
mod support;
mod text;

use std::collections::HashMap;

use serde_json::{Map, Value};
use tokio::time::Instant;

use self::broadcast::Details;
use self::cleared::ClearedMessages;
use self::deduplicator::{Deduplicator, Topic};
use self::fields::{extra, json_of, shortened};
use self::gifts::Gifts;
pub(super) use self::missed::{missed_follow, missed_redemption, missed_subscription};
use super::PLATFORM;
use crate::event::{Channel, Draft, Event, Raw, User};

/// A notification as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notice<'a> {
    pub(super) message_id: &'a str,
    pub(super) topic: &'a str,
    pub(super) version: &'a str,
    /// By the clock of Twitch.
    pub(super) at_ms: u64,
    pub(super) event: &'a Value,
}

/// Makes each happening one event. One for each account of the config, shared by all its sockets.
#[derive(Debug, Default)]
pub(super) struct Normalizer {
    channels: HashMap<Channel, Memory>,
}

/// What a channel's events depend on.
#[derive(Debug, Default)]
struct Memory {
    deduplicator: Deduplicator,
    gifts: Gifts,
    cleared: ClearedMessages,
    details: Details,
}

/// A notification where it belongs.
struct NoticeContext<'a> {
    channel: &'a Channel,
    /// The user id of our own account.
    own: &'a str,
    notice: &'a Notice<'a>,
}

impl<'a> NoticeContext<'a> {
    fn event(&self) -> &'a Value {
        self.notice.event
    }

    /// What else it says, for `extra`.
    fn rest(&self, used: &[&str]) -> Map<String, Value> {
        fields::rest(self.notice.event, used)
    }
}

/// What was read of a notification.
struct Parsed {
    event: Event,
    /// What names this event for ever; else the notification's id does.
    key: Option<String>,
    /// When it happened, where that is not when it was sent.
    at_ms: Option<u64>,
    extra: Map<String, Value>,
    own: bool,
    /// Equal in all topics that tell of it, where there are several.
    happening: Option<String>,
    follow_up: FollowUp,
}

/// What follows from an event for others.
enum FollowUp {
    None,
    /// It is an announcement of gifts, and is told with the names; `community` is what the chat calls it.
    Given {
        community: Option<String>,
    },
    /// Somebody received one of some gifts.
    Received {
        who: User,
        tier: String,
    },
    /// The chat says who received the only one, or one of `community`. `gift` is theirs alone.
    Named {
        community: Option<String>,
        gift: Box<Parsed>,
    },
    /// All that somebody wrote goes away with it.
    Silences(String),
    /// All that somebody wrote went away: for a reason that is told, or may be soon.
    Cleared(String),
}

impl Parsed {
    fn new(event: Event) -> Self {
        let (key, at_ms, own, happening) = (None, None, false, None);
        Self { event, key, at_ms, extra: Map::new(), own, happening, follow_up: FollowUp::None }
    }

    fn raw(kind: &str, payload: &Value) -> Self {
        Self::new(Event::Raw(Raw { kind: shortened(kind).to_owned(), json: json_of(payload) }))
    }

    fn draft(self, channel: &Channel, notice: &Notice<'_>) -> Draft {
        let key = self.key.or_else(|| (!notice.message_id.is_empty()).then(|| shortened(notice.message_id).to_owned()));
        Draft {
            id: key.map(|key| format!("{PLATFORM}:{key}").into()),
            extra: extra(self.extra),
            own: self.own,
            ..Draft::new(channel.clone(), self.at_ms.unwrap_or(notice.at_ms), self.event)
        }
    }
}

impl Normalizer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Reads a notification of `channel`, which must not have been read before; `own` is the user id of our own
    /// account. What belongs together may be told with a later one, or when it is [`due`](Self::due).
    pub(super) fn read(&mut self, channel: &Channel, own: &str, notice: &Notice<'_>, now: Instant) -> Vec<Draft> {
        let context = NoticeContext { channel, own, notice };
        if notice.topic == CHAT_MESSAGE {
            return vec![read(&context).draft(channel, notice)];
        }
        if !self.channels.contains_key(channel) {
            self.channels.insert(channel.clone(), Memory::default());
        }
        let mut drafts = Vec::new();
        if let Some(memory) = self.channels.get_mut(channel) {
            let changes = if notice.topic == CHANNEL_UPDATE { memory.details.changes(&context) } else { None };
            for parsed in changes.unwrap_or_else(|| vec![read(&context)]) {
                memory.take(parsed, &context, now, &mut drafts);
            }
            memory.take_due(now, &mut drafts);
        }
        drafts
    }

    /// What waited for more, and need not any longer.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for memory in self.channels.values_mut() {
            memory.take_due(now, &mut drafts);
        }
        drafts
    }

    /// When to ask for it.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let memories = self.channels.values();
        memories.flat_map(|memory| [memory.gifts.next_due(), memory.cleared.next_due()]).flatten().min()
    }
}

impl Memory {
    /// Tells what is news.
    fn take(&mut self, mut parsed: Parsed, context: &NoticeContext<'_>, now: Instant, drafts: &mut Vec<Draft>) {
        let (channel, notice) = (context.channel, context.notice);
        let topic = Topic::of(notice.topic);
        let follow_up = std::mem::replace(&mut parsed.follow_up, FollowUp::None);
        let is_news = match parsed.happening.take() {
            Some(happening) => self.deduplicator.is_news(happening, topic, now),
            None => true,
        };
        let draft = parsed.draft(channel, notice);
        match follow_up {
            FollowUp::Given { community } => return self.gifts.announce(draft, community, topic, now),
            FollowUp::Cleared(user_id) => return drafts.extend(self.cleared.clear(user_id, draft, now)),
            _ if is_news => drafts.push(draft),
            _ => {}
        }
        match follow_up {
            FollowUp::Received { who, tier } => self.gifts.arrive(who, &tier, now),
            FollowUp::Named { community: Some(community), gift } => {
                self.gifts.receive(community, gift.draft(channel, notice), topic, now);
            }
            FollowUp::Named { community: None, gift } => {
                self.gifts.announce(gift.draft(channel, notice), None, topic, now);
            }
            FollowUp::Silences(user_id) if is_news => self.cleared.cause(user_id, now),
            _ => {}
        }
    }

    fn take_due(&mut self, now: Instant, drafts: &mut Vec<Draft>) {
        self.gifts.take_due(now, drafts);
        self.cleared.take_due(now, drafts);
    }
}

const CHAT_MESSAGE: &str = "channel.chat.message";
const CHAT_NOTIFICATION: &str = "channel.chat.notification";
const CHANNEL_UPDATE: &str = "channel.update";
const MODERATE: &str = "channel.moderate";

/// What a notification tells. What can't be understood is told as it came.
fn read(context: &NoticeContext<'_>) -> Parsed {
    let topic = context.notice.topic;
    let (group, phase) = topic.rsplit_once('.').unwrap_or((topic, ""));
    let parsed = match topic {
        CHAT_MESSAGE => chat::message(context),
        CHAT_NOTIFICATION => notices::notification(context),
        "channel.chat.message_delete" => moderation::message_delete(context),
        "channel.chat.clear" => Some(moderation::clear()),
        "channel.chat.clear_user_messages" => moderation::clear_user_messages(context),
        "channel.chat_settings.update" => Some(broadcast::chat_settings(context)),
        "channel.chat.user_message_hold" | "automod.message.hold" => moderation::held(context),
        "channel.chat.user_message_update" | "automod.message.update" => moderation::decided(context),
        "channel.follow" => support::follow(context),
        "channel.subscribe" => support::subscribe(context),
        "channel.subscription.message" => support::resubscribe(context),
        "channel.subscription.gift" => support::gift(context),
        "channel.subscription.end" => support::subscription_end(context),
        "channel.cheer" => support::cheer(context),
        "channel.bits.use" => support::bits_use(context),
        "channel.raid" => support::raid(context),
        "channel.ban" => moderation::ban(context),
        "channel.unban" => moderation::unban(context),
        MODERATE => moderation::moderate(context),
        "channel.warning.send" => moderation::warning_send(context),
        "channel.warning.acknowledge" => moderation::warning_acknowledge(context),
        "channel.suspicious_user.message" => moderation::suspicious_message(context),
        "channel.suspicious_user.update" => moderation::suspicious_update(context),
        "channel.moderator.add" => moderation::role(context, "moderator-added"),
        "channel.moderator.remove" => moderation::role(context, "moderator-removed"),
        "channel.vip.add" => moderation::role(context, "vip-added"),
        "channel.vip.remove" => moderation::role(context, "vip-removed"),
        "stream.online" | "stream.offline" => Some(broadcast::stream(context, phase)),
        "channel.ad_break.begin" => broadcast::ad_break(context),
        "channel.shoutout.create" => broadcast::shoutout_create(context),
        "channel.shoutout.receive" => broadcast::shoutout_receive(context),
        "channel.channel_points_automatic_reward_redemption.add" => participation::automatic_redemption(context),
        "user.whisper.message" => chat::whisper(context),
        _ => match (group, phase) {
            ("channel.channel_points_custom_reward_redemption", "add" | "update") => participation::redemption(context),
            ("channel.poll", "begin" | "progress" | "end") => participation::poll(context, phase),
            ("channel.prediction", "begin" | "progress" | "lock" | "end") => participation::prediction(context, phase),
            ("channel.hype_train", "begin" | "progress" | "end") => participation::hype_train(context, phase),
            ("channel.shared_chat", "begin" | "update" | "end") => Some(broadcast::shared_chat(context, phase)),
            _ => None,
        },
    };
    parsed.unwrap_or_else(|| raw(context))
}

/// As it came, under its type; where that tells of many things, under what it tells of, too.
fn raw(context: &NoticeContext<'_>) -> Parsed {
    let Notice { topic, event, .. } = *context.notice;
    let finer = match topic {
        CHAT_NOTIFICATION => notices::kind(event),
        MODERATE => moderation::action(event),
        _ => None,
    };
    let version = context.notice.version;
    tracing::debug!(topic, version, finer, "A notification has no event of its own, and goes on as it came.");
    match finer {
        Some(finer) => Parsed::raw(&format!("{topic}.{finer}"), event),
        None => Parsed::raw(topic, event),
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
