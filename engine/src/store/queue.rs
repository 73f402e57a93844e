//! The queue before the writer: bounded, in order, and woken as seldom as possible.
//!
//! Waking a sleeping thread costs the caller more than all the rest, and the caller is on the path of a chat line. So a
//! writer that has only writes which nobody waits for stays asleep for [`LINGER`] and then takes all that has come; a
//! request wakes it at once.
//!
//! When the queue is full the newest entry is turned away: what is already queued came first and is whole.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::item::Item;

/// How long a write that nobody waits for may stay in memory: what a killed process loses is what it wrote in this
/// time. A commit costs about 100 µs of processor time whatever is in it; this shares it among the lines of a busy
/// chat.
const LINGER: Duration = Duration::from_millis(40);

/// Items in one transaction: keeps a request from waiting longer than some 20 ms behind others.
pub(super) const GROUP: usize = 2048;

/// With so many the writer waits for no more. What comes until it has woken is taken along: what is left in the queue
/// makes it note each event of the group as unfinished (see [`super::unfinished`]), which costs as much as an effect.
pub(super) const ENOUGH: usize = GROUP / 2;

/// Writes that may wait before events are turned away, also while the disk is full: a burst of 5,000 lines, the answers
/// to them, how those ended and their echoes, on a machine with one core that has other things to do first. Some 30 MB.
const JOURNAL_BOUND: usize = 32_768;

/// With so many waiting, whoever adds one gives the writer its turn first: on one core that is busy with answers it
/// falls behind those who fill the queue.
const PRESSING: usize = JOURNAL_BOUND / 2;

/// What is recorded of an event is worth less than the next event.
const RECORDING_BOUND: usize = JOURNAL_BOUND / 2;

/// What plugins decided may go beyond that: their memory must not fall behind because of a flood of chat.
const BEHIND_BOUND: usize = 2 * JOURNAL_BOUND;

/// What all of that may hold: a disk that is stuck must not fill the memory with what plugins write, however large.
const BOUND_BYTES: usize = 64 << 20;

