//! The writer while the disk refuses: what nobody waits for is kept in memory, in its place, until it can be written.

use std::mem;
use std::time::{Duration, Instant};

use super::{Writer, begin, is_durable};
use crate::store::error::StoreError;
use crate::store::health::StoreHealth;
use crate::store::item::Item;
use crate::store::open::BUSY_TIMEOUT;
use crate::store::queue::GROUP;

/// How long to leave a disk alone that refused a write.
const RETRY: Duration = Duration::from_secs(1);

/// How long to wait for a lock of another process that is known to last. Whoever asks shall know soon.
const SHORT_BUSY_TIMEOUT: Duration = Duration::from_millis(50);

impl Writer {
    /// A file that is gone takes everything and keeps nothing. Nobody must be told that something is kept.
    pub(super) fn refuse_durable(&mut self, items: Vec<Item>) -> Vec<Item> {
        let gone = |writer: &Self| StoreError::Gone { path: writer.file_identity.path().to_owned() };
        let refuse = |item| if is_durable(&item) { self.put_off(item, gone(self)) } else { Some(item) };
        items.into_iter().filter_map(refuse).collect()
    }

    /// Keeps what nobody waits for; requests are tried, as reading may still work and the error is theirs to know.
    ///
    /// Whatever the disk does meanwhile, nothing overtakes what waits: a backlog is written before all that comes
    /// later.
    pub(super) fn handle_while_failing(&mut self, items: Vec<Item>) {
        let mut has_failed = false;
        for item in items {
            if item.access().is_none() {
                self.backlog.push(item);
                self.retry_at.get_or_insert_with(Instant::now);
                continue;
            }
            if self.comes_behind_backlog(&item) {
                // One try in vain for all who came together.
                if !has_failed {
                    self.retry();
                    has_failed = !self.backlog.is_empty();
                }
                if has_failed {
                    let rest = self.put_off(item, StoreError::Unwritable { why: self.why_failing() });
                    self.backlog.extend(rest);
                    continue;
                }
            }
            self.try_alone(item);
        }
    }

    /// What is to be durable must not be older than what waits, and what is read of a plugin's memory neither.
    fn comes_behind_backlog(&self, item: &Item) -> bool {
        let Item::Request(work) = item else { return false };
        let writes_memory = |waiting: &Item| matches!(waiting, Item::Batch(batch) if !batch.kv.is_empty() && Some(&batch.plugin) == work.reads_memory_of());
        (is_durable(item) && !self.backlog.is_empty()) || self.backlog.iter().any(writes_memory)
    }

    fn try_alone(&mut self, item: Item) {
        let mut single = vec![item];
        match self.attempt(&mut single) {
            Ok(()) => self.succeeded(single),
            Err(error) if error.concerns_the_file() => {
                self.failed(&error);
                let rest = single.pop().and_then(|item| self.put_off(item, error));
                self.backlog.extend(rest);
            }
            Err(error) => self.refuse_all(single, error),
        }
    }

    /// Writes the backlog, or finds out whether anything can be written again.
    pub(super) fn retry(&mut self) {
        if self.backlog.is_empty() {
            match self.probe() {
                Ok(()) => self.recovered(),
                Err(error) => self.failed(&error.into()),
            }
            return;
        }
        self.retry_at = None;
        let mut backlog = mem::take(&mut self.backlog).into_iter();
        loop {
            let group: Vec<Item> = backlog.by_ref().take(GROUP).collect();
            if group.is_empty() {
                return;
            }
            self.handle(group);
            if self.retry_at.is_some() {
                self.backlog.extend(backlog);
                return;
            }
        }
    }

    /// Writes the header with the value that it has.
    fn probe(&mut self) -> rusqlite::Result<()> {
        let transaction = begin(&mut self.connection)?;
        let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()
    }

    pub(super) fn recovered(&mut self) {
        // What waits is written with the next round; nobody has to be patient any more.
        self.retry_at = (!self.backlog.is_empty()).then(Instant::now);
        if self.backlog.is_empty() && !self.health.is_gone() {
            self.health.set_ok();
            self.set_patience(BUSY_TIMEOUT);
        }
    }

    pub(super) fn failed(&mut self, error: &StoreError) {
        self.health.set_failing(error.to_string());
        self.retry_at = Some(Instant::now() + RETRY);
        self.set_patience(SHORT_BUSY_TIMEOUT);
    }

    fn set_patience(&mut self, patience: Duration) {
        if self.busy_timeout != patience && self.connection.busy_timeout(patience).is_ok() {
            self.busy_timeout = patience;
        }
    }

    pub(super) fn look_at_file(&mut self) {
        let is_gone = self.file_identity.is_gone();
        if is_gone == self.health.is_gone() {
            return;
        }
        self.health.set_gone(is_gone);
        if is_gone {
            self.health.set_failing(StoreError::Gone { path: self.file_identity.path().to_owned() }.to_string());
        } else if self.retry_at.is_none() {
            self.health.set_ok();
        }
    }

    fn why_failing(&self) -> String {
        match self.health.get() {
            StoreHealth::Failing { why, .. } | StoreHealth::Broken { why } => why,
            StoreHealth::Ok => "the disk did not take what came before".to_owned(),
        }
    }

    /// Refuses a request because of the file, and gives back what of it is written when the file is well again.
    fn put_off(&self, mut item: Item, error: StoreError) -> Option<Item> {
        let rest = if let Item::Request(work) = &mut item { work.left_behind() } else { None };
        self.refuse(item, error);
        let rest = rest?;
        if self.queue.adopt(&rest).is_err() {
            self.health.add_lost(1);
            return None;
        }
        Some(rest)
    }
}
