//! Where two plays of the same event differ.

use std::sync::Arc;

use super::lockstep::Act;
use crate::event::Envelope;

/// An event that the two made something else of. A side is empty where nobody was asked there.
#[derive(Debug, Clone)]
pub struct Difference {
    pub envelope: Arc<Envelope>,
    pub one: Option<Act>,
    pub other: Option<Act>,
}

/// What one recorded event led to on both sides.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// How many events both made the same of.
    pub same: u64,
    pub differences: Vec<Difference>,
}

/// Events are told by their ids, which are the same on both sides.
pub fn compare(one: Vec<Act>, mut other: Vec<Act>) -> Comparison {
    let mut comparison = Comparison::default();
    for act in one {
        let place = other.iter().position(|candidate| candidate.envelope.id == act.envelope.id);
        match place.map(|place| other.remove(place)) {
            Some(twin) if twin.is_same(&act) => comparison.same += 1,
            twin => comparison.differences.push(Difference {
                envelope: Arc::clone(&act.envelope),
                one: Some(act),
                other: twin,
            }),
        }
    }
    comparison.differences.extend(other.into_iter().map(|act| Difference {
        envelope: Arc::clone(&act.envelope),
        one: None,
        other: Some(act),
    }));
    comparison.differences.sort_by_key(|difference| difference.envelope.at_ms);
    comparison
}