/// Requests that may wait: each has somebody waiting, so more than this means that something is stuck.
const REQUEST_BOUND: usize = 8192;

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Writes that nobody waits for, those included that were taken and are not yet on the disk.
    behind: usize,
    /// What they hold, and requests with them, where it may be much.
    bytes: usize,
    /// Requests that are still in `items`.
    requests: usize,
    writer: Sleep,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sleep {
    #[default]
    Awake,
    /// Waits for anything.
    Idle,
    /// Has something, and waits for more.
    Lingering,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

pub(super) enum Taken {
    Items(Vec<Item>),
    /// Nothing came in the time given.
    Nothing,
    /// Nothing is left, and nothing will come.
    Closed,
}

impl State {
    fn count_behind(&mut self, item: &Item) -> Result<(), Refused> {
        let bound = match item {
            Item::Recording(_) => RECORDING_BOUND,
            Item::Event { .. } => JOURNAL_BOUND,
            _ => BEHIND_BOUND,
        };
        let bytes = item.bytes();
        if self.behind >= bound || self.bytes.saturating_add(bytes) > BOUND_BYTES {
            return Err(Refused::Full);
        }
        self.behind += 1;
        self.bytes += bytes;
        Ok(())
    }
}

impl Queue {
    /// What waits, or is on its way to the disk.
    pub(super) fn len(&self) -> u64 {
        let state = self.lock();
        (state.behind + state.requests) as u64
    }

    pub(super) fn push_behind(&self, item: Item) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        state.count_behind(&item)?;
        state.items.push_back(item);
        let wakes = match state.writer {
            Sleep::Awake => false,
            Sleep::Idle => true,
            Sleep::Lingering => state.items.len() >= ENOUGH,
        };
        let is_pressing = state.behind >= PRESSING;
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        if is_pressing {
            thread::yield_now();
        }
        Ok(())
    }

    pub(super) fn push_request(&self, item: Item) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        let bytes = item.bytes();
        let has_room = bytes == 0 || state.bytes.saturating_add(bytes) <= BOUND_BYTES;
        if state.requests >= REQUEST_BOUND || !has_room {
            return Err(Refused::Full);
        }
        state.requests += 1;
        state.bytes += bytes;
        state.items.push_back(item);
        let wakes = state.writer != Sleep::Awake;
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Counts a write that is left of a request which the writer has in hand.
    pub(super) fn adopt(&self, item: &Item) -> Result<(), Refused> {
        self.lock().count_behind(item)
    }

    /// Takes no more; what is queued is still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Takes no more, and drops what is queued: whoever waits for an answer is told. Returns how many writes that
    /// nobody waits for are lost, with those that were taken and did not reach the disk.
    pub(super) fn abandon(&self) -> usize {
        let mut state = self.lock();
        state.closed = true;
        state.requests = 0;
        let (abandoned, lost) = (std::mem::take(&mut state.items), std::mem::take(&mut state.behind));
        drop(state);
        // Not under the lock: an item may end with a word to this queue.
        drop(abandoned);
        lost
    }

    /// Waits at most `patience` for something to do and takes a group of it, in order.
    pub(super) fn take(&self, patience: Duration) -> Taken {
        let mut state = self.lock();
        state = self.sleep(state, Sleep::Idle, patience, |state| state.items.is_empty() && !state.closed);
        if state.items.is_empty() {
            return if state.closed { Taken::Closed } else { Taken::Nothing };
        }
        state = self.sleep(state, Sleep::Lingering, LINGER, |state| {
            state.requests == 0 && state.items.len() < ENOUGH && !state.closed
        });
        let count = state.items.len().min(GROUP);
        let mut items: Vec<Item> = state.items.drain(..count).collect();
        state.requests -= items.iter().filter(|item| item.access().is_some()).count();
        let is_last = state.items.is_empty();
        for item in &mut items {
            if let Item::Event { in_flight, .. } = item {
                in_flight.look(is_last);
            }
        }
        drop(state);
        for item in &items {
            if let Item::Event { in_flight, .. } = item {
                in_flight.settle(self);
            }
        }
        Taken::Items(items)
    }

    /// These are on the disk, or lost; others may take their place.
    pub(super) fn settle<'a>(&self, items: impl IntoIterator<Item = &'a Item>) {
        let (count, bytes) = items
            .into_iter()
            .fold((0, 0), |(count, bytes), item| (count + usize::from(item.access().is_none()), bytes + item.bytes()));
        let mut state = self.lock();
        state.behind = state.behind.saturating_sub(count);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        kind: Sleep,
        patience: Duration,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        state.writer = kind;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner);
        state.writer = Sleep::Awake;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{Access, Request};
    use super::super::unfinished::WeakInFlight;
    use super::*;
    use crate::effect::{Batch, EffectResult, KvWrite, Maker};
    use crate::event::{Channel, OutcomeStatus};
    use crate::recording::{Note, Recording};

    fn event() -> Item {
        let envelope = super::super::tests::chat("event", "viewer", "hello");
        Item::Event { envelope, own: false, in_flight: WeakInFlight::default() }
    }

    fn result() -> Item {
        let key = crate::effect::EffectKey { event_id: "event".into(), plugin: "plugin".into(), number: 0 };
        Item::Result(EffectResult { key, status: OutcomeStatus::Done, message_id: None, detail: String::new() })
    }

    fn recording() -> Item {
        let (event_id, plugin) = ("event".into(), "plugin".into());
        Item::Recording(Box::new(Recording::Note { event_id, plugin, note: Note::Addressed }))
    }

    fn request() -> Item {
        let (answer, _) = tokio::sync::oneshot::channel();
        Item::Request(Box::new(Request::new(Access::Read, |_: &mut super::super::Group<'_>| Ok(()), answer)))
    }

    fn taken(queue: &Queue) -> Vec<Item> {
        match queue.take(Duration::ZERO) {
            Taken::Items(items) => items,
            Taken::Nothing | Taken::Closed => Vec::new(),
        }
    }

    #[test]
    fn a_full_queue_turns_the_newest_event_away_and_still_takes_what_counts_more() {
        let queue = Queue::default();
        for _ in 0..JOURNAL_BOUND {
            queue.push_behind(event()).unwrap();
        }
        assert_eq!(queue.push_behind(event()), Err(Refused::Full));
        assert_eq!(queue.push_behind(recording()), Err(Refused::Full));
        queue.push_behind(result()).unwrap();
        queue.push_request(request()).unwrap();

        // What was taken still counts until it is on the disk.
        let group = taken(&queue);
        assert_eq!(group.len(), GROUP);
        assert_eq!(queue.push_behind(event()), Err(Refused::Full));
        queue.settle(&group);
        queue.push_behind(event()).unwrap();
    }

    #[test]
    fn recordings_leave_room_for_events() {
        let queue = Queue::default();
        while queue.push_behind(recording()).is_ok() {}
        queue.push_behind(event()).unwrap();
    }

    #[test]
    fn large_writes_are_turned_away_before_they_fill_the_memory() {
        let queue = Queue::default();
        let large = || {
            let kv = vec![KvWrite::Set { key: "key".to_owned(), value: vec![0; 1 << 20] }];
            let cause = super::super::tests::chat("event", "viewer", "hello");
            Item::Batch(Box::new(Batch {
                plugin: "plugin".into(),
                maker: Maker::Handler,
                cause,
                effects: Vec::new(),
                kv,
                again: false,
            }))
        };
        let taken_in = (0..100).filter(|_| queue.push_behind(large()).is_ok()).count();
        assert_eq!(taken_in, 63);
        queue.push_behind(event()).unwrap();
        let group = taken(&queue);
        assert_eq!(queue.push_behind(large()), Err(Refused::Full), "what was taken still counts");
        queue.settle(&group);
        queue.push_behind(large()).unwrap();
    }

    #[test]
    fn requests_have_a_bound_of_their_own() {
        let queue = Queue::default();
        for _ in 0..REQUEST_BOUND {
            queue.push_request(request()).unwrap();
        }
        assert_eq!(queue.push_request(request()), Err(Refused::Full));
        assert_eq!(taken(&queue).len(), GROUP);
        queue.push_request(request()).unwrap();
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_takes_no_more() {
        let queue = Queue::default();
        queue.push_behind(event()).unwrap();
        queue.push_behind(Item::Removed { channel: Channel::engine(), message_id: "m".to_owned() }).unwrap();
        queue.close();
        assert_eq!(queue.push_behind(event()), Err(Refused::Closed));
        assert_eq!(queue.push_request(request()), Err(Refused::Closed));
        assert_eq!(taken(&queue).len(), 2);
        assert!(matches!(queue.take(Duration::ZERO), Taken::Closed));
    }
}
