//! The ids that a channel has seen lately.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Platforms repeat what came in the last seconds or, after an outage, in the history that is asked for. Some minutes
/// of a very busy chat; under a megabyte a channel.
pub(super) const REMEMBERED: usize = 8192;

/// A set that forgets its oldest.
#[derive(Debug, Default)]
pub(super) struct RecentIds {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl RecentIds {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.known.contains(id)
    }

    /// Says whether the id is new.
    pub(super) fn insert(&mut self, id: &Arc<str>) -> bool {
        if !self.known.insert(Arc::clone(id)) {
            return false;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(Arc::clone(id));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_the_oldest_only() {
        let mut recent = RecentIds::default();
        let id = |number: usize| Arc::from(number.to_string());
        for number in 0..=REMEMBERED {
            assert!(recent.insert(&id(number)));
        }
        assert!(!recent.insert(&id(1)));
        assert!(!recent.insert(&id(REMEMBERED)));
        assert!(recent.insert(&id(0)), "the oldest was forgotten");
        assert_eq!(recent.known.len(), REMEMBERED);
        assert_eq!(recent.order.len(), REMEMBERED);
    }
}
