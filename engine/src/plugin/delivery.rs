//! One event on its way to plugins: shared by all of them, and kept from the fallback plugins until every handler
//! has passed on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::handle::PluginHandle;
use crate::effect::PluginId;
use crate::event::Envelope;
use crate::store::{InFlight, Store, Waiting};

/// An event as plugins get it.
pub struct Delivery {
    pub envelope: Arc<Envelope>,
    /// A run that was killed may have handled it, and not come to write that down.
    pub again: bool,
    keeping: Keeping,
}

/// How a delivery outlives the daemon.
enum Keeping {
    /// It does not.
    Nothing,
    /// As a whole, while anybody has it in hand.
    WhileInFlight { _in_flight: InFlight },
    /// In the inbox of each plugin that gets it.
    InInboxes(Store),
    /// In that of the plugin that it comes from.
    FromInbox { attempts: u32 },
}

impl Delivery {
    /// One that is lost with the daemon.
    pub fn new(envelope: Arc<Envelope>) -> Arc<Self> {
        Self::make(envelope, false, Keeping::Nothing)
    }

    /// One that a later run gives out again if this one ends while anybody has it in hand.
    pub fn in_flight(envelope: Arc<Envelope>, in_flight: InFlight, again: bool) -> Arc<Self> {
        Self::make(envelope, again, Keeping::WhileInFlight { _in_flight: in_flight })
    }

    /// One that each plugin gets sooner or later, even if the daemon ends before.
    pub fn kept(envelope: Arc<Envelope>, store: &Store, again: bool) -> Arc<Self> {
        Self::make(envelope, again, Keeping::InInboxes(store.clone()))
    }

    /// One that comes from a plugin's inbox, and stays there until it is handled.
    pub fn waiting(waiting: Waiting) -> Arc<Self> {
        let (again, attempts) = (waiting.again(), waiting.attempts);
        Self::make(Arc::new(waiting.envelope), again, Keeping::FromInbox { attempts })
    }

    fn make(envelope: Arc<Envelope>, again: bool, keeping: Keeping) -> Arc<Self> {
        Arc::new(Self { envelope, again, keeping })
    }

    /// In how many earlier runs a plugin may have begun with it.
    pub(super) fn attempts(&self) -> u32 {
        match self.keeping {
            Keeping::FromInbox { attempts } => attempts,
            _ => self.again.into(),
        }
    }

    /// To be called before a plugin gets it.
    pub(super) fn keep_for(&self, plugin: &PluginId, is_given: bool) {
        if let Keeping::InInboxes(store) = &self.keeping {
            // An earlier run may have begun it, and struck it off as done.
            store.keep_event(plugin, &self.envelope, is_given || self.again);
        }
    }

    /// The plugin does not get it after all.
    pub(super) fn forget_for(&self, plugin: &PluginId) {
        if let Keeping::InInboxes(store) = &self.keeping {
            store.forget_event(plugin, &self.envelope.id);
        }
    }
}

/// Counts the handlers that still have an event in hand. When the last one lets go and none has handled it, the
/// fallback plugins get it.
pub struct Dispatch {
    delivery: Arc<Delivery>,
    /// What keeps the event from being done with until the handlers are: else the fallbacks, which have it in no inbox
    /// yet, would lose it with the daemon.
    _origin: Option<Arc<Delivery>>,
    fallbacks: Vec<Arc<PluginHandle>>,
    in_hand: AtomicUsize,
    settled: AtomicBool,
}

impl Dispatch {
    /// With the tickets, one for each of `handlers`; without any, the fallbacks get it at once. `origin` is dropped
    /// with the last ticket.
    pub fn new(
        delivery: Arc<Delivery>,
        origin: Option<Arc<Delivery>>,
        fallbacks: Vec<Arc<PluginHandle>>,
        handlers: usize,
    ) -> (Arc<Self>, Vec<Ticket>) {
        let dispatch = Arc::new(Self {
            delivery,
            _origin: origin,
            fallbacks,
            in_hand: AtomicUsize::new(handlers),
            settled: AtomicBool::new(false),
        });
        if handlers == 0 {
            dispatch.release();
        }
        let tickets = (0..handlers).map(|_| Ticket { dispatch: Arc::clone(&dispatch) }).collect();
        (dispatch, tickets)
    }

    /// Hands the event to the fallback plugins, unless it was handled or they have it already. Also called when
    /// the handlers ran out of time.
    pub fn release(&self) {
        if !self.settled.swap(true, Ordering::AcqRel) {
            for fallback in &self.fallbacks {
                fallback.offer(Arc::clone(&self.delivery), None);
            }
        }
    }
}

/// One handler's hold on an event. Dropping it, for whatever reason (passed, failed, crashed, fell out of a full
/// queue), is to pass.
pub struct Ticket {
    dispatch: Arc<Dispatch>,
}

impl Ticket {
    /// The event needs no fallback.
    pub fn handled(self) {
        self.dispatch.settled.store(true, Ordering::Release);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.dispatch.in_hand.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.dispatch.release();
        }
    }
}
