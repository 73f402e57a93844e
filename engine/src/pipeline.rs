//! The way of an event: numbered by its channel, past the reviewers, to the plugins, and what they decide out to the
//! platforms.
//!
//! It owns the numbers of the events, the order in which plugins get them, and the outboxes. It is the only room that
//! knows platforms and plugins both, and it decides nothing about chat. Nothing on the way from [`Pipeline::accept`] to
//! a plugin's queue, or of a chat line from [`EffectSink::commit`] to an outbox, waits or touches the disk. `engine`
//! makes it; platforms hand in events, plugins their batches, `agent` its answers.

mod carry_out;
mod commit;
mod fanout;
mod held;
mod leftovers;
mod outbox;
mod outboxes;
mod outcome;
mod recent;
mod replies;
mod review;
pub(crate) mod ruling;
mod sequencer;

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::commit::{Awaited, Committer};
use self::fanout::FanOut;
use self::held::Held;
use self::leftovers::Leftovers;
use self::outbox::{Outbox, Report};
use self::outboxes::Outboxes;
use self::outcome::Outcomes;
use self::sequencer::Sequencer;
use crate::agent::TaskQueue;
use crate::config::settings::PipelineSettings;
use crate::effect::{Batch, EffectSink, PluginId};
use crate::event::{Channel, Draft, Envelope, Event, Origin, now_ms};
use crate::observation::{Observation, Observer};
use crate::platform::{Pace, Sink};
use crate::plugin::{Delivery, Roster};
use crate::recording::{Note, Recording};
use crate::store::{InFlight, Store, StoreError};

/// How many ids of the journal are read at the start, over all channels: a repeat comes soon or never.
const RESTORED: usize = 2 * recent::REMEMBERED;

/// The pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

struct Inner {
    command_prefix: String,
    /// The time of all reviewers together.
    review: Duration,
    /// Where the pipeline's own tasks run: batches come from the plugins' runtime, which plugins can keep busy.
    runtime: Handle,
    /// Where plugins run, and reviews.
    threads: Handle,
    roster: Roster,
    store: Store,
    opened_ms: u64,
    leftovers: Leftovers,
    observer: Observer,
    tasks: OnceLock<TaskQueue>,
    sequencer: Sequencer,
    fan_out: FanOut,
    held: Held,
    awaited: Awaited,
    outboxes: RwLock<Outboxes>,
    outcomes: Outcomes,
    /// Told to whoever waits for all to be reviewed, or sent.
    progress: Arc<Notify>,
}

/// What became of an event that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    Queued {
        id: Arc<str>,
        sequence: u64,
    },
    /// It was here before.
    Repeat,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// What the platforms took meanwhile.
    pub sent: u64,
    /// What was still waiting or under way when the time was up.
    pub left: usize,
}

impl Pipeline {
    /// Goes on where the store says that an earlier run ended. Its tasks run on the runtime that this is called on; its
    /// reviews on `threads`, beside the plugins, as there is nothing to do between a reviewer's answer and the handlers
    /// that is worth waking another thread for.
    pub async fn open(
        settings: &PipelineSettings,
        roster: Roster,
        store: Store,
        observer: Observer,
        threads: &Handle,
    ) -> Result<Self, StoreError> {
        let sequencer = Sequencer::restore(store.last_sequences().await?, store.recent_event_ids(RESTORED).await?);
        let leftovers = Leftovers::read(&store).await?;
        let runtime = Handle::current();
        let (awaited, batches) = Awaited::new();
        let inner = Arc::new(Inner {
            command_prefix: settings.command_prefix.clone(),
            review: settings.review,
            fan_out: FanOut::new(Arc::clone(&roster), settings.fallback_after, &runtime),
            runtime,
            threads: threads.clone(),
            roster,
            store,
            opened_ms: now_ms(),
            leftovers,
            observer,
            tasks: OnceLock::new(),
            sequencer,
            held: Held::default(),
            awaited,
            outboxes: RwLock::default(),
            outcomes: Outcomes::default(),
            progress: Arc::default(),
        });
        inner.runtime.spawn(Committer::new(batches, Arc::downgrade(&inner)).run());
        Ok(Self { inner })
    }

    /// Takes in an event. Never waits.
    pub fn accept(&self, draft: Draft) -> Accepted {
        let own = draft.own;
        let sequencer = self.inner.sequencer.channel(&draft.channel);
        let mut state = sequencer.lock();
        let Some(envelope) = state.admit(draft, &self.inner.command_prefix) else { return Accepted::Repeat };
        let accepted = Accepted::Queued { id: Arc::clone(&envelope.id), sequence: envelope.sequence };
        if own {
            self.inner.record(&envelope, own, None);
            return accepted;
        }
        let delivery = self.inner.begin(envelope);
        self.inner.review_and_give(&sequencer, state, delivery);
        accepted
    }

    /// Takes up what an earlier run left half done. To be called once, when the accounts are attached and the plugins
    /// run, and before anything new is heard.
    pub async fn recover(&self) -> Result<(), StoreError> {
        self.inner.recover().await
    }

    /// From when on a run that was killed may have missed what was said in a channel, by the platform's clock. `None`
    /// when nothing was missed, or when it is too long ago.
    pub fn missed_since(&self, channel: &Channel) -> Option<u64> {
        self.inner.leftovers.missed_since(channel, now_ms())
    }

    /// The same of anything that happened there: for platforms that tell of it, with its time, whenever they are asked.
    pub fn missed_events_since(&self, channel: &Channel) -> Option<u64> {
        self.inner.leftovers.missed_events_since(channel, now_ms())
    }

