//! The door of a channel: each event gets its number here, and a repeat goes no further.
//!
//! All that has to happen in the order of the numbers (journal, watchers, fan-out) happens while the channel's [`Turn`]
//! is held. That is short: nothing under it waits, and nothing under it takes another turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use metrics::Counter;
use uuid::Uuid;

use super::recent::RecentIds;
use super::review::Waiting;
use crate::event::{Channel, Command, Draft, Envelope, Event, Origin};
use crate::metric;

/// Outcomes and timers have numbers of the engine's own channel and are not journalled; the store hears of each so many-th
/// number. What it did not hear of is skipped by the next start.
pub(super) const UNNOTED: u64 = 1024;

/// The channels that were heard of.
#[derive(Default)]
pub(super) struct Sequencer {
    lanes: RwLock<HashMap<Channel, Arc<Lane>>>,
}

/// One channel.
pub(super) struct Lane {
    turn: Mutex<Turn>,
}

/// What a channel remembers from one event to the next.
pub(super) struct Turn {
    last_sequence: u64,
    recent: RecentIds,
    counters: Vec<(&'static str, Counter)>,
    /// The events that wait for their review, or behind one that does.
    pub(super) waiting: Waiting,
}

impl Sequencer {
    /// Goes on where an earlier run ended. After a kill the store has skipped more numbers than can have been lost.
    pub(super) fn restore(sequences: Vec<(Channel, u64)>, recent: Vec<(Channel, Arc<str>)>) -> Self {
        let sequencer = Self::default();
        for (channel, last_sequence) in sequences {
            sequencer.lane(&channel).turn().last_sequence = last_sequence;
        }
        sequencer.lane(&Channel::engine()).turn().last_sequence += UNNOTED;
        for (channel, id) in recent {
            sequencer.lane(&channel).turn().recent.insert(&id);
        }
        sequencer
    }

    pub(super) fn lane(&self, channel: &Channel) -> Arc<Lane> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(channel) {
            return Arc::clone(lane);
        }
        drop(lanes);
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(channel.clone()).or_default())
    }

    /// How many events of all channels wait for their review.
    pub(super) fn waiting(&self) -> usize {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.values().map(|lane| lane.turn().waiting.count).sum()
    }
}

impl Default for Lane {
    fn default() -> Self {
        let waiting = Waiting::default();
        let turn = Turn { last_sequence: 0, recent: RecentIds::default(), counters: Vec::new(), waiting };
        Self { turn: Mutex::new(turn) }
    }
}

impl Lane {
    pub(super) fn turn(&self) -> MutexGuard<'_, Turn> {
        // A number that was taken and not used is a gap, which harms nobody.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Numbers an event of a platform; `None` when it was here before.
    pub(super) fn admit(&mut self, mut draft: Draft, command_prefix: &str) -> Option<Arc<Envelope>> {
        if draft.id.as_ref().is_some_and(|id| !self.recent.insert(id)) {
            return None;
        }
        if !draft.own {
            read_command(&mut draft.event, command_prefix);
        }
        Some(self.number(draft))
    }

    /// Whether an event of this id was here lately.
    pub(super) fn has_seen(&self, id: &str) -> bool {
        self.recent.contains(id)
    }

    /// Takes the next number, for an event of the engine's own.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }

    /// Numbers an event that can't be a repeat: the engine makes it.
    pub(super) fn number(&mut self, draft: Draft) -> Arc<Envelope> {
        let Draft { id, at_ms, origin, channel, event, extra, own: _ } = draft;
        let id = id.unwrap_or_else(|| Arc::from(Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())));
        let sequence = self.next_number();
        self.count(&channel, &event);
        Arc::new(Envelope { id, sequence, at_ms, origin, channel, event, extra })
    }

    /// The handle of a counter is looked up once for each type, not for each event.
    fn count(&mut self, channel: &Channel, event: &Event) {
        let name = event.name();
        if let Some((_, counter)) = self.counters.iter().find(|(counted, _)| *counted == name) {
            counter.increment(1);
            return;
        }
        let counter = metrics::counter!(
            metric::EVENTS, "platform" => channel.platform.to_string(), "type" => name
        );
        counter.increment(1);
        self.counters.push((name, counter));
    }
}

/// A mirrored message was written in another channel, whose own bot it belongs to.
fn read_command(event: &mut Event, prefix: &str) {
    if let Event::Chat(message) | Event::Whisper(message) = event {
        message.command = if message.mirrored_from.is_none() { Command::parse(&message.text, prefix) } else { None };
    }
}

/// An event of the engine's own.
pub(super) fn own_draft(id: Option<Arc<str>>, origin: Origin, channel: Channel, event: Event) -> Draft {
    Draft { id, origin, ..Draft::new(channel, crate::event::now_ms(), event) }
}
