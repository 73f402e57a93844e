//! The subscription types that are read: in which version, with which condition, by whose token, with which scopes.
//!
//! A list and what follows from it; nothing here does any IO. Whether a type is subscribed to at all is decided by
//! those who ask for the subscriptions.

use serde_json::{Value, json};

/// One subscription that a channel can have.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) condition: ConditionKind,
    pub(super) scopes: Scopes,
    pub(super) reader: Reader,
}

/// What a subscription is about. `reader` is the user whose token asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConditionKind {
    Broadcaster,
    BroadcasterAndUser,
    BroadcasterAndModerator,
    RaidTo,
    RaidFrom,
    User,
}

/// Whose token reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Whoever reads chat: the bot, or the broadcaster where there is no bot.
    Chat,
    /// The broadcaster's own: nobody else may see it.
    Broadcaster,
}

/// What the token must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scopes {
    None,
    /// Any one of them.
    Any(&'static [&'static str]),
    /// Of each group any one.
    All(&'static [&'static [&'static str]]),
}

use ConditionKind::{Broadcaster, BroadcasterAndModerator, BroadcasterAndUser, RaidFrom, RaidTo, User};

const NO_SCOPE: Scopes = Scopes::None;
const CHAT: Scopes = Scopes::Any(&["user:read:chat"]);
const SUBSCRIPTIONS: Scopes = Scopes::Any(&["channel:read:subscriptions"]);
const BITS: Scopes = Scopes::Any(&["bits:read"]);
const BANS: Scopes = Scopes::Any(&["channel:moderate"]);
const REDEMPTIONS: Scopes = Scopes::Any(&["channel:read:redemptions", "channel:manage:redemptions"]);
const HYPE_TRAIN: Scopes = Scopes::Any(&["channel:read:hype_train"]);
const POLLS: Scopes = Scopes::Any(&["channel:read:polls", "channel:manage:polls"]);
const PREDICTIONS: Scopes = Scopes::Any(&["channel:read:predictions", "channel:manage:predictions"]);
const AUTOMOD: Scopes = Scopes::Any(&["moderator:manage:automod"]);
const SUSPICIOUS: Scopes = Scopes::Any(&["moderator:read:suspicious_users"]);
const SHOUTOUTS: Scopes = Scopes::Any(&["moderator:read:shoutouts", "moderator:manage:shoutouts"]);
const VIPS: Scopes = Scopes::Any(&["channel:read:vips", "channel:manage:vips"]);
const WARNINGS: Scopes = Scopes::Any(&["moderator:read:warnings", "moderator:manage:warnings"]);
const MODERATE: Scopes = Scopes::All(&[
    &["moderator:read:blocked_terms", "moderator:manage:blocked_terms"],
    &["moderator:read:chat_settings", "moderator:manage:chat_settings"],
    &["moderator:read:unban_requests", "moderator:manage:unban_requests"],
    &["moderator:read:banned_users", "moderator:manage:banned_users"],
    &["moderator:read:chat_messages", "moderator:manage:chat_messages"],
    &["moderator:read:moderators"],
    &["moderator:read:vips"],
    &["moderator:read:warnings", "moderator:manage:warnings"],
]);

/// Read by whoever reads chat.
const fn chat(name: &'static str, version: &'static str, condition: ConditionKind, scopes: Scopes) -> Topic {
    Topic { name, version, condition, scopes, reader: Reader::Chat }
}

/// Read by the broadcaster.
const fn own(name: &'static str, version: &'static str, scopes: Scopes) -> Topic {
    Topic { name, version, condition: Broadcaster, scopes, reader: Reader::Broadcaster }
}

/// Everything that is read, each in its newest version; the most wanted first.
pub(super) static TOPICS: &[Topic] = &[
    chat("channel.chat.message", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.notification", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.message_delete", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.clear_user_messages", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.clear", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat_settings.update", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.user_message_hold", "1", BroadcasterAndUser, CHAT),
    chat("channel.chat.user_message_update", "1", BroadcasterAndUser, CHAT),
    chat("stream.online", "1", Broadcaster, NO_SCOPE),
    chat("stream.offline", "1", Broadcaster, NO_SCOPE),
    chat("channel.update", "2", Broadcaster, NO_SCOPE),
    chat("channel.raid", "1", RaidTo, NO_SCOPE),
    chat("channel.raid", "1", RaidFrom, NO_SCOPE),
    chat("channel.shared_chat.begin", "1", Broadcaster, NO_SCOPE),
    chat("channel.shared_chat.update", "1", Broadcaster, NO_SCOPE),
    chat("channel.shared_chat.end", "1", Broadcaster, NO_SCOPE),
    chat("channel.follow", "2", BroadcasterAndModerator, Scopes::Any(&["moderator:read:followers"])),
    chat("channel.moderate", "2", BroadcasterAndModerator, MODERATE),
    chat("automod.message.hold", "2", BroadcasterAndModerator, AUTOMOD),
    chat("automod.message.update", "2", BroadcasterAndModerator, AUTOMOD),
    chat("channel.suspicious_user.message", "1", BroadcasterAndModerator, SUSPICIOUS),
    chat("channel.suspicious_user.update", "1", BroadcasterAndModerator, SUSPICIOUS),
    chat("channel.shoutout.create", "1", BroadcasterAndModerator, SHOUTOUTS),
    chat("channel.shoutout.receive", "1", BroadcasterAndModerator, SHOUTOUTS),
    chat("channel.warning.send", "1", BroadcasterAndModerator, WARNINGS),
    chat("channel.warning.acknowledge", "1", BroadcasterAndModerator, WARNINGS),
    chat("user.whisper.message", "1", User, Scopes::Any(&["user:read:whispers", "user:manage:whispers"])),
    own("channel.subscribe", "1", SUBSCRIPTIONS),
    own("channel.subscription.message", "1", SUBSCRIPTIONS),
    own("channel.subscription.gift", "1", SUBSCRIPTIONS),
    own("channel.subscription.end", "1", SUBSCRIPTIONS),
    own("channel.cheer", "1", BITS),
    own("channel.bits.use", "1", BITS),
    own("channel.channel_points_custom_reward_redemption.add", "1", REDEMPTIONS),
    own("channel.channel_points_custom_reward_redemption.update", "1", REDEMPTIONS),
    own("channel.channel_points_automatic_reward_redemption.add", "2", REDEMPTIONS),
    own("channel.hype_train.begin", "2", HYPE_TRAIN),
    own("channel.hype_train.progress", "2", HYPE_TRAIN),
    own("channel.hype_train.end", "2", HYPE_TRAIN),
    own("channel.poll.begin", "1", POLLS),
    own("channel.poll.progress", "1", POLLS),
    own("channel.poll.end", "1", POLLS),
    own("channel.prediction.begin", "1", PREDICTIONS),
    own("channel.prediction.progress", "1", PREDICTIONS),
    own("channel.prediction.lock", "1", PREDICTIONS),
    own("channel.prediction.end", "1", PREDICTIONS),
    own("channel.ban", "1", BANS),
    own("channel.unban", "1", BANS),
    own("channel.moderator.add", "1", Scopes::Any(&["moderation:read"])),
    own("channel.moderator.remove", "1", Scopes::Any(&["moderation:read"])),
    own("channel.vip.add", "1", VIPS),
    own("channel.vip.remove", "1", VIPS),
    own("channel.ad_break.begin", "1", Scopes::Any(&["channel:read:ads", "channel:manage:ads"])),
];

impl Topic {
    /// The condition of the subscription. `reader` is the user id of the token that asks for it.
    pub(super) fn condition(&self, broadcaster: &str, reader: &str) -> Value {
        match self.condition {
            Broadcaster => json!({ "broadcaster_user_id": broadcaster }),
            BroadcasterAndUser => json!({ "broadcaster_user_id": broadcaster, "user_id": reader }),
            BroadcasterAndModerator => json!({ "broadcaster_user_id": broadcaster, "moderator_user_id": reader }),
            RaidTo => json!({ "to_broadcaster_user_id": broadcaster }),
            RaidFrom => json!({ "from_broadcaster_user_id": broadcaster }),
            User => json!({ "user_id": reader }),
        }
    }

    pub(super) fn is_allowed(&self, has_scope: impl Fn(&str) -> bool) -> bool {
        self.scopes.missing(has_scope).is_empty()
    }

    /// What is not granted, for people: "channel:read:polls or channel:manage:polls". Empty where nothing is missing.
    pub(super) fn missing(&self, has_scope: impl Fn(&str) -> bool) -> String {
        let groups: Vec<String> = self.scopes.missing(has_scope).iter().map(|group| group.join(" or ")).collect();
        groups.join(", ")
    }
}

impl Scopes {
    /// The groups of which nothing is granted.
    fn missing(self, has_scope: impl Fn(&str) -> bool) -> Vec<&'static [&'static str]> {
        let lacks = |group: &&'static [&'static str]| !group.iter().any(|scope| has_scope(scope));
        match self {
            Self::None => Vec::new(),
            Self::Any(group) => Some(group).filter(lacks).into_iter().collect(),
            Self::All(groups) => groups.iter().copied().filter(lacks).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn topic(name: &str) -> &'static Topic {
        TOPICS.iter().find(|topic| topic.name == name).unwrap()
    }

    #[test]
    fn every_subscription_is_there_once() {
        let asked: BTreeSet<String> =
            TOPICS.iter().map(|topic| format!("{} {}", topic.name, topic.condition("1", "2"))).collect();
        assert_eq!(asked.len(), TOPICS.len());
    }

    #[test]
    fn what_only_the_broadcaster_may_read_asks_for_nobody_else() {
        for topic in TOPICS {
            let condition = topic.condition("1337", "9001").to_string();
            match topic.reader {
                Reader::Broadcaster => assert_eq!(condition, r#"{"broadcaster_user_id":"1337"}"#, "{}", topic.name),
                Reader::Chat => assert!(topic.scopes == Scopes::None || condition.contains("9001"), "{}", topic.name),
            }
        }
    }

    #[test]
    fn conditions_name_the_channel_and_who_reads_it() {
        let condition = |name| topic(name).condition("1337", "9001");
        assert_eq!(condition("channel.chat.message"), json!({ "broadcaster_user_id": "1337", "user_id": "9001" }));
        assert_eq!(condition("channel.follow"), json!({ "broadcaster_user_id": "1337", "moderator_user_id": "9001" }));
        assert_eq!(condition("user.whisper.message"), json!({ "user_id": "9001" }));
        let raids: Vec<Value> = TOPICS
            .iter()
            .filter(|topic| topic.name == "channel.raid")
            .map(|topic| topic.condition("1337", "9001"))
            .collect();
        assert_eq!(raids, [json!({ "to_broadcaster_user_id": "1337" }), json!({ "from_broadcaster_user_id": "1337" })]);
    }

    #[test]
    fn scopes_that_are_missing_are_named() {
        let polls = topic("channel.poll.begin");
        assert!(polls.is_allowed(|scope| scope == "channel:manage:polls"));
        assert!(!polls.is_allowed(|scope| scope == "channel:read:predictions"));
        assert_eq!(polls.missing(|_| false), "channel:read:polls or channel:manage:polls");
        assert!(topic("stream.online").is_allowed(|_| false));

        let moderate = topic("channel.moderate");
        assert!(moderate.is_allowed(|_| true));
        assert!(moderate.is_allowed(|scope| !scope.contains("manage")), "reading is enough");
        let without_vips = |scope: &str| !scope.ends_with(":vips") && !scope.contains(":read:warnings");
        assert_eq!(moderate.missing(without_vips), "moderator:read:vips");
    }
}
