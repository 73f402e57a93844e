//! What was written: the config as serde reads it, nothing checked but names and types.
//!
//! `None` is "not written". Each key is explained in `config/showrunner.toml`, which a test compares with this file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::Reference;
use super::settings::{
    JoystickKeys, JoystickToken, JoystickVersion, LogFormat, OnFailure, RetakeGeneration, TwitchAccounts,
};
use super::units::{Size, Time};
use crate::permission;

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Raw {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) log: Log,
    pub(super) http: Http,
    pub(super) pipeline: Pipeline,
    pub(super) journal: Journal,
    pub(super) agent: Agent,
    pub(super) host: Host,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) plugins: BTreeMap<String, Plugin>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retake: Vec<Retake>,
    pub(super) twitch: Twitch,
    pub(super) joystick: Joystick,
    pub(super) auth: Auth,
    pub(super) simulator: Simulator,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Log {
    pub(super) filter: Option<String>,
    pub(super) format: Option<LogFormat>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Http {
    pub(super) listen: Option<String>,
    pub(super) token: Option<Reference>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Pipeline {
    pub(super) command_prefix: Option<String>,
    pub(super) review: Option<Time>,
    pub(super) fallback_after: Option<Time>,
    pub(super) drain: Option<Time>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Journal {
    pub(super) keep_for: Option<Time>,
    pub(super) keep_size: Option<Size>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Agent {
    pub(super) queue_bound: Option<u32>,
    pub(super) visibility: Option<Time>,
    pub(super) attempts: Option<u32>,
    pub(super) wake: Option<Vec<String>>,
    pub(super) wake_debounce: Option<Time>,
    pub(super) wake_timeout: Option<Time>,
    pub(super) queue_file: Option<PathBuf>,
    pub(super) health_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Host {
    pub(super) plugins_dir: Option<PathBuf>,
    pub(super) watch: Option<WatchMode>,
    pub(super) poll_every: Option<Time>,
    pub(super) debounce: Option<Time>,
    pub(super) safe_mode: Option<bool>,
    pub(super) limits: HostLimits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WatchMode {
    Native,
    Poll,
    Off,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct HostLimits {
    pub(super) memory: Option<Size>,
    pub(super) component_size: Option<Size>,
    pub(super) handle: Option<Time>,
    pub(super) review: Option<Time>,
    pub(super) init: Option<Time>,
    pub(super) save: Option<Time>,
    pub(super) restore: Option<Time>,
    pub(super) effects: Option<u32>,
    pub(super) effect_size: Option<Size>,
    pub(super) kv_size: Option<Size>,
    pub(super) kv_value_size: Option<Size>,
    pub(super) log_lines_per_second: Option<u32>,
    pub(super) http_timeout: Option<Time>,
    pub(super) http_body_size: Option<Size>,
    pub(super) http_concurrent: Option<u32>,
    pub(super) http_per_minute: Option<u32>,
    pub(super) timers: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Plugin {
    pub(super) enabled: Option<bool>,
    pub(super) grant: Option<permission::Table>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) pin: Option<String>,
    pub(super) on_failure: Option<OnFailure>,
    pub(super) record: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, Reference>,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub(super) settings: toml::Table,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Retake {
    pub(super) generation: Option<RetakeGeneration>,
    pub(super) room: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) token: Option<Reference>,
    pub(super) rest_base: Option<String>,
    pub(super) socket_url: Option<String>,
    pub(super) poll: Option<Time>,
    pub(super) pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Twitch {
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Reference>,
    pub(super) redirect: Option<String>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) accounts: Option<TwitchAccounts>,
    pub(super) subscriptions: Option<Vec<String>>,
    pub(super) eventsub_url: Option<String>,
    pub(super) helix_base: Option<String>,
    pub(super) oauth_base: Option<String>,
    pub(super) pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Joystick {
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Reference>,
    pub(super) redirect: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) bot: Option<String>,
    pub(super) version: Option<JoystickVersion>,
    pub(super) gateway_token: Option<JoystickToken>,
    pub(super) command_keys: Option<JoystickKeys>,
    pub(super) gateway_url: Option<String>,
    pub(super) consent_url: Option<String>,
    pub(super) oauth_base: Option<String>,
    pub(super) rest_base: Option<String>,
    pub(super) echo: Option<Time>,
    pub(super) pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Auth {
    pub(super) key: Option<Reference>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Simulator {
    pub(super) channel: Option<String>,
    pub(super) script: Option<String>,
    pub(super) record: Option<PathBuf>,
    pub(super) pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Pace {
    pub(super) messages_per_second: Option<f64>,
    pub(super) burst: Option<u32>,
    pub(super) in_flight: Option<u32>,
    pub(super) expiry: Option<Time>,
}
