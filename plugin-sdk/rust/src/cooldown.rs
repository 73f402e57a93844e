//! How often something may happen, for everybody together and for each person, on the host's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock;

/// Above this many people the oldest are forgotten: a crowd may pass sooner, and the memory stays bounded.
const PEOPLE: usize = 4096;

/// A cooldown. It lives in memory and starts fresh with the plugin.
///
/// Keep one for each thing that cools down. Identity is (platform, user id), never a name.
#[derive(Debug, Clone, Default)]
pub struct Cooldown {
    everybody_ms: u64,
    person_ms: u64,
    last_ms: Option<u64>,
    people: BTreeMap<(String, String), u64>,
}

impl Cooldown {
    /// Once in `everybody` for all together, and once in `person` for each. Zero switches either off.
    pub fn new(everybody: Duration, person: Duration) -> Self {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self { everybody_ms: milliseconds(everybody), person_ms: milliseconds(person), ..Self::default() }
    }

    /// Whether it may happen now for this person; if so, the cooldown starts.
    pub fn try_start(&mut self, platform: &str, user_id: &str) -> bool {
        // Most things never cool down, and then not even the clock is asked.
        if self.everybody_ms == 0 && self.person_ms == 0 {
            return true;
        }
        let now_ms = clock::now_ms();
        if self.last_ms.is_some_and(|last_ms| !is_over(last_ms, self.everybody_ms, now_ms)) {
            return false;
        }
        if self.person_ms > 0 && !self.try_start_person(platform, user_id, now_ms) {
            return false;
        }
        self.last_ms = Some(now_ms);
        true
    }

    fn try_start_person(&mut self, platform: &str, user_id: &str, now_ms: u64) -> bool {
        let key = (platform.to_owned(), user_id.to_owned());
        if self.people.get(&key).is_some_and(|last_ms| !is_over(*last_ms, self.person_ms, now_ms)) {
            return false;
        }
        if self.people.len() >= PEOPLE {
            self.forget(now_ms);
        }
        self.people.insert(key, now_ms);
        true
    }

    /// Drops whoever has cooled down, and if nobody has, the half that waited longest.
    fn forget(&mut self, now_ms: u64) {
        self.people.retain(|_, last_ms| !is_over(*last_ms, self.person_ms, now_ms));
        if self.people.len() >= PEOPLE {
            let mut times: Vec<u64> = self.people.values().copied().collect();
            let (_, median, _) = times.select_nth_unstable(PEOPLE / 2);
            let median = *median;
            self.people.retain(|_, last_ms| *last_ms > median);
        }
    }
}

/// A clock that was set back must not lock anybody out until it has caught up.
const fn is_over(last_ms: u64, period_ms: u64, now_ms: u64) -> bool {
    now_ms < last_ms || now_ms - last_ms >= period_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn everybody_and_each_person_cool_down() {
        let mut cooldown = Cooldown::new(SECOND, SECOND * 10);
        testing::set_now_ms(1_000_000);
        assert!(cooldown.try_start("twitch", "1"));
        assert!(!cooldown.try_start("twitch", "2"), "one second for everybody");
        testing::set_now_ms(1_001_000);
        assert!(cooldown.try_start("twitch", "2"));
        testing::set_now_ms(1_002_000);
        assert!(!cooldown.try_start("twitch", "1"), "ten seconds for each");
        assert!(cooldown.try_start("retake", "1"), "somebody else, on another platform");
        testing::set_now_ms(1_010_000);
        assert!(cooldown.try_start("twitch", "1"));
        testing::set_now_ms(5_000);
        assert!(cooldown.try_start("twitch", "1"), "the clock was set back");
    }

    #[test]
    fn no_cooldown_is_never_in_the_way() {
        let mut cooldown = Cooldown::default();
        assert!((0..100).all(|_| cooldown.try_start("twitch", "1")));
    }

    #[test]
    fn a_crowd_does_not_grow_the_memory() {
        let mut cooldown = Cooldown::new(Duration::ZERO, Duration::from_secs(1_000_000));
        for number in 0..3 * PEOPLE {
            testing::set_now_ms(number as u64);
            assert!(cooldown.try_start("twitch", &number.to_string()));
            assert!(cooldown.people.len() <= PEOPLE);
        }
    }
}
