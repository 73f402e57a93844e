//! The order in which parcels leave: moderation before chat, then by arrival. Bounded.

use std::collections::BTreeMap;

use super::parcel::Parcel;
use crate::effect::Priority;

/// Lines that wait for one account, at most: twice the burst of 5,000 that must be answered whole. It bounds the
/// memory (some MB); how long a line may wait is `Pace::expiry`'s business.
pub(super) const BOUND: usize = 10_000;

/// A parcel's place. It keeps it when it is put back, so that a second attempt overtakes nobody and nobody it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    priority: Priority,
    arrival: u64,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    parcels: BTreeMap<Place, Parcel>,
    arrivals: u64,
    lines: usize,
    closed: bool,
}

/// A parcel that is not in the queue, and why.
#[derive(Debug)]
pub(super) enum TurnedAway {
    /// It had to make room.
    OldestChat(Parcel),
    /// There is nothing but moderation, and too much of it.
    Newest(Parcel),
    Closed(Parcel),
}

impl Queue {
    /// Returns what is not in the queue after it. A parcel of many lines may take the place of several of few.
    pub(super) fn push(&mut self, parcel: Parcel) -> Vec<TurnedAway> {
        if self.closed {
            return vec![TurnedAway::Closed(parcel)];
        }
        self.arrivals += 1;
        let place = Place { priority: parcel.priority, arrival: self.arrivals };
        self.put_back(place, parcel);
        std::iter::from_fn(|| self.make_room(place)).collect()
    }

    fn make_room(&mut self, newest: Place) -> Option<TurnedAway> {
        if self.lines <= BOUND {
            return None;
        }
        let first_chat = Place { priority: Priority::Chat, arrival: 0 };
        let oldest_chat = self.parcels.range(first_chat..).next().map(|(place, _)| *place);
        match oldest_chat {
            Some(place) => self.take(place).map(TurnedAway::OldestChat),
            None => self.take(newest).map(TurnedAway::Newest),
        }
    }

    /// For what was taken and could not be sent, or not wholly.
    pub(super) fn put_back(&mut self, place: Place, parcel: Parcel) {
        self.lines += parcel.lines.len();
        self.parcels.insert(place, parcel);
    }

    pub(super) fn first(&self) -> Option<(Place, &Parcel)> {
        self.parcels.first_key_value().map(|(place, parcel)| (*place, parcel))
    }

    pub(super) fn take(&mut self, place: Place) -> Option<Parcel> {
        let parcel = self.parcels.remove(&place)?;
        self.lines -= parcel.lines.len();
        Some(parcel)
    }

    /// Takes no more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn take_all(&mut self) -> Vec<Parcel> {
        self.lines = 0;
        std::mem::take(&mut self.parcels).into_values().collect()
    }
}

#[cfg(test)]
mod tests;
