//! The ledger: what plugins decided, all of one event together, and how it ended.

use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item};
use super::{Store, kv, tasks, to_integer};
use crate::effect::{Batch, Effect, EffectResult, NumberedEffect};
use crate::event::OutcomeStatus;

impl Store {
    /// Writes a batch that nobody waits for: only chatter may go this way.
    pub fn commit_behind(&self, batch: &Batch) {
        if !is_empty(batch) {
            self.write_behind(Item::Batch(Box::new(batch.clone())));
        }
    }

    /// Writes a batch, its tasks included, and resolves when a loss of power can't undo it.
    pub async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if is_empty(batch) {
            return Ok(());
        }
        let batch = batch.clone();
        self.request(Access::Durable, move |group| write_batch(group, &batch)).await
    }
}

fn is_empty(batch: &Batch) -> bool {
    batch.effects.is_empty() && batch.kv.is_empty()
}

/// Runs within the group's transaction, so that all of it is written or nothing.
pub(super) fn write_batch(group: &mut Group<'_>, batch: &Batch) -> Result<(), StoreError> {
    for numbered in &batch.effects {
        let is_new = write_effect(group, batch, numbered)?;
        if let (true, Effect::Enqueue { task_id, task }) = (is_new, &numbered.effect) {
            tasks::insert(group, &batch.plugin, task_id, task, group.now_ms)?;
        }
    }
    for write in &batch.kv {
        kv::write(group, &batch.plugin, write)?;
    }
    Ok(())
}

/// Says whether the effect was not in the ledger yet; a replayed event brings the same keys again.
fn write_effect(group: &mut Group<'_>, batch: &Batch, numbered: &NumberedEffect) -> Result<bool, StoreError> {
    let json = serde_json::to_string(&numbered.effect)?;
    let channel = match &numbered.effect {
        Effect::Platform { channel, .. } => Some(channel),
        Effect::Alert(_) | Effect::Enqueue { .. } | Effect::Publish { .. } => None,
    };
    // A task is carried out by standing in its table, which the same transaction does.
    let state = match &numbered.effect {
        Effect::Enqueue { .. } => OutcomeStatus::Done.as_str(),
        _ => "pending",
    };
    let inserted = group
        .prepare(
            "INSERT INTO effects (event_id, plugin, number, platform, channel, effect, state, stored_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (event_id, plugin, number) DO NOTHING",
        )?
        .execute((
            &*batch.cause.id,
            &*batch.plugin,
            numbered.number,
            channel.map(|channel| &*channel.platform),
            channel.map(|channel| &*channel.id),
            &json,
            state,
            to_integer(group.now_ms),
        ))?;
    group.total_bytes = group.total_bytes.saturating_add(json.len() as u64);
    Ok(inserted > 0)
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
