//! What a plugin may ask for, what a reviewer may say, and how it ends.
//!
//! A handler's effects are gathered in a [`Batch`] and leave together when it returns ok. Each effect has a
//! key, (event id, plugin, number), that stays the same however often the event is replayed.

pub mod notice;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Channel, Envelope, OutcomeStatus};

/// The id of a plugin, as its `plugin.toml` spells it.
pub type PluginId = Arc<str>;

/// Something to be done outside of the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Effect {
    /// Carried out by a platform, through the channel's outbox.
    Platform {
        channel: Channel,
        action: Action,
    },
    Alert(Alert),
    /// A task for the agent, with the id that its answer will carry.
    Enqueue {
        task_id: String,
        task: Task,
    },
    /// An event of the plugin's own for the clients of the gateway.
    Publish {
        kind: String,
        data_json: String,
    },
}

/// What platforms can be asked to do. A platform answers `Unsupported` for what it has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    Say {
        text: String,
    },
    Reply {
        message_id: String,
        text: String,
    },
    Whisper {
        user_id: String,
        text: String,
    },
    Announce {
        text: String,
    },
    Shoutout {
        user_id: String,
    },
    RemoveMessage {
        message_id: String,
        reason: String,
    },
    /// No `seconds` means for good.
    Suspend {
        user_id: String,
        seconds: Option<u32>,
        reason: String,
    },
    /// Bans for good and reports to the platform's staff.
    Block {
        user_id: String,
        reason: String,
    },
    Lift {
        user_id: String,
    },
    Warn {
        user_id: String,
        reason: String,
    },
    /// Decides on a message that the platform holds back.
    ResolveHeld {
        message_id: String,
        allow: bool,
    },
}

impl Effect {
    /// What all of its texts hold. A limit that left one out would be none: a plugin writes whatever it likes into
    /// each.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Platform { channel, action } => channel.platform.len() + channel.id.len() + action.bytes(),
            Self::Alert(alert) => alert.bytes(),
            // The id is the engine's own.
            Self::Enqueue { task_id: _, task } => task.bytes(),
            Self::Publish { kind, data_json } => kind.len() + data_json.len(),
        }
    }
}

/// What goes first when a channel's outbox is full: moderation, then everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    Moderation,
    Chat,
}

impl Action {
    const fn bytes(&self) -> usize {
        match self {
            Self::Say { text } | Self::Announce { text } => text.len(),
            Self::Reply { message_id, text } => message_id.len() + text.len(),
            Self::Whisper { user_id, text } => user_id.len() + text.len(),
            Self::Shoutout { user_id } | Self::Lift { user_id } => user_id.len(),
            Self::RemoveMessage { message_id, reason } => message_id.len() + reason.len(),
            Self::Suspend { user_id, seconds: _, reason }
            | Self::Block { user_id, reason }
            | Self::Warn { user_id, reason } => user_id.len() + reason.len(),
            Self::ResolveHeld { message_id, allow: _ } => message_id.len(),
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Say { .. } => "say",
            Self::Reply { .. } => "reply",
            Self::Whisper { .. } => "whisper",
            Self::Announce { .. } => "announce",
            Self::Shoutout { .. } => "shoutout",
            Self::RemoveMessage { .. } => "remove-message",
            Self::Suspend { .. } => "suspend",
            Self::Block { .. } => "block",
            Self::Lift { .. } => "lift",
            Self::Warn { .. } => "warn",
            Self::ResolveHeld { .. } => "resolve-held",
        }
    }

    pub const fn priority(&self) -> Priority {
        match self {
            Self::RemoveMessage { .. }
            | Self::Suspend { .. }
            | Self::Block { .. }
            | Self::Lift { .. }
            | Self::Warn { .. }
            | Self::ResolveHeld { .. } => Priority::Moderation,
            Self::Say { .. }
            | Self::Reply { .. }
            | Self::Whisper { .. }
            | Self::Announce { .. }
            | Self::Shoutout { .. } => Priority::Chat,
        }
    }

    /// Whether doing it twice is the same as doing it once, so that it may be sent again when it is not
    /// known what became of it. A chat line must never appear twice, and nobody be reported twice.
    pub const fn is_repeatable(&self) -> bool {
        matches!(self.priority(), Priority::Moderation) && !matches!(self, Self::Block { .. })
    }
}

/// An alert for the overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub kind: String,
    pub title: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
}

impl Alert {
    fn bytes(&self) -> usize {
        let Self { kind, title, text, image, sound, duration_ms: _ } = self;
        kind.len() + title.len() + text.len() + optional(image) + optional(sound)
    }
}

