//! The rows of the agent's tasks. The rules (bounds, times, attempts) are `agent`'s, which passes them in; what is here
//! only makes each step one transaction, so that no task is ever leased twice.

mod task;
#[cfg(test)]
mod tests;

use rusqlite::{OptionalExtension, Row, ToSql};

pub use self::task::{ExpiredTask, LeasedTask, StoredTask, Sweep, TaskChange, TaskState};
use super::error::StoreError;
use super::group::Group;
use super::item::Access;
use super::{Store, from_integer, inbox, to_integer};
use crate::effect::{PluginId, Task};
use crate::event::{AgentReply, Channel, Envelope, Event, Origin};

impl Store {
    /// How many tasks of a queue wait or are worked on.
    pub async fn open_tasks(&self, queue: &str) -> Result<u32, StoreError> {
        let queue = queue.to_owned();
        self.request(Access::Read, move |group| count_open(group, &queue)).await
    }

    /// Gives out the first tasks of a queue: those of the lowest priority number, then the oldest.
    pub async fn lease_tasks(
        &self,
        queue: &str,
        limit: u32,
        lease_id: String,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Vec<LeasedTask>, StoreError> {
        let queue = queue.to_owned();
        self.request(Access::Durable, move |group| {
            let mut statement = group.prepare(
                "UPDATE tasks SET state = 'leased', lease_id = ?3, lease_until_ms = ?5, attempts = attempts + 1
                 WHERE position IN (
                     SELECT position FROM tasks WHERE queue = ?1 AND state = 'ready' AND ready_at_ms <= ?4
                     ORDER BY priority, position LIMIT ?2)
                 RETURNING position, id, queue, plugin, prompt, context, priority, attempts, created_ms",
            )?;
            let values = (&queue, limit, &lease_id, to_integer(now_ms), to_integer(until_ms));
            let rows = statement.query_map(values, |row| {
                let lease = LeasedTask {
                    task_id: row.get("id")?,
                    lease_id: lease_id.clone(),
                    lease_until_ms: until_ms,
                    plugin: row.get::<_, String>("plugin")?.into(),
                    task: read_task(row)?,
                    attempt: row.get("attempts")?,
                    created_ms: from_integer(row.get("created_ms")?),
                };
                Ok((row.get::<_, i64>("position")?, lease))
            })?;
            // SQLite promises no order for RETURNING.
            let mut leases = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            leases.sort_by_key(|(position, lease)| (lease.task.priority, *position));
            Ok(leases.into_iter().map(|(_, lease)| lease).collect())
        })
        .await
    }

    /// Ends a leased task well.
    pub async fn ack_task(&self, task_id: &str, lease_id: &str, now_ms: u64) -> Result<TaskChange, StoreError> {
        self.change_leased(task_id, lease_id, move |group, task_id, _| {
            set_ended(group, task_id, TaskState::Done, now_ms)?;
            Ok(TaskState::Done)
        })
        .await
    }

    /// Gives a leased task back, not to be leased before `ready_at_ms`; dead when that was its last attempt.
    pub async fn nack_task(
        &self,
        task_id: &str,
        lease_id: &str,
        attempts: u32,
        now_ms: u64,
        ready_at_ms: u64,
    ) -> Result<TaskChange, StoreError> {
        self.change_leased(task_id, lease_id, move |group, task_id, found| {
            if found.attempts >= attempts {
                set_ended(group, task_id, TaskState::Dead, now_ms)?;
                return Ok(TaskState::Dead);
            }
            set_ready(group, task_id, ready_at_ms)?;
            Ok(TaskState::Ready)
        })
        .await
    }

    /// Ends a task with an answer, whoever holds it: an agent that reads the queue file never leased it. With the same
    /// stroke the event that tells of it begins to wait for the plugin that asked, as yet without a number.
    pub async fn answer_task(&self, reply: AgentReply, now_ms: u64) -> Result<TaskChange, StoreError> {
        self.request(Access::Durable, move |group| {
            let Some(found) = find(group, &reply.task_id)? else { return Ok(TaskChange::Unknown) };
            if found.state == TaskState::Done {
                return Ok(TaskChange::Refused { state: found.state });
            }
            set_ended(group, &reply.task_id, TaskState::Done, now_ms)?;
            group.prepare("UPDATE tasks SET answer_ok = ?2, answer = ?3 WHERE id = ?1")?.execute((
                &reply.task_id,
                reply.ok,
                &reply.text,
            ))?;
            inbox::write(group, &found.plugin, &unnumbered(reply.clone(), now_ms), false)?;
            Ok(TaskChange::Made { state: TaskState::Done, plugin: found.plugin })
        })
        .await
    }

    /// Gives a dead task a new life, with all its attempts.
    pub async fn requeue_task(&self, task_id: &str, now_ms: u64) -> Result<TaskChange, StoreError> {
        let task_id = task_id.to_owned();
        self.request(Access::Durable, move |group| {
            let Some(found) = find(group, &task_id)? else { return Ok(TaskChange::Unknown) };
            if found.state != TaskState::Dead {
                return Ok(TaskChange::Refused { state: found.state });
            }
            set_ready(group, &task_id, now_ms)?;
            group.recount_tasks();
            group.prepare("UPDATE tasks SET attempts = 0 WHERE id = ?1")?.execute([&task_id])?;
            Ok(TaskChange::Made { state: TaskState::Ready, plugin: found.plugin })
        })
        .await
    }

    /// The tasks of one queue or of all that are in one of these states: the oldest first.
    pub async fn list_tasks(
        &self,
        queue: Option<&str>,
        states: &[TaskState],
        limit: u32,
    ) -> Result<Vec<StoredTask>, StoreError> {
        let queue = queue.map(str::to_owned);
        let states: Vec<_> = states.iter().map(|state| format!("\"{}\"", state.as_str())).collect();
        let states = format!("[{}]", states.join(","));
        self.request(Access::Read, move |group| {
            let mut statement = group.prepare(
                "SELECT id, queue, plugin, prompt, context, priority, state, attempts, ready_at_ms, lease_until_ms,
                        created_ms, answer_ok, answer
                 FROM tasks WHERE (?1 IS NULL OR queue = ?1) AND state IN (SELECT value FROM json_each(?2))
                 ORDER BY position LIMIT ?3",
            )?;
            let rows = statement.query_map((&queue, &states, limit), read_stored)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// How many tasks each queue holds in each state. Those that are done are not counted: they are history.
    pub async fn count_tasks(&self) -> Result<Vec<(String, TaskState, u64)>, StoreError> {
        self.request(Access::Read, |group| {
            let mut statement = group.prepare(
                "SELECT queue, state, count(*) AS number FROM tasks WHERE state IN ('ready', 'leased', 'dead')
                 GROUP BY queue, state",
            )?;
            let rows = statement.query_map([], |row| {
                let state = TaskState::parse(&row.get::<_, String>("state")?);
                Ok((row.get("queue")?, state, from_integer(row.get("number")?)))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Takes back the tasks whose lease has ended; those that were leased `attempts` times are dead. Also looks for
    /// tasks that were given back with a delay which ended after `since_ms`; 0 looks for any that can be leased.
    pub async fn sweep_tasks(&self, attempts: u32, since_ms: u64, now_ms: u64) -> Result<Sweep, StoreError> {
        self.request(Access::Durable, move |group| {
            let mut statement = group.prepare(
                "UPDATE tasks SET
                     state = iif(attempts >= ?1, 'dead', 'ready'), ended_ms = iif(attempts >= ?1, ?2, NULL),
                     ready_at_ms = ?2, lease_id = NULL, lease_until_ms = NULL
                 WHERE state = 'leased' AND lease_until_ms <= ?2 RETURNING id, plugin, queue, attempts, state",
            )?;
            let rows = statement.query_map((attempts, to_integer(now_ms)), |row| {
                Ok(ExpiredTask {
                    task_id: row.get("id")?,
                    plugin: row.get::<_, String>("plugin")?.into(),
                    queue: row.get("queue")?,
                    attempts: row.get("attempts")?,
                    is_dead: TaskState::parse(&row.get::<_, String>("state")?) == TaskState::Dead,
                })
            })?;
            let expired = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let is_any_due = group
                .prepare(
                    "SELECT EXISTS (SELECT 1 FROM tasks WHERE state = 'ready' AND ready_at_ms > ?1
                         AND ready_at_ms <= ?2 AND (attempts > 0 OR ?1 = 0))",
                )?
                .query_row((to_integer(since_ms), to_integer(now_ms)), |row| row.get(0))?;
            Ok(Sweep { expired, is_any_due })
        })
        .await
    }

    async fn change_leased<F>(&self, task_id: &str, lease_id: &str, change: F) -> Result<TaskChange, StoreError>
    where
        F: Fn(&Group<'_>, &str, &Found) -> Result<TaskState, StoreError> + Send + 'static,
    {
        let (task_id, lease_id) = (task_id.to_owned(), lease_id.to_owned());
        self.request(Access::Durable, move |group| {
            let Some(found) = find(group, &task_id)? else { return Ok(TaskChange::Unknown) };
            if found.state != TaskState::Leased || found.lease_id.as_ref() != Some(&lease_id) {
                return Ok(TaskChange::Refused { state: found.state });
            }
            let state = change(group, &task_id, &found)?;
            Ok(TaskChange::Made { state, plugin: found.plugin })
        })
        .await
    }
}

fn unnumbered(reply: AgentReply, at_ms: u64) -> Envelope {
    let (id, origin, channel) = (reply.event_id(), Origin::Live, Channel::engine());
    Envelope { id, sequence: 0, at_ms, origin, channel, event: Event::Agent(reply), extra: None }
}

/// What decides whether a task may be changed.
struct Found {
    state: TaskState,
    plugin: PluginId,
    lease_id: Option<String>,
    attempts: u32,
}

fn find(group: &Group<'_>, task_id: &str) -> Result<Option<Found>, StoreError> {
    let found = group
        .prepare("SELECT state, plugin, lease_id, attempts FROM tasks WHERE id = ?1")?
        .query_row([task_id], |row| {
            Ok(Found {
                state: TaskState::parse(&row.get::<_, String>(0)?),
                plugin: row.get::<_, String>(1)?.into(),
                lease_id: row.get(2)?,
                attempts: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// A known id is a repeat and changes nothing.
pub(super) fn insert(
    group: &Group<'_>,
    plugin: &str,
    task_id: &str,
    task: &Task,
    now_ms: u64,
) -> Result<(), StoreError> {
    let now_ms = to_integer(now_ms);
    group
        .prepare(
            "INSERT INTO tasks (id, queue, plugin, prompt, context, priority, ready_at_ms, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (id) DO NOTHING",
        )?
        .execute((task_id, &task.queue, plugin, &task.prompt, &task.context_json, task.priority, now_ms))?;
    Ok(())
}

pub(super) fn count_open(group: &Group<'_>, queue: &str) -> Result<u32, StoreError> {
    Ok(group
        .prepare("SELECT count(*) FROM tasks WHERE queue = ?1 AND state IN ('ready', 'leased')")?
        .query_row([queue], |row| row.get(0))?)
}

fn set_ended(group: &Group<'_>, task_id: &str, state: TaskState, now_ms: u64) -> Result<(), StoreError> {
    let values: [&dyn ToSql; 3] = [&task_id, &state.as_str(), &to_integer(now_ms)];
    group
        .prepare("UPDATE tasks SET state = ?2, ended_ms = ?3, lease_id = NULL, lease_until_ms = NULL WHERE id = ?1")?
        .execute(values)?;
    Ok(())
}

fn set_ready(group: &Group<'_>, task_id: &str, ready_at_ms: u64) -> Result<(), StoreError> {
    group
        .prepare(
            "UPDATE tasks SET state = 'ready', ready_at_ms = ?2, ended_ms = NULL, lease_id = NULL, lease_until_ms = NULL
             WHERE id = ?1",
        )?
        .execute((task_id, to_integer(ready_at_ms)))?;
    Ok(())
}

fn read_task(row: &Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        queue: row.get("queue")?,
        prompt: row.get("prompt")?,
        context_json: row.get("context")?,
        priority: row.get("priority")?,
    })
}

fn read_stored(row: &Row<'_>) -> rusqlite::Result<StoredTask> {
    let task_id: String = row.get("id")?;
    let answer = match row.get::<_, Option<bool>>("answer_ok")? {
        Some(ok) => {
            let text = row.get::<_, Option<String>>("answer")?.unwrap_or_default();
            Some(AgentReply { task_id: task_id.clone(), ok, text })
        }
        None => None,
    };
    Ok(StoredTask {
        task_id,
        plugin: row.get::<_, String>("plugin")?.into(),
        task: read_task(row)?,
        state: TaskState::parse(&row.get::<_, String>("state")?),
        attempts: row.get("attempts")?,
        ready_at_ms: from_integer(row.get("ready_at_ms")?),
        lease_until_ms: row.get::<_, Option<i64>>("lease_until_ms")?.map(from_integer),
        created_ms: from_integer(row.get("created_ms")?),
        answer,
    })
}
