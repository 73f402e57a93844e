//! The same text from many people: how raids of bots look.

use std::collections::BTreeMap;

use crate::settings::RaidSettings;

/// Texts that are watched at once; above it the one that was quiet for longest is forgotten.
const TEXTS: usize = 512;

#[derive(Default)]
pub(crate) struct Waves {
    waves: BTreeMap<u64, Wave>,
}

/// One text, by its fingerprint.
struct Wave {
    since_ms: u64,
    last_ms: u64,
    /// As many as make a raid; who else comes is one more of it.
    people: Vec<String>,
}

impl Waves {
    /// Whether enough people have written this text by now to call it a raid.
    pub(crate) fn join(&mut self, settings: RaidSettings, print: u64, user_id: &str, at_ms: u64) -> bool {
        let window_ms = u64::from(settings.seconds) * 1_000;
        if self.waves.len() >= TEXTS && !self.waves.contains_key(&print) {
            self.forget(window_ms, at_ms);
        }
        let fresh = || Wave { since_ms: at_ms, last_ms: at_ms, people: Vec::new() };
        let wave = self.waves.entry(print).or_insert_with(fresh);
        let is_raid = wave.people.len() >= settings.people;
        // A raid goes on as long as it comes in; a text that many write now and then never becomes one.
        if at_ms.abs_diff(if is_raid { wave.last_ms } else { wave.since_ms }) >= window_ms {
            *wave = fresh();
        }
        wave.last_ms = at_ms;
        if wave.people.len() < settings.people && !wave.people.iter().any(|known| known == user_id) {
            wave.people.push(user_id.to_owned());
        }
        wave.people.len() >= settings.people
    }

    fn forget(&mut self, window_ms: u64, at_ms: u64) {
        self.waves.retain(|_, wave| at_ms.abs_diff(wave.last_ms) < window_ms);
        if self.waves.len() >= TEXTS {
            let oldest = self.waves.iter().min_by_key(|(_, wave)| wave.last_ms).map(|(print, _)| *print);
            oldest.and_then(|print| self.waves.remove(&print));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAID: RaidSettings = RaidSettings { people: 3, seconds: 10, min_letters: 1 };

    #[test]
    fn enough_people_make_a_raid_that_lasts_while_it_comes_in() {
        let mut waves = Waves::default();
        let mut join = |user: &str, at_ms| waves.join(RAID, 7, user, at_ms);
        assert!(!join("a", 0) && !join("a", 1) && !join("b", 2));
        assert!(join("c", 3) && join("d", 9_000) && join("a", 18_000), "it goes on");
        assert!(!join("e", 30_000), "it is over");
    }

    #[test]
    fn what_many_write_now_and_then_is_no_raid() {
        let mut waves = Waves::default();
        assert!((0..20).all(|number| !waves.join(RAID, 7, &number.to_string(), number * 6_000)));
        assert!(!waves.join(RAID, 8, "a", 0), "another text");
    }

    #[test]
    fn a_flood_does_not_grow_the_memory() {
        let mut waves = Waves::default();
        for number in 0..3 * TEXTS as u64 {
            waves.join(RAID, number, "a", 0);
        }
        assert_eq!(waves.waves.len(), TEXTS);
    }
}
