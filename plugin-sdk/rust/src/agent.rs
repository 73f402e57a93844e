//! Effects: work for the AI agent, which takes it from a queue and answers with an `agent` event.
//!
//! A [`Task`] has a `queue`, such as "main"; a `prompt`, which is what the agent reads first; with `context_json`
//! whatever else it may want to know, as JSON; and a `priority`, of which 0 is served first.

pub use crate::bindings::showrunner::plugin::agent::Task;

use crate::{Refused, host};

/// Puts a task into a queue and returns the id that the answer will carry
/// ([`Plugin::on_agent_reply`](crate::Plugin::on_agent_reply)). It is there when the handler returns `Ok`.
///
/// # Errors
/// When the queue is not granted (`agent = ["<queue>"]`) or is full, over a limit of the event, or when `context_json`
/// is no JSON.
pub fn enqueue(task: &Task) -> Result<String, Refused> {
    host::agent::enqueue(task).map_err(Refused::new)
}
