//! The ids of the messages that came lately. Twitch delivers at least once, and while it moves us, on two sockets.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::time::Duration;

use tokio::time::Instant;

/// What is older than ten minutes is dropped for its age, so nothing has to be known for longer than that.
const KEPT: Duration = Duration::from_secs(11 * 60);
/// More than 400 messages a second for ten minutes, some ten megabytes. Over it the oldest is forgotten.
const CAPACITY: usize = 1 << 18;

/// A memory that forgets. It keeps hashes, as the ids themselves would take several times the room; that two of so few
/// have the same is out of reach.
#[derive(Debug, Default)]
pub(in super::super) struct Seen {
    hasher: RandomState,
    known: HashSet<u64>,
    order: VecDeque<(Instant, u64)>,
}

impl Seen {
    /// Whether the id is new. A message without one is always new.
    pub(in super::super) fn insert(&mut self, message_id: &str, now: Instant) -> bool {
        if message_id.is_empty() {
            return true;
        }
        while let Some((_, oldest)) = self.order.pop_front_if(|(at, _)| now.saturating_duration_since(*at) > KEPT) {
            self.known.remove(&oldest);
        }
        let id = self.hasher.hash_one(message_id);
        if !self.known.insert(id) {
            return false;
        }
        if self.order.len() >= CAPACITY
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back((now, id));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_within_ten_minutes() {
        let mut seen = Seen::default();
        let start = Instant::now();
        assert!(seen.insert("a", start));
        assert!(!seen.insert("a", start + Duration::from_secs(601)));
        assert!(seen.insert("a", start + KEPT + Duration::from_secs(1)));
        assert_eq!((seen.known.len(), seen.order.len()), (1, 1));
    }

    #[test]
    fn without_an_id_nothing_is_a_repeat() {
        let mut seen = Seen::default();
        assert!(seen.insert("", Instant::now()) && seen.insert("", Instant::now()));
    }

    #[test]
    fn over_its_bound_it_forgets_the_oldest_only() {
        let mut seen = Seen::default();
        let now = Instant::now();
        for number in 0..=CAPACITY {
            assert!(seen.insert(&number.to_string(), now));
        }
        assert_eq!((seen.known.len(), seen.order.len()), (CAPACITY, CAPACITY));
        assert!(!seen.insert("1", now));
        assert!(seen.insert("0", now));
    }
}
