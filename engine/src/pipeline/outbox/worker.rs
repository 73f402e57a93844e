//! The task that empties an outbox.
//!
//! It takes the first entry that may leave, sends its first line, and puts the rest back in its place when that has
//! ended. What waits for a while never occupies one of the places that bound the connections.

use std::collections::BTreeMap;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::Instant;

use super::entry::{Ended, Entry};
use super::pace::Limiter;
use super::queue::Place;
use super::retry::{self, Next, Scope};
use super::{Report, Shared};
use crate::effect::Priority;
use crate::event::OutcomeStatus;
use crate::platform::panic::said;
use crate::platform::{ActionError, Pace, Receipt, Sink};

pub(super) struct Worker {
    shared: Arc<Shared>,
    sink: Arc<dyn Sink>,
    report: Report,
    limiter: Limiter,
    in_flight: usize,
    expiry: Duration,
    /// Nothing leaves before.
    paused_until: Option<Instant>,
    /// No chat leaves before.
    chat_paused_until: Option<Instant>,
    /// Entries whose first line failed alone, by the time when it is tried again.
    resting: BTreeMap<(Instant, Place), Entry>,
}

/// What can be done now.
enum Step {
    Send(Place, Entry),
    /// Nothing, until something arrives or this time has come.
    Wait(Option<Instant>),
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, sink: Arc<dyn Sink>, pace: Pace, report: Report) -> Self {
        Self {
            shared,
            sink,
            report,
            limiter: Limiter::new(pace.messages),
            in_flight: pace.in_flight.max(1),
            expiry: pace.expiry,
            paused_until: None,
            chat_paused_until: None,
            resting: BTreeMap::new(),
        }
    }

    /// Runs until the outbox is closed and what is under way has ended.
    pub(super) async fn run(mut self) {
        let mut under_way = FuturesUnordered::new();
        loop {
            self.take_replacement();
            let is_closed = self.shared.queue().is_closed();
            if is_closed {
                self.refuse_all();
                if under_way.is_empty() {
                    return;
                }
            }
            let mut wake_at = None;
            while !is_closed && under_way.len() < self.in_flight {
                match self.next_step() {
                    Step::Send(place, entry) => {
                        under_way.push(send(Arc::clone(&self.shared), Arc::clone(&self.sink), place, entry))
                    }
                    Step::Wait(until) => {
                        wake_at = until;
                        break;
                    }
                }
            }
            tokio::select! {
                Some((place, entry, result)) = under_way.next() => self.settle(place, entry, result),
                () = self.shared.changed.notified() => {}
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// What the account before was made to wait for need not hold for this one.
    fn take_replacement(&mut self) {
        let Some((sink, pace)) = self.shared.replacement().take() else { return };
        self.sink = sink;
        self.limiter = Limiter::new(pace.messages);
        (self.in_flight, self.expiry) = (pace.in_flight.max(1), pace.expiry);
        (self.paused_until, self.chat_paused_until) = (None, None);
    }

    fn next_step(&mut self) -> Step {
        let now = Instant::now();
        self.wake_rested(now);
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return Step::Wait(Some(until));
        }
        loop {
            let mut queue = self.shared.queue();
            let Some((place, entry)) = queue.first() else { return Step::Wait(self.next_rested()) };
            let has_expired = entry.has_expired(self.expiry, now);
            if entry.priority == Priority::Chat
                && !has_expired
                && let Err(free_at) = self.check_chat(now)
            {
                return Step::Wait(self.next_rested().into_iter().chain([free_at]).min());
            }
            let taken = queue.take(place);
            drop(queue);
            match taken {
                Some(entry) if has_expired => {
                    let detail = format!("it waited longer than {:?} to be sent", self.expiry);
                    self.shared.end_all(entry, OutcomeStatus::Expired, &detail, &self.report);
                }
                Some(entry) => return Step::Send(place, entry),
                None => {}
            }
        }
    }

    /// Takes the right to send a chat line, or says when there will be one.
    fn check_chat(&self, now: Instant) -> Result<(), Instant> {
        match self.chat_paused_until.filter(|until| now < *until) {
            Some(until) => Err(until),
            None => self.limiter.check(),
        }
    }

    fn wake_rested(&mut self, now: Instant) {
        while let Some(entry) = self.resting.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, place), entry) = entry.remove_entry();
            self.shared.queue().put_back(place, entry);
        }
    }

    fn next_rested(&self) -> Option<Instant> {
        self.resting.first_key_value().map(|((until, _), _)| *until)
    }

    /// Reports the line that has ended, or sees to it that it is tried again, and puts the entry back.
    fn settle(&mut self, place: Place, mut entry: Entry, result: Result<Receipt, ActionError>) {
        match result {
            Ok(receipt) => self.end(entry.end_line(OutcomeStatus::Done, receipt.message_id, "")),
            Err(error) => {
                let is_repeatable = entry.lines.front().is_some_and(|line| line.action.is_repeatable());
                match retry::after(&error, entry.priority, is_repeatable) {
                    Next::GiveUp(status) => self.end(entry.end_line(status, None, error.to_string())),
                    Next::Pause(scope, asked) => match entry.next_retry() {
                        Some(delay) => self.pause(scope, asked.unwrap_or(delay), &error),
                        None => self.give_up(&mut entry, OutcomeStatus::Failed, &error),
                    },
                    Next::Rest => match entry.next_retry() {
                        Some(delay) => {
                            self.resting.insert((Instant::now() + delay, place), entry);
                            return;
                        }
                        None => self.give_up(&mut entry, OutcomeStatus::Uncertain, &error),
                    },
                }
            }
        }
        if !entry.lines.is_empty() {
            self.shared.queue().put_back(place, entry);
        }
    }

    fn give_up(&self, entry: &mut Entry, status: OutcomeStatus, error: &ActionError) {
        self.end(entry.end_line(status, None, format!("given up after many attempts: {error}")));
    }

    fn pause(&mut self, scope: Scope, wait: Duration, error: &ActionError) {
        let paused_until = match scope {
            Scope::Account => &mut self.paused_until,
            Scope::Chat => &mut self.chat_paused_until,
        };
        let until = Instant::now() + wait;
        if paused_until.is_none_or(|paused_until| paused_until < until) {
            tracing::debug!(account = %self.shared.name, ?scope, ?wait, %error, "Sending pauses.");
            *paused_until = Some(until);
        }
    }

    fn end(&self, ended: Option<Ended>) {
        if let Some(ended) = ended {
            self.shared.end(ended, &self.report);
        }
    }

    fn refuse_all(&mut self) {
        let resting = std::mem::take(&mut self.resting).into_values();
        let waiting = self.shared.queue().take_all();
        for entry in resting.chain(waiting) {
            self.shared.end_closed(entry, &self.report);
        }
    }
}

async fn send(
    shared: Arc<Shared>,
    sink: Arc<dyn Sink>,
    place: Place,
    entry: Entry,
) -> (Place, Entry, Result<Receipt, ActionError>) {
    let performing = async {
        match entry.lines.front() {
            Some(line) => sink.perform(&line.channel, &line.action).await,
            None => Ok(Receipt::default()),
        }
    };
    // A panic must cost no more than its own line.
    let result = AssertUnwindSafe(performing).catch_unwind().await.unwrap_or_else(|panic| {
        tracing::error!(account = %shared.name, message = said(&*panic), "A platform's code panicked while it sent; this is a bug in Showrunner.");
        // Nobody knows how far it came.
        Err(ActionError::Lost("its code panicked, which is a bug in Showrunner".to_owned()))
    });
    (place, entry, result)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}
