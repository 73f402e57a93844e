//! `agent`: tasks for the AI agent. A grant lists the queues. A queue that is full is told at once; its bound is held
//! where tasks are written, so a burst can find it full even after this.

use std::sync::Arc;

use super::wit::agent::{Host, Task};
use crate::effect::{self, Effect};
use crate::plugin::guest::Guest;

impl Host for Guest {
    async fn enqueue(&mut self, task: Task) -> Result<String, String> {
        self.check("agent", &task.queue).map_err(|denied| denied.to_string())?;
        if let Some(context) = &task.context_json {
            serde_json::from_str::<serde::de::IgnoredAny>(context)
                .map_err(|error| format!("context-json is no JSON: {error}"))?;
        }
        let context = Arc::clone(&self.context);
        match self.soon(context.services.has_room(&task.queue)).await {
            Some(Ok(false)) => return Err(format!("limit: the queue {} is full", task.queue)),
            Some(Err(error)) => return Err(format!("unavailable: {error}")),
            // Whether there is room shows when it is written.
            Some(Ok(true)) | None => {}
        }
        let task_id = context.services.task_id();
        let task = effect::Task {
            queue: task.queue,
            prompt: task.prompt,
            context_json: task.context_json,
            priority: task.priority,
        };
        self.push_effect(Effect::Enqueue { task_id: task_id.clone(), task })?;
        Ok(task_id)
    }
}
