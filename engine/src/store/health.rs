//! Whether writes reach the disk: kept by the writer, read by anybody, logged once a change.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::event::now_ms;
use crate::metric;

/// What takes the disk longer than this is no longer work but a stall. A commit takes milliseconds, on a memory card in
/// its worst moments a second.
const STALL_MS: u64 = 3_000;

/// Who can do without the disk does not wait for it beyond this.
const SLOW_MS: u64 = 500;

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
    /// The file has no name any more.
    is_gone: AtomicBool,
    /// What is broken in the file, and since when that is known. It does not get better by itself.
    damage: OnceLock<(u64, String)>,
    /// When the writer turned to the disk; 0 while it waits for work.
    at_work_since_ms: AtomicU64,
    has_said_stalled: AtomicBool,
}

impl Health {
    pub(super) fn get(&self) -> StoreHealth {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (state, self.damage.get(), self.stalled_since()) {
            (StoreHealth::Ok, Some((since_ms, damage)), _) => {
                StoreHealth::Failing { since_ms: *since_ms, why: format!("it is damaged: {damage}") }
            }
            (StoreHealth::Ok, None, Some(since_ms)) => {
                let seconds = now_ms().saturating_sub(since_ms) / 1000;
                StoreHealth::Failing { since_ms, why: format!("the disk has not answered for {seconds} s") }
            }
            (state, _, _) => state,
        }
    }

    pub(super) fn set_ok(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let StoreHealth::Failing { since_ms, .. } = &*state {
            let seconds = now_ms().saturating_sub(*since_ms) / 1000;
            tracing::info!(seconds, "The database can be written again.");
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
                now_ms()
            }
        };
        *state = StoreHealth::Failing { since_ms, why };
    }

    /// There is no way back from it.
    pub(super) fn set_broken(&self, why: String) {
        tracing::error!(error = %why, "The database is given up, as its writer failed; what waited to be written is lost.");
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = StoreHealth::Broken { why };
    }

    pub(super) fn set_gone(&self, is_gone: bool) {
        self.is_gone.store(is_gone, Ordering::Relaxed);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    pub(super) fn set_damaged(&self, damage: &str) {
        tracing::error!(
            damage,
            "The database is damaged. It is used as far as that goes; stop the daemon and run `showrunner restore`."
        );
        // The first finding stays.
        let _ = self.damage.set((now_ms(), damage.to_owned()));
    }

    /// Told by the writer before it turns to the disk, and when it is back.
    pub(super) fn set_at_work(&self, is_at_work: bool) {
        self.at_work_since_ms.store(if is_at_work { now_ms() } else { 0 }, Ordering::Relaxed);
    }

    fn stalled_since(&self) -> Option<u64> {
        self.at_work_for(STALL_MS)
    }

    /// Whether what is asked for now would be answered late.
    pub(super) fn is_slow(&self) -> bool {
        self.at_work_for(SLOW_MS).is_some()
    }

    /// Since when the writer has been with the disk, if that is longer than this.
    fn at_work_for(&self, milliseconds: u64) -> Option<u64> {
        let since_ms = self.at_work_since_ms.load(Ordering::Relaxed);
        (since_ms != 0 && now_ms().saturating_sub(since_ms) > milliseconds).then_some(since_ms)
    }

    /// Why nothing can be kept now.
    pub(super) fn refusal(&self) -> Option<String> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            StoreHealth::Ok => None,
            StoreHealth::Failing { why, .. } | StoreHealth::Broken { why } => Some(why.clone()),
        }
    }

    /// Logs the beginning of a stall and its end, as seen by somebody who is not stalled.
    pub(super) fn look_for_stall(&self) {
        let stalled_since = self.stalled_since();
        let had_said = self.has_said_stalled.swap(stalled_since.is_some(), Ordering::Relaxed);
        match (stalled_since, had_said) {
            (Some(since_ms), false) => tracing::error!(
                seconds = now_ms().saturating_sub(since_ms) / 1000,
                "The disk does not answer. Chat goes on, the journal waits in memory; check the disk."
            ),
            (None, true) => tracing::info!("The disk answers again."),
            _ => {}
        }
    }

    pub(super) fn add_lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        metrics::counter!(metric::STORE_LOST_WRITES).increment(count);
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

    #[test]
    fn damage_does_not_go_away() {
        let health = Health::default();
        health.set_damaged("page 7");
        health.set_failing("disk full".to_owned());
        health.set_ok();
        assert!(matches!(health.get(), StoreHealth::Failing { why, .. } if why.contains("page 7")));
    }

    #[test]
    fn a_disk_that_does_not_answer_is_no_healthy_one() {
        let health = Health::default();
        health.set_at_work(true);
        assert_eq!(health.get(), StoreHealth::Ok);
        let long_ago = now_ms() - STALL_MS - 4_000;
        health.at_work_since_ms.store(long_ago, Ordering::Relaxed);
        let StoreHealth::Failing { since_ms, why } = health.get() else { panic!("not failing") };
        assert!(since_ms == long_ago && why.contains("not answered for 7 s"), "{why}");
        assert!(health.is_slow() && health.refusal().is_none(), "what is asked for may still be done");
        health.set_at_work(false);
        assert!(health.get() == StoreHealth::Ok && !health.is_slow());
    }
}
