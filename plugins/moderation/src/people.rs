//! Who has broken rules: strikes, and the last verdicts with their reasons. Kept in kv, one value a person, so that it
//! outlives a restart; the oldest go when there are many.

use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;

use crate::kept::{Keep, Kept, short};
use crate::speakers::Who;

/// Of one channel. With names and reasons a person needs less than 1 KiB of the plugin's memory, usually a third.
const PEOPLE: usize = 500;
/// What is left when they become too many.
const LEFT: usize = 400;
/// What `!why` tells.
const VERDICTS: usize = 3;

/// Those of one channel.
pub(crate) struct People {
    people: Kept<Person>,
}

/// Somebody who broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) name: String,
    #[serde(default)]
    real: Tally,
    /// What would have been strikes, had it been in earnest.
    #[serde(default)]
    dry: Tally,
    /// The newest first.
    pub(crate) verdicts: Vec<Told>,
}

/// Strikes as of the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    strikes: u32,
    at_ms: u64,
}

/// A verdict and when it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) at_ms: u64,
    pub(crate) reason: String,
    /// It is no strike, and the next one that is none takes its place: a flood must not hide what came before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gives_way: bool,
}

/// The strike that a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) number: u32,
    /// Whether it counts; else it was sent before its author could know of the last one.
    pub(crate) is_new: bool,
}

/// How strikes are forgiven.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgiving {
    /// One strike after so long; 0 for never.
    pub(crate) strike_ms: u64,
    pub(crate) grace_ms: u64,
}

impl Keep for Person {
    const PREFIX: &'static str = "person/";
    const VERSION: u8 = 1;
    const NOUN: &'static str = "person";

