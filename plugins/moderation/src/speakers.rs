//! Who spoke in a channel lately: their names, how fast they write, what they repeat, and who may post links.

use std::collections::{BTreeMap, VecDeque};

use showrunner_sdk::prelude::*;

use crate::settings::RateSettings;

/// Above this many the half that was quiet for longest is forgotten.
const SPEAKERS: usize = 2048;
/// More permits at once nobody gives.
const PERMITS: usize = 128;

#[derive(Default)]
pub(crate) struct Speakers {
    speakers: BTreeMap<String, Speaker>,
    /// Until when.
    permits: BTreeMap<String, u64>,
}

/// Somebody who spoke.
pub(crate) struct Speaker {
    login: String,
    name: String,
    roles: Roles,
    last_ms: u64,
    /// When they wrote last, as many as the rule looks at.
    times_ms: VecDeque<u64>,
    /// The text that they wrote last, how often in a row, and since when.
    same: Option<Same>,
    /// Whether it is settled that they are not here for the first time.
    pub(crate) is_known: bool,
}

struct Same {
    print: u64,
    times: usize,
    since_ms: u64,
}

/// Somebody whom a moderator named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) id: String,
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) roles: Roles,
}

impl Speakers {
    /// Notes that somebody speaks. `None` for somebody without an id, of whom nothing can be known.
    pub(crate) fn hear(&mut self, author: &User, at_ms: u64) -> Option<&mut Speaker> {
        if author.id.is_empty() {
            return None;
        }
        if !self.speakers.contains_key(&author.id) {
            if self.speakers.len() >= SPEAKERS {
                self.forget();
            }
            self.speakers.insert(author.id.clone(), Speaker::new());
        }
        let speaker = self.speakers.get_mut(&author.id)?;
        speaker.see(author, at_ms);
        Some(speaker)
    }

    fn forget(&mut self) {
        let mut times: Vec<u64> = self.speakers.values().map(|speaker| speaker.last_ms).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.speakers.retain(|_, speaker| speaker.last_ms > median);
    }

    /// Those whom a name may mean: by login the one who spoke last, else all that are shown under it.
    pub(crate) fn named(&self, name: &str) -> Vec<Who> {
        let is_same = |text: &str| text.to_lowercase() == name.to_lowercase();
        let by_login = self.speakers.iter().filter(|(_, speaker)| is_same(&speaker.login));
        if let Some((id, speaker)) = by_login.max_by_key(|(_, speaker)| speaker.last_ms) {
            return vec![speaker.who(id)];
        }
        let shown = self.speakers.iter().filter(|(_, speaker)| is_same(&speaker.name));
        shown.map(|(id, speaker)| speaker.who(id)).collect()
    }

    pub(crate) fn permit(&mut self, user_id: &str, now_ms: u64, until_ms: u64) {
        self.permits.retain(|_, until_ms| *until_ms > now_ms);
        if self.permits.len() >= PERMITS {
            let soonest = self.permits.iter().min_by_key(|(_, until_ms)| **until_ms).map(|(id, _)| id.clone());
            soonest.and_then(|id| self.permits.remove(&id));
        }
        self.permits.insert(user_id.to_owned(), until_ms);
    }

    pub(crate) fn is_permitted(&self, user_id: &str, at_ms: u64) -> bool {
        self.permits.get(user_id).is_some_and(|until_ms| at_ms < *until_ms)
    }
}

impl Speaker {
    const fn new() -> Self {
        Self {
            login: String::new(),
            name: String::new(),
            roles: Roles::empty(),
            last_ms: 0,
            times_ms: VecDeque::new(),
            same: None,
            is_known: false,
        }
    }

    fn see(&mut self, author: &User, at_ms: u64) {
        // Nearly always nothing has changed.
        if self.login != author.login {
            self.login.clone_from(&author.login);
        }
        if self.name != author.display_name {
            self.name.clone_from(&author.display_name);
        }
        self.roles = author.roles;
        self.last_ms = self.last_ms.max(at_ms);
    }

    fn who(&self, id: &str) -> Who {
        Who { id: id.to_owned(), login: self.login.clone(), name: self.name.clone(), roles: self.roles }
    }

