//! One plugin at work: a task that owns the plugin's only instance and takes its queue one by one.
//!
//! Whatever a handler asks for is gathered and leaves only when it ends well. A crash throws the instance away, never
//! the queue. The host gives orders through the same queue, so they fall between two events. `recovery` brings it back
//! after a crash, `swap` lets a new version take over.

mod recovery;
mod swap;

use std::sync::Arc;
use std::time::{Duration, Instant as WallClock};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::backlog::{Backlog, patiently};
use super::delivery::Delivery;
use super::guest::Context;
use super::handle::PluginHandle;
use super::instance::{CallOutput, Crash, Instance, settle};
use super::lanes::{EventJob, Job, ReviewJob};
use super::loader::Loaded;
use super::order::{Candidate, Order};
use super::restart::Restarts;
use super::timers::Timers;
use crate::effect::{Batch, EffectSink, KvWrite, Maker, Verdict};
use crate::event::{Channel, Envelope, Event, Origin, System, Timer, now_ms};
use crate::metric;
use crate::observation::{Decision, DecisionKind, Observation, Observer};
use crate::recording::{self, Note, Recording};
use crate::store::Store;

/// A running version of a plugin.
pub(super) struct Live {
    pub(super) instance: Instance,
    pub(super) loaded: Arc<Loaded>,
    pub(super) context: Arc<Context>,
    pub(super) generation: u64,
}

impl Live {
    /// A new instance of a version, initialised. A guest's own refusal counts as a failure too.
    pub(super) async fn start(
        loaded: Arc<Loaded>,
        context: Arc<Context>,
        generation: u64,
    ) -> Result<Candidate, StartError> {
        let mut instance = loaded.blueprint.instantiate(Arc::clone(&context)).await?;
        let kv_version = context.kv_version();
        let output = instance.init().await?.map_err(StartError::Refused)?;
        let kv_version = output.used_kv.then_some(kv_version);
        Ok(Candidate { live: Self { instance, loaded, context, generation }, output, kv_version })
    }

    /// Another instance of the same version in its place, initialised anew.
    async fn start_again(self) -> Result<Candidate, Crash> {
        let Self { loaded, context, generation, .. } = self;
        Self::start(loaded, context, generation).await.map_err(|error| Crash::Start(error.to_string()))
    }
}

/// Why a version does not come up.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("init failed: {0}")]
    Crash(#[from] Crash),
    #[error("init refused to start: {0}")]
    Refused(String),
}

/// What the actor tells the host.
#[derive(Debug)]
pub(super) enum Report {
    Crashed { why: String },
    Recovered,
    Quarantined { why: String },
}

/// Who the actor speaks to.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) sink: Arc<dyn EffectSink>,
    pub(super) observer: Observer,
    pub(super) store: Store,
    /// With the generation.
    pub(super) reports: mpsc::UnboundedSender<(u64, Report)>,
}

pub(super) struct Actor {
    handle: Arc<PluginHandle>,
    surroundings: Surroundings,
    live: Live,
    timers: Timers,
    restarts: Restarts,
    call_seconds: metrics::Histogram,
}

/// Why the actor stops taking events for a while, or for good.
enum Pause {
    Quarantine(String),
    Stop,
}

impl Actor {
    pub(super) fn new(handle: Arc<PluginHandle>, surroundings: Surroundings, first: Candidate) -> Self {
        let call_seconds = metrics::histogram!(metric::PLUGIN_CALLS, "plugin" => handle.id().to_string());
        let Candidate { live, output, kv_version: _ } = first;
        let mut actor =
            Self { handle, surroundings, live, timers: Timers::default(), restarts: Restarts::default(), call_seconds };
        actor.record_start();
        actor.commit_start(output);
        actor
    }

    /// Runs until it is told to stop. A panic in here is the host's fault, and seen by whoever holds the task.
    pub(super) async fn run(mut self) {
        loop {
            match self.work().await {
                Pause::Stop => break,
                Pause::Quarantine(why) => {
                    if !self.wait_out_quarantine(why).await {
                        break;
                    }
                }
            }
        }
        // What still waits is saved by whoever asked for the end.
        self.handle.set_running(false);
    }

