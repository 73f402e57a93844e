//! How a plugin is, in words for the operator.

use std::collections::BTreeMap;
use std::fmt;

/// A plugin as the operator sees it. What runs and what was tried last can differ: a broken file changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginState {
    pub id: String,
    pub name: String,
    pub version: String,
    pub hash: String,
    pub generation: u64,
    pub wit: String,
    pub phase: Phase,
    pub ships: bool,
    pub events: Vec<String>,
    pub imports: Vec<String>,
    pub asked: BTreeMap<String, Vec<String>>,
    pub granted: BTreeMap<String, Vec<String>>,
    /// Why it is so, and what to do.
    pub detail: String,
    pub queued: u64,
    pub dropped: u64,
    pub crashes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    Running,
    /// Its `init` takes long; nobody waits for it.
    Starting,
    /// It crashed and starts again after a pause.
    Restarting,
    WaitingForGrant,
    Quarantined,
    Disabled,
    Failed,
    #[default]
    Stopped,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Restarting => "restarting",
            Self::WaitingForGrant => "waiting-for-grant",
            Self::Quarantined => "quarantined",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        })
    }
}
