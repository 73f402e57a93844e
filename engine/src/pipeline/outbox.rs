//! The way out to one platform account: what goes first, how fast, how often, and what became of it.
//!
//! It owns the queue of the account and the one task that sends. It never splits or rewords a text, never decides what
//! is to be sent, and never sends twice what must not appear twice. The pipeline makes it and fills it; every line ends
//! with exactly one report.

mod entry;
mod pace;
mod queue;
mod retry;
mod text;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;

pub(super) use self::entry::{Ended, Entry, Line};
use self::queue::{BOUND, Queue, Rejected};
pub(super) use self::text::clean;
use self::worker::Worker;
use crate::effect::Priority;
use crate::event::OutcomeStatus;
use crate::platform::{Pace, Sink};

/// Where the end of every line is told.
pub(super) type Report = Arc<dyn Fn(Ended) + Send + Sync>;

/// The giving end of an account's queue.
pub(super) struct Outbox {
    shared: Arc<Shared>,
    report: Report,
}

struct Shared {
    /// The account's, for messages.
    name: String,
    queue: Mutex<Queue>,
    /// The account that takes the place of the one that sends; the worker sends by it from then on.
    replacement: Mutex<Option<(Arc<dyn Sink>, Pace)>>,
    /// Something came, the account was replaced, or the outbox was closed.
    changed: Notify,
    /// Lines that have not ended: waiting, resting or under way.
    open: AtomicUsize,
    /// The engine ends, and another run takes up what stands in the ledger.
    is_shutting_down: AtomicBool,
    sent: AtomicU64,
    /// Told to whoever waits for the outboxes to be empty.
    progress: Arc<Notify>,
}

impl Outbox {
    /// Starts the account's task on `runtime`.
    pub(super) fn start(
        name: &str,
        sink: Arc<dyn Sink>,
        pace: Pace,
        report: Report,
        progress: Arc<Notify>,
        runtime: &Handle,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            queue: Mutex::default(),
            replacement: Mutex::default(),
            changed: Notify::new(),
            open: AtomicUsize::new(0),
            is_shutting_down: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            progress,
        });
        runtime.spawn(Worker::new(Arc::clone(&shared), sink, pace, Arc::clone(&report)).run());
        Arc::new(Self { shared, report })
    }

    pub(super) fn name(&self) -> &str {
        &self.shared.name
    }

    /// Queues an entry. Never waits: over the bound the oldest chat makes room.
    pub(super) fn push(&self, entry: Entry) {
        self.shared.open.fetch_add(entry.lines.len(), Ordering::AcqRel);
        let rejected = self.shared.queue().push(entry);
        self.shared.changed.notify_one();
        for rejected in rejected {
            let (entry, status, detail) = match rejected {
                Rejected::OldestChat(entry) => {
                    let detail = format!("more than {BOUND} lines wait for {}; the oldest is dropped", self.name());
                    (entry, OutcomeStatus::Expired, detail)
                }
                Rejected::Newest(entry) => {
                    let detail = format!("more than {BOUND} moderation actions wait for {}", self.name());
                    (entry, OutcomeStatus::Failed, detail)
                }
                Rejected::Closed(entry) => {
                    self.shared.end_closed(entry, &self.report);
                    continue;
                }
            };
            self.shared.end_all(entry, status, &detail, &self.report);
        }
    }

    /// Another account of the same name sends from now on, also what waits. What is under way ends as it began.
    pub(super) fn replace(&self, sink: Arc<dyn Sink>, pace: Pace) {
        *self.shared.replacement() = Some((sink, pace));
        self.shared.changed.notify_one();
    }

    /// Ends what waits as failed, and the task when what is under way has ended.
    pub(super) fn close(&self) {
        self.shared.queue().close();
        self.shared.changed.notify_one();
    }

    /// The same at the end of the engine: moderation that waits is not ended, as the next run takes it up.
    pub(super) fn shut_down(&self) {
        self.shared.is_shutting_down.store(true, Ordering::Release);
        self.close();
    }

    /// Lines that have not ended.
    pub(super) fn open_lines(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Lines that the platform took, since the start.
    pub(super) fn sent_lines(&self) -> u64 {
        self.shared.sent.load(Ordering::Acquire)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that panics runs under this lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replacement(&self) -> MutexGuard<'_, Option<(Arc<dyn Sink>, Pace)>> {
        self.replacement.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_closed(&self, entry: Entry, report: &Report) {
        if entry.priority() == Priority::Moderation && self.is_shutting_down.load(Ordering::Acquire) {
            self.open.fetch_sub(entry.lines.len(), Ordering::AcqRel);
            self.progress.notify_waiters();
            return;
        }
        let detail = format!("the account {} was taken away before it could be sent", self.name);
        self.end_all(entry, OutcomeStatus::Failed, &detail, report);
    }

    fn end_all(&self, mut entry: Entry, status: OutcomeStatus, detail: &str, report: &Report) {
        while let Some(ended) = entry.end_line(status, None, detail) {
            self.end(ended, report);
        }
    }

    fn end(&self, ended: Ended, report: &Report) {
        self.sent.fetch_add(u64::from(ended.status == OutcomeStatus::Done), Ordering::AcqRel);
        report(ended);
        // Last, so that whoever waits for an empty outbox finds everything reported.
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.progress.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
