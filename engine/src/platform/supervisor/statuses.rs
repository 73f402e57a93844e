//! How every connection is right now: what `/readyz`, `showrunner status` and the health file read.
//!
//! Only the supervisor writes. Reading takes a lock for as long as a copy takes, and an event in the hot path
//! takes none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::event::{Channel, now_ms};
use crate::observation::ConnectionState;

/// Every supervised connection by name. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Statuses {
    entries: Arc<Mutex<BTreeMap<String, Arc<Entry>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStatus {
    /// "retake:5b7c".
    pub name: String,
    pub channels: Vec<Channel>,
    #[serde(flatten)]
    pub state: ConnectionState,
    /// Since when the state is this one.
    pub since_ms: u64,
    /// When the last event came, if ever one did.
    pub last_event_ms: Option<u64>,
    /// How often it was connected again since the start.
    pub reconnects: u32,
}

impl ConnectionStatus {
    /// Whether events will come.
    pub const fn is_ready(&self) -> bool {
        matches!(self.state, ConnectionState::Ready { .. })
    }
}

impl Statuses {
    /// In the order of their names.
    pub fn all(&self) -> Vec<ConnectionStatus> {
        lock(&self.entries).iter().map(|(name, entry)| entry.status(name)).collect()
    }

    /// Tries again at once: starts a stopped connection, and ends the wait of one that backs off.
    /// Returns whether there is a connection of that name.
    pub fn restart(&self, name: &str) -> bool {
        let entry = lock(&self.entries).get(name).cloned();
        match entry {
            Some(entry) => {
                entry.restart.notify_one();
                true
            }
            None => false,
        }
    }

    pub(super) fn add(&self, name: &str, channels: Vec<Channel>) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            channels,
            state: Mutex::new((ConnectionState::Connecting, now_ms())),
            is_new: AtomicBool::new(true),
            is_listed: AtomicBool::new(true),
            last_event_ms: AtomicU64::new(0),
            reconnects: AtomicU32::new(0),
            restart: Notify::new(),
        });
        lock(&self.entries).insert(name.to_owned(), entry.clone());
        entry
    }

    /// Forgets `entry`, unless a newer connection has taken the name already.
    pub(super) fn remove(&self, name: &str, entry: &Arc<Entry>) {
        entry.is_listed.store(false, Ordering::Relaxed);
        let mut entries = lock(&self.entries);
        if entries.get(name).is_some_and(|listed| Arc::ptr_eq(listed, entry)) {
            entries.remove(name);
        }
    }
}

/// The state of one connection, shared by its supervisor and its source's link.
#[derive(Debug)]
pub(super) struct Entry {
    channels: Vec<Channel>,
    /// The state and since when.
    state: Mutex<(ConnectionState, u64)>,
    /// Until the first report, which always counts as a change.
    is_new: AtomicBool,
    is_listed: AtomicBool,
    /// 0 for never.
    last_event_ms: AtomicU64,
    reconnects: AtomicU32,
    restart: Notify,
}

impl Entry {
    /// Returns whether that was a change.
    pub(super) fn change(&self, state: &ConnectionState, now_ms: u64) -> bool {
        let mut current = lock(&self.state);
        let is_new = self.is_new.swap(false, Ordering::Relaxed);
        if !is_new && current.0 == *state {
            return false;
        }
        *current = (state.clone(), now_ms);
        true
    }

    pub(super) fn saw_event(&self, now_ms: u64) {
        self.last_event_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(super) fn count_reconnect(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_listed(&self) -> bool {
        self.is_listed.load(Ordering::Relaxed)
    }

    /// Resolves also when it was asked for since the last [`Self::forget_restart`].
    pub(super) async fn restart_asked(&self) {
        self.restart.notified().await;
    }

    /// What was asked for before a new try began is done with it.
    pub(super) fn forget_restart(&self) {
        let _ = self.restart.notified().now_or_never();
    }

    fn status(&self, name: &str) -> ConnectionStatus {
        let (state, since_ms) = lock(&self.state).clone();
        let last_event_ms = Some(self.last_event_ms.load(Ordering::Relaxed)).filter(|at_ms| *at_ms > 0);
        ConnectionStatus {
            name: name.to_owned(),
            channels: self.channels.clone(),
            state,
            since_ms,
            last_event_ms,
            reconnects: self.reconnects.load(Ordering::Relaxed),
        }
    }
}

/// A panic while the lock was held leaves nothing half done here, so its poison is of no interest.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