    /// The queue that tasks of plugins go to. Until it is there they fail. The first one stays.
    pub fn serve_tasks(&self, tasks: TaskQueue) {
        if self.inner.tasks.set(tasks).is_err() {
            tracing::warn!("The pipeline has a queue of tasks already and keeps it.");
        }
    }

    /// Sends what plugins say in `channels` by this account from now on. An account of the same name is replaced, and
    /// what waits for it is sent by this one.
    pub fn attach(&self, name: &str, channels: &[Channel], sink: Arc<dyn Sink>, pace: Pace) {
        let mut outboxes = self.inner.outboxes_mut();
        let outbox = match outboxes.of(name) {
            Some(outbox) => {
                outbox.replace(sink, pace);
                outbox
            }
            None => {
                let outbox = self.start_outbox(name, sink, pace);
                outboxes.add(Arc::clone(&outbox));
                outbox
            }
        };
        outboxes.lead(channels, &outbox);
    }

    fn start_outbox(&self, name: &str, sink: Arc<dyn Sink>, pace: Pace) -> Arc<Outbox> {
        let inner = Arc::downgrade(&self.inner);
        let report: Report = Arc::new(move |ended| {
            if let Some(inner) = inner.upgrade() {
                inner.report(ended);
            }
        });
        Outbox::start(name, sink, pace, report, Arc::clone(&self.inner.progress), &self.inner.runtime)
    }

    /// The channels that an account is attached for, in order.
    pub fn channels(&self) -> Vec<Channel> {
        let mut channels: Vec<Channel> = self.inner.outboxes().channels().cloned().collect();
        channels.sort();
        channels
    }

    /// Sends nothing more by this account; what waits for it fails.
    pub fn detach(&self, name: &str) {
        let removed = self.inner.outboxes_mut().remove(name);
        if let Some(removed) = removed {
            removed.close();
        }
    }

    /// Sends nothing more by any account, as the engine ends. Moderation that waits is for the next run.
    pub fn shut_down(&self) {
        self.inner.outboxes().shut_down();
    }

    /// Waits until no event is in review any more, at most until `deadline`: what was heard before the end is on its
    /// way to its handlers then.
    pub async fn finish_reviews(&self, deadline: Instant) {
        let reviewed = self.inner.until(|| self.inner.sequencer.waiting() == 0);
        // In vain only when the time is up; who is not through by then is given out again by the next run, or is chat.
        let _ = tokio::time::timeout_at(deadline, reviewed).await;
    }

    /// Waits until everything is sent, at most until `deadline`. The plugins must have ended before.
    pub async fn drain(&self, deadline: Instant) -> Drained {
        let before = self.inner.outboxes().sent_lines();
        // In vain only when the time is up, and what is left is counted then.
        let _ = tokio::time::timeout_at(deadline, self.inner.until(|| self.inner.left() == 0)).await;
        Drained { sent: self.inner.outboxes().sent_lines().saturating_sub(before), left: self.inner.left() }
    }
}

impl EffectSink for Pipeline {
    fn commit(&self, batch: Batch) {
        self.inner.commit(batch);
    }

    fn next_number(&self) -> u64 {
        self.inner.next_number()
    }
}

impl Inner {
    /// Journals an event that plugins will have in hand.
    fn begin(&self, envelope: Arc<Envelope>) -> Arc<Delivery> {
        if matches!(envelope.event, Event::System(_)) {
            // News of this very run: nobody needs them later.
            self.record(&envelope, false, None);
            return Delivery::new(envelope);
        }
        let in_flight = self.store.in_flight(&envelope.id);
        self.record(&envelope, false, Some(&in_flight));
        let again = self.may_come_again(&envelope);
        Delivery::in_flight(envelope, in_flight, again)
    }

    /// Whether the journal may have lost an event with the end of the run before, which may have handled it.
    fn may_come_again(&self, envelope: &Envelope) -> bool {
        self.store.was_killed() && envelope.at_ms < self.opened_ms && envelope.origin == Origin::Live
    }

    /// Tells the journal and whoever watches.
    fn record(&self, envelope: &Arc<Envelope>, own: bool, in_flight: Option<&InFlight>) {
        match in_flight {
            Some(in_flight) => self.store.journal_in_flight(Arc::clone(envelope), in_flight),
            None => self.store.journal_event(Arc::clone(envelope), own),
        }
        self.observer.observe(|| Observation::Event { envelope: Arc::clone(envelope), own });
    }

    /// Keeps for replays what the journal itself does not tell.
    fn note(&self, event_id: &Arc<str>, plugin: &PluginId, note: Note) {
        let (event_id, plugin) = (Arc::clone(event_id), PluginId::clone(plugin));
        self.store.record(Recording::Note { event_id, plugin, note });
    }

    /// Looks again with each progress.
    async fn until(&self, is_reached: impl Fn() -> bool) {
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            // From here on no word is missed.
            progress.as_mut().enable();
            if is_reached() {
                return;
            }
            progress.await;
        }
    }

    fn left(&self) -> usize {
        self.awaited.pending() + self.outboxes().open_lines()
    }

    fn outboxes(&self) -> RwLockReadGuard<'_, Outboxes> {
        self.outboxes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn outboxes_mut(&self) -> RwLockWriteGuard<'_, Outboxes> {
        self.outboxes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod fake_sink;
#[cfg(test)]
mod tests;
