//! Which events a plugin is called for. Not calling it is by far the cheapest way to serve it.

use std::collections::BTreeSet;

use crate::effect::notice;
use crate::event::{Channel, ENGINE, EVENT_NAMES, Envelope, Event};

/// The text of a chat message that review took away.
const CHAT_REMOVED: &str = "chat-removed";

/// A manifest's `events` and `commands`, and the operator's `channels`, ready to be asked for each event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subscription {
    names: BTreeSet<&'static str>,
    /// `platform:kind`, as in `raw:twitch:channel.poll.begin`.
    raw: BTreeSet<String>,
    removed_text: bool,
    commands: BTreeSet<String>,
    /// Empty for all.
    channels: BTreeSet<Channel>,
}

/// `events` in a manifest names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no event `{0}`; there are {names}, `chat-removed`, and `raw:<platform>:<kind>`", names = EVENT_NAMES.map(|name| format!("`{name}`")).join(", "))]
pub struct UnknownEvent(pub String);

impl Subscription {
    pub(super) fn new(events: &[String], commands: &[String], channels: &[Channel]) -> Result<Self, UnknownEvent> {
        let mut subscription = Self {
            commands: commands.iter().map(|command| command.to_lowercase()).collect(),
            channels: channels.iter().cloned().collect(),
            ..Self::default()
        };
        for event in events {
            if let Some(name) = EVENT_NAMES.iter().find(|name| *name == event) {
                subscription.names.insert(name);
            } else if let Some(raw) = event.strip_prefix("raw:").filter(|raw| raw.contains(':')) {
                subscription.raw.insert(raw.to_owned());
            } else if event == CHAT_REMOVED {
                subscription.removed_text = true;
            } else {
                return Err(UnknownEvent(event.clone()));
            }
        }
        Ok(subscription)
    }

    pub(super) fn wants(&self, envelope: &Envelope) -> bool {
        self.hears_channel(envelope) && self.wants_event(envelope)
    }

    /// Whether it may see the text of messages that review took away.
    pub(super) fn wants_removed_text(&self) -> bool {
        self.removed_text
    }

    fn hears_channel(&self, envelope: &Envelope) -> bool {
        self.channels.is_empty() || &*envelope.channel.platform == ENGINE || self.channels.contains(&envelope.channel)
    }

    fn wants_event(&self, envelope: &Envelope) -> bool {
        if self.names.contains(envelope.event.name()) {
            return true;
        }
        match &envelope.event {
            Event::Chat(message) | Event::Whisper(message) => {
                message.command.as_ref().is_some_and(|command| self.commands.contains(&command.name))
            }
            Event::Moderation(moderation) => {
                self.removed_text
                    && matches!(moderation.kind.as_str(), notice::REMOVED | notice::HELD | notice::SUSPENDED)
            }
            Event::Raw(raw) => self.raw.contains(&format!("{}:{}", envelope.channel.platform, raw.kind)),
            _ => false,
        }
    }
}
