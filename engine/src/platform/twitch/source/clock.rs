//! Twitch's clock, as the welcome told it.

use tokio::time::Instant;

use super::super::eventsub::Welcome;
use crate::event::now_ms;

/// Runs on by itself: what becomes of our own clock meanwhile changes nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Twitch's time at `told`; ours where the welcome names none.
    at_ms: u64,
    told: Instant,
}

impl Clock {
    pub(super) fn of(welcome: &Welcome) -> Self {
        Self { at_ms: welcome.at_ms.unwrap_or_else(now_ms), told: Instant::now() }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.at_ms.saturating_add(u64::try_from(self.told.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_on_from_what_twitch_told_whatever_our_own_says() {
        // Ours does not move while time is paused, as if it was set back again and again.
        let clock = Clock::of(&Welcome { session_id: String::new(), at_ms: Some(1_000) });
        tokio::time::advance(Duration::from_secs(660)).await;
        assert_eq!(clock.now_ms(), 661_000);
    }
}
