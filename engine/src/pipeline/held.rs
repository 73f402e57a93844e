//! The events that review holds back until somebody decides. As long as they are here they are not done with, so that a
//! later run holds them back again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::ruling;
use crate::event::Channel;
use crate::plugin::Delivery;

/// A stream's worth; a person decides on each. The oldest is forgotten, which is to let it stay away.
const BOUND: usize = 1024;

/// A channel and what the event is asked for by.
type Key = (Channel, String);

#[derive(Default)]
pub(super) struct Held {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: HashMap<Key, Arc<Delivery>>,
    /// May name events that were decided on; those are skipped.
    order: VecDeque<Key>,
}

impl Held {
    pub(super) fn keep(&self, delivery: &Arc<Delivery>) {
        let envelope = &delivery.envelope;
        let key = (envelope.channel.clone(), ruling::subject(envelope).to_owned());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events.insert(key.clone(), Arc::clone(delivery));
        state.order.push_back(key);
        while state.events.len() > BOUND {
            let Some(oldest) = state.order.pop_front() else { break };
            state.events.remove(&oldest);
        }
        state.skip_decided();
    }

    /// Gives an event out, once.
    pub(super) fn take(&self, channel: &Channel, message_id: &str) -> Option<Arc<Delivery>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.events.remove(&(channel.clone(), message_id.to_owned()))
    }
}

impl State {
    /// Keeps `order` as short as what it orders, but for those that were decided on out of turn.
    fn skip_decided(&mut self) {
        while self.order.front().is_some_and(|key| !self.events.contains_key(key)) {
            self.order.pop_front();
        }
        if self.order.len() > 2 * BOUND {
            self.order.retain(|key| self.events.contains_key(key));
        }
    }
}
