//! The end of a handler: its batch goes to the ledger, and then on its way.
//!
//! Chat, alerts and publications leave at once, and their entry in the ledger is written behind. Tasks and moderation
//! leave when theirs is on the disk (moderation also without, while the disk takes its time); so does everything of a
//! batch that comes again after a kill. Either way the whole batch takes its place in the store's queue here, so that
//! what a plugin stored last is what stays.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Inner;
use super::carry_out::{Ending, name};
use crate::agent::TaskQueue;
use crate::effect::{Batch, Effect, NumberedEffect, PluginId, Priority, Task};
use crate::event::OutcomeStatus;
use crate::store::{Committed, StoreError};

/// The store's word that a batch is on the disk.
type Word = Pin<Box<dyn Future<Output = Result<Committed, StoreError>> + Send>>;

/// Moderation waits no longer for its entry in the ledger. What takes the disk this long may take it very long.
const PATIENCE: Duration = Duration::from_millis(500);

/// Why what must not appear twice does not leave with a batch that comes again.
const MAY_HAVE_LEFT: &str = "an earlier run that was killed may have sent it, so it is not sent again";

/// The batches that wait for the disk. There are never more than the store has room for.
pub(super) struct Awaited {
    batches: mpsc::UnboundedSender<(Batch, Word)>,
    /// Until they are carried out.
    pending: AtomicUsize,
}

impl Awaited {
    /// With the end that the [`Committer`] takes.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<(Batch, Word)>) {
        let (batches, receiver) = mpsc::unbounded_channel();
        (Self { batches, pending: AtomicUsize::new(0) }, receiver)
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }
}

impl Inner {
    pub(super) fn commit(&self, mut batch: Batch) {
        let word = self.write(&batch);
        let at_once =
            batch.effects.extract_if(.., |numbered| !must_stand_first(&numbered.effect, batch.again)).collect();
        self.carry_out(&batch.plugin, &batch.cause.id, at_once);
        match word {
            Ok(None) => {}
            Ok(Some(word)) => self.wait_for(batch, word),
            Err(error) => self.carry_out_unwritten(batch, &error.to_string()),
        }
    }

    /// Gives the whole batch its place in the store's queue. The word is there when something has to wait for it.
    fn write(&self, batch: &Batch) -> Result<Option<Word>, StoreError> {
        if !batch.effects.iter().any(|numbered| must_stand_first(&numbered.effect, batch.again)) {
            self.store.commit_behind(batch);
            return Ok(None);
        }
        let task_bound = self.tasks.get().map_or(0, TaskQueue::bound);
        match self.store.commit(batch, task_bound) {
            Ok(word) => Ok(Some(Box::pin(word))),
            Err(error) => {
                self.store.commit_behind(&batch.without_tasks());
                Err(error)
            }
        }
    }

    fn wait_for(&self, batch: Batch, word: Word) {
        self.awaited.pending.fetch_add(1, Ordering::AcqRel);
        // The other end lives as long as the pipeline.
        if let Err(refused) = self.awaited.batches.send((batch, word)) {
            self.carry_out_unwritten(refused.0.0, "the engine has ended");
            self.settle();
        }
    }

    fn settle(&self) {
        self.awaited.pending.fetch_sub(1, Ordering::AcqRel);
        self.progress.notify_waiters();
    }

    /// The disk takes its time. For moderation that is as good as one that takes nothing: what of it may be done twice
    /// does not wait any longer. Says whether anything of the batch still does.
    fn hurry(&self, batch: &mut Batch) -> bool {
        let Batch { plugin, cause, effects, again, maker: _, kv: _ } = batch;
        let may_leave = |effect: &Effect| is_moderation(effect) && !(*again && must_not_leave_twice(effect));
        let leaving = effects.extract_if(.., |numbered| may_leave(&numbered.effect)).collect();
        self.carry_out(plugin, &cause.id, leaving);
        !effects.is_empty()
    }

    fn carry_out_committed(&self, batch: Batch, committed: &Committed) {
        let Batch { plugin, cause, effects, again, maker: _, kv: _ } = batch;
        let mut leaving = Vec::with_capacity(effects.len());
        for numbered in effects {
            if committed.known.contains(&numbered.number) {
                tracing::debug!(%plugin, event = %cause.id, number = numbered.number, "An effect is in the ledger already and is not carried out again.");
            } else if let (Effect::Enqueue { task, .. }, true) =
                (&numbered.effect, committed.refused.contains(&numbered.number))
            {
                self.end_effect(&plugin, &cause.id, &numbered, Ending::failed(self.why_refused(task)));
            } else if again && must_not_leave_twice(&numbered.effect) {
                let ending = Ending { status: OutcomeStatus::Uncertain, detail: MAY_HAVE_LEFT.to_owned() };
                self.end_effect(&plugin, &cause.id, &numbered, ending);
            } else {
                leaving.push(numbered);
            }
        }
        self.carry_out(&plugin, &cause.id, leaving);
    }

    fn why_refused(&self, task: &Task) -> String {
        match self.tasks.get() {
            Some(_) => format!("the queue {:?} is full: too many tasks wait already (agent.queue-bound)", task.queue),
            None => "there is no queue of tasks".to_owned(),
        }
    }

    /// The disk did not take it. Moderation is carried out all the same: doing it twice harms nobody, and a chat
    /// without it does. A task stands in the database or nowhere; what else is to be written waits in memory.
    fn carry_out_unwritten(&self, mut batch: Batch, why: &str) {
        for task in batch.effects.extract_if(.., |numbered| matches!(numbered.effect, Effect::Enqueue { .. })) {
            self.end_effect(&batch.plugin, &batch.cause.id, &task, Ending::failed(why));
        }
        self.carry_out_committed(batch, &Committed::default());
    }

