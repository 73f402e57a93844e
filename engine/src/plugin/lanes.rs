//! A plugin's queue: two lanes for events, merged in the order of arrival, and a fast lane for reviews and for the
//! host's own orders.
//!
//! It never waits on the side of the giver. The lossy lane drops its oldest when full; the kept lane refuses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::delivery::{Delivery, Ticket};
use super::order::Order;
use crate::effect::Verdict;
use crate::event::Lane;
use crate::store::Queued;

/// Chat and presence: more than a burst of 5,000 lines, which must be answered whole although it may arrive faster than
/// a plugin reads it. Some MB at the most, shared by all plugins that wait for the same events.
pub(super) const LOSSY: usize = 8192;
/// Money, moderation, answers: far more than any stream has in the time a plugin needs to be restarted.
pub(super) const KEPT: usize = 4096;
/// Over the mark the plugin is quarantined; what comes until it stops is still taken.
const KEPT_BOUND: usize = 2 * KEPT;
/// Reviews waiting: those further back could not be answered within their budget anyway.
pub(super) const REVIEWS: usize = 4096;

/// An event with the ticket that holds it back from the fallbacks.
pub(super) struct EventJob {
    pub(super) delivery: Arc<Delivery>,
    pub(super) ticket: Option<Ticket>,
}

/// A question of the pipeline, to be answered before any handler sees the event.
pub(super) struct ReviewJob {
    pub(super) delivery: Arc<Delivery>,
    pub(super) answer: oneshot::Sender<Verdict>,
}

/// What the actor does next.
pub(super) enum Job {
    Order(Order),
    Review(ReviewJob),
    /// So many events of the lossy lane were dropped since the last event.
    Overflow(u64),
    Event(EventJob),
}

/// What became of an offered event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    Queued,
    /// Queued, and with it the kept lane has come over its mark; said once until it is half empty again.
    Crowded,
    /// Queued, and the oldest of the lane fell out.
    Displaced,
    /// The kept lane is far over its mark.
    Refused,
}

#[derive(Default)]
pub(super) struct Lanes {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    arrivals: u64,
    dropped: u64,
    crowded: bool,
    orders: VecDeque<Order>,
    reviews: VecDeque<ReviewJob>,
    lossy: VecDeque<(u64, EventJob)>,
    kept: VecDeque<(u64, EventJob)>,
}

impl Lanes {
    pub(super) fn offer(&self, mut job: EventJob) -> Offered {
        // What falls out is dropped after the lock is let go: its ticket may call other plugins' queues.
        let displaced;
        let offered;
        {
            let mut state = self.state();
            if state.has_waiting(&mut job) {
                return Offered::Queued;
            }
            state.arrivals += 1;
            let arrival = state.arrivals;
            match job.delivery.envelope.event.lane() {
                Lane::Kept if state.kept.len() >= KEPT_BOUND => return Offered::Refused,
                Lane::Kept => {
                    state.kept.push_back((arrival, job));
                    displaced = None;
                    let crowds = state.kept.len() > KEPT && !state.crowded;
                    state.crowded |= crowds;
                    offered = if crowds { Offered::Crowded } else { Offered::Queued };
                }
                Lane::Lossy => {
                    displaced = if state.lossy.len() >= LOSSY { state.lossy.pop_front() } else { None };
                    state.dropped += u64::from(displaced.is_some());
                    state.lossy.push_back((arrival, job));
                    offered = if displaced.is_some() { Offered::Displaced } else { Offered::Queued };
                }
            }
        }
        self.arrived.notify_one();
        drop(displaced);
        offered
    }

    /// `false` when too many wait already.
    pub(super) fn ask(&self, job: ReviewJob) -> bool {
        {
            let mut state = self.state();
            if state.reviews.len() >= REVIEWS {
                return false;
            }
            state.reviews.push_back(job);
        }
        self.arrived.notify_one();
        true
    }

