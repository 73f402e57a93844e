//! A plugin's queue: two lanes for events, merged in the order of arrival, and a fast lane for reviews and for the
//! host's own orders.
//!
//! It never waits on the side of the giver. The lossy lane drops its oldest when full; the kept lane refuses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::delivery::{Delivery, Ticket};
use super::instance::Verdict;
use super::order::Order;
use crate::event::{Envelope, Lane};

/// Chat and presence: some seconds of a very busy chat; an answer that comes later helps nobody.
pub(super) const LOSSY: usize = 1024;
/// Money, moderation, answers: far more than any stream has in the time a plugin needs to be restarted.
pub(super) const KEPT: usize = 4096;
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
    /// Queued, and the oldest of the lane fell out.
    Displaced,
    /// The kept lane is full.
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
    orders: VecDeque<Order>,
    reviews: VecDeque<ReviewJob>,
    lossy: VecDeque<(u64, EventJob)>,
    kept: VecDeque<(u64, EventJob)>,
}

impl Lanes {
    pub(super) fn offer(&self, job: EventJob) -> Offered {
        // What falls out is dropped after the lock is let go: its ticket may call other plugins' queues.
        let displaced;
        {
            let mut state = self.state();
            state.arrivals += 1;
            let arrival = state.arrivals;
            match job.delivery.envelope.event.lane() {
                Lane::Kept if state.kept.len() >= KEPT => return Offered::Refused,
                Lane::Kept => {
                    state.kept.push_back((arrival, job));
                    displaced = None;
                }
                Lane::Lossy => {
                    displaced = if state.lossy.len() >= LOSSY { state.lossy.pop_front() } else { None };
                    state.dropped += u64::from(displaced.is_some());
                    state.lossy.push_back((arrival, job));
                }
            }
        }
        self.arrived.notify_one();
        if displaced.is_some() { Offered::Displaced } else { Offered::Queued }
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
        lane.pop_front().map(|(_, job)| Job::Event(job))
    }

    /// Lets go of everything that waits for an answer, because the plugin is down: reviews end without a verdict,
    /// and events no longer hold back the fallbacks. The events themselves stay.
    pub(super) fn release(&self) {
        let (reviews, tickets) = {
            let mut state = self.state();
            let mut tickets = Vec::new();
            let State { lossy, kept, .. } = &mut *state;
            for (_, job) in lossy.iter_mut().chain(kept) {
                tickets.extend(job.ticket.take());
            }
            (std::mem::take(&mut state.reviews), tickets)
        };
        drop(reviews);
        drop(tickets);
    }

    /// The events of the kept lane, in order, for the backlog on disk.
    pub(super) fn backlog(&self) -> Vec<Arc<Envelope>> {
        self.state().kept.iter().map(|(_, job)| Arc::clone(&job.delivery.envelope)).collect()
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
