//! How effects end: told to the ledger, to whoever watches, and to the plugin that asked.

use std::sync::Arc;

use metrics::Counter;

use super::Inner;
use super::outbox::Ended;
use super::sequencer::{ChannelState, UNNOTED, own_draft};
use crate::effect::{EffectResult, PluginId};
use crate::event::{Channel, Envelope, Event, Origin, Outcome, OutcomeStatus};
use crate::metric;
use crate::observation::Observation;
use crate::plugin::{Delivery, PluginHandle};

/// What reporting needs for each effect and is made once.
pub(super) struct Outcomes {
    counters: [(OutcomeStatus, Counter); 5],
    /// Stands for all outcomes when a plugin is asked whether it wants them.
    sample: Envelope,
}

impl Default for Outcomes {
    fn default() -> Self {
        let counters = [
            OutcomeStatus::Done,
            OutcomeStatus::Failed,
            OutcomeStatus::Expired,
            OutcomeStatus::Unsupported,
            OutcomeStatus::Uncertain,
        ]
        .map(|status| (status, metrics::counter!(metric::EFFECTS, "status" => status.as_str())));
        let outcome = Outcome {
            event_id: String::new(),
            effect: 0,
            status: OutcomeStatus::Done,
            message_id: None,
            detail: String::new(),
        };
        let sample = Envelope {
            id: Arc::from(""),
            sequence: 0,
            at_ms: 0,
            origin: Origin::Live,
            channel: Channel::engine(),
            event: Event::Outcome(outcome),
            extra: None,
        };
        Self { counters, sample }
    }
}

impl Inner {
    /// An effect came to its end.
    pub(super) fn report(&self, ended: Ended) {
        let Ended { key, channel, effect, status, message_id, detail } = ended;
        let result = EffectResult { key, status, message_id, detail };
        for (counted, counter) in &self.outcomes.counters {
            if *counted == status {
                counter.increment(1);
            }
        }
        tracing::debug!(
            plugin = %result.key.plugin, event = %result.key.event_id, effect, status = status.as_str(),
            detail = result.detail, "An effect ended."
        );
        self.observer.observe(|| Observation::Outcome { channel, effect: effect.to_owned(), result: result.clone() });
        let plugin = self.plugin(&result.key.plugin).filter(|plugin| plugin.wants(&self.outcomes.sample));
        if let Some(plugin) = plugin {
            let EffectResult { key, status, message_id, detail } = result.clone();
            let event_id = key.event_id.as_ref().to_owned();
            let outcome = Outcome { event_id, effect: key.number, status, message_id, detail };
            self.deliver(&plugin, outcome);
        }
        self.store.journal_result(result);
    }

    /// The ledger has the outcomes; the journal need not have them again.
    fn deliver(&self, plugin: &PluginHandle, outcome: Outcome) {
        let sequencer = self.sequencer.channel(&Channel::engine());
        let mut state = sequencer.lock();
        let envelope = state.number(own_draft(None, Origin::Live, Channel::engine(), Event::Outcome(outcome)));
        self.note_number(envelope.sequence);
        plugin.offer(Delivery::new(envelope), None);
    }

    /// A number of the engine's own channel for what is not journalled.
    pub(super) fn next_number(&self) -> u64 {
        let sequencer = self.sequencer.channel(&Channel::engine());
        let number = ChannelState::next_number(&mut sequencer.lock());
        self.note_number(number);
        number
    }

    fn note_number(&self, number: u64) {
        if number.is_multiple_of(UNNOTED) {
            self.store.note_sequence(&Channel::engine(), number);
        }
    }

    pub(super) fn plugin(&self, id: &PluginId) -> Option<Arc<PluginHandle>> {
        self.roster.load().iter().find(|plugin| plugin.id() == id).cloned()
    }
}
