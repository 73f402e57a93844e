//! A task of the agent as its callers see it, and what becomes of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::effect::{PluginId, Task};
use crate::event::AgentReply;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Waits to be leased.
    Ready,
    Leased,
    /// Acknowledged or answered.
    Done,
    /// Leased too often without an acknowledgement: waits for a person.
    Dead,
}

impl fmt::Display for TaskState {
    /// In the word that people and metrics use.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ready => "waiting",
            other => other.as_str(),
        })
    }
}

impl TaskState {
    /// As it stands in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "leased" => Self::Leased,
            "done" => Self::Done,
            "dead" => Self::Dead,
            _ => Self::Ready,
        }
    }
}

/// A task that is now somebody's, until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedTask {
    pub task_id: String,
    pub lease_id: String,
    pub lease_until_ms: u64,
    pub plugin: PluginId,
    #[serde(flatten)]
    pub task: Task,
    /// Counts the leases, this one included.
    pub attempt: u32,
    pub created_ms: u64,
}

/// A task as it stands in its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTask {
    pub task_id: String,
    pub plugin: PluginId,
    #[serde(flatten)]
    pub task: Task,
    pub state: TaskState,
    pub attempts: u32,
    /// Not to be leased before.
    pub ready_at_ms: u64,
    pub lease_until_ms: Option<u64>,
    pub created_ms: u64,
    pub answer: Option<AgentReply>,
}

/// What became of a request to change a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskChange {
    /// It was changed, and is now in this state.
    Made {
        state: TaskState,
        plugin: PluginId,
    },
    /// It is in a state that does not allow it, or the lease is another's.
    Refused {
        state: TaskState,
    },
    Unknown,
}

/// What [`Store::sweep_tasks`](crate::store::Store::sweep_tasks) found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sweep {
    pub expired: Vec<ExpiredTask>,
    /// Whether the time of a delayed task has come.
    pub is_any_due: bool,
}

/// A task whose lease ended without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiredTask {
    pub task_id: String,
    pub plugin: PluginId,
    pub queue: String,
    pub attempts: u32,
    pub is_dead: bool,
}
