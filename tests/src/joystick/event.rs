//! Something that happened, before it is written in one of the two shapes.

use jiff::Timestamp;
use serde_json::Value;

/// A streamer's channel. The id stays, the name may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    pub username: String,
}

#[derive(Debug, Clone, Default)]
pub struct Author {
    pub username: String,
    pub nickname: Option<String>,
    pub color: Option<String>,
    pub is_bot: bool,
    pub is_streamer: bool,
    pub is_moderator: bool,
    pub is_subscriber: bool,
    pub is_staff: bool,
    pub is_new: bool,
}

#[derive(Debug, Clone)]
pub struct ChatEvent {
    pub author: Author,
    pub text: String,
    /// "public", or something else.
    pub visibility: String,
    pub is_highlighted: bool,
    pub is_fake: bool,
}

#[derive(Debug, Clone)]
pub enum What {
    Chat(ChatEvent),
    /// Of Joystick's own bot: it names no channel.
    Bot {
        username: String,
        text: String,
    },
    Presence {
        username: String,
        enters: bool,
    },
    Stream {
        /// As version 1 writes it: "Tipped".
        kind: String,
        text: String,
        metadata: Value,
    },
    /// The message of a frame, as it is, in both shapes.
    Raw(Value),
}

#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub channel: Channel,
    pub at: Timestamp,
    pub what: What,
}
