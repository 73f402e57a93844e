//! The order in which entries leave: moderation before chat, then by arrival. Bounded.

use std::collections::BTreeMap;

use super::entry::Entry;
use crate::effect::Priority;

/// Lines that wait for one account, at most: twice the burst of 5,000 that must be answered whole. It bounds the
/// memory (some MB); how long a line may wait is `Pace::expiry`'s business.
pub(super) const BOUND: usize = 10_000;

/// An entry's place. It keeps it when it is put back, so that a second attempt overtakes nobody and nobody it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    priority: Priority,
    arrival: u64,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: BTreeMap<Place, Entry>,
    arrivals: u64,
    lines: usize,
    closed: bool,
}

/// An entry that is not in the queue, and why.
#[derive(Debug)]
pub(super) enum Rejected {
    /// It had to make room.
    OldestChat(Entry),
    /// There is nothing but moderation, and too much of it.
    Newest(Entry),
    Closed(Entry),
}

impl Queue {
    /// Returns what is not in the queue after it. An entry of many lines may take the place of several of few.
    pub(super) fn push(&mut self, entry: Entry) -> Vec<Rejected> {
        if self.closed {
            return vec![Rejected::Closed(entry)];
        }
        self.arrivals += 1;
        let place = Place { priority: entry.priority, arrival: self.arrivals };
        self.put_back(place, entry);
        std::iter::from_fn(|| self.make_room(place)).collect()
    }

    fn make_room(&mut self, newest: Place) -> Option<Rejected> {
        if self.lines <= BOUND {
            return None;
        }
        let first_chat = Place { priority: Priority::Chat, arrival: 0 };
        let oldest_chat = self.entries.range(first_chat..).next().map(|(place, _)| *place);
        match oldest_chat {
            Some(place) => self.take(place).map(Rejected::OldestChat),
            None => self.take(newest).map(Rejected::Newest),
        }
    }

    /// For what was taken and could not be sent, or not wholly.
    pub(super) fn put_back(&mut self, place: Place, entry: Entry) {
        self.lines += entry.lines.len();
        self.entries.insert(place, entry);
    }

    pub(super) fn first(&self) -> Option<(Place, &Entry)> {
        self.entries.first_key_value().map(|(place, entry)| (*place, entry))
    }

    pub(super) fn take(&mut self, place: Place) -> Option<Entry> {
        let entry = self.entries.remove(&place)?;
        self.lines -= entry.lines.len();
        Some(entry)
    }

    /// Takes no more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn take_all(&mut self) -> Vec<Entry> {
        self.lines = 0;
        std::mem::take(&mut self.entries).into_values().collect()
    }
}

#[cfg(test)]
mod tests;
