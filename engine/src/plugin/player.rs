//! A plugin played by hand: no task, no queue, no world outside. For replays.
//!
//! It is made of the same parts as an [`Actor`](super::actor::Actor) and what its host gives it: admission, grants,
//! limits, a new instance after each crash. What differs is that the caller decides when something happens, and that
//! the world answers as it was recorded. Nothing that the plugin asks for is carried out.

mod version;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

pub use self::version::{Players, Version};
use super::actor::Live;
use super::admission::{Admission, Applicant, admit};
use super::delivery::Delivery;
use super::grants::Grants;
use super::guest::Context;
use super::handle::Role;
use super::imports::kv::Kv;
use super::instance::{CallOutput, TimerChange, settle};
use super::order::Candidate;
use super::restart::{After, Restarts};
use super::services::{Past, Remembered, Services};
use super::timers::Timers;
use crate::config::settings::{Limits, OnFailure, PluginSettings};
use crate::effect::{Effect, NumberedEffect, PluginId, Verdict};
use crate::event::{Channel, Envelope, Event, Origin, System, Timer};
use crate::observation::DecisionKind;
use crate::recording::{Known, Memory, Note, OwnCall};

/// Nobody waits in a replay, and a busy machine must not change what comes out of it: so each call has at least this
/// long. What never ends is ended all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a plugin is played with.
#[derive(Debug, Clone)]
pub struct Part {
    /// Whose place it takes in the stream: another build of a plugin may be called otherwise.
    pub id: PluginId,
    /// Whether it is enabled or pinned does not matter here; without a grant it has what it asks for.
    pub settings: PluginSettings,
    pub limits: Limits,
    pub memory: Memory,
    /// When the stream begins.
    pub began_ms: u64,
    /// What was recorded of the plugin's own timers and starts.
    pub own_calls: Vec<OwnCall>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    pub decision: DecisionKind,
    pub effects: Vec<NumberedEffect>,
    pub log: Vec<String>,
}

impl Played {
    /// It did nothing, and said nothing.
    pub fn is_idle(&self) -> bool {
        self.decision == DecisionKind::Passed && self.effects.is_empty() && self.log.is_empty()
    }
}

/// How a review ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Or why there is no verdict.
    pub verdict: Result<Verdict, String>,
    pub log: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("{plugin} {version} does not start: {why}{}", last_words(log))]
    Start { plugin: PluginId, version: String, why: String, log: Vec<String> },
}

fn last_words(log: &[String]) -> String {
    log.last().map(|line| format!(" (it logged: {line})")).unwrap_or_default()
}

/// A plugin at work in a replay.
pub struct Player {
    version: Version,
    context: Arc<Context>,
    role: Role,
    /// `None` once it has crashed too often.
    live: Option<Live>,
    timers: Timers,
    restarts: Restarts,
    /// The start of the stream, by the clock that timers know.
    began: Instant,
    began_ms: u64,
    now_ms: u64,
    /// The event in hand.
    met: Arc<str>,
    /// By cause: what was recorded and is still to come, in order.
    own_calls: HashMap<String, VecDeque<Known>>,
    /// The cause of the event in hand, where it is one of the plugin's own.
    own_cause: Option<String>,
    own_events: u64,
    /// What its starts asked for.
    starts: Vec<(Arc<Envelope>, Played)>,
}

impl Player {
    pub async fn start(version: &Version, part: Part) -> Result<Self, PlayError> {
        let Part { id, settings, limits, memory, began_ms, own_calls } = part;
        let grants = grants(version, &settings);
        let kv = Kv::new(memory.into_iter().map(|(key, value)| (key, value.0)).collect());
        let services = Services::Past(Past::new(began_ms));
        let context = Context::new(
            id.clone(),
            &version.loaded,
            &patient(limits),
            grants.clone(),
            &settings,
            Arc::new(Mutex::new(kv)),
            services,
        );
        let mut player = Self {
            version: version.clone(),
            context: Arc::new(context),
            role: Role::of(&version.loaded, &grants, &settings),
            live: None,
            timers: Timers::default(),
            restarts: Restarts::default(),
            began: Instant::now(),
            began_ms,
            now_ms: began_ms,
            met: Arc::default(),
            own_calls: HashMap::new(),
            own_cause: None,
            own_events: 0,
            starts: Vec::new(),
        };
        player.learn(own_calls);
        let began = player.begin_anew().await;
        began.map_err(|why| {
            let (version, log) =
                (version.version().to_owned(), player.past().map(Past::take_lines).unwrap_or_default());
            PlayError::Start { plugin: id, version, why, log }
        })?;
        Ok(player)
    }

