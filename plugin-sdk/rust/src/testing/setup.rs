//! What a plugin finds when it starts.

use serde::Serialize;
use serde_json::Value;

use super::manifest::{self, Manifest};
use super::state::{self, State};
use crate::viewers::Viewer;

/// The world around a plugin before it starts. Everything has a default: no settings, an empty memory, every
/// permission.
pub struct Setup {
    pub(super) state: State,
    pub(super) error: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// A world where everything is allowed and nothing is set.
    pub fn new() -> Self {
        Self { state: State::default(), error: None }
    }

    /// Takes the events, the commands, the permissions and the default settings from a manifest, usually
    /// `include_str!("../plugin.toml")`. What it does not ask for is then refused.
    #[must_use]
    pub fn manifest(mut self, toml: &str) -> Self {
        match Manifest::parse(toml) {
            Ok(manifest) => {
                let operator = std::mem::replace(&mut self.state.settings, manifest.defaults.clone());
                manifest::merge(&mut self.state.settings, operator);
                self.state.manifest = Some(manifest);
            }
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// The operator's settings, over the manifest's defaults: `serde_json::json!({"greeting": "Hi"})`.
    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        manifest::merge(&mut self.state.settings, settings);
        self
    }

    /// Puts a value into the plugin's memory, as [`crate::kv::set`] would.
    #[must_use]
    pub fn remembered<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => {
                self.state.kv.insert(key.to_owned(), bytes);
            }
            Err(error) => self.error = Some(format!("the value of `{key}`: {error}")),
        }
        self
    }

    /// Refuses a permission ("chat.say", "kv.use", "agent.main"), or all requests ("http.send"), from the start.
    #[must_use]
    pub fn deny(mut self, permission: &str) -> Self {
        self.state.refused.insert(permission.to_owned(), state::not_granted(permission));
        self
    }

    /// Somebody whom the engine knows.
    #[must_use]
    pub fn viewer(mut self, platform: &str, viewer: Viewer) -> Self {
        self.state.viewers.push((platform.to_owned(), viewer));
        self
    }

    /// Starts the clock at another time than 2026-01-03 12:00 UTC, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(mut self, now_ms: u64) -> Self {
        self.state.now_ms = now_ms;
        self
    }
}
