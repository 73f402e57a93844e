//! The control socket: how the command line talks to a running daemon.
//!
//! A Unix socket in the data folder, which only the daemon's user (and root) can reach; no token is needed, because
//! the file system keeps others out. One JSON value a line: a request is answered by one response, and a request to
//! watch by observations until the client leaves.
//!
//! [`server`] accepts and dispatches to [`Control`], which the engine implements; [`client`] is the other end.

pub mod client;
mod line;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use self::server::{ControlError, ControlSocket};
use super::view::{BackedUp, PluginStatus, Reloaded, Status, TaskView};
use crate::auth::answer::{AuthAnswer, AuthRequest};
use crate::observation::Observation;

/// Where the socket of a data folder is.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    Status,
    Plugins(PluginRequest),
    Simulate(Simulation),
    Queue(QueueRequest),
    Auth(AuthRequest),
    /// Answered by observations, one a line, until the client leaves.
    Watch,
    /// Reads the config again; when it is wrong the old settings stay.
    ReloadConfig,
    /// Writes all that waits, so that the client can copy the database. Where its file is gone, the daemon alone still
    /// has what was in it, and makes the copy itself.
    Backup {
        file: PathBuf,
        overwrite: bool,
    },
    /// As SIGTERM does.
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "plugins", rename_all = "kebab-case")]
pub enum PluginRequest {
    List,
    Inspect {
        id: String,
    },
    /// Loads it again, also when its file did not change, and ends a quarantine.
    Reload {
        id: String,
    },
}

/// An event to be played in, as typed; its kind decides which of the fields it uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Simulation {
    /// "chat", "tip", "follow", "sub", "gift", "raid", ...
    pub kind: String,
    pub user: Option<String>,
    /// "broadcaster", "moderator", "vip" or "subscriber".
    pub role: Option<String>,
    pub text: Option<String>,
    /// A decimal, as "12.50".
    pub amount: Option<String>,
    pub months: Option<u32>,
    pub count: Option<u32>,
    /// As "retake:5b7c" or the simulator's own channel when there is none.
    pub channel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "queue", rename_all = "kebab-case")]
pub enum QueueRequest {
    /// Tasks that wait or are leased; of every queue without a `name`.
    List {
        name: Option<String>,
        limit: u32,
    },
    Lease {
        name: String,
        limit: u32,
    },
    Ack {
        task: String,
        lease: String,
    },
    /// Gives it back, to be leased again after a pause.
    Nack {
        task: String,
        lease: String,
        delay_ms: u64,
    },
    /// Answers the plugin that asked, and acknowledges.
    Reply {
        task: String,
        ok: bool,
        text: String,
    },
    /// Tasks that nobody could finish.
    Dead {
        name: Option<String>,
        limit: u32,
    },
    /// Brings a dead task to life.
    Requeue {
        task: String,
    },
}

/// What the daemon answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "kebab-case")]
pub enum Response {
    Status(Status),
    Plugins {
        plugins: Vec<PluginStatus>,
    },
    Plugin(PluginStatus),
    Tasks {
        tasks: Vec<TaskView>,
    },
    /// The id of the event that was played in.
    Simulated {
        event_id: String,
    },
    Reloaded(Reloaded),
    BackedUp(BackedUp),
    Auth(AuthAnswer),
    /// Done, and there is nothing to say of it.
    Done,
    Observed {
        observation: Arc<Observation>,
    },
    /// The client was too slow for this many observations.
    Missed {
        count: u64,
    },
    Refused(Refusal),
}

/// Why something was not done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// It was asked for wrongly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_usage: bool,
}

impl Refusal {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, is_usage: false }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self { is_usage: true, ..Self::new(message) }
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What the engine does for a client.
#[async_trait]
pub trait Control: Send + Sync {
    async fn status(&self) -> Status;
    async fn plugins(&self) -> Vec<PluginStatus>;
    async fn reload_plugin(&self, id: &str) -> Result<PluginStatus, Refusal>;
    /// Returns the id of the event.
    async fn simulate(&self, simulation: Simulation) -> Result<String, Refusal>;
    /// Tasks for `List`, `Lease` and `Dead`; nothing for the others.
    async fn queue(&self, request: QueueRequest) -> Result<Vec<TaskView>, Refusal>;
    async fn auth(&self, request: AuthRequest) -> Result<AuthAnswer, Refusal>;
    async fn reload_config(&self) -> Result<Reloaded, Refusal>;
    async fn back_up(&self, file: &Path, overwrite: bool) -> Result<BackedUp, Refusal>;
    fn watch(&self) -> broadcast::Receiver<Arc<Observation>>;
    /// Begins to stop, and returns at once.
    fn stop(&self);
}

#[cfg(test)]
mod tests;
