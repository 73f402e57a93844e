//! What a plugin receives: the types of the contract, under short names.
//!
//! They are generated from `wit/plugin.wit`, so a field that is described there looks the same here.
//! Open sets (a platform, the `kind` of an event, a badge) are strings, and a plugin must expect values that
//! it does not know.
//!
//! Shapes that all share: an id is a text that means something only together with the platform. What ends in `_ms` is
//! in milliseconds, a point in time since 1970; `seconds` are seconds. Money is `minor_units` / 10^`exponent`, which
//! [`amount`](crate::amount) counts and writes. A [`Span`] begins and ends in bytes of UTF-8. `extra`, and fields that
//! end in `_json`, are JSON.

pub use crate::bindings::exports::showrunner::plugin::handler::Disposition;
pub use crate::bindings::review::exports::showrunner::plugin::reviewer::{Suspension, Verdict};
pub use crate::bindings::showrunner::plugin::types::{
    AgentReply, AiChatMessage, Ballot, BallotOption, Broadcast, ChatMessage, Command, Envelope, Event, Follow, Gift,
    Goal, LibraryUpdate, Moderation, Origin, Outcome, Presence, Raid, Raw, Redemption, Roles, Span, Subscription,
    Support, System, Timer, ToolResult, User,
};

/// A channel on a platform: where an event came from, and where an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// Such as "twitch" or "retake".
    pub platform: &'a str,
    /// The platform's id of the channel.
    pub channel: &'a str,
}

impl<'a> Place<'a> {
    /// The channel with this id on this platform.
    pub const fn new(platform: &'a str, channel: &'a str) -> Self {
        Self { platform, channel }
    }
}

impl<'a> From<&'a Envelope> for Place<'a> {
    fn from(envelope: &'a Envelope) -> Self {
        Self { platform: &envelope.platform, channel: &envelope.channel }
    }
}

impl Envelope {
    /// Whoever did it: the author, the giver, the raider. `None` for events without a person, and for
    /// people who stay anonymous.
    pub fn actor(&self) -> Option<&User> {
        match &self.event {
            Event::Chat(message) | Event::Whisper(message) => Some(&message.author),
            Event::Presence(presence) => Some(&presence.who),
            Event::Follow(follow) => Some(&follow.who),
            Event::Subscription(subscription) => Some(&subscription.who),
            Event::Gift(gift) => gift.giver.as_ref(),
            Event::Support(support) => support.who.as_ref(),
            Event::Raid(raid) => Some(&raid.source),
            Event::Moderation(moderation) => moderation.moderator.as_ref(),
            Event::Broadcast(broadcast) => broadcast.who.as_ref(),
            Event::Redemption(redemption) => Some(&redemption.who),
            _ => None,
        }
    }
}

impl Event {
    /// The event's name, as a manifest's `events` spells it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Chat(_) => "chat",
            Self::Whisper(_) => "whisper",
            Self::Presence(_) => "presence",
            Self::Follow(_) => "follow",
            Self::Subscription(_) => "subscription",
            Self::Gift(_) => "gift",
            Self::Support(_) => "support",
            Self::Raid(_) => "raid",
            Self::Moderation(_) => "moderation",
            Self::Broadcast(_) => "broadcast",
            Self::Redemption(_) => "redemption",
            Self::Ballot(_) => "ballot",
            Self::Goal(_) => "goal",
            Self::Outcome(_) => "outcome",
            Self::Agent(_) => "agent",
            Self::AiChat(_) => "ai-chat",
            Self::Tool(_) => "tool",
            Self::Library(_) => "library",
            Self::Timer(_) => "timer",
            Self::System(_) => "system",
            Self::Raw(_) => "raw",
        }
    }
}

impl User {
    /// The name to show: the display name, or the login where that is empty, as not every platform has one.
    pub fn shown_name(&self) -> &str {
        if self.display_name.is_empty() { &self.login } else { &self.display_name }
    }

    /// Whether this person may run the channel: its moderators and the broadcaster.
    pub const fn is_moderator(&self) -> bool {
        self.roles.intersects(Roles::MODERATOR.union(Roles::BROADCASTER))
    }

    /// Whether this account is known to be a bot. Bots that answer bots never stop.
    pub const fn is_bot(&self) -> bool {
        self.roles.contains(Roles::BOT)
    }

    /// Whether this person has at least one of `roles`; true when none are asked for, and for the broadcaster.
    pub const fn has_any(&self, roles: Roles) -> bool {
        roles.is_empty() || self.roles.intersects(roles.union(Roles::BROADCASTER))
    }
}

/// The roles and their names, as settings spell them.
const ROLE_NAMES: [(&str, Roles); 7] = [
    ("broadcaster", Roles::BROADCASTER),
    ("moderator", Roles::MODERATOR),
    ("vip", Roles::VIP),
    ("subscriber", Roles::SUBSCRIBER),
    ("staff", Roles::STAFF),
    ("bot", Roles::BOT),
    ("first-time", Roles::FIRST_TIME),
];

impl Roles {
    /// Reads a list of role names, such as `["vip", "moderator"]`, in any letter case: "broadcaster", "moderator",
    /// "vip", "subscriber", "staff", "bot", "first-time".
    ///
    /// # Errors
    /// Names the first word that is no role, and the roles that there are.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        names.iter().try_fold(Self::empty(), |roles, name| {
            let name = name.as_ref();
            let known = ROLE_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            known.map(|(_, role)| roles.union(*role)).ok_or_else(|| {
                let names: Vec<&str> = ROLE_NAMES.iter().map(|(name, _)| *name).collect();
                format!("`{name}` is no role; there are {}", names.join(", "))
            })
        })
    }

    /// The names of these roles, in a fixed order.
    pub fn names(self) -> Vec<&'static str> {
        ROLE_NAMES.iter().filter(|(_, role)| self.contains(*role)).map(|(name, _)| *name).collect()
    }
}
