//! What watchers see: the terminal, dashboards, overlays, metrics.
//!
//! Everybody who only watches hangs on one broadcast. It holds a bounded number of observations, so a watcher
//! that falls behind misses some and is told how many; it can never slow down what it watches.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::effect::{Alert, Effect, EffectResult, PluginId};
use crate::event::{Channel, Envelope, now_ms};

/// A watcher that falls this far behind starts to miss observations: some seconds of a very busy chat.
const CAPACITY: usize = 8192;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "observed", rename_all = "kebab-case")]
pub enum Observation {
    Event {
        envelope: Arc<Envelope>,
        own: bool,
    },
    /// What the reviewers together decided, unless it was to pass.
    Verdict {
        event_id: Arc<str>,
        plugin: PluginId,
        verdict: String,
        reason: String,
    },
    /// A handler came to its end.
    Decision(Decision),
    Outcome {
        channel: Option<Channel>,
        effect: String,
        result: EffectResult,
    },
    Alert {
        plugin: PluginId,
        alert: Alert,
    },
    /// An event of a plugin's own, for clients that subscribed to its kind.
    Published {
        plugin: PluginId,
        kind: String,
        data_json: String,
    },
    Connection {
        /// The name of the connection, such as "retake:5b7c".
        name: String,
        state: ConnectionState,
    },
    Plugin {
        plugin: PluginId,
        change: PluginChange,
        /// Its version, and why.
        detail: String,
    },
    Log {
        plugin: PluginId,
        level: String,
        message: String,
    },
}

/// What happened to a plugin. Plugins hear of it as a system event of the kind "plugin-loaded" and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginChange {
    Loaded,
    /// Another version has taken over, or the same one was started anew.
    Reloaded,
    /// A call ended badly. The plugin starts again after a pause.
    Crashed,
    Restarted,
    /// Its `init`, or the event in hand, takes its time.
    Slow,
    /// It crashed too often, and gets no events until somebody sees to it.
    Quarantined,
    WaitingForGrant,
    Disabled,
    /// It can't be loaded, or the host failed over it.
    Failed,
    /// Its folder is gone.
    Removed,
}

impl PluginChange {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Reloaded => "reloaded",
            Self::Crashed => "crashed",
            Self::Restarted => "restarted",
            Self::Slow => "slow",
            Self::Quarantined => "quarantined",
            Self::WaitingForGrant => "waiting-for-grant",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }
}

/// What one plugin decided on one event, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decision {
    pub event_id: Arc<str>,
    pub plugin: PluginId,
    pub verdict: DecisionKind,
    pub effects: Vec<Effect>,
    /// What the plugin itself wrote to its log while deciding.
    pub notes: Vec<String>,
    pub took_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    Passed,
    Handled,
    /// The handler returned an error; nothing was sent.
    Failed(String),
    /// It trapped, ran out of time or of memory; nothing was sent and it starts anew.
    Crashed(String),
}

/// What the state of a connection truly is: `Ready` means that events will come, not that a socket is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ConnectionState {
    Connecting,
    Authenticating,
    Subscribing,
    Ready {
        /// What does not work as it should although events come, such as reading by polling.
        degraded: Option<String>,
    },
    BackingOff {
        until_ms: u64,
        why: String,
    },
    Stopped {
        why: String,
        what_to_do: String,
    },
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => formatter.write_str("connecting"),
            Self::Authenticating => formatter.write_str("authenticating"),
            Self::Subscribing => formatter.write_str("subscribing"),
            Self::Ready { degraded: None } => formatter.write_str("ready"),
            Self::Ready { degraded: Some(why) } => write!(formatter, "ready, but {why}"),
            Self::BackingOff { until_ms, why } => {
                let seconds = until_ms.saturating_sub(now_ms()).div_ceil(1000);
                write!(formatter, "backing off, next try in {seconds} s: {why}")
            }
            Self::Stopped { why, what_to_do } => write!(formatter, "stopped: {why}; {what_to_do}"),
        }
    }
}

/// The one place where observations are sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Observer {
    sender: broadcast::Sender<Arc<Observation>>,
}

impl Default for Observer {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(CAPACITY) }
    }
}

impl Observer {
    /// Never waits. Without watchers the observation is not even made.
    pub fn observe(&self, make: impl FnOnce() -> Observation) {
        if self.is_watched() {
            // An error only says that the last watcher has just left.
            let _ = self.sender.send(Arc::new(make()));
        }
    }

    pub fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    pub fn watch(&self) -> broadcast::Receiver<Arc<Observation>> {
        self.sender.subscribe()
    }
}