    /// Counts a message, and says whether it is one too many: of all, or of the same text (by its fingerprint).
    pub(crate) fn is_too_fast(&mut self, settings: RateSettings, print: Option<u64>, at_ms: u64) -> bool {
        let window_ms = u64::from(settings.seconds) * 1_000;
        let oldest = (self.times_ms.len() >= settings.messages).then(|| self.times_ms.pop_front()).flatten();
        self.times_ms.push_back(at_ms);
        let too_many = oldest.is_some_and(|oldest_ms| at_ms.abs_diff(oldest_ms) < window_ms);
        let same = match (self.same.take(), print) {
            (Some(same), Some(print)) if same.print == print && at_ms.abs_diff(same.since_ms) < window_ms => {
                Some(Same { times: same.times + 1, ..same })
            }
            (_, Some(print)) => Some(Same { print, times: 1, since_ms: at_ms }),
            (_, None) => None,
        };
        let too_often = same.as_ref().is_some_and(|same| same.times > settings.same_text);
        self.same = same;
        too_many || too_often
    }
}

#[cfg(test)]
mod tests {
    use showrunner_sdk::testing::event::user;

    use super::*;

    const RATE: RateSettings = RateSettings { messages: 3, same_text: 2, seconds: 10 };

    #[test]
    fn more_messages_than_allowed_in_the_time_are_too_fast() {
        let mut speaker = Speaker::new();
        let mut too_fast = |at_ms| speaker.is_too_fast(RATE, None, at_ms);
        assert_eq!([0, 1_000, 2_000].map(&mut too_fast), [false; 3]);
        assert_eq!([3_000, 9_999, 12_000].map(&mut too_fast), [true, true, false].map(|fast| fast));
        assert!(!too_fast(60_000));
    }

    #[test]
    fn the_same_text_in_a_row_is_too_fast_sooner() {
        let mut speaker = Speaker::new();
        let rate = RateSettings { messages: 100, ..RATE };
        let mut too_fast = |print, at_ms| speaker.is_too_fast(rate, print, at_ms);
        assert_eq!([0, 1, 2, 3].map(|at_ms| too_fast(Some(7), at_ms)), [false, false, true, true]);
        assert!(!too_fast(Some(8), 4) && !too_fast(Some(7), 5), "something else came between");
        assert!(!too_fast(None, 6) && !too_fast(None, 7) && !too_fast(None, 8), "short texts have no fingerprint");
        assert_eq!([10, 20_000, 40_000].map(|at_ms| too_fast(Some(7), at_ms)), [false; 3]);
    }

    #[test]
    fn names_are_found_by_login_first() {
        let mut speakers = Speakers::default();
        let mut speak = |id: &str, login: &str, name: &str, at_ms| {
            speakers.hear(&User { id: id.into(), login: login.into(), display_name: name.into(), ..user("") }, at_ms);
        };
        speak("1", "ada", "Ada", 1);
        speak("2", "bob", "Ada", 2);
        speak("3", "carol", "Twin", 3);
        speak("4", "dora", "twin", 4);
        speak("5", "ada", "Renamed", 5);
        speak("", "nobody", "Nobody", 6);
        let ids = |name: &str| speakers.named(name).into_iter().map(|who| who.id).collect::<Vec<_>>();
        assert_eq!(ids("ADA"), ["5"], "the login changed hands");
        assert_eq!(ids("Twin"), ["3", "4"]);
        assert_eq!(ids("nobody"), Vec::<String>::new());
    }

    #[test]
    fn permits_end() {
        let mut speakers = Speakers::default();
        speakers.permit("1", 0, 60_000);
        assert!(speakers.is_permitted("1", 59_999));
        assert!(!speakers.is_permitted("1", 60_000) && !speakers.is_permitted("2", 0));
    }

    #[test]
    fn a_crowd_does_not_grow_the_memory() {
        let mut speakers = Speakers::default();
        for number in 0..3 * SPEAKERS as u64 {
            speakers.hear(&user(&number.to_string()), number);
            speakers.permit(&number.to_string(), 0, number + 1);
        }
        assert!(speakers.speakers.len() <= SPEAKERS && speakers.permits.len() <= PERMITS);
        assert!(!speakers.named(&(3 * SPEAKERS - 1).to_string()).is_empty(), "who spoke last is known");
    }
}
