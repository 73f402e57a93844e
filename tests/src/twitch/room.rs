//! A broadcaster's room: where things happen.

use jiff::Timestamp;
use serde_json::Value;

use super::eventsub::Notice;
use super::fields::{merged, person};
use super::memory::{Line, RoomMemory};
use super::state::{State, new_id};
use super::users::User;

/// Everything that happens to one broadcaster. Its methods are in the files of `events/`.
pub struct Room<'a> {
    pub(super) state: &'a State,
    pub(super) broadcaster: User,
}

impl<'a> Room<'a> {
    pub(super) fn of(state: &'a State, broadcaster: User) -> Self {
        Self { state, broadcaster }
    }

    /// The room where `AutoMod` holds a message.
    pub(super) fn holding(state: &'a State, message_id: &str) -> Option<Self> {
        let broadcaster = state.rooms().holding(message_id)?;
        let broadcaster = state.users().with_id(&broadcaster)?;
        Some(Self { state, broadcaster })
    }

    pub fn broadcaster(&self) -> &User {
        &self.broadcaster
    }

    /// Anything at all happens.
    pub fn notify(&self, name: &str, version: &str, event: Value) -> Vec<String> {
        self.notify_as(name, version, event, &Notice::default())
    }

    /// Anything at all happens, with an id and a time, and as often as wished. Returns the message ids.
    pub fn notify_as(&self, name: &str, version: &str, event: Value, notice: &Notice) -> Vec<String> {
        let ids = self.state.notify(name, version, &event, notice);
        self.state.requests.note_activity();
        ids
    }

    /// As [`Self::notify`], for events that name the broadcaster first.
    pub(super) fn tell<const N: usize>(&self, name: &str, version: &str, parts: [Value; N]) {
        self.notify(name, version, merged([self.here(), merged(parts)]));
    }

    pub(super) fn here(&self) -> Value {
        person("broadcaster_user", &self.broadcaster)
    }

    pub(super) fn user(&self, login: &str) -> User {
        self.state.user(login)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.state.now()
    }

    pub(super) fn remember<T>(&self, change: impl FnOnce(&mut RoomMemory) -> T) -> T {
        change(self.state.rooms().of(&self.broadcaster.id))
    }

    /// Writes a line down. Returns its id.
    pub(super) fn note_line(&self, chatter: &User, text: &str, reply_to: Option<&str>) -> String {
        let id = new_id();
        self.remember(|memory| {
            let parent = reply_to.and_then(|parent| memory.lines.iter().find(|line| line.id == parent));
            let thread = parent
                .map(|parent| parent.thread.clone().unwrap_or_else(|| (parent.id.clone(), parent.chatter.clone())));
            let parent = parent.map(|parent| parent.id.clone());
            memory.lines.push(Line { id: id.clone(), chatter: chatter.clone(), text: text.to_owned(), parent, thread });
        });
        id
    }

    // ---- who somebody is here -----------------------------------------------------------------------------------

    pub fn set_moderator(&self, login: &str, is_moderator: bool) {
        let user = self.user(login);
        self.state.users().set_moderator(&self.broadcaster.id, &user.id, is_moderator);
    }

    pub fn is_banned(&self, login: &str) -> bool {
        let user = self.user(login);
        self.remember(|memory| memory.bans.contains_key(&user.id))
    }

    pub fn title(&self) -> String {
        self.remember(|memory| memory.title.clone())
    }
}
