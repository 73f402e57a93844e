//! How long to wait before the next try to connect.
//!
//! Full jitter: after the n-th failure a wait is drawn evenly between nothing and 1 s · 2ⁿ, at most 30 s, so that
//! a thousand bots that lost the same server do not return in step. It never gives up. It never sleeps itself;
//! the supervisor does, and a source that keeps trying something beside its work.

use std::time::Duration;

/// The bound of the first wait.
const BASE: Duration = Duration::from_secs(1);
/// No wait is longer: a server that returns must not be left alone for minutes.
const CAP: Duration = Duration::from_secs(30);
/// No wait is shorter. Jitter may draw nothing at all, and a server that accepts and drops at once would then be
/// called in a hot loop.
const FLOOR: Duration = Duration::from_millis(100);

/// Waits stay small for this long after a connection that worked was lost. A server that restarts is back within
/// seconds, and then the chat must not wait for a bot that waits; one that stays away longer is called ever more
/// rarely.
pub(super) const YOUNG_OUTAGE: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a failure and draws how long to wait after it.
    pub fn draw(&mut self) -> Duration {
        self.draw_with(fastrand::f64())
    }

    /// The same with the draw given from outside: `random` lies between 0 and 1.
    fn draw_with(&mut self, random: f64) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(random.clamp(0.0, 1.0)).max(FLOOR)
    }

    /// The longest that the next wait may be.
    fn bound(&self) -> Duration {
        BASE.saturating_mul(2_u32.saturating_pow(self.failures)).min(CAP)
    }

    /// To be called when the connection worked, and no sooner.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap_and_stays_there() {
        let mut backoff = Backoff::new();
        let longest: Vec<u64> = (0..8).map(|_| backoff.draw_with(1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 30, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.draw_with(1.0), BASE);
    }

    #[test]
    fn it_never_overflows_and_never_ends() {
        let mut backoff = Backoff { failures: u32::MAX - 1 };
        for _ in 0..3 {
            assert_eq!(backoff.draw_with(1.0), CAP);
        }
    }

    #[test]
    fn the_draws_spread_over_the_whole_range() {
        let draws: Vec<Duration> = (0..500).map(|_| Backoff { failures: 4 }.draw()).collect();
        assert!(draws.iter().any(|wait| *wait < Duration::from_secs(4)));
        assert!(draws.iter().any(|wait| *wait > Duration::from_secs(12)));
    }

    proptest! {
        #[test]
        fn every_wait_lies_between_the_floor_and_the_bound(failures in 0_u32.., random in any::<f64>()) {
            let mut backoff = Backoff { failures };
            let bound = backoff.bound();
            let wait = backoff.draw_with(if random.is_nan() { 0.5 } else { random });
            prop_assert!(wait >= FLOOR);
            prop_assert!(wait <= bound);
            prop_assert!(bound <= CAP);
        }
    }
}
