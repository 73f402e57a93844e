//! The database: the journal, what is recorded for replays, the ledger of effects, viewers, the plugins' memory, the
//! agent's tasks, who is signed in.
//!
//! It owns one SQLite file and the one thread that touches it. Everything, reads too, goes through one queue, so a
//! read sees all that was asked for before it. Writes are behind by default: nobody waits, and what a crash can lose is
//! the last few milliseconds. What must not be lost is awaited, and answered when it is on the disk.
//!
//! An [`Archive`] is the same file for those who only read it, beside a daemon or without one.
//!
//! It never decides anything: the rules of tasks are `agent`'s, those of effects `pipeline`'s. It is opened by `engine`
//! and used by `agent`, `auth`, `plugin`, `pipeline` and `gateway`; `replay` reads archives.

mod archive;
pub mod backup;
mod damage;
mod error;
mod file_identity;
mod grants;
mod group;
mod health;
mod inbox;
mod item;
mod journal;
mod json;
mod kv;
mod ledger;
mod lines;
mod lock;
mod migrate;
mod open;
mod plugins;
mod projection;
mod queue;
mod recordings;
mod retention;
mod tasks;
mod unfinished;
mod viewers;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

pub use self::archive::{Archive, Page};
pub use self::error::StoreError;
pub use self::grants::{GrantId, GrantState, Role, StoredGrant};
pub use self::health::StoreHealth;
pub use self::inbox::{Queued, Waiting};
pub use self::ledger::{Committed, PendingEffect};
pub use self::lines::ChatLine;
pub use self::lock::is_in_use;
pub use self::plugins::PluginFlags;
pub use self::tasks::{ExpiredTask, LeasedTask, StoredTask, Sweep, TaskChange, TaskState};
pub use self::unfinished::{InFlight, LastHeard, Stage, Unfinished};
pub use self::viewers::Viewer;

use self::group::Group;
use self::health::Health;
use self::item::{Access, Item, Request, Work};
use self::queue::{Queue, Refused};
use self::writer::Writer;
use crate::config::settings::JournalSettings;

/// Where the database of a data folder is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("showrunner.db")
}

