//! The subscription types: their versions, conditions, and the scopes they need.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::state::State;
use super::tokens::Caller;

/// The keys of a condition, and with them whose token it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Broadcaster,
    /// The broadcaster, and perhaps one reward.
    BroadcasterReward,
    /// `user_id` reads along in the broadcaster's chat.
    BroadcasterUser,
    BroadcasterModerator,
    /// From one, or to one.
    Raid,
    User,
}

#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub version: &'static str,
    pub condition: Condition,
    /// All of them; `a|b` is either of two.
    pub scopes: &'static [&'static str],
}

const fn kind(
    name: &'static str,
    version: &'static str,
    condition: Condition,
    scopes: &'static [&'static str],
) -> Kind {
    Kind { name, version, condition, scopes }
}

const CHAT: &[&str] = &["user:read:chat"];
const SUBS: &[&str] = &["channel:read:subscriptions"];
const REDEMPTIONS: &[&str] = &["channel:read:redemptions|channel:manage:redemptions"];
const POLLS: &[&str] = &["channel:read:polls|channel:manage:polls"];
const PREDICTIONS: &[&str] = &["channel:read:predictions|channel:manage:predictions"];
const TRAINS: &[&str] = &["channel:read:hype_train"];
const AUTOMOD: &[&str] = &["moderator:manage:automod"];
const SUSPICIOUS: &[&str] = &["moderator:read:suspicious_users"];
const SHOUTOUTS: &[&str] = &["moderator:read:shoutouts|moderator:manage:shoutouts"];
const VIPS: &[&str] = &["channel:read:vips|channel:manage:vips"];
const ADS: &[&str] = &["channel:read:ads|channel:manage:ads"];
const WARNINGS: &[&str] = &["moderator:read:warnings|moderator:manage:warnings"];
const MODERATE: &[&str] = &[
    "moderator:read:blocked_terms|moderator:manage:blocked_terms",
    "moderator:read:chat_settings|moderator:manage:chat_settings",
    "moderator:read:unban_requests|moderator:manage:unban_requests",
    "moderator:read:banned_users|moderator:manage:banned_users",
    "moderator:read:chat_messages|moderator:manage:chat_messages",
    "moderator:read:moderators",
    "moderator:read:vips",
];
const MODERATE_2: &[&str] = &[
    "moderator:read:blocked_terms|moderator:manage:blocked_terms",
    "moderator:read:chat_settings|moderator:manage:chat_settings",
    "moderator:read:unban_requests|moderator:manage:unban_requests",
    "moderator:read:banned_users|moderator:manage:banned_users",
    "moderator:read:chat_messages|moderator:manage:chat_messages",
    "moderator:read:warnings|moderator:manage:warnings",
    "moderator:read:moderators",
    "moderator:read:vips",
];

use Condition::{Broadcaster, BroadcasterModerator, BroadcasterReward, BroadcasterUser, Raid, User};

