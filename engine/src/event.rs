//! The normalised vocabulary: what platforms produce, plugins receive and the journal keeps.
//!
//! Here is what every event has: its envelope, its case, its name and lane. The files below have the shapes of the
//! cases.
//!
//! This is the ground floor; it imports nothing of ours. The shapes follow `wit/plugin.wit`, which explains
//! each field; they are separate types because the engine's vocabulary may grow while a released WIT version
//! may not (`plugin/wit/` converts, one file a version).

mod amount;
mod chat;
mod engine;
#[cfg(test)]
mod fuzz;
mod stream;
#[cfg(test)]
mod tests;
mod user;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::amount::Amount;
pub use self::chat::{ChatMessage, Command, Presence, Span};
pub use self::engine::{AgentReply, AiChatMessage, LibraryUpdate, Outcome, OutcomeStatus, System, Timer, ToolResult};
pub use self::stream::{
    Ballot, BallotOption, Broadcast, Follow, Gift, Goal, Moderation, Raid, Redemption, Subscription, Support,
};
pub use self::user::{Roles, User};

/// Where an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    #[default]
    Live,
    /// Injected by the operator, or a test of the platform's own; never counts as the real thing.
    Test,
    Replay,
}

/// Platforms are an open set, so the name is a string: "twitch", "retake", "simulator", ...
pub type PlatformName = Arc<str>;

/// The platform name of events that the engine itself makes.
pub const ENGINE: &str = "engine";

/// One channel on one platform: the unit of ordering, and of everything that may be spread over machines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Channel {
    pub platform: PlatformName,
    /// The platform's id of the channel; empty for the engine's own events.
    pub id: Arc<str>,
}

impl Channel {
    pub fn new(platform: impl Into<PlatformName>, id: impl Into<Arc<str>>) -> Self {
        Self { platform: platform.into(), id: id.into() }
    }

    /// The channel of events that belong to no stream: timers, replies of the agent, the host's own news.
    pub fn engine() -> Self {
        Self::new(ENGINE, "")
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.platform, self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel is written as its platform and its id there, as in twitch:1337")]
pub struct NoChannel;

impl FromStr for Channel {
    type Err = NoChannel;

    fn from_str(text: &str) -> Result<Self, NoChannel> {
        let parts = text.split_once(':').filter(|(platform, id)| !platform.is_empty() && !id.is_empty());
        parts.map(|(platform, id)| Self::new(platform, id)).ok_or(NoChannel)
    }
}

/// An event with its place in the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Unique, also over restarts; the key for de-duplication.
    pub id: Arc<str>,
    /// Rises with each event of a channel, over restarts too. It may skip, and never repeats.
    pub sequence: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    #[serde(default)]
    pub origin: Origin,
    pub channel: Channel,
    pub event: Event,
    /// A JSON object with what the vocabulary has no field for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
}

/// An event as a platform hands it over: the sequencer adds the number, and an id where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The platform's own id of the event, made unique by the adapter with a prefix such as "retake:".
    /// `None` where the platform gives nothing that could tell a repeat from a second event.
    pub id: Option<Arc<str>>,
    pub at_ms: u64,
    pub origin: Origin,
    pub channel: Channel,
    pub event: Event,
    pub extra: Option<String>,
    /// Written by our own account there: journalled and shown, never given to plugins.
    pub own: bool,
}

impl Draft {
    pub fn new(channel: Channel, at_ms: u64, event: Event) -> Self {
        Self { id: None, at_ms, origin: Origin::Live, channel, event, extra: None, own: false }
    }

    /// Marked as looked up after a gap: `extra` says so, beside what it says already.
    #[must_use]
    pub fn late(self) -> Self {
        let extra = self.extra.as_deref().and_then(|extra| serde_json::from_str(extra).ok());
        let mut extra: Map<String, Value> = extra.unwrap_or_default();
        extra.insert("late".to_owned(), Value::Bool(true));
        Self { extra: Some(Value::Object(extra).to_string()), ..self }
    }
}

/// A payload that the vocabulary has no case for, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    pub kind: String,
    pub json: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    Chat(ChatMessage),
    /// A private message to the bot. Never to be answered in public.
    Whisper(ChatMessage),
    Presence(Presence),
    Follow(Follow),
    Subscription(Subscription),
    Gift(Gift),
    Support(Support),
    Raid(Raid),
    Moderation(Moderation),
    Broadcast(Broadcast),
    Redemption(Redemption),
    Ballot(Ballot),
    Goal(Goal),
    Outcome(Outcome),
    Agent(AgentReply),
    AiChat(AiChatMessage),
    Tool(ToolResult),
    Library(LibraryUpdate),
    Timer(Timer),
    System(System),
    Raw(Raw),
}

/// The names of the cases, as a manifest's `events` spells them. The order is that of [`Event`].
pub const EVENT_NAMES: [&str; 21] = [
    "chat",
    "whisper",
    "presence",
    "follow",
    "subscription",
    "gift",
    "support",
    "raid",
    "moderation",
    "broadcast",
    "redemption",
    "ballot",
    "goal",
    "outcome",
    "agent",
    "ai-chat",
    "tool",
    "library",
    "timer",
    "system",
    "raw",
];

/// What may be lost when a plugin can't keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Chatter: the oldest is dropped, and the plugin is told how many.
    Lossy,
    /// Money, moderation, answers: never dropped.
    Kept,
}

impl Event {
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

    /// Chat and presence come in floods, and news of the host are old when they come late; everything else is kept.
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Chat(_) | Self::Presence(_) | Self::System(_) => Lane::Lossy,
            _ => Lane::Kept,
        }
    }

    /// Whether a plugin that was to get it gets it after a restart, too. An outcome stands in the ledger, and timers
    /// end with the instance that set them.
    pub fn must_not_be_missed(&self) -> bool {
        self.lane() == Lane::Kept && !matches!(self, Self::Outcome(_) | Self::Timer(_))
    }

    /// Whoever did it, where it is known.
    pub const fn actor(&self) -> Option<&User> {
        match self {
            Self::Chat(message) | Self::Whisper(message) => Some(&message.author),
            Self::Presence(presence) => Some(&presence.who),
            Self::Follow(follow) => Some(&follow.who),
            Self::Subscription(subscription) => Some(&subscription.who),
            Self::Gift(gift) => gift.giver.as_ref(),
            Self::Support(support) => support.who.as_ref(),
            Self::Raid(raid) => Some(&raid.source),
            Self::Redemption(redemption) => Some(&redemption.who),
            Self::Broadcast(broadcast) => broadcast.who.as_ref(),
            Self::Moderation(moderation) => moderation.moderator.as_ref(),
            _ => None,
        }
    }
}

/// The wall clock in milliseconds since 1970.
pub fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
