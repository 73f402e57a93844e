//! The memory of what was told already.
//!
//! A message may be seen live and again in the history; a tip also in a notice of its own. Where both sightings
//! have an id, the ids decide. Where one has none, the same words by the same name at the same time are the same
//! message, and each sighting is used up by one of the other way, so that a line that was written three times is
//! also told three times.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};

use super::super::wire::Parsed;

/// Messages remembered: some minutes of a very busy chat, under a megabyte.
const CAPACITY: usize = 4096;
/// Two times by the platform's clock, of which one may be cut to seconds.
const STAMPED_TOLERANCE_MS: u64 = 1_500;
/// A time by the platform's clock and one by ours.
const ARRIVAL_TOLERANCE_MS: u64 = 10_000;

/// Counts the connections, and the polls where there is none.
pub(in super::super) type Epoch = u64;

/// How a message came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Way {
    Live,
    /// A notice that tells what a message tells too.
    Notice,
    History,
}

impl Way {
    const ALL: [Self; 3] = [Self::Live, Self::Notice, Self::History];

    const fn bit(self) -> u8 {
        match self {
            Self::Live => 1,
            Self::Notice => 2,
            Self::History => 4,
        }
    }
}

#[derive(Debug)]
struct Sighting {
    number: u64,
    /// By the platform's clock, else when it arrived.
    at_ms: u64,
    is_stamped: bool,
    has_key: bool,
    epoch: Epoch,
    /// The ways in which this one message was seen by now.
    ways: u8,
}

/// Where a message stands in the memory.
#[derive(Debug)]
struct Remembered {
    key: Option<String>,
    /// The hash of the content, and the number of the sighting below it.
    sighting: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
pub(in super::super) struct Seen {
    keys: HashMap<String, Epoch>,
    alike: HashMap<u64, Alike>,
    /// What to forget next, oldest first.
    order: VecDeque<Remembered>,
    count: u64,
    last_known_ms: Option<u64>,
}

impl Seen {
    /// Remembers a sighting. Returns whether it is the first of its message.
    pub(in super::super) fn admit(&mut self, item: &Parsed, way: Way, epoch: Epoch, now_ms: u64) -> bool {
        // The time is the sender's word; from the future it would make every later message an old one.
        let at_ms = item.at_ms.unwrap_or(now_ms).min(now_ms);
        if item.key.as_ref().is_some_and(|key| self.keys.contains_key(key)) {
            return false;
        }
        self.last_known_ms = Some(self.last_known_ms.unwrap_or(0).max(at_ms));
        let content = item.content.as_ref().map(|content| hash(content));
        let same = content.and_then(|content| self.alike.get_mut(&content)?.take(item, way, at_ms));
        if let Some(epoch) = same {
            if let Some(key) = &item.key {
                self.remember(Some((key.clone(), epoch)), None);
            }
            return false;
        }
        self.count += 1;
        let sighting = Sighting {
            number: self.count,
            at_ms,
            is_stamped: item.at_ms.is_some(),
            has_key: item.key.is_some(),
            epoch,
            ways: way.bit(),
        };
        self.remember(item.key.clone().map(|key| (key, epoch)), content.map(|content| (content, sighting)));
        true
    }

    /// Whether it was surely known before the connection `epoch` began: by its id, or by its very time. Words that
    /// are merely alike do not count here.
    pub(in super::super) fn knew_before(&self, item: &Parsed, epoch: Epoch) -> bool {
        if let Some(known) = item.key.as_ref().and_then(|key| self.keys.get(key)) {
            return *known < epoch;
        }
        let (Some(content), Some(at_ms)) = (&item.content, item.at_ms) else {
            return false;
        };
        let is_the_same = |seen: &Sighting| seen.epoch < epoch && seen.is_stamped && seen.at_ms == at_ms;
        let is_comparable = |seen: &Sighting| !(seen.has_key && item.key.is_some());
        let alike = self.alike.get(&hash(content));
        alike.is_some_and(|alike| alike.sightings.iter().any(|seen| is_the_same(seen) && is_comparable(seen)))
    }

