//! What is known of the people of one channel, in memory and in kv: one value a person, so that it outlives a restart
//! and an update. `people` and `newcomers` say what is known and how much of it.
//!
//! What can't be written holds until the next start; what can't be read is told and left where it is.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;

use crate::speakers::Who;

/// More than all channels keep.
pub(crate) const KEYS: u32 = 10_000;
const NAME_CHARACTERS: usize = 50;

/// What is known of a person.
pub(crate) trait Keep: Serialize + DeserializeOwned {
    /// How its keys begin.
    const PREFIX: &'static str;
    /// How its values are written; those of another version are left alone.
    const VERSION: u8;
    /// What it is, for the log.
    const NOUN: &'static str;

    fn login(&self) -> &str;
    fn name(&self) -> &str;
}

/// By user id.
pub(crate) struct Kept<T> {
    people: BTreeMap<String, T>,
    /// Platform and channel; `None` for what is only tried out, and never written.
    place: Option<(String, String)>,
}

/// A value in kv.
#[derive(Serialize, Deserialize)]
struct Stored<S, T> {
    v: u8,
    platform: S,
    channel: S,
    user_id: S,
    #[serde(flatten)]
    known: T,
}

/// Reads all that is kept, of every channel.
pub(crate) fn recall<T: Keep>(mut found: impl FnMut(Place<'_>, String, T)) {
    for key in kv::keys(T::PREFIX, KEYS) {
        match kv::get::<Stored<String, T>>(&key) {
            Ok(Some(stored)) if stored.v == T::VERSION => {
                found(Place::new(&stored.platform, &stored.channel), stored.user_id, stored.known);
            }
            Ok(_) => log::warn(format!("`{key}` was written by a newer version and is left alone.")),
            Err(error) => log::warn(format!("`{key}` could not be read back: {error}.")),
        }
    }
}

/// As much of a login or a name as is kept.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS).collect()
}

impl<T: Keep> Kept<T> {
    pub(crate) fn new(place: Option<Place<'_>>) -> Self {
        let place = place.map(|place| (place.platform.to_owned(), place.channel.to_owned()));
        Self { people: BTreeMap::new(), place }
    }

    /// What was kept is known again.
    pub(crate) fn put_back(&mut self, user_id: String, known: T) {
        self.people.insert(user_id, known);
    }

    pub(crate) fn len(&self) -> usize {
        self.people.len()
    }

    pub(crate) fn contains(&self, user_id: &str) -> bool {
        self.people.contains_key(user_id)
    }

    pub(crate) fn get(&self, user_id: &str) -> Option<&T> {
        self.people.get(user_id)
    }

    /// What is changed must be kept, see [`Self::keep`].
    pub(crate) fn get_mut(&mut self, user_id: &str) -> Option<&mut T> {
        self.people.get_mut(user_id)
    }

    /// As [`Self::get_mut`], with what is new of somebody of whom nothing is known.
    pub(crate) fn enter(&mut self, user_id: &str, fresh: impl FnOnce() -> T) -> &mut T {
        self.people.entry(user_id.to_owned()).or_insert_with(fresh)
    }

    /// With their user ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.people.iter().map(|(user_id, known)| (user_id.as_str(), known))
    }

    /// Whoever goes by this login, in any case.
    pub(crate) fn named(&self, login: &str) -> Option<Who> {
        let (id, known) = self.iter().find(|(_, known)| known.login().to_lowercase() == login.to_lowercase())?;
        let (login, name) = (known.login().to_owned(), known.name().to_owned());
        Some(Who { id: id.to_owned(), login, name, roles: Roles::empty() })
    }

    /// Writes what is known of somebody.
    pub(crate) fn keep(&self, user_id: &str) {
        let (Some((platform, channel)), Some(known)) = (&self.place, self.get(user_id)) else { return };
        let stored = Stored { v: T::VERSION, platform: platform.as_str(), channel, user_id, known };
        if let Err(error) = kv::set(&key::<T>(platform, channel, user_id), &stored) {
            log::warn(format!("A {} could not be kept: {error}.", T::NOUN));
        }
    }

    /// Nothing is known of somebody any more. Returns what was.
    pub(crate) fn forget(&mut self, user_id: &str) -> Option<T> {
        let known = self.people.remove(user_id)?;
        if let Some((platform, channel)) = &self.place
            && let Err(error) = kv::remove(&key::<T>(platform, channel, user_id))
        {
            log::warn(format!("A {} could not be forgotten: {error}.", T::NOUN));
        }
        Some(known)
    }
}

fn key<T: Keep>(platform: &str, channel: &str, user_id: &str) -> String {
    format!("{}{platform}/{channel}/{user_id}", T::PREFIX)
}
