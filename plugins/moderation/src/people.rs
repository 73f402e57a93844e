//! Who has broken rules: strikes, and the last verdicts with their reasons. Kept in kv, one value a person, so that it
//! outlives a restart; the oldest go when there are many.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;

use crate::speakers::Who;

const VERSION: u8 = 1;
const PREFIX: &str = "person/";
/// Of one channel. With names and reasons a person needs less than 1 KiB of the plugin's memory, usually a third.
const PEOPLE: usize = 500;
/// What is left when they become too many.
const LEFT: usize = 400;
/// What `!why` tells.
const VERDICTS: usize = 3;
const NAME_CHARACTERS: usize = 50;
/// More than all channels keep.
const KEYS: u32 = 10_000;

/// Those of one channel.
pub(crate) struct People {
    people: BTreeMap<String, Person>,
    /// Where in kv; `None` for what is only tried out.
    kept_as: Option<(String, String)>,
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

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    platform: String,
    channel: String,
    user_id: String,
    #[serde(flatten)]
    person: Person,
}

/// Reads all that is kept.
pub(crate) fn recall(mut found: impl FnMut(Place<'_>, String, Person)) {
    for key in kv::keys(PREFIX, KEYS) {
        match kv::get::<Stored>(&key) {
            Ok(Some(stored)) if stored.v == VERSION => {
                found(Place::new(&stored.platform, &stored.channel), stored.user_id, stored.person);
            }
            Ok(_) => log::warn(&format!("`{key}` was written by a newer version and is left alone.")),
            Err(error) => log::warn(&format!("`{key}` could not be read back: {error}.")),
        }
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
        let kept_as = kept_as.map(|place| (place.platform.to_owned(), place.channel.to_owned()));
        Self { people: BTreeMap::new(), kept_as }
    }

    pub(crate) fn put_back(&mut self, user_id: String, person: Person) {
        self.people.insert(user_id, person);
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
        let was_there = self.people.remove(user_id).is_some();
        if was_there {
            self.forget_kept(user_id);
        }
        was_there
    }

    /// Somebody's strikes as of now, and the person.
    pub(crate) fn of(&self, user_id: &str, forgiving: Forgiving, at_ms: u64) -> Option<(u32, &Person)> {
        self.people.get(user_id).map(|person| (person.real.now(forgiving, at_ms), person))
    }

    pub(crate) fn named(&self, login: &str) -> Option<Who> {
        let (id, person) =
            self.people.iter().find(|(_, person)| person.login.to_lowercase() == login.to_lowercase())?;
        let (login, name) = (person.login.clone(), person.name.clone());
        Some(Who { id: id.clone(), login, name, roles: Roles::empty() })
    }

    fn change(&mut self, user_id: &str, login: &str, name: &str, change: impl FnOnce(&mut Person)) {
        if user_id.is_empty() {
            return;
        }
        if self.people.len() >= PEOPLE && !self.people.contains_key(user_id) {
            self.prune();
        }
        let short = |text: &str| text.chars().take(NAME_CHARACTERS).collect::<String>();
        let fresh = || Person {
            login: String::new(),
            name: String::new(),
            real: Tally::default(),
            dry: Tally::default(),
            verdicts: Vec::new(),
        };
        let person = self.people.entry(user_id.to_owned()).or_insert_with(fresh);
        (person.login, person.name) = (short(login), short(name));
        change(person);
        if let Some((platform, channel)) = &self.kept_as {
            let stored = Stored {
                v: VERSION,
                platform: platform.clone(),
                channel: channel.clone(),
                user_id: user_id.to_owned(),
                person: person.clone(),
            };
            // It still holds until the next start.
            if let Err(error) = kv::set(&key(platform, channel, user_id), &stored) {
                log::warn(&format!("A verdict could not be kept: {error}."));
            }
        }
    }

    /// Forgets those whose last verdict is the oldest.
    fn prune(&mut self) {
        let mut ages: Vec<(u64, String)> =
            self.people.iter().map(|(id, person)| (person.last_ms(), id.clone())).collect();
        ages.sort_unstable();
        let surplus = ages.len().saturating_sub(LEFT);
        for (_, id) in ages.into_iter().take(surplus) {
            self.people.remove(&id);
            self.forget_kept(&id);
        }
    }

    fn forget_kept(&self, user_id: &str) {
        if let Some((platform, channel)) = &self.kept_as
            && let Err(error) = kv::remove(&key(platform, channel, user_id))
        {
            log::warn(&format!("A person could not be forgotten: {error}."));
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

fn key(platform: &str, channel: &str, user_id: &str) -> String {
    format!("{PREFIX}{platform}/{channel}/{user_id}")
}

#[cfg(test)]
mod tests {
    use showrunner_sdk::testing::event::user;

    use super::*;

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
        assert!(kv::keys(PREFIX, KEYS).len() <= PEOPLE);
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