    /// When the newest message that was ever seen was written.
    pub(in super::super) fn last_known_ms(&self) -> Option<u64> {
        self.last_known_ms
    }

    fn remember(&mut self, key: Option<(String, Epoch)>, content: Option<(u64, Sighting)>) {
        let forgettable = content.as_ref().map(|(content, sighting)| (*content, sighting.number));
        if let Some((content, sighting)) = content {
            self.alike.entry(content).or_default().push(sighting);
        }
        self.order.push_back(Remembered { key: key.as_ref().map(|(key, _)| key.clone()), sighting: forgettable });
        self.keys.extend(key);
        if self.order.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(Remembered { key, sighting }) = self.order.pop_front() else { return };
        if let Some(key) = key {
            self.keys.remove(&key);
        }
        if let Some((content, number)) = sighting
            && let Some(alike) = self.alike.get_mut(&content)
        {
            alike.forget(number);
            if alike.sightings.is_empty() {
                self.alike.remove(&content);
            }
        }
    }
}

/// Messages of the same words by the same name, oldest first.
///
/// Whoever repeats a line a thousand times must not make each of them cost a thousand comparisons, so it is
/// counted in which ways some of them are still to be seen.
#[derive(Debug, Default)]
struct Alike {
    sightings: VecDeque<Sighting>,
    not_live: usize,
    not_noticed: usize,
    not_in_history: usize,
}

impl Alike {
    /// Finds the message that `item` is another sighting of, and marks it so. Returns its epoch.
    fn take(&mut self, item: &Parsed, way: Way, at_ms: u64) -> Option<Epoch> {
        let may_repeat = item.key.is_none() && item.at_ms.is_some();
        if *self.missing(way) == 0 && !may_repeat {
            return None;
        }
        let candidates = self.sightings.iter_mut().filter(|seen| seen.is_of(item, way, at_ms));
        let seen = candidates.min_by_key(|seen| seen.at_ms.abs_diff(at_ms))?;
        let is_new_way = seen.ways & way.bit() == 0;
        seen.ways |= way.bit();
        seen.has_key |= item.key.is_some();
        let epoch = seen.epoch;
        if is_new_way {
            *self.missing(way) -= 1;
        }
        Some(epoch)
    }

    fn push(&mut self, sighting: Sighting) {
        for way in Way::ALL {
            *self.missing(way) += usize::from(sighting.ways & way.bit() == 0);
        }
        self.sightings.push_back(sighting);
    }

    /// Messages are forgotten in the order in which they came, so it can only be the first.
    fn forget(&mut self, number: u64) {
        if let Some(sighting) = self.sightings.pop_front_if(|sighting| sighting.number == number) {
            for way in Way::ALL {
                *self.missing(way) -= usize::from(sighting.ways & way.bit() == 0);
            }
        }
    }

    /// How many were not seen in this way.
    fn missing(&mut self, way: Way) -> &mut usize {
        match way {
            Way::Live => &mut self.not_live,
            Way::Notice => &mut self.not_noticed,
            Way::History => &mut self.not_in_history,
        }
    }
}

impl Sighting {
    /// Whether `item`, of the same content, is another sighting of this message.
    fn is_of(&self, item: &Parsed, way: Way, at_ms: u64) -> bool {
        let is_stamped = item.at_ms.is_some();
        if self.ways & way.bit() != 0 {
            // The same way again: only what has the very same time and no id of its own is a repeat.
            return !(self.has_key && item.key.is_some())
                && self.is_stamped
                && is_stamped
                && self.at_ms == at_ms
                && item.key.is_none();
        }
        // Two ids, of a message and of a message, are two messages. A notice has ids of another kind.
        let are_comparable = way != Way::Notice && self.ways & Way::Notice.bit() == 0;
        if self.has_key && item.key.is_some() && are_comparable {
            return false;
        }
        let tolerance_ms = if self.is_stamped && is_stamped { STAMPED_TOLERANCE_MS } else { ARRIVAL_TOLERANCE_MS };
        self.at_ms.abs_diff(at_ms) <= tolerance_ms
    }
}

fn hash(content: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
