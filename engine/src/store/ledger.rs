//! The ledger: what plugins decided, all of one event together, and how it ended.
//!
//! A batch is one transaction: its effects, its tasks, its memory, and the event that it is made of, which no longer
//! waits for the plugin. An effect is in the ledger once, by its key; whoever commits it is told whether it is new.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item, Request};
use super::{Store, from_integer, inbox, kv, tasks, to_integer, unfinished};
use crate::effect::{Batch, Effect, EffectKey, EffectResult, MEASURES_FROM, Maker, NumberedEffect, PluginId};
use crate::event::OutcomeStatus;

pub(super) const INSERT: &str = "INSERT INTO effects (event_id, plugin, number, platform, channel, effect, state,
                          stored_ms, detail, message_id, ended_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (event_id, plugin, number) DO NOTHING";

/// What did not come into the ledger with a batch, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// It stood there before: whatever became of it, it is not to be carried out once more.
    pub known: Vec<u32>,
    /// Tasks that their queue has no room for. They stand there as failed.
    pub refused: Vec<u32>,
}

/// An effect that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEffect {
    pub key: EffectKey,
    pub effect: Effect,
    pub stored_ms: u64,
}

impl Store {
    /// Writes a batch that nobody waits for: only chatter may go this way.
    pub fn commit_behind(&self, batch: &Batch) {
        if !is_empty(batch) {
            self.write_behind(Item::Batch(Box::new(batch.clone())));
        }
    }