/// A piece of work for the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub queue: String,
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_json: Option<String>,
    /// 0 is served first.
    #[serde(default)]
    pub priority: u8,
}

impl Task {
    fn bytes(&self) -> usize {
        let Self { queue, prompt, context_json, priority: _ } = self;
        queue.len() + prompt.len() + optional(context_json)
    }
}

fn optional(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// What a reviewer says of an event, from mild to strict. The strictest of all counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    Pass,
    Flag {
        reason: String,
    },
    /// Keep it back until somebody decides.
    Hold {
        reason: String,
    },
    Remove {
        reason: String,
    },
    Suspend {
        seconds: Option<u32>,
        reason: String,
    },
}

impl Verdict {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Flag { .. } => "flag",
            Self::Hold { .. } => "hold",
            Self::Remove { .. } => "remove",
            Self::Suspend { .. } => "suspend",
        }
    }

    pub fn reason(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Flag { reason } | Self::Hold { reason } | Self::Remove { reason } | Self::Suspend { reason, .. } => {
                reason
            }
        }
    }
}

/// A change to a plugin's durable memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvWrite {
    Set { key: String, value: Vec<u8> },
    Remove { key: String },
}

/// An effect with its number within the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedEffect {
    pub number: u32,
    pub effect: Effect,
}

/// Effects from this number on are review's own measures for an event, and no reviewer's.
pub const MEASURES_FROM: u32 = 1 << 31;

/// Which call made a batch. Only a handler's batch says that the plugin is done with the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Handler,
    Review,
}

/// All that one call decided; it leaves together or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    pub plugin: PluginId,
    pub maker: Maker,
    /// The event that caused it.
    pub cause: Arc<Envelope>,
    pub effects: Vec<NumberedEffect>,
    pub kv: Vec<KvWrite>,
    /// A run that was killed may have carried out a part of it, and not come to write that down. So nothing leaves
    /// before the ledger was asked, and what must not appear twice does not leave at all.
    pub again: bool,
}

impl Batch {
    /// For a disk that refuses it: tasks stand in the database, or nowhere.
    pub fn without_tasks(&self) -> Self {
        let mut rest = self.clone();
        rest.effects.retain(|numbered| !matches!(numbered.effect, Effect::Enqueue { .. }));
        rest
    }
}

/// Names an effect for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EffectKey {
    pub event_id: Arc<str>,
    pub plugin: PluginId,
    pub number: u32,
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectResult {
    pub key: EffectKey,
    pub status: OutcomeStatus,
    pub message_id: Option<String>,
    pub detail: String,
}

impl EffectResult {
    /// What its texts hold.
    pub fn bytes(&self) -> usize {
        optional(&self.message_id) + self.detail.len()
    }
}

/// Where a plugin's batches go.
pub trait EffectSink: Send + Sync {
    /// Takes over the whole batch. Never waits.
    fn commit(&self, batch: Batch);

    /// The next number of the engine's own channel, for an event that only one plugin sees. Never waits.
    fn next_number(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever kind of effect it is, and wherever in it a text stands.
    #[test]
    fn every_text_of_an_effect_counts() {
        let text = || "x".repeat(10);
        let platform = |action| Effect::Platform { channel: Channel::new(text(), text()), action };
        let alert = |image: Option<String>| {
            Effect::Alert(Alert {
                kind: text(),
                title: text(),
                text: text(),
                sound: image.clone(),
                image,
                duration_ms: None,
            })
        };
        let task = |context_json| {
            let task = Task { queue: text(), prompt: text(), context_json, priority: 0 };
            Effect::Enqueue { task_id: text(), task }
        };
        for (effect, bytes) in [
            (platform(Action::Say { text: text() }), 30),
            (platform(Action::Reply { message_id: text(), text: text() }), 40),
            (platform(Action::Whisper { user_id: text(), text: text() }), 40),
            (platform(Action::Announce { text: text() }), 30),
            (platform(Action::Shoutout { user_id: text() }), 30),
            (platform(Action::RemoveMessage { message_id: text(), reason: text() }), 40),
            (platform(Action::Suspend { user_id: text(), seconds: None, reason: text() }), 40),
            (platform(Action::Block { user_id: text(), reason: text() }), 40),
            (platform(Action::Lift { user_id: text() }), 30),
            (platform(Action::Warn { user_id: text(), reason: text() }), 40),
            (platform(Action::ResolveHeld { message_id: text(), allow: true }), 30),
            (alert(None), 30),
            (alert(Some(text())), 50),
            (task(None), 20),
            (task(Some(text())), 30),
            (Effect::Publish { kind: text(), data_json: text() }, 20),
        ] {
            assert_eq!(effect.bytes(), bytes, "{effect:?}");
        }
    }
}
