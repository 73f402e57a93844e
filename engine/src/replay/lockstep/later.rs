//! What is known to happen between two events: outcomes of effects, and events that were held and let go.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::effect::PluginId;
use crate::event::{Channel, Envelope, Event, Origin, Outcome, OutcomeStatus};
use crate::recording::{Done, Known};

pub(super) enum Later {
    Release { envelope: Arc<Envelope>, known: Known },
    Outcome { plugin: PluginId, envelope: Arc<Envelope> },
}

/// In the order of time, and of being added.
#[derive(Default)]
pub(super) struct Agenda {
    items: BTreeMap<(u64, u64), Later>,
    added: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at_ms: u64, later: Later) {
        self.added += 1;
        self.items.insert((at_ms, self.added), later);
    }

    /// An effect that was asked for now and then, and how it ended then. Never earlier than now.
    pub(super) fn add_outcome(&mut self, plugin: &PluginId, cause: &Envelope, done: &Done, now_ms: u64) {
        let (Some(ended_ms), Some(status)) = (done.ended_ms, status(&done.state)) else { return };
        let at_ms = ended_ms.max(now_ms);
        let outcome = Outcome {
            event_id: cause.id.to_string(),
            effect: done.number,
            status,
            message_id: done.message_id.clone(),
            detail: done.detail.clone(),
        };
        let envelope = Envelope {
            id: format!("outcome:{}:{plugin}:{}", cause.id, done.number).into(),
            sequence: self.added,
            at_ms,
            origin: Origin::Live,
            channel: Channel::engine(),
            event: Event::Outcome(outcome),
            extra: None,
        };
        self.add(at_ms, Later::Outcome { plugin: plugin.clone(), envelope: Arc::new(envelope) });
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.items.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    pub(super) fn take(&mut self) -> Option<(u64, Later)> {
        self.items.pop_first().map(|((at_ms, _), later)| (at_ms, later))
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }
}

/// `None` for what has not ended.
fn status(state: &str) -> Option<OutcomeStatus> {
    use OutcomeStatus::{Done, Expired, Failed, Uncertain, Unsupported};
    [Done, Failed, Expired, Unsupported, Uncertain].into_iter().find(|status| status.as_str() == state)
}
