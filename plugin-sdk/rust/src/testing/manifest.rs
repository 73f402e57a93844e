//! What the harness needs of a `plugin.toml`: which events arrive, what is allowed, the default settings.
//!
//! The engine's own reader checks the rest; here an unknown key is no error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::event::{ChatMessage, Envelope, Event};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Manifest {
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    commands: Vec<String>,
    #[serde(default)]
    permissions: BTreeMap<String, Vec<String>>,
    #[serde(default = "empty_table")]
    pub(super) defaults: Value,
    #[serde(default)]
    pub(super) version: String,
}

fn empty_table() -> Value {
    Value::Object(serde_json::Map::new())
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("plugin.toml: {error}"))
    }

    /// Whether the manifest asks for a permission such as "chat.say".
    pub(super) fn allows(&self, permission: &str) -> bool {
        let (table, entry) = permission.split_once('.').unwrap_or((permission, ""));
        self.permissions.get(table).is_some_and(|entries| entries.iter().any(|asked| asked == entry))
    }

    /// The host compares parsed addresses; for a test's literal ones the beginning is enough.
    pub(super) fn allows_url(&self, url: &str) -> bool {
        let begins = |rule: &String| url.starts_with(rule.strip_suffix(" private").unwrap_or(rule));
        self.permissions.get("http").is_some_and(|rules| rules.iter().any(begins))
    }

    /// Whether the host would hand this event over.
    pub(super) fn lists(&self, envelope: &Envelope) -> bool {
        let listed = |wanted: &str| self.events.iter().any(|name| name == wanted);
        if listed(envelope.event.name()) {
            return true;
        }
        match &envelope.event {
            Event::Chat(ChatMessage { command: Some(command), .. })
            | Event::Whisper(ChatMessage { command: Some(command), .. }) => {
                self.commands.iter().any(|name| name.to_lowercase() == command.name)
            }
            Event::Moderation(moderation) => {
                listed("chat-removed") && matches!(moderation.kind.as_str(), "removed" | "held" | "suspended")
            }
            Event::Raw(raw) => listed(&format!("raw:{}:{}", envelope.platform, raw.kind)),
            _ => false,
        }
    }
}

/// Lays the operator's settings over the defaults: tables are merged, anything else is replaced.
pub(super) fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                match under.get_mut(&key) {
                    Some(existing) => merge(existing, value),
                    None => {
                        under.insert(key, value);
                    }
                }
            }
        }
        (under, over) => *under = over,
    }
}