    fn learn(&mut self, own_calls: Vec<OwnCall>) {
        for OwnCall { cause, known, .. } in own_calls {
            let concerns = known.notes.iter().any(|noted| noted.plugin == *self.id())
                || known.effects.iter().any(|done| done.plugin == *self.id());
            if concerns {
                self.own_calls.entry(cause).or_default().push_back(known);
            }
        }
    }

    pub fn id(&self) -> &PluginId {
        &self.context.plugin
    }

    pub const fn version(&self) -> &Version {
        &self.version
    }

    pub fn wants(&self, envelope: &Envelope) -> bool {
        self.role.subscription.wants(envelope)
    }

    pub fn reviews(&self, envelope: &Envelope) -> bool {
        self.role.reviewer && self.wants(envelope)
    }

    pub fn sees_removed_text(&self) -> bool {
        self.role.subscription.wants_removed_text()
    }

    pub const fn is_fallback(&self) -> bool {
        self.role.fallback
    }

    pub const fn on_failure(&self) -> OnFailure {
        self.role.on_failure
    }

    /// Whether it has crashed too often and gets nothing any more.
    pub const fn is_quarantined(&self) -> bool {
        self.live.is_none()
    }

    /// What it asked of the world and was not recorded, by function.
    pub fn unanswered(&self) -> BTreeMap<String, u64> {
        self.past().map(Past::unanswered).unwrap_or_default()
    }

    /// What its starts asked for since the last time, with the events that stand for them.
    pub fn take_starts(&mut self) -> Vec<(Arc<Envelope>, Played)> {
        std::mem::take(&mut self.starts)
    }

    /// An event comes that the plugin may be asked about, with what is known of it from then. Once is enough for a
    /// review and the handler.
    pub fn meet(&mut self, envelope: &Envelope, known: &Known) {
        if self.met == envelope.id {
            return;
        }
        self.met = Arc::clone(&envelope.id);
        self.now_ms = self.now_ms.max(envelope.at_ms);
        let remembered = remembered(known, self.id());
        if let Some(past) = self.past() {
            past.begin(Arc::clone(&envelope.id), self.now_ms, remembered);
        }
    }

    /// Asks for a verdict. To be called after [`Player::meet`], as [`Player::handle`] is.
    pub async fn review(&mut self, delivery: &Delivery) -> Judged {
        let Some(live) = &mut self.live else {
            return Judged { verdict: Err("it is quarantined".to_owned()), log: Vec::new() };
        };
        match live.instance.review(delivery).await {
            Ok((verdict, output)) => Judged { verdict: Ok(verdict), log: self.keep(output).1 },
            Err(crash) => {
                let log = self.take_log();
                let why = crash.to_string();
                self.recover().await;
                Judged { verdict: Err(why), log }
            }
        }
    }

    /// Hands over an event. `None` when it is quarantined.
    pub async fn handle(&mut self, delivery: &Delivery) -> Option<Played> {
        let answer = self.live.as_mut()?.instance.handle(delivery).await;
        let (decision, output, ended) = settle(answer);
        let (effects, log) = self.keep(output);
        if ended.is_err() {
            self.recover().await;
        }
        Some(Played { decision, effects, log })
    }