    fn login(&self) -> &str {
        &self.login
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Tally {
    /// What is left of the strikes.
    fn now(self, forgiving: Forgiving, at_ms: u64) -> u32 {
        let forgiven = at_ms.saturating_sub(self.at_ms).checked_div(forgiving.strike_ms).unwrap_or(0);
        self.strikes.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }

    /// Whether the last strike is so fresh that nobody can have reacted to it.
    fn is_fresh(self, forgiving: Forgiving, at_ms: u64) -> bool {
        self.strikes > 0 && at_ms.abs_diff(self.at_ms) < forgiving.grace_ms
    }

    fn add(&mut self, forgiving: Forgiving, at_ms: u64) {
        *self = Self { strikes: self.now(forgiving, at_ms).saturating_add(1), at_ms };
    }
}

impl People {
    pub(crate) fn new(kept_as: Option<Place<'_>>) -> Self {
        Self { people: Kept::new(kept_as) }
    }

    pub(crate) fn put_back(&mut self, user_id: String, person: Person) {
        self.people.put_back(user_id, person);
    }

    /// Which strike a message of this person would be. Dry ones come on top of real ones and never become any.
    pub(crate) fn next_strike(&self, user_id: &str, is_dry: bool, forgiving: Forgiving, at_ms: u64) -> Strike {
        let Some(Person { real, dry, .. }) = self.people.get(user_id) else {
            return Strike { number: 1, is_new: true };
        };
        let dry = if is_dry { *dry } else { Tally::default() };
        let before = real.now(forgiving, at_ms).saturating_add(dry.now(forgiving, at_ms));
        let is_fresh = real.is_fresh(forgiving, at_ms) || dry.is_fresh(forgiving, at_ms);
        if is_fresh && before > 0 {
            Strike { number: before, is_new: false }
        } else {
            Strike { number: before.saturating_add(1), is_new: true }
        }
    }

    /// Notes a strike.
    pub(crate) fn strike(&mut self, author: &User, is_dry: bool, forgiving: Forgiving, told: Told) {
        self.change(&author.id, &author.login, &author.display_name, |person| {
            let tally = if is_dry { &mut person.dry } else { &mut person.real };
            tally.add(forgiving, told.at_ms);
            person.tell(told);
        });
    }

    /// Notes a verdict that is no strike.
    pub(crate) fn note(&mut self, who: &Who, told: Told) {
        self.change(&who.id, &who.login, &who.name, |person| person.tell(told));
    }

    /// Wipes the slate. Says whether there was anything on it.
    pub(crate) fn forgive(&mut self, user_id: &str) -> bool {
        self.people.forget(user_id).is_some()
    }

    /// Somebody's strikes as of now, and the person.
    pub(crate) fn of(&self, user_id: &str, forgiving: Forgiving, at_ms: u64) -> Option<(u32, &Person)> {
        self.people.get(user_id).map(|person| (person.real.now(forgiving, at_ms), person))
    }

    pub(crate) fn named(&self, login: &str) -> Option<Who> {
        self.people.named(login)
    }

    fn change(&mut self, user_id: &str, login: &str, name: &str, change: impl FnOnce(&mut Person)) {
        if user_id.is_empty() {
            return;
        }
        if self.people.len() >= PEOPLE && !self.people.contains(user_id) {
            self.prune();
        }
        let fresh = || Person {
            login: String::new(),
            name: String::new(),
            real: Tally::default(),
            dry: Tally::default(),
            verdicts: Vec::new(),
        };
        let person = self.people.enter(user_id, fresh);
        (person.login, person.name) = (short(login), short(name));
        change(person);
        self.people.keep(user_id);
    }

    /// Forgets those whose last verdict is the oldest.
    fn prune(&mut self) {
        let mut ages: Vec<(u64, String)> =
            self.people.iter().map(|(id, person)| (person.last_ms(), id.to_owned())).collect();
        ages.sort_unstable();
        let surplus = ages.len().saturating_sub(LEFT);
        for (_, id) in ages.into_iter().take(surplus) {
            self.people.forget(&id);
        }
    }
}

impl Person {
    fn tell(&mut self, told: Told) {
        if told.gives_way && self.verdicts.first().is_some_and(|newest| newest.gives_way) {
            self.verdicts.remove(0);
        }
        self.verdicts.insert(0, told);
        self.verdicts.truncate(VERDICTS);
    }

    fn last_ms(&self) -> u64 {
        self.verdicts.first().map_or(0, |told| told.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use showrunner_sdk::testing::event::user;

    use super::*;
    use crate::kept::KEYS;

    const FORGIVING: Forgiving = Forgiving { strike_ms: 60_000, grace_ms: 3_000 };

    fn told(at_ms: u64) -> Told {
        Told { at_ms, reason: "because".into(), gives_way: false }
    }

    fn strike(people: &mut People, is_dry: bool, at_ms: u64) -> (u32, bool) {
        let author = user("ada");
        let Strike { number, is_new } = people.next_strike(&author.id, is_dry, FORGIVING, at_ms);
        if is_new {
            people.strike(&author, is_dry, FORGIVING, told(at_ms));
        }
        (number, is_new)
    }

    #[test]
    fn strikes_add_up_and_are_forgiven_one_by_one() {
        let mut people = People::new(None);
        assert_eq!(strike(&mut people, false, 100_000), (1, true));
        assert_eq!(strike(&mut people, false, 102_999), (1, false), "it was on its way");
        assert_eq!(strike(&mut people, false, 103_000), (2, true));
        assert_eq!(strike(&mut people, false, 110_000), (3, true));
        assert_eq!(strike(&mut people, false, 170_000), (3, true), "one was forgiven");
        assert_eq!(strike(&mut people, false, 170_000 + 180_000), (1, true), "all were");
        let never = Forgiving { strike_ms: 0, ..FORGIVING };
        assert_eq!(people.next_strike("id-ada", false, never, u64::MAX).number, 2);
    }

    #[test]
    fn dry_strikes_never_become_real_ones() {
        let mut people = People::new(None);
        assert_eq!(strike(&mut people, true, 100_000), (1, true));
        assert_eq!(strike(&mut people, true, 110_000), (2, true));
        assert_eq!(strike(&mut people, false, 110_001), (1, true));
        assert_eq!(strike(&mut people, true, 120_000), (4, true), "what would have been, on top of what was");
    }

    #[test]
    fn the_oldest_go_when_there_are_many() {
        let mut people = People::new(Some(Place::new("twitch", "1")));
        for number in 0..3 * PEOPLE {
            people.strike(&user(&number.to_string()), false, FORGIVING, told(number as u64));
            assert!(people.people.len() <= PEOPLE);
        }
        assert!(kv::keys(Person::PREFIX, KEYS).len() <= PEOPLE);
        assert!(people.named(&(3 * PEOPLE - 1).to_string()).is_some() && people.named("0").is_none());
    }

    #[test]
    fn what_is_kept_outlives_an_update_of_the_plugin() {
        let mut people = People::new(Some(Place::new("twitch", "1")));
        people.strike(&user("ada"), false, FORGIVING, told(7));
        people.note(&Who::from(&user("ada")), Told { gives_way: true, ..told(8) });
        let kept = kv::get_bytes("person/twitch/1/id-ada").unwrap();
        let expected = concat!(
            r#"{"v":1,"platform":"twitch","channel":"1","user_id":"id-ada","login":"ada","name":"ada","#,
            r#""real":{"strikes":1,"at_ms":7},"dry":{"strikes":0,"at_ms":0},"verdicts":["#,
            r#"{"at_ms":8,"reason":"because","gives_way":true},{"at_ms":7,"reason":"because"}]}"#,
        );
        assert_eq!(String::from_utf8(kept).unwrap(), expected);
    }

    #[test]
    fn what_a_person_needs_is_bounded() {
        let mut people = People::new(Some(Place::new("twitch", "1")));
        let reason = crate::reason::Reason {
            is_dry: true,
            rule: "terms/a-long-name-of-a-group",
            span: &"\"🔥\\".repeat(99),
            strike: Some(u32::MAX),
            action: &"timeout 4294967295 s",
        };
        let long = User { login: "ü".repeat(200), display_name: "🔥".repeat(200), ..user("ada") };
        for at_ms in 0..9 {
            people.strike(&long, false, FORGIVING, Told { reason: reason.to_string(), ..told(u64::MAX - at_ms) });
        }
        let bytes = kv::get_bytes("person/twitch/1/id-ada").unwrap().len();
        assert!(bytes * PEOPLE < 768 * 1024, "{bytes}");
    }
}
