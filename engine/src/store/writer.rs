//! The one thread that touches the file.
//!
//! It takes what waits in the queue, up to a bound, and makes one transaction of it. When that fails because of one
//! item it does the items one by one, so that only the bad one is lost. When it fails because nothing can be written,
//! the writes that nobody waits for are kept in memory and tried again, and requests are answered with the error,
//! though what they leave behind is written later (`failing`).

mod failing;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::damage::DamageCheck;
use super::error::StoreError;
use super::file_identity::FileIdentity;
use super::group::{Group, Outcome};
use super::health::Health;
use super::item::{Access, Item};
use super::lock::Lock;
use super::open::{self, BUSY_TIMEOUT, Database};
use super::projection::Counted;
use super::queue::{Queue, Taken};
use super::retention::{Pruned, Retention};
use super::{journal, projection};
use crate::config::settings::JournalSettings;
use crate::event::now_ms;

/// How often to look for what is too old, when the last look found nothing.
const PRUNE_EVERY: Duration = Duration::from_secs(10);

/// How long counting may lag behind the journal, and how many events, which stay in memory for it; more of them while
/// so much waits to be written that counting would be in the way.
const PROJECT_EVERY: Duration = Duration::from_secs(5);
const PROJECT_AT: usize = 1024;
const PROJECT_IN_HASTE_AT: usize = 8 * PROJECT_AT;

/// One warning in this time about items that could not be stored: each would be as telling as the first.
const WARN_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    health: Arc<Health>,
    /// Whether what a killed run left is taken up.
    has_recovered: Arc<AtomicBool>,
    file_identity: FileIdentity,
    damage_check: Option<DamageCheck>,
    retention: Retention,
    total_bytes: u64,
    /// Events on the disk that are not yet counted for their viewers, and when they are to be.
    unprojected: Vec<Counted>,
    project_at: Option<Instant>,
    is_full_sync: bool,
    /// How long the connection waits for a lock of another process.
    busy_timeout: Duration,
    /// Writes that nobody waits for and that the disk refused, oldest first. Bounded by the queue, which counts them.
    backlog: Vec<Item>,
    /// Set while the disk refuses.
    retry_at: Option<Instant>,
    prune_at: Instant,
    warned_at: Option<Instant>,
    lost_when_warned: u64,
    /// Let go last, after the connection is closed.
    lock: Lock,
}

impl Writer {
    pub(super) fn new(
        database: Database,
        settings: &JournalSettings,
        queue: Arc<Queue>,
        health: Arc<Health>,
        has_recovered: Arc<AtomicBool>,
    ) -> rusqlite::Result<Self> {
        let Database { connection, file_identity, past, lock } = database;
        let total_bytes = journal::total_bytes(&connection)?;
        let unprojected = projection::left_over(&connection)?;
        Ok(Self {
            connection,
            queue,
            damage_check: past
                .calls_for_check()
                .then(|| DamageCheck::begin(file_identity.path(), Arc::clone(&health)))
                .flatten(),
            health,
            has_recovered,
            file_identity,
            retention: Retention::new(settings),
            total_bytes,
            project_at: (!unprojected.is_empty()).then(Instant::now),
            unprojected,
            is_full_sync: false,
            busy_timeout: BUSY_TIMEOUT,
            backlog: Vec::new(),
            retry_at: None,
            prune_at: Instant::now(),
            warned_at: None,
            lost_when_warned: 0,
            lock,
        })
    }

