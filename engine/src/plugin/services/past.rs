//! The world as it was recorded: the time of the event in hand, the answers of then, and chance that is the same each
//! time. Whatever was not recorded is answered as if nobody were there, and counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use super::{CLOCK, fingerprint};
use crate::recording::HostResult;

/// Lines that one call may log. A live plugin is held to so many a second, which depends on how fast the machine is.
const LINES: usize = 50;

/// Bytes of chance, after which they begin again: enough for thousands of identifiers.
const CHANCE_BYTES: usize = 256 << 10;

/// What the chance of all replays begins with.
const SEED: u64 = 0x5368_6f77;

pub(in crate::plugin) struct Past {
    moment: Arc<Moment>,
    state: Mutex<State>,
}

/// Where in the stream a replay is.
#[derive(Default)]
struct Moment {
    now_ms: AtomicU64,
    /// How often a clock of WASI was read: each reading is a little later, so that a loop that waits for time to pass
    /// comes to an end.
    readings: AtomicU64,
}

#[derive(Default)]
struct State {
    event_id: Arc<str>,
    remembered: Remembered,
    tasks: u32,
    unanswered: BTreeMap<String, u64>,
    lines: Vec<String>,
}

/// What was recorded of one event for one plugin.
#[derive(Debug, Clone, Default)]
pub(in crate::plugin) struct Remembered {
    pub(in crate::plugin) results: Vec<HostResult>,
    /// The tasks that it gave the agent then, whose answers come under these ids.
    pub(in crate::plugin) task_ids: VecDeque<String>,
}

impl Past {
    pub(in crate::plugin) fn new(now_ms: u64) -> Self {
        let moment = Moment { now_ms: AtomicU64::new(now_ms), ..Moment::default() };
        Self { moment: Arc::new(moment), state: Mutex::default() }
    }

    /// An event comes. Time never goes back, even where the clocks of two platforms disagree.
    pub(in crate::plugin) fn begin(&self, event_id: Arc<str>, at_ms: u64, remembered: Remembered) {
        self.moment.now_ms.fetch_max(at_ms, Ordering::Relaxed);
        let mut state = self.state();
        (state.event_id, state.remembered, state.tasks) = (event_id, remembered, 0);
    }

    /// What was logged since the last time, at most so many lines.
    pub(in crate::plugin) fn take_lines(&self) -> Vec<String> {
        std::mem::take(&mut self.state().lines)
    }

    pub(in crate::plugin) fn log(&self, message: String) {
        let mut state = self.state();
        if state.lines.len() < LINES {
            state.lines.push(message);
        }
    }

    /// Questions that nobody can answer any more, by function.
    pub(in crate::plugin) fn unanswered(&self) -> BTreeMap<String, u64> {
        self.state().unanswered.clone()
    }

    /// The answer of then to the same question, each once.
    pub(super) fn recall<T: DeserializeOwned>(&self, function: &str, asked: &impl Serialize) -> Option<T> {
        let asked = fingerprint(function, asked);
        let results = &mut self.state().remembered.results;
        let place = results.iter().position(|result| result.function == function && result.asked == asked)?;
        serde_json::from_value(results.remove(place).answer).ok()
    }

    /// The same, for what can't be guessed: that it is missing is counted.
    pub(in crate::plugin) fn answer<T: DeserializeOwned>(&self, function: &str, asked: &impl Serialize) -> Option<T> {
        let answer = self.recall(function, asked);
        if answer.is_none() {
            *self.state().unanswered.entry(function.to_owned()).or_default() += 1;
        }
        answer
    }

    /// As it was read then, else the time of the event.
    pub(super) fn now_ms(&self) -> u64 {
        let read = self.recall(CLOCK, &()).unwrap_or(0);
        self.moment.now_ms.fetch_max(read, Ordering::Relaxed).max(read)
    }

    pub(super) fn task_id(&self) -> String {
        let mut state = self.state();
        state.tasks += 1;
        let made = format!("task:{}:{}", state.event_id, state.tasks);
        state.remembered.task_ids.pop_front().unwrap_or(made)
    }

    pub(super) fn furnish(&self, wasi: &mut WasiCtxBuilder) {
        let mut chance = fastrand::Rng::with_seed(SEED);
        let mut bytes = || std::iter::repeat_with(|| chance.u8(..)).take(CHANCE_BYTES).collect::<Vec<u8>>();
        wasi.wall_clock(WallClock(Arc::clone(&self.moment)))
            .monotonic_clock(MonotonicClock(Arc::clone(&self.moment)))
            .secure_random(Deterministic::new(bytes()))
            .insecure_random(Deterministic::new(bytes()))
            .insecure_random_seed(SEED.into());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moment {
    fn now(&self) -> Duration {
        let readings = self.readings.fetch_add(1, Ordering::Relaxed);
        Duration::from_millis(self.now_ms.load(Ordering::Relaxed)) + Duration::from_micros(readings)
    }
}

struct WallClock(Arc<Moment>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}

struct MonotonicClock(Arc<Moment>);

impl HostMonotonicClock for MonotonicClock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.now().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn remembered(function: &str, asked: &impl Serialize, answer: serde_json::Value) -> HostResult {
        HostResult { function: function.to_owned(), asked: fingerprint(function, asked), answer }
    }

    #[test]
    fn the_same_question_gets_the_answer_of_then_once() {
        let past = Past::new(0);
        let results = vec![
            remembered("viewers.get", &("p", "1"), json!(1)),
            remembered("viewers.get", &("p", "2"), json!(2)),
            remembered("viewers.get", &("p", "1"), json!(3)),
        ];
        past.begin("e1".into(), 5, Remembered { results, ..Remembered::default() });
        let ask = |user: &str| past.answer::<u32>("viewers.get", &("p", user));
        assert_eq!([ask("2"), ask("1"), ask("1"), ask("1"), ask("3")], [Some(2), Some(1), Some(3), None, None]);
        assert_eq!(past.unanswered(), BTreeMap::from([("viewers.get".to_owned(), 2)]));
    }

    #[test]
    fn time_is_that_of_the_event_or_as_it_was_read_and_never_goes_back() {
        let past = Past::new(100);
        assert_eq!(past.now_ms(), 100);
        past.begin("e1".into(), 200, Remembered::default());
        assert_eq!(past.now_ms(), 200);
        let results = vec![remembered(CLOCK, &(), json!(307))];
        past.begin("e2".into(), 300, Remembered { results, ..Remembered::default() });
        assert_eq!([past.now_ms(), past.now_ms()], [307, 307]);
        past.begin("e3".into(), 250, Remembered::default());
        assert_eq!(past.now_ms(), 307);
        assert!(past.unanswered().is_empty(), "the time of an event is always known");
    }

    #[test]
    fn a_task_has_the_id_of_then_or_one_that_every_replay_makes() {
        let past = Past::new(0);
        let task_ids = VecDeque::from(["known".to_owned()]);
        past.begin("e1".into(), 1, Remembered { task_ids, ..Remembered::default() });
        assert_eq!([past.task_id(), past.task_id()], ["known", "task:e1:2"]);
    }
}
