//! Who there is: names and made-up ids.

use std::collections::{BTreeMap, BTreeSet};

use super::{BOT, BOT_ID, STREAMER, STREAMER_ID};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    pub id: String,
    pub login: String,
    /// As it is shown.
    pub name: String,
}

/// Everybody who was ever named, and who moderates whom.
pub(super) struct Users {
    by_login: BTreeMap<String, User>,
    /// Ids: broadcaster and moderator.
    moderators: BTreeSet<(String, String)>,
}

impl Users {
    pub(super) fn new() -> Self {
        let mut users = Self { by_login: BTreeMap::new(), moderators: BTreeSet::new() };
        users.add(STREAMER, STREAMER_ID);
        users.add(BOT, BOT_ID);
        users.moderators.insert((STREAMER_ID.to_owned(), BOT_ID.to_owned()));
        users
    }

    fn add(&mut self, name: &str, id: &str) -> User {
        let login = name.to_lowercase();
        let mut letters = login.chars();
        let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
        let user = User { id: id.to_owned(), login: login.clone(), name };
        self.by_login.insert(login, user.clone());
        user
    }

    /// Whoever has this name; made when there is nobody yet.
    pub(super) fn named(&mut self, name: &str) -> User {
        match self.by_login.get(&name.to_lowercase()) {
            Some(user) => user.clone(),
            None => self.add(name, &(500_000 + self.by_login.len()).to_string()),
        }
    }

    pub(super) fn known(&self, login: &str) -> Option<User> {
        self.by_login.get(&login.to_lowercase()).cloned()
    }

    pub(super) fn with_id(&self, id: &str) -> Option<User> {
        self.by_login.values().find(|user| user.id == id).cloned()
    }

    pub(super) fn set_moderator(&mut self, broadcaster_id: &str, user_id: &str, is_moderator: bool) {
        let pair = (broadcaster_id.to_owned(), user_id.to_owned());
        if is_moderator {
            self.moderators.insert(pair);
        } else {
            self.moderators.remove(&pair);
        }
    }

    /// The broadcaster is one, too.
    pub(super) fn is_moderator(&self, broadcaster_id: &str, user_id: &str) -> bool {
        broadcaster_id == user_id || self.moderators.contains(&(broadcaster_id.to_owned(), user_id.to_owned()))
    }
}