    /// Goes before everything else, between two events.
    pub(super) fn order(&self, order: Order) {
        self.state().orders.push_back(order);
        self.arrived.notify_one();
    }

    /// Takes back the order to swap that the actor has not begun with. Says whether there was one.
    pub(super) fn withdraw_swap(&self) -> bool {
        // Dropped after the lock is let go: with it goes a whole instance.
        let withdrawn: VecDeque<Order>;
        {
            let mut state = self.state();
            let orders = std::mem::take(&mut state.orders);
            (withdrawn, state.orders) = orders.into_iter().partition(|order| matches!(order, Order::Swap { .. }));
        }
        !withdrawn.is_empty()
    }

    /// The next job, when there is one. Only the actor calls this.
    pub(super) async fn next(&self) -> Job {
        loop {
            if let Some(job) = self.try_next() {
                return job;
            }
            self.arrived.notified().await;
        }
    }

    /// The next order; for a plugin that is down and must leave its events where they are.
    pub(super) async fn next_order(&self) -> Order {
        loop {
            if let Some(order) = self.state().orders.pop_front() {
                return order;
            }
            self.arrived.notified().await;
        }
    }

    fn try_next(&self) -> Option<Job> {
        let mut state = self.state();
        if let Some(order) = state.orders.pop_front() {
            return Some(Job::Order(order));
        }
        if let Some(review) = state.reviews.pop_front() {
            return Some(Job::Review(review));
        }
        if state.dropped > 0 {
            return Some(Job::Overflow(std::mem::take(&mut state.dropped)));
        }
        let kept_first = match (state.lossy.front(), state.kept.front()) {
            (Some((lossy, _)), Some((kept, _))) => kept < lossy,
            (lossy, _) => lossy.is_none(),
        };
        let lane = if kept_first { &mut state.kept } else { &mut state.lossy };
        let next = lane.pop_front();
        state.crowded &= state.kept.len() >= KEPT / 2;
        next.map(|(_, job)| Job::Event(job))
    }

    /// The plugin is down: reviews end without a verdict, chatter is dropped (the fallbacks get it), and what must not
    /// be lost stays, but no longer holds back the fallbacks.
    pub(super) fn release(&self) {
        let (reviews, lossy, tickets) = {
            let mut state = self.state();
            let tickets: Vec<_> = state.kept.iter_mut().filter_map(|(_, job)| job.ticket.take()).collect();
            (std::mem::take(&mut state.reviews), std::mem::take(&mut state.lossy), tickets)
        };
        drop((reviews, lossy, tickets));
    }

    /// The events that outlive the daemon, in order, for the backlog on disk.
    pub(super) fn backlog(&self) -> Vec<Queued> {
        let state = self.state();
        let waiting = state.kept.iter().map(|(_, job)| &job.delivery);
        let outliving = waiting.filter(|delivery| delivery.envelope.event.must_not_be_missed());
        outliving.map(|delivery| (Arc::clone(&delivery.envelope), delivery.attempts())).collect()
    }

    pub(super) fn waiting(&self) -> usize {
        let state = self.state();
        state.lossy.len() + state.kept.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing that panics runs under this lock; if it ever did, the queue itself is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether this very event waits already: of what a killed run left, the plugin's inbox may have brought it first.
    /// Then only the ticket is new, and is lent to the job that waits.
    fn has_waiting(&mut self, job: &mut EventJob) -> bool {
        let envelope = &job.delivery.envelope;
        if !job.delivery.again || envelope.event.lane() != Lane::Kept {
            return false;
        }
        let mut waiting = self.kept.iter_mut().map(|(_, waiting)| waiting);
        let Some(twin) = waiting.find(|waiting| waiting.delivery.envelope.id == envelope.id) else {
            return false;
        };
        if twin.ticket.is_none() {
            twin.ticket = job.ticket.take();
        }
        true
    }
}

#[cfg(test)]
mod tests;