    /// Ends an effect that was not carried out.
    pub(super) fn end_effect(&self, plugin: &PluginId, event_id: &Arc<str>, numbered: &NumberedEffect, ending: Ending) {
        let channel = match &numbered.effect {
            Effect::Platform { channel, .. } => Some(channel.clone()),
            Effect::Alert(_) | Effect::Enqueue { .. } | Effect::Publish { .. } => None,
        };
        self.report_effect(plugin, event_id, numbered.number, name(&numbered.effect), channel, ending);
    }
}

/// Whether it may only be carried out when the ledger has it, as is everything of a batch that comes again.
fn must_stand_first(effect: &Effect, again: bool) -> bool {
    again || matches!(effect, Effect::Enqueue { .. }) || is_moderation(effect)
}

fn is_moderation(effect: &Effect) -> bool {
    matches!(effect, Effect::Platform { action, .. } if action.priority() == Priority::Moderation)
}

/// Alerts and publications go to those who watch this very process, and nothing of them lasts.
pub(super) const fn must_not_leave_twice(effect: &Effect) -> bool {
    match effect {
        Effect::Platform { action, .. } => !action.is_repeatable(),
        Effect::Alert(_) | Effect::Enqueue { .. } | Effect::Publish { .. } => false,
    }
}

/// Sends the batches that wait for the disk on their way, in order, each when it is there, and their moderation ahead
/// when that takes too long. Ends with the pipeline.
pub(super) struct Committer {
    batches: mpsc::UnboundedReceiver<(Batch, Word)>,
    pipeline: Weak<Inner>,
    waiting: VecDeque<Waiting>,
    /// So many in front have had their moderation carried out.
    hurried: usize,
}

struct Waiting {
    batch: Batch,
    word: Word,
    since: Instant,
}

impl Committer {
    pub(super) fn new(batches: mpsc::UnboundedReceiver<(Batch, Word)>, pipeline: Weak<Inner>) -> Self {
        Self { batches, pipeline, waiting: VecDeque::new(), hurried: 0 }
    }

    pub(super) async fn run(mut self) {
        loop {
            let hurry_at = self.waiting.get(self.hurried).map(|next| next.since + PATIENCE);
            tokio::select! {
                biased;
                written = first_word(&mut self.waiting) => {
                    let Some(pipeline) = self.pipeline.upgrade() else { return };
                    self.carry_out_first(&pipeline, written);
                }
                () = sleep_until(hurry_at.unwrap_or_else(Instant::now)), if hurry_at.is_some() => {
                    let Some(pipeline) = self.pipeline.upgrade() else { return };
                    self.hurry(&pipeline);
                }
                received = self.batches.recv() => {
                    let (Some((batch, word)), Some(pipeline)) = (received, self.pipeline.upgrade()) else { return };
                    self.waiting.push_back(Waiting { batch, word, since: Instant::now() });
                    if self.is_late() || pipeline.store.is_slow() {
                        self.hurry(&pipeline);
                    }
                }
            }
        }
    }

    fn carry_out_first(&mut self, pipeline: &Inner, written: Result<Committed, StoreError>) {
        let Some(Waiting { batch, .. }) = self.waiting.pop_front() else { return };
        self.hurried = self.hurried.saturating_sub(1);
        match written {
            Ok(committed) => pipeline.carry_out_committed(batch, &committed),
            Err(error) => pipeline.carry_out_unwritten(batch, &error.to_string()),
        }
        pipeline.settle();
    }

    fn is_late(&self) -> bool {
        self.waiting.front().is_some_and(|first| first.since.elapsed() >= PATIENCE)
    }

    /// All that wait: what holds up the first holds up those behind it, and nothing overtakes what was asked before.
    fn hurry(&mut self, pipeline: &Inner) {
        let hurried = self.waiting.drain(self.hurried..).collect::<Vec<_>>();
        for mut waiting in hurried {
            if pipeline.hurry(&mut waiting.batch) {
                self.waiting.push_back(waiting);
            } else {
                // Its entry is on its way, and nobody has to hear when it is there.
                pipeline.settle();
            }
        }
        self.hurried = self.waiting.len();
    }
}

/// The store's word on the batch in front.
async fn first_word(waiting: &mut VecDeque<Waiting>) -> Result<Committed, StoreError> {
    match waiting.front_mut() {
        Some(first) => first.word.as_mut().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Action;
    use crate::event::Channel;

    #[test]
    fn chatter_leaves_at_once_unless_it_comes_again() {
        let on_platform = |action| Effect::Platform { channel: Channel::engine(), action };
        let task = Task { queue: String::new(), prompt: String::new(), context_json: None, priority: 0 };
        let cases = [
            (on_platform(Action::Say { text: String::new() }), false),
            (Effect::Publish { kind: String::new(), data_json: String::new() }, false),
            (on_platform(Action::Lift { user_id: String::new() }), true),
            (on_platform(Action::Block { user_id: String::new(), reason: String::new() }), true),
            (Effect::Enqueue { task_id: String::new(), task }, true),
        ];
        for (effect, waits) in cases {
            assert_eq!(must_stand_first(&effect, false), waits, "{effect:?}");
            assert!(must_stand_first(&effect, true), "{effect:?}, again");
        }
    }
}