    /// Takes jobs until something ends that.
    async fn work(&mut self) -> Pause {
        loop {
            let due = self.timers.next_due();
            let job = tokio::select! {
                job = self.handle.lanes.next() => job,
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                    let Some(name) = self.timers.take_due(Instant::now()) else { continue };
                    let id = format!("timer:{}:{name}", self.handle.id());
                    Job::Event(self.own_event(&id, Event::Timer(Timer { name })))
                }
            };
            let crash = match job {
                Job::Order(Order::Stop) => return Pause::Stop,
                Job::Order(Order::Quarantine { why }) => return Pause::Quarantine(why),
                Job::Order(Order::Swap { new, done }) => {
                    // The host may have given up waiting; the swap holds all the same.
                    let _ = done.send(self.swap(*new).await);
                    continue;
                }
                Job::Review(review) => self.review(review).await,
                Job::Overflow(count) => self.overflow(count).await,
                Job::Event(event) => self.event(event).await,
            };
            if let Err(crash) = crash
                && let Some(pause) = self.recover(crash).await
            {
                return pause;
            }
        }
    }

    async fn event(&mut self, job: EventJob) -> Result<(), Crash> {
        let EventJob { delivery, ticket } = job;
        if delivery.again && self.has_handled(&delivery).await {
            if let Some(ticket) = ticket {
                ticket.handled();
            }
            self.forget(&delivery.envelope);
            return Ok(());
        }
        let began = WallClock::now();
        let answer = self.live.instance.handle(&delivery).await;
        let took = began.elapsed();
        self.call_seconds.record(took.as_secs_f64());
        let envelope = &delivery.envelope;
        let (verdict, output, result) = settle(answer);
        match &verdict {
            DecisionKind::Passed | DecisionKind::Handled => {}
            DecisionKind::Failed(message) => {
                tracing::warn!(plugin = %self.handle.id(), event = %envelope.id, error = %message, "The handler returned an error; nothing it asked for was done.");
            }
            DecisionKind::Crashed(why) => {
                tracing::error!(plugin = %self.handle.id(), version = %self.live.loaded.manifest.version, generation = self.live.generation,
                    event = %envelope.id, kind = envelope.event.name(), error = %why, "The plugin crashed on an event; nothing it asked for was done, and it will not see this event again.");
            }
        }
        if let (Some(ticket), DecisionKind::Handled) = (ticket, &verdict) {
            ticket.handled();
        }
        self.observe_decision(envelope, verdict, &output, took);
        if !self.commit(Maker::Handler, output, Arc::clone(envelope), delivery.again) {
            self.forget(envelope);
        }
        result
    }

    /// No batch strikes it off, so this does.
    fn forget(&self, envelope: &Envelope) {
        if envelope.event.must_not_be_missed() {
            self.surroundings.store.forget_event(self.handle.id(), &envelope.id);
        }
    }

    /// Whether a run that was killed has written down what this plugin made of an event that comes again. That it made
    /// nothing of it can't be known; then it is asked once more.
    async fn has_handled(&mut self, delivery: &Delivery) -> bool {
        let event_id = &delivery.envelope.id;
        let store = &self.surroundings.store;
        patiently(store.has_handled(event_id, self.handle.id())).await.unwrap_or_else(|error| {
            tracing::warn!(plugin = %self.handle.id(), event = %event_id, %error, "The ledger can't be asked whether an event was handled; it is handled again.");
            false
        })
    }

    async fn review(&mut self, job: ReviewJob) -> Result<(), Crash> {
        let ReviewJob { delivery, answer } = job;
        if answer.is_closed() {
            // Whoever asked has run out of time.
            return Ok(());
        }
        match self.live.instance.review(&delivery).await {
            Ok((verdict, output)) => {
                self.note_verdict(&delivery, &verdict);
                // First, as the event may go to this plugin's handler the moment that the verdict is heard.
                self.commit(Maker::Review, output, Arc::clone(&delivery.envelope), delivery.again);
                let _ = answer.send(verdict);
                Ok(())
            }
            Err(crash) => {
                self.record_call(&delivery.envelope, &[]);
                tracing::error!(plugin = %self.handle.id(), event = %delivery.envelope.id, error = %crash, "The plugin crashed in a review; its on-failure setting counts for this event.");
                Err(crash)
            }
        }
    }

    fn note_verdict(&self, delivery: &Delivery, verdict: &Verdict) {
        if *verdict != Verdict::Pass {
            tracing::debug!(plugin = %self.handle.id(), event = %delivery.envelope.id, verdict = verdict.name(), reason = verdict.reason(), "Reviewed.");
        }
    }

    /// Tells a plugin that listens to the host how many events it missed.
    async fn overflow(&mut self, count: u64) -> Result<(), Crash> {
        let system = System { kind: "queue-overflow".into(), detail: count.to_string() };
        let id = format!("overflow:{}", self.handle.id());
        let job = self.own_event(&id, Event::System(system));
        if self.handle.wants(&job.delivery.envelope) { self.event(job).await } else { Ok(()) }
    }

    /// An event that only this plugin sees.
    fn own_event(&self, id: &str, event: Event) -> EventJob {
        let envelope = Envelope {
            id: format!("{id}:{}", Uuid::now_v7()).into(),
            sequence: self.surroundings.sink.next_number(),
            at_ms: now_ms(),
            origin: Origin::Live,
            channel: Channel::engine(),
            event,
            extra: None,
        };
        EventJob { delivery: Delivery::new(Arc::new(envelope)), ticket: None }
    }

    /// Everything that one call asked for leaves together. Says whether there was anything.
    fn commit(&mut self, maker: Maker, output: CallOutput, cause: Arc<Envelope>, again: bool) -> bool {
        let CallOutput { effects, kv, used_kv: _, timers, notes: _ } = output;
        self.record_call(&cause, &kv);
        self.timers.apply(timers, Instant::now(), self.live.context.limits.timers);
        if effects.is_empty() && kv.is_empty() {
            return false;
        }
        self.live.context.kv().apply(&kv);
        self.surroundings.sink.commit(Batch { plugin: self.handle.id().clone(), maker, cause, effects, kv, again });
        true
    }

    /// What the world outside told the plugin in the call that has ended, where the operator wants it recorded. Of the
    /// plugin's own events also that they came: the next one of the same name is another.
    fn record_call(&self, cause: &Envelope, kv: &[KvWrite]) {
        let Some(call) = self.live.context.services.take_call(kv) else { return };
        if !call.is_empty() || recording::is_own(&cause.id) {
            let (event_id, plugin) = (Arc::clone(&cause.id), self.handle.id().clone());
            self.surroundings.store.record(Recording::Note { event_id, plugin, note: Note::Call(call) });
        }
    }

    /// With the memory that the version finds, for a replay that begins with it.
    fn record_start(&self) {
        let context = &self.live.context;
        let memory = context.start.record.then(|| context.kv().to_memory());
        self.surroundings.store.record(Recording::Start { start: Box::new(context.start.clone()), memory });
    }

    /// What `init` asked for leaves when the instance takes over.
    fn commit_start(&mut self, output: CallOutput) {
        let system = System { kind: "started".into(), detail: self.live.loaded.manifest.version.clone() };
        let id = format!("started:{}", self.handle.id());
        let cause = Arc::clone(&self.own_event(&id, Event::System(system)).delivery.envelope);
        self.commit(Maker::Handler, output, cause, false);
    }

    fn observe_decision(&self, envelope: &Envelope, verdict: DecisionKind, output: &CallOutput, took: Duration) {
        self.surroundings.observer.observe(|| {
            Observation::Decision(Decision {
                event_id: Arc::clone(&envelope.id),
                plugin: self.handle.id().clone(),
                verdict,
                effects: output.effects.iter().map(|numbered| numbered.effect.clone()).collect(),
                notes: output.notes.clone(),
                took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            })
        });
    }

    fn backlog(&self) -> Backlog<'_> {
        Backlog { handle: &self.handle, store: &self.surroundings.store }
    }

    fn report(&self, report: Report) {
        // An error only says that the host is gone, and so will this be.
        let _ = self.surroundings.reports.send((self.live.generation, report));
    }
}
