//! What a plugin asked for, as a test reads it.

use crate::agent::Task;
use crate::alerts::Alert;

/// One effect. The fields are the arguments of the function that asked for it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the arguments of the functions of the same name")]
pub enum Effect {
    /// [`crate::chat::say`]
    Say { platform: String, channel: String, text: String },
    /// [`crate::chat::reply`]
    Reply { platform: String, channel: String, message_id: String, text: String },
    /// [`crate::chat::whisper`]
    Whisper { platform: String, channel: String, user_id: String, text: String },
    /// [`crate::chat::announce`]
    Announce { platform: String, channel: String, text: String },
    /// [`crate::chat::shoutout`]
    Shoutout { platform: String, channel: String, user_id: String },
    /// [`crate::moderation::remove_message`]
    RemoveMessage { platform: String, channel: String, message_id: String, reason: String },
    /// [`crate::moderation::suspend`]
    Suspend { platform: String, channel: String, user_id: String, seconds: Option<u32>, reason: String },
    /// [`crate::moderation::block`]
    Block { platform: String, channel: String, user_id: String, reason: String },
    /// [`crate::moderation::lift`]
    Lift { platform: String, channel: String, user_id: String },
    /// [`crate::moderation::warn`]
    Warn { platform: String, channel: String, user_id: String, reason: String },
    /// [`crate::moderation::resolve_held`]
    ResolveHeld { platform: String, channel: String, message_id: String, allow: bool },
    /// [`crate::alerts::show`]
    Alert(Alert),
    /// [`crate::agent::enqueue`], with the id that it returned
    Enqueue { task_id: String, task: Task },
    /// [`crate::tools::call`], with the id that it returned
    CallTool { call_id: String, name: String, arguments_json: String },
    /// [`crate::gateway::publish`]
    Publish { kind: String, data_json: String },
}

impl Effect {
    /// What viewers will read, for effects that write in chat.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Say { text, .. }
            | Self::Reply { text, .. }
            | Self::Whisper { text, .. }
            | Self::Announce { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The bytes that count towards an event's 64 KiB, as the host counts them.
    pub(super) fn size(&self) -> usize {
        let sum = |texts: &[&String]| texts.iter().map(|text| text.len()).sum::<usize>();
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::Say { platform, channel, text } | Self::Announce { platform, channel, text } => {
                sum(&[platform, channel, text])
            }
            Self::Reply { platform, channel, message_id, text } => sum(&[platform, channel, message_id, text]),
            Self::Whisper { platform, channel, user_id, text } => sum(&[platform, channel, user_id, text]),
            Self::Shoutout { platform, channel, user_id } | Self::Lift { platform, channel, user_id } => {
                sum(&[platform, channel, user_id])
            }
            Self::RemoveMessage { platform, channel, message_id, reason } => {
                sum(&[platform, channel, message_id, reason])
            }
            Self::Suspend { platform, channel, user_id, seconds: _, reason }
            | Self::Block { platform, channel, user_id, reason }
            | Self::Warn { platform, channel, user_id, reason } => sum(&[platform, channel, user_id, reason]),
            Self::ResolveHeld { platform, channel, message_id, allow: _ } => sum(&[platform, channel, message_id]),
            Self::Alert(Alert { kind, title, text, image, sound, duration_ms: _ }) => {
                sum(&[kind, title, text]) + optional(image) + optional(sound)
            }
            Self::Enqueue { task_id: _, task: Task { queue, prompt, context_json, priority: _ } } => {
                sum(&[queue, prompt]) + optional(context_json)
            }
            Self::CallTool { call_id: _, name, arguments_json } => sum(&[name, arguments_json]),
            Self::Publish { kind, data_json } => sum(&[kind, data_json]),
        }
    }
}
