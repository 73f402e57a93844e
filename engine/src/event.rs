//! The normalised vocabulary: what platforms produce, plugins receive and the journal keeps.
//!
//! This is the ground floor; it imports nothing of ours. The shapes follow `wit/plugin.wit`, which explains
//! each field; they are separate types because the engine's vocabulary may grow while a released WIT version
//! may not (`plugin/wit/` converts, one file a version).

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Where an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    #[default]
    Live,
    /// Injected by the operator; never counts as the real thing.
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
}

/// Roles that every platform has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Roles {
    #[serde(skip_serializing_if = "is_false")]
    pub broadcaster: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub moderator: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub vip: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub subscriber: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub staff: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub bot: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub first_time: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Somebody on a platform. Identity is (platform, `id`), never a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub login: String,
    pub display_name: String,
    #[serde(default)]
    pub roles: Roles,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<String>,
}

/// A part of a message's text, in bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub kind: String,
    pub start: u32,
    pub length: u32,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub name: String,
    pub args: String,
}

impl Command {
    /// Reads `!name args`. The name is lower-cased; a prefix with nothing behind it is no command.
    pub fn parse(text: &str, prefix: &str) -> Option<Self> {
        let rest = text.trim_start().strip_prefix(prefix)?;
        let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        (!name.is_empty()).then(|| Self { name: name.to_lowercase(), args: args.trim().to_owned() })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChatMessage {
    pub id: String,
    pub author: User,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Filled in by the sequencer, which knows the channel's prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored_from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub kind: String,
    pub who: User,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    pub who: User,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub kind: String,
    pub who: User,
    pub tier: String,
    pub months: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streak_months: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gift {
    pub giver: Option<User>,
    pub recipients: Vec<User>,
    pub count: u32,
    pub tier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    pub kind: String,
    pub who: Option<User>,
    #[serde(flatten)]
    pub amount: Amount,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// `minor_units` / 10^`exponent`, as in ISO 4217; a negative exponent for sums that 32 bits do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    pub minor_units: u32,
    pub exponent: i8,
}

impl Amount {
    pub const fn whole(units: u32) -> Self {
        Self { minor_units: units, exponent: 0 }
    }

    /// Reads a decimal such as "12.50" or "3e9", keeping as many digits as 32 bits hold.
    /// `None` for what is no amount: negative, empty, not a number.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, power) = match text.trim().split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (text.trim(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        if !mantissa.contains(|character: char| character.is_ascii_digit()) {
            return None;
        }
        let mut units: u32 = 0;
        let mut exponent = i32::try_from(fraction.len()).ok()?.checked_sub(power)?;
        let mut full = false;
        for digit in whole.chars().chain(fraction.chars()) {
            let digit = digit.to_digit(10)?;
            match units.checked_mul(10).and_then(|units| units.checked_add(digit)) {
                Some(wider) if !full => units = wider,
                _ => {
                    full = true;
                    exponent -= 1;
                }
            }
        }
        while exponent > 0 && units.is_multiple_of(10) && units > 0 {
            units /= 10;
            exponent -= 1;
        }
        if units == 0 {
            return Some(Self::whole(0));
        }
        Some(Self { minor_units: units, exponent: i8::try_from(exponent).ok()? })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.minor_units.to_string();
        match usize::try_from(self.exponent) {
            Ok(0) => formatter.write_str(&digits),
            Ok(places) => {
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(formatter, "{whole}.{fraction}")
            }
            Err(_) => write!(formatter, "{digits}{}", "0".repeat(usize::from(self.exponent.unsigned_abs()))),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raid {
    pub source: User,
    pub viewers: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moderation {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderator: Option<User>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<User>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Broadcast {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<User>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    pub id: String,
    pub reward_id: String,
    pub title: String,
    pub cost: u32,
    pub who: User,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotOption {
    pub id: String,
    pub title: String,
    pub votes: u32,
    pub points: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    pub kind: String,
    pub phase: String,
    pub id: String,
    pub title: String,
    pub options: Vec<BallotOption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    pub kind: String,
    pub phase: String,
    pub id: String,
    pub title: String,
    pub level: u32,
    pub current: u32,
    pub target: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub event_id: String,
    pub effect: u32,
    pub status: OutcomeStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(default)]
    pub detail: String,
}

/// How an effect ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeStatus {
    Done,
    Failed,
    /// It waited longer than it was worth.
    Expired,
    /// The platform has no such thing.
    Unsupported,
    /// It was sent and no answer came; sending again could double it.
    Uncertain,
}

impl OutcomeStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unsupported => "unsupported",
            Self::Uncertain => "uncertain",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReply {
    pub task_id: String,
    pub ok: bool,
    pub text: String,
}

impl AgentReply {
    /// The id of the event that tells the plugin: a task is answered once.
    pub fn event_id(&self) -> Arc<str> {
        format!("agent:{}", self.task_id).into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiChatMessage {
    pub conversation_id: String,
    pub message_id: String,
    pub user_id: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_json: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    pub call_id: String,
    pub tool: String,
    pub ok: bool,
    pub result_json: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryUpdate {
    pub kind: String,
    pub library_id: String,
    pub item_id: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail_json: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    pub kind: String,
    pub detail: String,
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

    /// Whether a plugin that was to get it gets it after a restart, too. An outcome stands in the ledger, and timers end
    /// with the instance that set them.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit_that_fits() {
        let cases = [
            ("5", "5"),
            ("5.00", "5"),
            ("12.5", "12.5"),
            ("0.05", "0.05"),
            ("0", "0"),
            ("0.0", "0"),
            ("1e3", "1000"),
            ("4294967295", "4294967295"),
            ("42949672960", "42949672900"),
            ("123456789012", "123456789000"),
            ("1.23456789012345", "1.23456789"),
            ("2500000.5", "2500000.5"),
        ];
        for (text, shown) in cases {
            assert_eq!(Amount::parse(text).map(|amount| amount.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["", ".", "-1", "abc", "1.2.3", "NaN", "1e999"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_command_is_a_prefix_and_a_name() {
        let command = |text| Command::parse(text, "!").map(|command| (command.name, command.args));
        assert_eq!(command("!So  alice bob "), Some(("so".into(), "alice bob".into())));
        assert_eq!(command("  !ping"), Some(("ping".into(), String::new())));
        assert_eq!(command("!"), None);
        assert_eq!(command("! ping"), None);
        assert_eq!(command("hello !ping"), None);
    }
}
