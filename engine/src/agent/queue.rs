//! The rules of the task queue. A task waits, is leased for a while, and is acknowledged, answered or given back; a
//! lease that ends without a word gives it back too, and after so many of them the task is dead and waits for a person.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::files::{QueueFile, QueueFileHandle};
use super::wake::{WakeHandle, Waker};
use super::{Clock, Upkeep};
use crate::config::settings::AgentSettings;
use crate::effect::{PluginId, Task};
use crate::event::AgentReply;
use crate::observation::{Observation, Observer};
use crate::store::{ExpiredTask, LeasedTask, Store, StoreError, StoredTask, TaskChange, TaskState};

/// A task in the hands of an agent.
pub type Lease = LeasedTask;

/// Hands an answer, which waits on the disk for it, to the plugin that asked. Never waits.
pub type OnReply = Arc<dyn Fn(PluginId, AgentReply) + Send + Sync>;

/// The queue. Cheap to clone.
#[derive(Clone)]
pub struct TaskQueue {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    observer: Observer,
    on_reply: OnReply,
    clock: Clock,
    wake: Option<WakeHandle>,
    file: Option<QueueFileHandle>,
    bound: u32,
    visibility: Duration,
    attempts: u32,
}

/// Why the queue refused.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("there is no task {task_id:?}; it may be done and forgotten")]
    Unknown { task_id: String },
    #[error("task {task_id:?} is leased to somebody else: the lease {lease_id:?} ended before")]
    LeaseLost { task_id: String, lease_id: String },
    #[error("task {task_id:?} is not leased, it is {state}; lease it first")]
    NotLeased { task_id: String, state: TaskState },
    #[error("task {task_id:?} is done already")]
    Done { task_id: String },
    #[error("task {task_id:?} is {state}; only a dead one can be put back")]
    NotDead { task_id: String, state: TaskState },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TaskQueue {
    /// The queue, and what must be run beside it. `on_reply` hands an answer to the plugin that asked.
    pub fn new(
        store: Store,
        settings: &AgentSettings,
        observer: Observer,
        on_reply: OnReply,
        clock: Clock,
    ) -> (Self, Upkeep) {
        let (wake, waker) = Waker::from_settings(settings).unzip();
        let (file, written) = settings.queue_file.clone().map(QueueFile::new).unzip();
        let inner = Inner {
            store,
            observer,
            on_reply,
            clock,
            wake,
            file,
            bound: settings.queue_bound,
            visibility: settings.visibility,
            attempts: settings.attempts,
        };
        let queue = Self { inner: Arc::new(inner) };
        (queue.clone(), Upkeep { queue, waker, file: written })
    }

    /// How many tasks may wait or be worked on in each queue. Whoever adds them holds it.
    pub fn bound(&self) -> u32 {
        self.inner.bound
    }

    /// Whether a task of this queue would be taken now. A database that takes nothing says so at once.
    pub async fn has_room(&self, queue: &str) -> Result<bool, QueueError> {
        if let Some(refusal) = self.inner.store.refusal() {
            return Err(refusal.into());
        }
        Ok(self.inner.store.open_tasks(queue).await? < self.inner.bound)
    }

    /// Tells the agent of a task that was written with a plugin's batch. Never waits.
    pub fn announce(&self, task: &Task) {
        if let Some(file) = &self.inner.file {
            file.append(task, self.now_ms());
        }
        self.wake();
    }

    /// Takes the first tasks of a queue, for as long as `agent.visibility`.
    pub async fn lease(&self, queue: &str, limit: u32) -> Result<Vec<Lease>, QueueError> {
        self.take_back().await?;
        let now_ms = self.now_ms();
        let until_ms = now_ms.saturating_add(milliseconds(self.inner.visibility));
        let lease_id = Uuid::new_v4().simple().to_string();
        Ok(self.inner.store.lease_tasks(queue, limit, lease_id, now_ms, until_ms).await?)
    }

    /// Ends a task without an answer.
    pub async fn ack(&self, task_id: &str, lease_id: &str) -> Result<(), QueueError> {
        let change = self.inner.store.ack_task(task_id, lease_id, self.now_ms()).await?;
        leased(change, task_id, lease_id).map(|_| ())
    }

    /// Gives a task back, to be leased again after `delay`. Returns what it is now: dead if that was the last attempt.
    pub async fn nack(&self, task_id: &str, lease_id: &str, delay: Duration) -> Result<TaskState, QueueError> {
        let Inner { store, attempts, .. } = &*self.inner;
        let now_ms = self.now_ms();
        let ready_at_ms = now_ms.saturating_add(milliseconds(delay));
        let change = store.nack_task(task_id, lease_id, *attempts, now_ms, ready_at_ms).await?;
        let (state, plugin) = leased(change, task_id, lease_id)?;
        if state == TaskState::Dead {
            self.report_dead(&plugin, task_id, *attempts);
        } else if delay.is_zero() {
            self.wake();
        }
        Ok(state)
    }

    /// Ends a task with an answer for the plugin that asked. Needs no lease: an agent that reads the queue file has
    /// none.
    pub async fn reply(&self, task_id: &str, ok: bool, text: String) -> Result<(), QueueError> {
        let reply = AgentReply { task_id: task_id.to_owned(), ok, text };
        match self.inner.store.answer_task(reply.clone(), self.now_ms()).await? {
            TaskChange::Made { plugin, .. } => {
                (self.inner.on_reply)(plugin, reply);
                Ok(())
            }
            TaskChange::Refused { .. } => Err(QueueError::Done { task_id: task_id.to_owned() }),
            TaskChange::Unknown => Err(QueueError::Unknown { task_id: task_id.to_owned() }),
        }
    }

    /// The tasks of one queue or of all that wait or are worked on, the oldest first.
    pub async fn list(&self, queue: Option<&str>, limit: u32) -> Result<Vec<StoredTask>, QueueError> {
        Ok(self.inner.store.list_tasks(queue, &[TaskState::Ready, TaskState::Leased], limit).await?)
    }

    /// The tasks that wait for a person.
    pub async fn dead_letters(&self, queue: Option<&str>, limit: u32) -> Result<Vec<StoredTask>, QueueError> {
        Ok(self.inner.store.list_tasks(queue, &[TaskState::Dead], limit).await?)
    }

    /// Puts a dead task back, with all its attempts.
    pub async fn requeue(&self, task_id: &str) -> Result<(), QueueError> {
        match self.inner.store.requeue_task(task_id, self.now_ms()).await? {
            TaskChange::Made { .. } => {
                self.wake();
                Ok(())
            }
            TaskChange::Refused { state } => Err(QueueError::NotDead { task_id: task_id.to_owned(), state }),
            TaskChange::Unknown => Err(QueueError::Unknown { task_id: task_id.to_owned() }),
        }
    }

    /// Takes back what nobody works on any more and wakes the agent if there is anything to do that it was not told of
    /// since `since_ms`. Returns the time to go on from.
    pub(super) async fn sweep(&self, since_ms: u64) -> u64 {
        let now_ms = self.now_ms();
        match self.sweep_until(since_ms, now_ms).await {
            Ok(true) => self.wake(),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, "The leases of tasks could not be looked at; it is tried again.");
                return since_ms;
            }
        }
        now_ms
    }

    async fn take_back(&self) -> Result<(), StoreError> {
        let now_ms = self.now_ms();
        self.sweep_until(now_ms, now_ms).await.map(|_| ())
    }

    async fn sweep_until(&self, since_ms: u64, now_ms: u64) -> Result<bool, StoreError> {
        let sweep = self.inner.store.sweep_tasks(self.inner.attempts, since_ms, now_ms).await?;
        for ExpiredTask { task_id, plugin, queue, attempts, is_dead } in &sweep.expired {
            tracing::debug!(task_id, queue, attempts, is_dead, "A lease ended without a word.");
            if *is_dead {
                self.report_dead(plugin, task_id, *attempts);
            }
        }
        Ok(sweep.is_any_due || sweep.expired.iter().any(|task| !task.is_dead))
    }

    fn report_dead(&self, plugin: &PluginId, task_id: &str, attempts: u32) {
        tracing::warn!(
            %plugin, task_id, attempts,
            "A task was leased too often without an answer and is put aside; `showrunner queue` can put it back."
        );
        self.inner.observer.observe(|| Observation::Log {
            plugin: plugin.clone(),
            level: "warn".to_owned(),
            message: format!("task {task_id} is dead after {attempts} attempts"),
        });
    }

    fn wake(&self) {
        if let Some(wake) = &self.inner.wake {
            wake.request();
        }
    }

    fn now_ms(&self) -> u64 {
        (self.inner.clock)()
    }
}

/// What became of a change that only the holder of the lease may make.
fn leased(change: TaskChange, task_id: &str, lease_id: &str) -> Result<(TaskState, PluginId), QueueError> {
    let task_id = task_id.to_owned();
    match change {
        TaskChange::Made { state, plugin } => Ok((state, plugin)),
        TaskChange::Unknown => Err(QueueError::Unknown { task_id }),
        TaskChange::Refused { state: TaskState::Leased } => {
            Err(QueueError::LeaseLost { task_id, lease_id: lease_id.to_owned() })
        }
        TaskChange::Refused { state: TaskState::Done } => Err(QueueError::Done { task_id }),
        TaskChange::Refused { state } => Err(QueueError::NotLeased { task_id, state }),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