pub const ALL: &[Kind] = &[
    kind("channel.chat.message", "1", BroadcasterUser, CHAT),
    kind("channel.chat.message_delete", "1", BroadcasterUser, CHAT),
    kind("channel.chat.clear", "1", BroadcasterUser, CHAT),
    kind("channel.chat.clear_user_messages", "1", BroadcasterUser, CHAT),
    kind("channel.chat.notification", "1", BroadcasterUser, CHAT),
    kind("channel.chat_settings.update", "1", BroadcasterUser, CHAT),
    kind("channel.chat.user_message_hold", "1", BroadcasterUser, CHAT),
    kind("channel.chat.user_message_update", "1", BroadcasterUser, CHAT),
    kind("channel.follow", "2", BroadcasterModerator, &["moderator:read:followers"]),
    kind("channel.subscribe", "1", Broadcaster, SUBS),
    kind("channel.subscription.end", "1", Broadcaster, SUBS),
    kind("channel.subscription.gift", "1", Broadcaster, SUBS),
    kind("channel.subscription.message", "1", Broadcaster, SUBS),
    kind("channel.cheer", "1", Broadcaster, &["bits:read"]),
    kind("channel.bits.use", "1", Broadcaster, &["bits:read"]),
    kind("channel.raid", "1", Raid, &[]),
    kind("channel.ban", "1", Broadcaster, &["channel:moderate"]),
    kind("channel.unban", "1", Broadcaster, &["channel:moderate"]),
    kind("channel.moderate", "1", BroadcasterModerator, MODERATE),
    kind("channel.moderate", "2", BroadcasterModerator, MODERATE_2),
    kind("channel.update", "2", Broadcaster, &[]),
    kind("stream.online", "1", Broadcaster, &[]),
    kind("stream.offline", "1", Broadcaster, &[]),
    kind("channel.channel_points_custom_reward_redemption.add", "1", BroadcasterReward, REDEMPTIONS),
    kind("channel.channel_points_custom_reward_redemption.update", "1", BroadcasterReward, REDEMPTIONS),
    kind("channel.channel_points_automatic_reward_redemption.add", "1", Broadcaster, REDEMPTIONS),
    kind("channel.channel_points_automatic_reward_redemption.add", "2", Broadcaster, REDEMPTIONS),
    kind("channel.hype_train.begin", "1", Broadcaster, TRAINS),
    kind("channel.hype_train.begin", "2", Broadcaster, TRAINS),
    kind("channel.hype_train.progress", "1", Broadcaster, TRAINS),
    kind("channel.hype_train.progress", "2", Broadcaster, TRAINS),
    kind("channel.hype_train.end", "1", Broadcaster, TRAINS),
    kind("channel.hype_train.end", "2", Broadcaster, TRAINS),
    kind("channel.poll.begin", "1", Broadcaster, POLLS),
    kind("channel.poll.progress", "1", Broadcaster, POLLS),
    kind("channel.poll.end", "1", Broadcaster, POLLS),
    kind("channel.prediction.begin", "1", Broadcaster, PREDICTIONS),
    kind("channel.prediction.progress", "1", Broadcaster, PREDICTIONS),
    kind("channel.prediction.lock", "1", Broadcaster, PREDICTIONS),
    kind("channel.prediction.end", "1", Broadcaster, PREDICTIONS),
    kind("automod.message.hold", "1", BroadcasterModerator, AUTOMOD),
    kind("automod.message.hold", "2", BroadcasterModerator, AUTOMOD),
    kind("automod.message.update", "1", BroadcasterModerator, AUTOMOD),
    kind("automod.message.update", "2", BroadcasterModerator, AUTOMOD),
    kind("channel.suspicious_user.message", "1", BroadcasterModerator, SUSPICIOUS),
    kind("channel.suspicious_user.update", "1", BroadcasterModerator, SUSPICIOUS),
    kind("channel.shoutout.create", "1", BroadcasterModerator, SHOUTOUTS),
    kind("channel.shoutout.receive", "1", BroadcasterModerator, SHOUTOUTS),
    kind("channel.moderator.add", "1", Broadcaster, &["moderation:read"]),
    kind("channel.moderator.remove", "1", Broadcaster, &["moderation:read"]),
    kind("channel.vip.add", "1", Broadcaster, VIPS),
    kind("channel.vip.remove", "1", Broadcaster, VIPS),
    kind("channel.ad_break.begin", "1", Broadcaster, ADS),
    kind("channel.warning.send", "1", BroadcasterModerator, WARNINGS),
    kind("channel.warning.acknowledge", "1", BroadcasterModerator, WARNINGS),
    kind("channel.shared_chat.begin", "1", Broadcaster, &[]),
    kind("channel.shared_chat.update", "1", Broadcaster, &[]),
    kind("channel.shared_chat.end", "1", Broadcaster, &[]),
    kind("user.whisper.message", "1", User, &["user:read:whispers|user:manage:whispers"]),
];

/// Whether scopes hold one of `a|b`.
pub(super) fn has_scope(caller: &Caller, either: &str) -> bool {
    either.split('|').any(|scope| caller.scopes.contains(scope))
}

impl Kind {
    pub(super) fn find(name: &str, version: &str) -> Result<&'static Self, Refusal> {
        // It was there once.
        if (name, version) == ("channel.follow", "1") {
            return Err(Refusal::new(410, "v1 of channel.follow is gone; use v2"));
        }
        let found = ALL.iter().find(|kind| kind.name == name && kind.version == version);
        found.ok_or_else(|| Refusal::bad("The combination of values in the type and version fields is not valid"))
    }

    /// Whether the condition has the keys that it should have, and no other.
    pub(super) fn check_condition(&self, condition: &Map<String, Value>) -> Result<(), Refusal> {
        let has = |key: &str| condition.get(key).and_then(Value::as_str).is_some_and(|value| !value.is_empty());
        let (needed, allowed): (&[&str], &[&str]) = match self.condition {
            Broadcaster => (&["broadcaster_user_id"], &[]),
            BroadcasterReward => (&["broadcaster_user_id"], &["reward_id"]),
            BroadcasterUser => (&["broadcaster_user_id", "user_id"], &[]),
            BroadcasterModerator => (&["broadcaster_user_id", "moderator_user_id"], &[]),
            User => (&["user_id"], &[]),
            Raid => (&[], &["from_broadcaster_user_id", "to_broadcaster_user_id"]),
        };
        let is_known = |key: &String| needed.contains(&key.as_str()) || allowed.contains(&key.as_str());
        let is_one_way = self.condition != Raid || allowed.iter().filter(|key| has(key)).count() == 1;
        // A key that is null counts as one that is not there.
        let is_right = |(key, value): (&String, &Value)| is_known(key) && (value.is_string() || value.is_null());
        if needed.iter().all(|key| has(key)) && condition.iter().all(is_right) && is_one_way {
            return Ok(());
        }
        Err(Refusal::bad("The condition is not valid for this subscription type"))
    }

    /// Whether this user's token may have it.
    pub(super) fn check_caller(
        &self,
        state: &State,
        caller: &Caller,
        user_id: &str,
        condition: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_own = match self.condition {
            Broadcaster | BroadcasterReward => self.scopes.is_empty() || text("broadcaster_user_id") == user_id,
            BroadcasterUser | User => text("user_id") == user_id,
            BroadcasterModerator => {
                text("moderator_user_id") == user_id && state.users().is_moderator(text("broadcaster_user_id"), user_id)
            }
            Raid => true,
        };
        if is_own && self.scopes.iter().all(|either| has_scope(caller, either)) {
            return Ok(());
        }
        Err(Refusal::new(403, "subscription missing proper authorization"))
    }
}
