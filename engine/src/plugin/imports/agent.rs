//! `agent`: tasks for the AI agent. A grant lists the queues. A queue that is full is told at once; its bound is held
//! where tasks are written, so a burst can find it full even after this.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::wit::agent::{Host, Task};
use crate::effect::{self, Effect};
use crate::plugin::guest::Guest;

/// An answer takes a millisecond; a store that is stuck must not hold up a whole chat.
const PATIENCE: Duration = Duration::from_secs(1);

impl Host for Guest {
    async fn enqueue(&mut self, task: Task) -> Result<String, String> {
        self.check("agent", &task.queue).map_err(|denied| denied.to_string())?;
        if let Some(context) = &task.context_json {
            serde_json::from_str::<serde::de::IgnoredAny>(context)
                .map_err(|error| format!("context-json is no JSON: {error}"))?;
        }
        let context = Arc::clone(&self.context);
        // Where the store is stuck nobody knows; the bound is held all the same, where tasks are written.
        let room = self.waiting(timeout(PATIENCE, context.services.has_room(&task.queue))).await;
        if !room.unwrap_or(Ok(true)).map_err(|error| error.to_string())? {
            return Err(format!("limit: the queue {} is full", task.queue));
        }
        let bytes = task.prompt.len() + task.context_json.as_ref().map_or(0, String::len);
        let task_id = context.services.task_id();
        let task = effect::Task {
            queue: task.queue,
            prompt: task.prompt,
            context_json: task.context_json,
            priority: task.priority,
        };
        self.wish(Effect::Enqueue { task_id: task_id.clone(), task }, bytes)?;
        Ok(task_id)
    }
}
