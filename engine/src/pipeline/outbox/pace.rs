//! How fast chat lines may leave.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::platform::Rate;

/// A line in this time at the slowest; a rate near zero must not overflow the arithmetic of time.
const SLOWEST: Duration = Duration::from_secs(24 * 3600);

/// Tokio's clock, which tests can stop.
#[derive(Debug, Clone)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Counts chat lines against the account's rate.
pub(super) struct Limiter {
    limiter: Option<RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Instant>>>,
}

impl Limiter {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { limiter: rate.and_then(quota).map(|quota| RateLimiter::direct_with_clock(quota, TokioClock)) }
    }

    /// Takes the right to send one line, or says when there will be one.
    pub(super) fn check(&self) -> Result<(), tokio::time::Instant> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check().map_err(|not_until| {
            let now = TokioClock.now();
            tokio::time::Instant::from_std(now) + not_until.wait_time_from(now)
        })
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    let period = Duration::try_from_secs_f64(1.0 / rate.per_second).unwrap_or(SLOWEST).min(SLOWEST);
    let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(period).map(|quota| quota.allow_burst(burst))
}