    /// Writes a batch, its tasks included, and resolves when a loss of power can't undo it. It is queued when this
    /// returns: whatever is written from now on comes behind it. A queue of tasks holds `task_bound` at most.
    ///
    /// Where the disk refuses it, all but its tasks keeps its place and is written when the disk takes it again.
    pub fn commit(
        &self,
        batch: &Batch,
        task_bound: u32,
    ) -> Result<impl Future<Output = Result<Committed, StoreError>> + Send + use<>, StoreError> {
        let rest = batch.without_tasks();
        let batch = batch.clone();
        let (answer, answered) = oneshot::channel();
        let work =
            Request::new(Access::Durable, move |group: &mut Group<'_>| write_batch(group, &batch, task_bound), answer);
        self.queue_work(work.with_rest(Item::Batch(Box::new(rest))), answered)
    }

    /// Whether anything is written down that this plugin's handler made of this event. Review's own measures are no
    /// batch of a handler.
    pub async fn has_handled(&self, event_id: &Arc<str>, plugin: &PluginId) -> Result<bool, StoreError> {
        let (event_id, plugin) = (Arc::clone(event_id), plugin.clone());
        self.request(Access::Read, move |group| {
            let mut statement = group.prepare(
                "SELECT EXISTS (SELECT 1 FROM effects WHERE event_id = ?1 AND plugin = ?2 AND number < ?3)
                     OR EXISTS (SELECT 1 FROM handled WHERE event_id = ?1 AND plugin = ?2)",
            )?;
            Ok(statement.query_row((&*event_id, &*plugin, MEASURES_FROM), |row| row.get(0))?)
        })
        .await
    }

    /// The effects that have not ended, in the order in which they were written.
    pub async fn pending_effects(&self) -> Result<Vec<PendingEffect>, StoreError> {
        self.request(Access::Read, |group| {
            let mut statement = group.prepare(
                "SELECT event_id, plugin, number, effect, stored_ms FROM effects WHERE state = 'pending'
                 ORDER BY position",
            )?;
            let rows = statement.query_map([], |row| {
                let key = EffectKey {
                    event_id: row.get::<_, String>(0)?.into(),
                    plugin: row.get::<_, String>(1)?.into(),
                    number: row.get(2)?,
                };
                Ok((key, row.get::<_, String>(3)?, from_integer(row.get(4)?)))
            })?;
            let mut pending = Vec::new();
            for row in rows {
                let (key, json, stored_ms) = row?;
                match serde_json::from_str(&json) {
                    Ok(effect) => pending.push(PendingEffect { key, effect, stored_ms }),
                    Err(error) => {
                        tracing::warn!(event = %key.event_id, plugin = %key.plugin, number = key.number, %error,
                            "An effect of the ledger can't be read; it stays pending.");
                    }
                }
            }
            Ok(pending)
        })
        .await
    }
}

fn is_empty(batch: &Batch) -> bool {
    batch.effects.is_empty() && batch.kv.is_empty()
}

/// Runs within the group's transaction, so that all of it is written or nothing.
pub(super) fn write_batch(group: &mut Group<'_>, batch: &Batch, task_bound: u32) -> Result<Committed, StoreError> {
    let mut committed = Committed::default();
    for numbered in &batch.effects {
        if !write_effect(group, batch, numbered)? {
            committed.known.push(numbered.number);
        } else if let Effect::Enqueue { task_id, task } = &numbered.effect {
            if group.claim_room(&task.queue, task_bound)? {
                tasks::insert(group, &batch.plugin, task_id, task, group.now_ms)?;
            } else {
                fail(group, batch, numbered.number)?;
                committed.refused.push(numbered.number);
            }
        }
    }
    for write in &batch.kv {
        kv::write(group, &batch.plugin, write)?;
    }
    if batch.maker == Maker::Handler {
        note_handled(group, batch)?;
    }
    Ok(committed)
}

/// The plugin is done with the event, which must not come to it again. Effects say so by themselves.
fn note_handled(group: &Group<'_>, batch: &Batch) -> Result<(), StoreError> {
    if batch.effects.is_empty() {
        unfinished::mark_handled(group, &batch.cause.id, &batch.plugin)?;
    }
    if batch.cause.event.must_not_be_missed() {
        inbox::strike_off(group, &batch.plugin, &batch.cause.id)?;
    }
    Ok(())
}

/// A task that does not come into its table.
fn fail(group: &Group<'_>, batch: &Batch, number: u32) -> Result<(), StoreError> {
    group
        .prepare("UPDATE effects SET state = 'failed' WHERE event_id = ?1 AND plugin = ?2 AND number = ?3")?
        .execute((&*batch.cause.id, &*batch.plugin, number))?;
    Ok(())
}

/// Says whether the effect was not in the ledger yet; an event that comes again brings the same keys again. One that
/// ends in the same group is written with its end.
fn write_effect(group: &mut Group<'_>, batch: &Batch, numbered: &NumberedEffect) -> Result<bool, StoreError> {
    let key =
        EffectKey { event_id: Arc::clone(&batch.cause.id), plugin: Arc::clone(&batch.plugin), number: numbered.number };
    let channel = match &numbered.effect {
        Effect::Platform { channel, .. } => Some(channel),
        Effect::Alert(_) | Effect::Enqueue { .. } | Effect::Publish { .. } => None,
    };
    let (state, ended) = match (&numbered.effect, group.results.get(&key)) {
        // A task is carried out by standing in its table, which the same transaction does.
        (Effect::Enqueue { .. }, _) => (OutcomeStatus::Done.as_str(), None),
        (_, Some(result)) => (result.status.as_str(), Some(result)),
        (_, None) => ("pending", None),
    };
    let json = group.json.write(&numbered.effect)?;
    let inserted = group.insert_effect.execute((
        &*key.event_id,
        &*key.plugin,
        key.number,
        channel.map(|channel| &*channel.platform),
        channel.map(|channel| &*channel.id),
        json,
        state,
        to_integer(group.now_ms),
        ended.map_or("", |result| &result.detail),
        ended.and_then(|result| result.message_id.as_deref()),
        ended.map(|_| to_integer(group.now_ms)),
    ))?;
    let is_new = inserted > 0;
    group.total_bytes = group.total_bytes.saturating_add(json.len() as u64);
    if is_new && ended.is_some() {
        group.results.remove(&key);
    }
    Ok(is_new)
}

pub(super) fn write_result(group: &Group<'_>, result: &EffectResult) -> Result<(), StoreError> {
    let key = &result.key;
    group
        .prepare(
            "UPDATE effects SET state = ?4, detail = ?5, message_id = ?6, ended_ms = ?7
             WHERE event_id = ?1 AND plugin = ?2 AND number = ?3",
        )?
        .execute((
            &*key.event_id,
            &*key.plugin,
            key.number,
            result.status.as_str(),
            &result.detail,
            &result.message_id,
            to_integer(group.now_ms),
        ))?;
    Ok(())
}