    /// Runs until the queue is closed. A panic is a fault of this program, and what it leaves behind can't be relied
    /// on: then the queue takes no more, and nobody waits in vain.
    pub(super) fn run_guarded(self) {
        let (queue, health) = (Arc::clone(&self.queue), Arc::clone(&self.health));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run())) {
            health.set_broken(words_of(panic.as_ref()));
            health.add_lost(queue.abandon() as u64);
        }
    }

    fn run(mut self) {
        loop {
            let taken = self.queue.take(self.patience());
            self.health.set_at_work(true);
            if self.file_identity.next_look() <= Instant::now() {
                self.look_at_file();
            }
            match taken {
                Taken::Items(items) => self.handle(items),
                Taken::Nothing => {}
                Taken::Closed => break,
            }
            if self.retry_at.is_some_and(|at| at <= Instant::now()) {
                self.retry();
            }
            if self.project_at.is_some_and(|at| at <= Instant::now()) {
                self.project();
            }
            self.prune();
            self.warn_of_losses();
            self.health.set_at_work(false);
        }
        self.end();
    }

    fn patience(&self) -> Duration {
        let always = self.prune_at.min(self.file_identity.next_look());
        let next = [self.retry_at, self.project_at].into_iter().flatten().fold(always, Instant::min);
        next.saturating_duration_since(Instant::now())
    }

    /// Carries out a group, and answers whoever waits for a part of it.
    fn handle(&mut self, mut items: Vec<Item>) {
        if items.iter().any(is_durable) {
            self.look_at_file();
        }
        if self.health.is_gone() {
            items = self.refuse_durable(items);
        }
        if self.retry_at.is_some() {
            self.handle_while_failing(items);
            return;
        }
        match self.attempt(&mut items) {
            Ok(()) => self.succeeded(items),
            Err(error) if error.concerns_the_file() => {
                self.failed(&error);
                self.handle_while_failing(items);
            }
            Err(_) => self.handle_one_by_one(items),
        }
    }

    fn handle_one_by_one(&mut self, items: Vec<Item>) {
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            let mut single = vec![item];
            match self.attempt(&mut single) {
                Ok(()) => self.succeeded(single),
                Err(error) if error.concerns_the_file() => {
                    self.failed(&error);
                    single.extend(items);
                    self.handle_while_failing(single);
                    return;
                }
                Err(error) => self.refuse_all(single, error),
            }
        }
    }

    /// One transaction of all the items. Nothing of it happened when it fails.
    fn attempt(&mut self, items: &mut [Item]) -> Result<(), StoreError> {
        let syncs = items.iter().any(is_durable);
        self.set_full_sync(syncs)?;
        let transaction = begin(&mut self.connection)?;
        let mut group = Group::new(&transaction, now_ms(), self.total_bytes, &self.unprojected)?;
        if self.retry_at.is_some() {
            group = group.without_projecting();
        }
        group.apply(items)?;
        group.write_sequences()?;
        let is_due = self.project_at.is_some_and(|at| at <= Instant::now());
        let enough = if group.is_in_haste() { PROJECT_IN_HASTE_AT } else { PROJECT_AT };
        if group.unprojected() >= enough || (is_due && !group.is_in_haste()) {
            group.project()?;
        }
        let Outcome { total_bytes, fresh, projected } = group.into_outcome();
        transaction.commit()?;
        self.total_bytes = total_bytes;
        self.unprojected.extend(fresh);
        self.unprojected.drain(..projected);
        self.project_at = match self.project_at {
            _ if self.unprojected.is_empty() => None,
            Some(at) if projected == 0 => Some(at),
            _ => Some(Instant::now() + PROJECT_EVERY),
        };
        Ok(())
    }

    fn set_full_sync(&mut self, full: bool) -> rusqlite::Result<()> {
        if full != self.is_full_sync {
            self.connection.pragma_update(None, "synchronous", if full { "full" } else { "normal" })?;
            self.is_full_sync = full;
        }
        Ok(())
    }

    /// Counts what waits for it, when no group came that would have done so by the way.
    fn project(&mut self) {
        if self.retry_at.is_some() {
            self.project_at = Some(Instant::now() + PROJECT_EVERY);
            return;
        }
        if let Err(error) = self.attempt(&mut []) {
            self.failed(&error);
        }
    }

    fn succeeded(&mut self, items: Vec<Item>) {
        let has_written = items.iter().any(|item| item.access() != Some(Access::Read));
        self.queue.settle(&items);
        if has_written {
            self.recovered();
        }
        for item in items {
            if let Item::Request(mut work) = item {
                work.finish(Ok(()));
            }
        }
    }

    fn refuse_all(&self, items: Vec<Item>, error: StoreError) {
        let mut error = Some(error);
        for item in items {
            self.refuse(item, error.take().unwrap_or(StoreError::Closed));
        }
    }

    /// An item that can't be stored.
    fn refuse(&self, item: Item, error: StoreError) {
        self.queue.settle([&item]);
        if let Item::Request(mut work) = item {
            work.finish(Err(error));
        } else {
            tracing::debug!(%error, "A write could not be stored.");
            self.health.add_lost(1);
        }
    }

    /// Deletes a small batch of what is too old, and soon another one if there is more.
    fn prune(&mut self) {
        if self.prune_at > Instant::now() {
            return;
        }
        if self.retry_at.is_some() {
            self.prune_at = Instant::now() + PRUNE_EVERY;
            return;
        }
        let pruned = self.set_full_sync(false).and_then(|()| {
            let transaction = begin(&mut self.connection)?;
            let pruned = self.retention.prune_batch(&transaction, now_ms())?;
            transaction.commit()?;
            Ok(pruned)
        });
        let pause = match pruned {
            Ok(Pruned::More) => Duration::ZERO,
            Ok(Pruned::All) => PRUNE_EVERY,
            Err(error) => {
                tracing::warn!(%error, "What is too old for the journal could not be removed; it is tried again.");
                WARN_EVERY
            }
        };
        self.prune_at = Instant::now() + pause;
    }

    fn warn_of_losses(&mut self) {
        let lost = self.health.lost();
        let has_warned_lately = self.warned_at.is_some_and(|at| at.elapsed() < WARN_EVERY);
        if lost == self.lost_when_warned || has_warned_lately {
            return;
        }
        let new = lost - self.lost_when_warned;
        tracing::warn!(lost = new, "Writes were lost: the database can't keep up, or could not store them.");
        self.warned_at = Some(Instant::now());
        self.lost_when_warned = lost;
    }

    /// A last attempt for what the disk refused, then a file without a log beside it.
    fn end(mut self) {
        if let Some(check) = self.damage_check.take() {
            check.end();
        }
        if self.retry_at.is_some() {
            self.retry();
        }
        // An error is of no consequence: the next start counts what is left over.
        self.project_at = Some(Instant::now());
        let _ = self.attempt(&mut []);
        if self.backlog.is_empty() {
            if self.has_recovered.load(Ordering::Acquire)
                && let Err(error) = open::end_run(&self.connection)
            {
                tracing::warn!(%error, "It can't be noted that the database was closed; the next start takes it for killed.");
            }
        } else {
            tracing::error!(lost = self.backlog.len(), "The database still can't be written; what waited is lost.");
        }
        if self.health.is_gone() {
            tracing::error!("The file of the database is gone, and with it all that was not copied elsewhere.");
        }
        let Self { connection, lock, .. } = self;
        let checkpoint = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = checkpoint.and_then(|()| connection.close().map_err(|(_, error)| error)) {
            tracing::warn!(%error, "The database could not be closed in order; it repairs itself at the next start.");
        }
        drop(lock);
    }
}

/// What a panic says, which is nearly always a text.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

fn is_durable(item: &Item) -> bool {
    item.access() == Some(Access::Durable)
}

/// Deferred, as a group of reads needs no right to write.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Deferred)
}
