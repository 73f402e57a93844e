//! A plugin as the pipeline sees it: what it wants to hear, and where to hand it. Stays the same over reloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::delivery::{Delivery, Ticket};
use super::grants::Grants;
use super::lanes::{EventJob, Lanes, Offered, ReviewJob};
use super::loader::Loaded;
use super::order::Order;
use super::subscription::Subscription;
use crate::config::settings::{OnFailure, PluginSettings};
use crate::effect::{PluginId, Verdict};
use crate::event::{Envelope, Lane};
use crate::metric;

#[cfg(test)]
mod stand_in;
#[cfg(test)]
pub(crate) use self::stand_in::Given;

/// All plugins that are known to run, for the pipeline to choose from. Replaced as a whole when one comes or goes.
pub type Roster = Arc<ArcSwap<Vec<Arc<PluginHandle>>>>;

/// What a reload may change, replaced as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Role {
    pub(super) subscription: Subscription,
    pub(super) fallback: bool,
    pub(super) reviewer: bool,
    pub(super) on_failure: OnFailure,
}

impl Role {
    pub(super) fn of(loaded: &Loaded, grants: &Grants, settings: &PluginSettings) -> Self {
        let manifest = &loaded.manifest;
        // The names were checked with the manifest, so there is always a subscription.
        let subscription =
            Subscription::new(&manifest.events, &manifest.commands, &settings.channels).unwrap_or_default();
        let reviewer = loaded.blueprint.reviews() && grants.check_review().is_ok();
        Self { subscription, fallback: manifest.fallback, reviewer, on_failure: settings.on_failure }
    }
}

pub struct PluginHandle {
    id: PluginId,
    role: ArcSwap<Role>,
    /// Whether somebody takes from the lanes. While not, events wait there and hold nobody up.
    running: AtomicBool,
    dropped: AtomicU64,
    pub(super) lanes: Lanes,
}

impl PluginHandle {
    pub(super) fn new(id: PluginId) -> Arc<Self> {
        Arc::new(Self {
            id,
            role: ArcSwap::default(),
            running: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            lanes: Lanes::default(),
        })
    }

    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// Whether its manifest asks for this event, and the operator lets it into the channel.
    pub fn wants(&self, envelope: &Envelope) -> bool {
        self.role.load().subscription.wants(envelope)
    }

    /// Whether it may see the text of a message that review took away.
    pub fn sees_removed_text(&self) -> bool {
        self.role.load().subscription.wants_removed_text()
    }

    /// Whether it gets only what no other plugin handled.
    pub fn is_fallback(&self) -> bool {
        self.role.load().fallback
    }

    /// Whether it is to be asked before anybody sees this event.
    pub fn reviews(&self, envelope: &Envelope) -> bool {
        let role = self.role.load();
        role.reviewer && role.subscription.wants(envelope)
    }

    /// What counts when it gives no verdict in time.
    pub fn on_failure(&self) -> OnFailure {
        self.role.load().on_failure
    }

    /// Queues an event. Never waits. While the plugin is down it misses chatter, and keeps what must not be lost.
    pub fn offer(&self, delivery: Arc<Delivery>, ticket: Option<Ticket>) {
        let is_running = self.is_running();
        if !is_running && delivery.envelope.event.lane() == Lane::Lossy {
            return;
        }
        let ticket = ticket.filter(|_| is_running);
        delivery.keep_for(&self.id, is_running);
        match self.lanes.offer(EventJob { delivery: Arc::clone(&delivery), ticket }) {
            Offered::Queued => {}
            Offered::Crowded if !is_running => {}
            Offered::Crowded => {
                tracing::error!(plugin = %self.id, "Too many events wait for this plugin; it is quarantined and they are kept.");
                self.lanes
                    .order(Order::Quarantine { why: "it can't keep up with events that must not be lost".into() });
            }
            Offered::Displaced => self.count_dropped(),
            Offered::Refused => {
                delivery.forget_for(&self.id);
                tracing::error!(plugin = %self.id, "An event could not be kept for this plugin; it is in the journal.");
                self.count_dropped();
            }
        }
    }

    fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        metrics::counter!(metric::QUEUE_DROPPED, "plugin" => self.id.to_string()).increment(1);
    }

    /// Asks for a verdict, at once. The answer ends without one when the plugin is down, crashes on the event or has
    /// too many before this one. The caller sets the time limit.
    pub fn review(&self, delivery: Arc<Delivery>) -> oneshot::Receiver<Verdict> {
        let (answer, verdict) = oneshot::channel();
        if self.is_running() {
            self.lanes.ask(ReviewJob { delivery, answer });
        }
        verdict
    }

    pub fn waiting(&self) -> usize {
        self.lanes.waiting()
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) fn set_running(&self, running: bool) {
        self.running.store(running, Ordering::Release);
        if !running {
            self.lanes.release();
        }
    }

    pub(super) fn set_role(&self, role: Role) {
        self.role.store(Arc::new(role));
    }
}
