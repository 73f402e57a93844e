//! Waiting for a moment, to the microsecond.

use std::time::{Duration, Instant};

/// The runtime's own timers are a millisecond wide, and a second one late on a busy machine.
const SPIN: Duration = Duration::from_millis(2);

/// Sleeps up to shortly before, and then looks again and again; whatever else the thread has to do is done between two
/// looks.
pub async fn until(due: Instant) {
    if let Some(rest) = due.checked_duration_since(Instant::now() + SPIN) {
        tokio::time::sleep(rest).await;
    }
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}
