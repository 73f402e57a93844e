//! When a crashed plugin starts again, and when no more. A pure decision over a list of crashes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A new instance costs microseconds, so the first crash costs nothing; after that the pauses double.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So many crashes in so much time, and it is the plugin's fault, not the event's.
const MOST_CRASHES: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// After so long without a crash the old ones are forgotten.
const HEALTHY: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Restart { pause: Duration },
    Quarantine,
}

#[derive(Debug, Default)]
pub(super) struct Restarts {
    recent: VecDeque<Instant>,
    /// Without ten healthy minutes in between.
    in_a_row: u32,
    last: Option<Instant>,
}

impl Restarts {
    pub(super) fn crashed(&mut self, now: Instant) -> After {
        if self.last.is_some_and(|last| now.duration_since(last) >= HEALTHY) {
            self.in_a_row = 0;
        }
        self.last = Some(now);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|crash| now.duration_since(*crash) > WINDOW) {
            self.recent.pop_front();
        }
        if self.recent.len() >= MOST_CRASHES {
            return After::Quarantine;
        }
        let pause = match self.in_a_row {
            0 => Duration::ZERO,
            before => FIRST_PAUSE.saturating_mul(1 << (before - 1).min(16)).min(LONGEST_PAUSE),
        };
        self.in_a_row += 1;
        After::Restart { pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(gaps_s: &[u64]) -> Vec<After> {
        let mut restarts = Restarts::default();
        let mut now = Instant::now();
        gaps_s
            .iter()
            .map(|gap| {
                now += Duration::from_secs(*gap);
                restarts.crashed(now)
            })
            .collect()
    }

    fn pause(ms: u64) -> After {
        After::Restart { pause: Duration::from_millis(ms) }
    }

    #[test]
    fn five_crashes_in_a_minute_are_too_many() {
        assert_eq!(decisions(&[0, 1, 1, 1, 1]), [pause(0), pause(200), pause(400), pause(800), After::Quarantine]);
    }

    #[test]
    fn rare_crashes_only_pause_longer() {
        let rare = decisions(&[0, 30, 30, 30, 30, 30, 30, 30, 30, 30]);
        assert_eq!(rare.last(), Some(&pause(30_000)));
        assert!(!rare.contains(&After::Quarantine));
    }

    #[test]
    fn ten_healthy_minutes_clear_the_count() {
        assert_eq!(decisions(&[0, 1, 600]), [pause(0), pause(200), pause(0)]);
    }
}
