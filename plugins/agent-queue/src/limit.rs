//! How many tasks one viewer may give in a minute, so that a spammer can't fill the queue.

use std::collections::BTreeMap;

use showrunner_sdk::clock;

const MINUTE_MS: u64 = 60_000;
/// Above this many viewers those whose minute is over are forgotten; a crowd above it shares one count.
const VIEWERS: usize = 4096;
/// Looking through all of them for each message of a crowd would cost more than the crowd is worth.
const SWEEP_MS: u64 = 1_000;

pub(crate) struct Limit {
    tasks_per_minute: u32,
    viewers: BTreeMap<(String, String), Minute>,
    swept_ms: Option<u64>,
}

/// A viewer's current minute, which begins with their first task.
#[derive(Clone, Copy)]
struct Minute {
    since_ms: u64,
    tasks: u32,
    told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    Allowed,
    /// Too many, and the viewer does not know yet.
    FirstRefusal,
    Refused,
}

impl Limit {
    pub(crate) const fn new(tasks_per_minute: u32) -> Self {
        Self { tasks_per_minute, viewers: BTreeMap::new(), swept_ms: None }
    }

    /// Counts one more task of this viewer.
    pub(crate) fn rule(&mut self, platform: &str, user_id: &str) -> Ruling {
        let now_ms = clock::now_ms();
        let mut key = (platform.to_owned(), user_id.to_owned());
        if !self.viewers.contains_key(&key) && self.viewers.len() >= VIEWERS {
            self.sweep(now_ms);
            if self.viewers.len() >= VIEWERS {
                key = (String::new(), String::new());
            }
        }
        let fresh = Minute { since_ms: now_ms, tasks: 0, told: false };
        let minute = self.viewers.entry(key).or_insert(fresh);
        if minute.is_over(now_ms) {
            *minute = fresh;
        }
        if minute.tasks < self.tasks_per_minute {
            minute.tasks += 1;
            Ruling::Allowed
        } else if minute.told {
            Ruling::Refused
        } else {
            minute.told = true;
            Ruling::FirstRefusal
        }
    }

    fn sweep(&mut self, now_ms: u64) {
        if self.swept_ms.is_none_or(|swept_ms| now_ms < swept_ms || now_ms - swept_ms >= SWEEP_MS) {
            self.viewers.retain(|_, minute| !minute.is_over(now_ms));
            self.swept_ms = Some(now_ms);
        }
    }
}

impl Minute {
    /// A clock that was set back ends it, too.
    const fn is_over(self, now_ms: u64) -> bool {
        now_ms < self.since_ms || now_ms - self.since_ms >= MINUTE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use showrunner_sdk::testing::set_now_ms;

    #[test]
    fn a_viewer_is_told_once_a_minute() {
        let mut limit = Limit::new(2);
        set_now_ms(1_000_000);
        let rulings: Vec<Ruling> = (0..4).map(|_| limit.rule("twitch", "1")).collect();
        assert_eq!(rulings, [Ruling::Allowed, Ruling::Allowed, Ruling::FirstRefusal, Ruling::Refused]);
        assert_eq!(limit.rule("retake", "1"), Ruling::Allowed, "somebody else");
        set_now_ms(1_059_999);
        assert_eq!(limit.rule("twitch", "1"), Ruling::Refused);
        set_now_ms(1_060_000);
        assert_eq!(limit.rule("twitch", "1"), Ruling::Allowed);
    }

    #[test]
    fn a_crowd_does_not_grow_the_memory() {
        let mut limit = Limit::new(1);
        set_now_ms(0);
        for number in 0..2 * VIEWERS {
            limit.rule("twitch", &number.to_string());
        }
        assert!(limit.viewers.len() <= VIEWERS + 1);
    }
}
