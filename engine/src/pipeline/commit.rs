//! The end of a handler: its batch goes to the ledger, and then on its way.
//!
//! Chat, alerts and publications leave at once, and their entry in the ledger is written behind. Tasks and moderation
//! leave when theirs is on the disk. As long as a batch waits for that, the memory (kv) of those behind it waits with
//! it, so that what a plugin wrote last is what stays.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use futures_util::future::maybe_done;
use futures_util::poll;
use tokio::sync::mpsc;

use super::Inner;
use super::carry_out::name;
use crate::effect::{Batch, Effect, NumberedEffect, PluginId, Priority};
use crate::store::StoreError;

/// Batches that wait for the disk. It takes thousands a second, so this many means that it takes none.
const AWAITED: usize = 4096;

/// Batches that are committed together.
const GROUP: usize = 256;

/// The batches that wait for the disk.
pub(super) struct Awaited {
    batches: mpsc::Sender<Batch>,
    /// Until they are carried out.
    pending: AtomicUsize,
}

impl Awaited {
    /// With the end that the [`Committer`] takes.
    pub(super) fn new() -> (Self, mpsc::Receiver<Batch>) {
        let (batches, receiver) = mpsc::channel(AWAITED);
        (Self { batches, pending: AtomicUsize::new(0) }, receiver)
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }
}

impl Inner {
    pub(super) fn commit(&self, batch: Batch) {
        let is_slow = self.store.is_slow();
        let must_stand_first = |numbered: &NumberedEffect| must_stand_first(numbered, is_slow);
        let waits = batch.effects.iter().any(must_stand_first) || (!batch.kv.is_empty() && self.awaited.pending() > 0);
        if !waits {
            self.store.commit_behind(&batch);
            self.carry_out(&batch.plugin, &batch.cause.id, batch.effects);
            return;
        }
        let Batch { plugin, cause, effects, kv } = batch;
        let (awaited, leaving): (Vec<_>, Vec<_>) = effects.into_iter().partition(must_stand_first);
        let leaving =
            Batch { plugin: PluginId::clone(&plugin), cause: Arc::clone(&cause), effects: leaving, kv: Vec::new() };
        self.store.commit_behind(&leaving);
        self.carry_out(&leaving.plugin, &leaving.cause.id, leaving.effects);
        self.commit_awaited(Batch { plugin, cause, effects: awaited, kv });
    }

    fn commit_awaited(&self, batch: Batch) {
        self.awaited.pending.fetch_add(1, Ordering::AcqRel);
        if let Err(refused) = self.awaited.batches.try_send(batch) {
            self.carry_out_unwritten(refused.into_inner(), "the database can't keep up");
            self.settle(1);
        }
    }

    fn settle(&self, count: usize) {
        self.awaited.pending.fetch_sub(count, Ordering::AcqRel);
        self.progress.notify_waiters();
    }

    async fn commit_group(&self, mut group: Vec<Batch>) {
        let count = group.len();
        self.refuse_surplus_tasks(&mut group).await;
        let written = self.write(&group).await;
        for (batch, written) in group.into_iter().zip(written) {
            match written {
                Ok(()) => self.carry_out(&batch.plugin, &batch.cause.id, batch.effects),
                Err(error) => self.carry_out_unwritten(batch, &error.to_string()),
            }
        }
        self.settle(count);
    }

    /// Commits the batches side by side, in order.
    async fn write(&self, group: &[Batch]) -> Vec<Result<(), StoreError>> {
        let mut commits = Vec::with_capacity(group.len());
        for batch in group {
            let mut commit = Box::pin(maybe_done(self.store.commit(batch)));
            // The first poll is what queues it at the store.
            let _ = poll!(commit.as_mut());
            commits.push(commit);
        }
        let mut written = Vec::with_capacity(commits.len());
        for mut commit in commits {
            commit.as_mut().await;
            written.push(commit.as_mut().take_output().unwrap_or(Err(StoreError::Closed)));
        }
        written
    }

    /// Takes out what the agent's queues have no room for. Only the committer adds to them by batches, so a room that
    /// was found is still there when the group is written.
    async fn refuse_surplus_tasks(&self, group: &mut [Batch]) {
        let mut rooms = HashMap::new();
        for Batch { plugin, cause, effects, .. } in group {
            for numbered in std::mem::take(effects) {
                if let Effect::Enqueue { task, .. } = &numbered.effect
                    && let Err(why) = self.claim_room(&mut rooms, &task.queue).await
                {
                    self.report_effect(plugin, &cause.id, numbered.number, name(&numbered.effect), None, Err(why));
                } else {
                    effects.push(numbered);
                }
            }
        }
    }

    async fn claim_room(&self, rooms: &mut HashMap<String, u32>, queue: &str) -> Result<(), String> {
        let room = match rooms.entry(queue.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let tasks = self.tasks.get().ok_or("there is no queue of tasks")?;
                unknown.insert(tasks.room(queue).await.map_err(|error| error.to_string())?)
            }
        };
        *room = room
            .checked_sub(1)
            .ok_or_else(|| format!("the queue {queue:?} is full: too many tasks wait already (agent.queue-bound)"))?;
        Ok(())
    }

    /// The disk did not take it. Moderation is carried out all the same: doing it twice harms nobody, and a chat without
    /// it does. A task stands in the database or nowhere.
    fn carry_out_unwritten(&self, batch: Batch, why: &str) {
        let Batch { plugin, cause, effects, kv } = batch;
        let (tasks, others): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|numbered| matches!(numbered.effect, Effect::Enqueue { .. }));
        for NumberedEffect { number, effect } in tasks {
            self.report_effect(&plugin, &cause.id, number, name(&effect), None, Err(why.to_owned()));
        }
        // All else waits in memory until the disk takes it again.
        let rest = Batch { plugin, cause, effects: others, kv };
        self.store.commit_behind(&rest);
        self.carry_out(&rest.plugin, &rest.cause.id, rest.effects);
    }
}

/// Whether it may only be carried out when the ledger has it. For moderation a disk that takes its time is as good as one
/// that takes nothing.
fn must_stand_first(numbered: &NumberedEffect, is_slow: bool) -> bool {
    match &numbered.effect {
        Effect::Enqueue { .. } => true,
        Effect::Platform { action, .. } => action.priority() == Priority::Moderation && !is_slow,
        Effect::Alert(_) | Effect::Publish { .. } => false,
    }
}

/// Writes the batches that wait for the disk, a group at a time, and sends them on in order. Ends with the pipeline.
pub(super) struct Committer {
    pub(super) batches: mpsc::Receiver<Batch>,
    pub(super) pipeline: Weak<Inner>,
}

impl Committer {
    pub(super) async fn run(mut self) {
        let mut group = Vec::new();
        while self.batches.recv_many(&mut group, GROUP).await > 0 {
            let Some(pipeline) = self.pipeline.upgrade() else { return };
            pipeline.commit_group(std::mem::take(&mut group)).await;
        }
    }
}