/// A handle on the database. Cheap to clone; the file is closed by [`Store::close`], or with the last handle.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Arc<Queue>,
    health: Arc<Health>,
    was_killed: bool,
    /// Whether what a killed run left is taken up.
    has_recovered: Arc<AtomicBool>,
    /// Changes, by being dropped on the other side, when the writer has ended.
    ended: watch::Receiver<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database, or makes it: takes the lock against a second daemon, checks whose the file is and migrates
    /// it.
    ///
    /// Blocks for as long as that takes.
    pub fn open(path: &Path, settings: &JournalSettings) -> Result<Self, StoreError> {
        let database = open::open(path)?;
        let queue = Arc::new(Queue::default());
        let health = Arc::new(Health::default());
        let (ending, ended) = watch::channel(());
        let was_killed = database.past.was_killed;
        let has_recovered = Arc::new(AtomicBool::new(!was_killed));
        let writer =
            Writer::new(database, settings, Arc::clone(&queue), Arc::clone(&health), Arc::clone(&has_recovered))
                .map_err(|error| open::explain(path, error))?;
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                writer.run_guarded();
                drop(ending);
            })
            .map_err(|source| StoreError::Io { doing: "start the writer of", path: path.to_owned(), source })?;
        Ok(Self {
            inner: Arc::new(Inner {
                queue,
                health,
                was_killed,
                has_recovered,
                ended,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// Writes all that is queued, closes the file and lets go of the lock. Later requests are answered
    /// with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.inner.queue.close();
        self.inner.ended().await;
    }

    /// What a killed run left is taken up: from now on an end in good order is one. A run that ends before leaves it to
    /// the next.
    pub fn note_recovery(&self) {
        self.inner.has_recovered.store(true, Ordering::Release);
    }

    /// Lets go of a writer that does not come to an end: nobody waits for it any more.
    pub fn abandon(&self) {
        // Without its handle nobody joins it.
        drop(self.inner.thread.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether the run before this one was killed, so that it may have done more than it came to write down.
    pub fn was_killed(&self) -> bool {
        self.inner.was_killed
    }

    /// Resolves when the database was given up because of a fault of its writer. From then on all is refused, and only
    /// a restart helps.
    pub async fn broken(&self) -> StoreError {
        self.inner.ended().await;
        match self.inner.health.get() {
            StoreHealth::Broken { why } => StoreError::Broken { why },
            // It was closed in good order.
            StoreHealth::Ok | StoreHealth::Failing { .. } => std::future::pending().await,
        }
    }

    /// Whether what is written reaches the disk, or since when not and why.
    pub fn health(&self) -> StoreHealth {
        self.inner.health.get()
    }

    /// Whether the file was deleted or replaced while it is open: what is written reaches nothing that a restart would
    /// find. [`Store::back_up`] still saves all of it.
    pub fn has_lost_its_file(&self) -> bool {
        self.inner.health.is_gone()
    }

    /// Why a task would not be kept now, so that there is no use in asking for one. Of a disk that is only slow this
    /// says nothing.
    pub fn refusal(&self) -> Option<StoreError> {
        self.inner.health.refusal().map(|why| StoreError::Unwritable { why })
    }

    /// Whether the disk takes its time with what it was given. Who can do without it should, for now.
    pub fn is_slow(&self) -> bool {
        self.inner.health.is_slow()
    }

    /// Logs once that the disk does not answer, and once that it does again. To be called every some seconds: the
    /// writer itself can't say so.
    pub fn look_for_stall(&self) {
        self.inner.health.look_for_stall();
    }

    /// How many writes were lost since the start, because the queue was full or because they could not be stored.
    pub fn lost_writes(&self) -> u64 {
        self.inner.health.lost()
    }

    /// How many writes and requests wait.
    pub fn backlog(&self) -> u64 {
        self.inner.queue.len()
    }

    /// Hands over a write that nobody waits for. When the queue is full it is dropped and counted.
    fn write_behind(&self, item: Item) {
        if self.inner.queue.push_behind(item).is_err() {
            self.inner.health.add_lost(1);
        }
    }

    /// Runs `work` on the writer's thread and waits for its answer, which comes after the commit.
    ///
    /// `work` may run twice: when its group can't be committed it runs again alone, on a clean transaction.
    async fn request<T, F>(&self, access: Access, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue_request(access, work)?.await
    }

    /// The same in two steps: its place in the queue is taken when this returns.
    fn queue_request<T, F>(
        &self,
        access: Access,
        work: F,
    ) -> Result<impl Future<Output = Result<T, StoreError>> + Send + use<T, F>, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.queue_work(Request::new(access, work, answer), answered)
    }

    fn queue_work<T, W: Work + 'static>(
        &self,
        work: W,
        answered: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<impl Future<Output = Result<T, StoreError>> + Send + use<T, W>, StoreError>
    where
        T: Send + 'static,
    {
        self.inner.queue.push_request(Item::Request(Box::new(work))).map_err(|refused| match refused {
            Refused::Full => StoreError::Busy,
            Refused::Closed => self.inner.why_closed(),
        })?;
        let inner = Arc::clone(&self.inner);
        Ok(async move {
            match answered.await {
                Ok(answer) => answer,
                // The writer has failed with it in hand, and is about to say why.
                Err(_) => {
                    inner.ended().await;
                    Err(inner.why_closed())
                }
            }
        })
    }
}

impl Inner {
    /// Resolves when the writer has ended.
    async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    fn why_closed(&self) -> StoreError {
        match self.health.get() {
            StoreHealth::Broken { why } => StoreError::Broken { why },
            StoreHealth::Ok | StoreHealth::Failing { .. } => StoreError::Closed,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // It ends by itself, and has said so when that was by a panic.
        let _ = thread.map(JoinHandle::join);
    }
}

/// SQLite's integers are signed; a number beyond them is as good as the largest.
fn to_integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn from_integer(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests;
