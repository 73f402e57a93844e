//! How the parts of a running engine are shown: the words of the control socket and of `/readyz`.
//!
//! Plain data. The engine fills it in from its own types; the command line prints it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::auth::GrantView;
use crate::event::{Channel, PlatformName};
use crate::platform::supervisor::ConnectionStatus;
use crate::store::backup::Copied;
use crate::store::{ChatLine, Viewer};

/// The whole daemon on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub pid: u32,
    pub started_ms: u64,
    pub config: PathBuf,
    pub data_dir: PathBuf,
    pub safe_mode: bool,
    pub connections: Vec<ConnectionStatus>,
    /// Where a person has to sign in.
    #[serde(default)]
    pub grants: Vec<GrantView>,
    pub plugins: Vec<PluginStatus>,
    pub queues: Vec<QueueView>,
    pub store: StoreView,
}

/// A permission with what it is limited to, as in a manifest: `chat = ["say"]`.
pub type Permissions = BTreeMap<String, Vec<String>>;

/// One plugin, whether it runs or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginStatus {
    pub id: String,
    pub name: String,
    pub version: String,
    /// "sha256:<hex>" of the component, as a pin spells it.
    pub hash: String,
    /// Counts the loads since the start; 0 where none runs.
    pub generation: u64,
    /// The version of the contract it was built against.
    pub wit: String,
    /// "running", "waiting-for-grant", "quarantined", "disabled", "failed", "not-running", ...
    pub state: String,
    /// Comes with the engine, so that it is granted what it asks.
    pub ships: bool,
    pub events: Vec<String>,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    pub asked: Permissions,
    pub granted: Permissions,
    /// Why it is in this state, and what to do.
    pub detail: String,
    /// Events that wait for it.
    pub queued: u64,
    /// Events it was too slow for.
    pub dropped: u64,
    pub crashes: u64,
}

/// How full a task queue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    pub queue: String,
    pub waiting: u64,
    pub leased: u64,
    pub dead: u64,
}

/// A piece of work for the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: String,
    pub queue: String,
    /// Who asked.
    pub plugin: String,
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_json: Option<String>,
    /// 0 is served first.
    pub priority: u8,
    /// "waiting", "leased", "done", "dead".
    pub state: String,
    /// How often it was leased.
    pub attempts: u32,
    pub created_ms: u64,
    /// Names this lease when the task is acknowledged or given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreView {
    /// What is wrong, since when and what to do; `None` when it is well.
    pub problem: Option<String>,
    /// Writes that wait.
    pub backlog: u64,
    /// Writes that were lost since the start, because the disk could not keep up or could not store them.
    #[serde(default)]
    pub lost: u64,
}

/// What came of reading the config again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What was taken over, in words.
    pub applied: Vec<String>,
    /// What could not be, and why; it stays as it was.
    #[serde(default)]
    pub failed: Vec<String>,
    /// Keys that hold only after a restart.
    pub needs_restart: Vec<String>,
}

impl Reloaded {
    pub(crate) fn add(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(applied) => self.applied.push(applied),
            Err(failed) => self.failed.push(failed),
        }
    }
}

/// What a daemon did for a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// The copy, where only the daemon could make it. Else it is the client's to make, and all that is known is in the
    /// file.
    pub copied: Option<Copied>,
    /// What is not in the copy, or not well.
    pub warning: Option<String>,
}

/// Somebody who was seen, with what they wrote last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerView {
    pub platform: PlatformName,
    #[serde(flatten)]
    pub viewer: Viewer,
    pub lines: Vec<ChannelLines>,
}

/// The newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelLines {
    pub channel: Channel,
    pub lines: Vec<ChatLine>,
}
