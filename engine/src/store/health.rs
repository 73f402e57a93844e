//! Whether writes reach the disk: kept by the writer, read by anybody, logged once a change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::now_ms;

/// How the database is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreHealth {
    #[default]
    Ok,
    /// Nothing can be written, for instance because the disk is full. Writes that nobody waits for are kept, up to
    /// a bound, and tried again; the others are refused.
    Failing { since_ms: u64, why: String },
    /// The writer itself has failed: nothing is written any more, nor read, until the daemon is restarted.
    Broken { why: String },
}

/// Shared by the writer and the handles.
#[derive(Debug, Default)]
pub(super) struct Health {
    state: Mutex<StoreHealth>,
    lost: AtomicU64,
}

impl Health {
    pub(super) fn get(&self) -> StoreHealth {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_ok(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let StoreHealth::Failing { since_ms, .. } = &*state {
            let seconds = now_ms().saturating_sub(*since_ms) / 1000;
            tracing::info!(seconds, "The database can be written again.");
            metrics::gauge!("showrunner_store_failing").set(0.0);
            *state = StoreHealth::Ok;
        }
    }

    /// A new reason while it already fails is remembered, not logged: the operator knows that there is trouble.
    pub(super) fn set_failing(&self, why: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since_ms = match &*state {
            StoreHealth::Broken { .. } => return,
            StoreHealth::Failing { since_ms, .. } => *since_ms,
            StoreHealth::Ok => {
                tracing::error!(
                    error = %why,
                    "The database can't be written. Chat goes on, the journal waits in memory; check the disk."
                );
                metrics::gauge!("showrunner_store_failing").set(1.0);
                now_ms()
            }
        };
        *state = StoreHealth::Failing { since_ms, why };
    }

    /// There is no way back from it.
    pub(super) fn set_broken(&self, why: String) {
        tracing::error!(error = %why, "The database is given up, as its writer failed; what waited to be written is lost.");
        metrics::gauge!("showrunner_store_failing").set(1.0);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = StoreHealth::Broken { why };
    }

    pub(super) fn add_lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("showrunner_store_lost_writes_total").increment(count);
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_the_trouble_stays_and_the_reason_is_the_latest() {
        let health = Health::default();
        assert_eq!(health.get(), StoreHealth::Ok);
        health.set_failing("disk full".to_owned());
        let StoreHealth::Failing { since_ms: first, .. } = health.get() else { panic!("not failing") };
        health.set_failing("read-only".to_owned());
        assert_eq!(health.get(), StoreHealth::Failing { since_ms: first, why: "read-only".to_owned() });
        health.set_ok();
        assert_eq!(health.get(), StoreHealth::Ok);
    }
}
