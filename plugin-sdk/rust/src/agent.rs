//! Effects: work for the AI agent, which takes it from a queue and answers with an `agent` event.

pub use crate::bindings::showrunner::plugin::agent::Task;

use crate::host;

/// Puts a task into a queue and returns the id that the answer will carry.
///
/// # Errors
/// When the queue is not granted (`agent = ["<queue>"]`), or is full.
pub fn enqueue(task: &Task) -> Result<String, String> {
    host::agent::enqueue(task)
}