    /// When the next timer fires.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.timers.next_due().map(|due| self.began_ms.saturating_add(milliseconds(due.duration_since(self.began))))
    }

    /// The event of the next timer, if it fires by then, with what is known of it.
    pub fn take_due(&mut self, until_ms: u64) -> Option<(Arc<Envelope>, Known)> {
        let due_ms = self.next_due_ms().filter(|due_ms| *due_ms <= until_ms)?;
        let name = self.timers.take_due(self.instant(due_ms))?;
        self.now_ms = self.now_ms.max(due_ms);
        let cause = format!("timer:{}:{name}", self.id());
        // The same in two plays where one of them has more timers than the other.
        let id = format!("{cause}:{due_ms}");
        let (envelope, known) = self.own_event(&cause, id, Event::Timer(Timer { name }));
        self.meet(&envelope, &known);
        Some((envelope, known))
    }

    /// The engine was started anew at this moment, and the plugin with it.
    pub async fn restart(&mut self, at_ms: u64) {
        self.now_ms = self.now_ms.max(at_ms);
        self.timers.clear();
        if self.live.take().is_some() {
            self.restarts = Restarts::default();
            if self.begin_anew().await.is_err() {
                self.recover().await;
            }
        }
    }

    /// After a crash: a new instance at once, unless there were too many. A live plugin pauses between two crashes and
    /// misses what comes meanwhile; here it is asked about everything.
    async fn recover(&mut self) {
        self.live = None;
        self.timers.clear();
        while let After::Restart { .. } = self.restarts.crashed(self.instant(self.now_ms)) {
            if self.begin_anew().await.is_ok() {
                return;
            }
        }
    }

    async fn begin_anew(&mut self) -> Result<(), String> {
        let system = System { kind: "started".into(), detail: self.version.version().to_owned() };
        let cause = format!("started:{}", self.id());
        let id = format!("{cause}:{}", self.own_events + 1);
        let (envelope, known) = self.own_event(&cause, id, Event::System(system));
        self.meet(&envelope, &known);
        let (loaded, context) = (Arc::clone(&self.version.loaded), Arc::clone(&self.context));
        let Candidate { live, output, kv_version: _ } =
            Live::start(loaded, context, 1).await.map_err(|error| error.to_string())?;
        self.live = Some(live);
        let (effects, log) = self.keep(output);
        if !effects.is_empty() || !log.is_empty() {
            self.starts.push((envelope, Played { decision: DecisionKind::Passed, effects, log }));
        }
        Ok(())
    }

    /// Everything that one call asked for, all at once. Gives back what would be carried out, and what it logged.
    fn keep(&mut self, output: CallOutput) -> (Vec<NumberedEffect>, Vec<String>) {
        let CallOutput { effects, kv, used_kv: _, timers, notes: _ } = output;
        self.end_own_event(!effects.is_empty());
        let timers = timers.into_iter().map(with_some_time).collect();
        self.timers.apply(timers, self.instant(self.now_ms), self.context.limits.timers);
        self.context.kv().apply(&kv);
        (effects, self.take_log())
    }

    fn take_log(&self) -> Vec<String> {
        self.past().map(Past::take_lines).unwrap_or_default()
    }

    /// An event that only this plugin sees, under the same id in each replay, and what is known of it.
    fn own_event(&mut self, cause: &str, id: String, event: Event) -> (Arc<Envelope>, Known) {
        self.own_events += 1;
        let envelope = Envelope {
            id: id.into(),
            sequence: self.own_events,
            at_ms: self.now_ms,
            origin: Origin::Live,
            channel: Channel::engine(),
            event,
            extra: None,
        };
        let known = self.own_calls.get(cause).and_then(VecDeque::front).cloned().unwrap_or_default();
        self.own_cause = Some(cause.to_owned());
        (Arc::new(envelope), known)
    }

    /// An own event is over. Where calls were not recorded, only those are known that had effects.
    fn end_own_event(&mut self, has_effects: bool) {
        let Some(cause) = self.own_cause.take() else { return };
        if let Some(calls) = self.own_calls.get_mut(&cause)
            && calls.front().is_some_and(|known| has_effects || !known.notes.is_empty())
        {
            calls.pop_front();
        }
    }

    fn past(&self) -> Option<&Past> {
        match &self.context.services {
            Services::Past(past) => Some(past),
            Services::Live(_) => None,
        }
    }

    fn instant(&self, at_ms: u64) -> Instant {
        self.began + Duration::from_millis(at_ms.saturating_sub(self.began_ms))
    }
}

/// Nobody can be harmed, so what was never decided is what the plugin asks for.
fn grants(version: &Version, settings: &PluginSettings) -> Grants {
    let settings = PluginSettings { enabled: None, pin: None, ..settings.clone() };
    let (manifest, hash) = (&version.loaded.manifest, version.hash());
    match admit(&Applicant { manifest, hash, ships: true, running: None }, &settings) {
        Admission::Admitted(grants) => grants,
        Admission::Disabled | Admission::Waiting(_) => Grants::default(),
    }
}

fn patient(limits: Limits) -> Limits {
    let Limits { handle, review, init, .. } = limits;
    Limits { handle: handle.max(PATIENCE), review: review.max(PATIENCE), init: init.max(PATIENCE), ..limits }
}

fn remembered(known: &Known, plugin: &PluginId) -> Remembered {
    let notes = known.notes.iter().filter(|noted| noted.plugin == *plugin);
    let results = notes.filter_map(|noted| match &noted.note {
        Note::Call(call) => Some(call.results.clone()),
        _ => None,
    });
    let effects = known.effects.iter().filter(|done| done.plugin == *plugin);
    let task_ids = effects.filter_map(|done| match &done.effect {
        Effect::Enqueue { task_id, .. } => Some(task_id.clone()),
        _ => None,
    });
    Remembered { results: results.flatten().collect(), task_ids: task_ids.collect() }
}

/// Time stands still in a call: without this, a timer that starts itself again at once would fire for ever.
fn with_some_time(change: TimerChange) -> TimerChange {
    match change {
        TimerChange::Start { name, after_ms, repeat } => TimerChange::Start { name, after_ms: after_ms.max(1), repeat },
        cancel @ TimerChange::Cancel { .. } => cancel,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
