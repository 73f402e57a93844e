//! Where each event gets its number within its channel, and a repeat goes no further.
//!
//! All that has to happen in the order of the numbers (journal, watchers, fan-out) happens while the channel's
//! [`ChannelState`] is locked. That is short: nothing under it waits, and nothing under it locks another channel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use metrics::Counter;
use uuid::Uuid;

use super::recent::RecentIds;
use super::review::Waiting;
use crate::event::{Channel, Command, Draft, Envelope, Event, Origin};
use crate::metric;

/// Outcomes and timers have numbers of the engine's own channel and are not journalled; the store hears of every
/// 1024th. What it did not hear of is skipped by the next start.
pub(super) const UNNOTED: u64 = 1024;

/// The channels that were heard of.
#[derive(Default)]
pub(super) struct Sequencer {
    channels: RwLock<HashMap<Channel, Arc<ChannelSequencer>>>,
}

/// One channel.
pub(super) struct ChannelSequencer {
    state: Mutex<ChannelState>,
}

/// What a channel remembers from one event to the next.
pub(super) struct ChannelState {
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
            sequencer.channel(&channel).lock().last_sequence = last_sequence;
        }
        sequencer.channel(&Channel::engine()).lock().last_sequence += UNNOTED;
        for (channel, id) in recent {
            sequencer.channel(&channel).lock().recent.insert(&id);
        }
        sequencer
    }

    pub(super) fn channel(&self, channel: &Channel) -> Arc<ChannelSequencer> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sequencer) = channels.get(channel) {
            return Arc::clone(sequencer);
        }
        drop(channels);
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(channels.entry(channel.clone()).or_default())
    }

    /// How many events of all channels wait for their review.
    pub(super) fn waiting(&self) -> usize {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.values().map(|sequencer| sequencer.lock().waiting.count).sum()
    }
}

impl Default for ChannelSequencer {
    fn default() -> Self {
        let waiting = Waiting::default();
        let state = ChannelState { last_sequence: 0, recent: RecentIds::default(), counters: Vec::new(), waiting };
        Self { state: Mutex::new(state) }
    }
}

impl ChannelSequencer {
    pub(super) fn lock(&self) -> MutexGuard<'_, ChannelState> {
        // A number that was taken and not used is a gap, which harms nobody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChannelState {
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
