//! A streamer's room: where things happen.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::{Author, Channel, ChatEvent, Event, What};
use super::samples;
use super::state::{State, new_id};

/// What a room remembers. Lists have the oldest first.
#[derive(Debug)]
pub(super) struct Memory {
    /// Message id and author.
    pub(super) lines: Vec<(String, String)>,
    pub(super) followers: Vec<String>,
    pub(super) subscribers: Vec<String>,
    pub(super) moderators: Vec<String>,
    pub(super) muted: BTreeSet<String>,
    pub(super) banned_words: Vec<String>,
    pub(super) title: String,
    pub(super) welcome: String,
    pub(super) is_live: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            followers: Vec::new(),
            subscribers: Vec::new(),
            moderators: Vec::new(),
            muted: BTreeSet::new(),
            banned_words: Vec::new(),
            title: "Something cozy".to_owned(),
            welcome: "Welcome!".to_owned(),
            is_live: true,
        }
    }
}

pub struct Room<'a> {
    state: &'a Arc<State>,
    channel: Channel,
}

/// A chat line in the making: `room.line("alice", "hi").moderator().say()`.
pub struct ChatLine<'a> {
    room: Room<'a>,
    chat: ChatEvent,
    id: String,
    at: Timestamp,
}

impl<'a> Room<'a> {
    pub(super) fn of(state: &'a Arc<State>, channel: Channel) -> Self {
        Self { state, channel }
    }

    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn author_of(&self, message_id: &str) -> Option<String> {
        self.remember(|memory| memory.lines.iter().find(|(id, _)| id == message_id).map(|(_, author)| author.clone()))
    }

    fn remember<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        self.state.remember(&self.channel.id, change)
    }

    /// Anything at all happens. Returns its id.
    pub fn tell(&self, what: What) -> String {
        let id = new_id();
        self.state.tell(Event { id: id.clone(), channel: self.channel.clone(), at: Timestamp::now(), what });
        id
    }

    /// The message of a frame, as it is.
    pub fn tell_raw(&self, message: Value) {
        self.tell(What::Raw(message));
    }

    // ---- chat -------------------------------------------------------------------------------------------------

    /// Somebody writes. Returns the id of the line.
    pub fn say(&self, username: &str, text: &str) -> String {
        self.line(username, text).say()
    }

    /// To the bot alone.
    pub fn whisper(&self, username: &str, text: &str) -> String {
        self.line(username, text).visibility("whisper").say()
    }

    /// A line with more to it.
    pub fn line(&self, username: &str, text: &str) -> ChatLine<'a> {
        let author = Author {
            username: username.to_owned(),
            is_streamer: username == self.channel.username,
            is_moderator: self.remember(|memory| memory.moderators.iter().any(|name| name == username)),
            is_subscriber: self.remember(|memory| memory.subscribers.iter().any(|name| name == username)),
            ..Author::default()
        };
        let chat = ChatEvent {
            author,
            text: text.to_owned(),
            visibility: "public".to_owned(),
            is_highlighted: false,
            is_fake: false,
        };
        let room = Room { state: self.state, channel: self.channel.clone() };
        ChatLine { room, chat, id: new_id(), at: Timestamp::now() }
    }

    /// Joystick's own bot writes; the message names no channel.
    pub fn bot_message(&self, username: &str, text: &str) -> String {
        self.tell(What::Bot { username: username.to_owned(), text: text.to_owned() })
    }

    pub fn enter(&self, username: &str) -> String {
        self.tell(What::Presence { username: username.to_owned(), enters: true })
    }

    pub fn leave(&self, username: &str) -> String {
        self.tell(What::Presence { username: username.to_owned(), enters: false })
    }

    // ---- stream events ----------------------------------------------------------------------------------------

    /// Any stream event, by the name that version 1 has for it.
    pub fn stream_event(&self, kind: &str, text: &str, metadata: Value) -> String {
        self.tell(What::Stream { kind: kind.to_owned(), text: text.to_owned(), metadata })
    }

    /// One of [`super::KINDS`], with made-up values.
    pub fn sample(&self, kind: &str) -> String {
        let (text, metadata) = samples::sample(kind);
        self.stream_event(kind, &text, metadata)
    }

    pub fn tip(&self, username: &str, tokens: u64, item: Option<&str>) -> String {
        let thing = item.map(|item| format!(" for <strong class='item'>{item}</strong>")).unwrap_or_default();
        let metadata = json!({ "who": username, "what": "Tipped", "how_much": tokens, "tip_menu_item": item });
        self.stream_event("Tipped", &format!("{username} tipped {tokens} tokens{thing}"), metadata)
    }

    pub fn follow(&self, username: &str) -> String {
        self.follow_unheard(username);
        let metadata = json!({ "who": username, "what": "followed" });
        self.stream_event("Followed", &format!("{username} followed"), metadata)
    }

    /// Only REST knows of it: as if it happened while nobody listened.
    pub fn follow_unheard(&self, username: &str) {
        self.remember(|memory| memory.followers.push(username.to_owned()));
    }

    pub fn subscribe(&self, username: &str) -> String {
        self.subscribe_unheard(username);
        let metadata = json!({ "who": username, "what": "subscribed", "how_much": 1 });
        self.stream_event("Subscribed", &format!("{username} subscribed"), metadata)
    }

    /// Only REST knows of it.
    pub fn subscribe_unheard(&self, username: &str) {
        self.remember(|memory| memory.subscribers.push(username.to_owned()));
    }

    pub fn resubscribe(&self, username: &str, months: u64) -> String {
        let metadata = json!({ "who": username, "what": "resubscribed", "how_long": months, "how_much": 1 });
        self.stream_event("Resubscribed", &format!("{username} resubscribed for {months} months"), metadata)
    }

    pub fn gift_subscriptions(&self, username: &str, count: u64) -> String {
        let metadata = json!({ "who": username, "what": "gifted subscriptions", "how_much": count });
        self.stream_event("GiftedSubscriptions", &format!("{username} gifted {count} subscriptions"), metadata)
    }

    /// Somebody comes with viewers: a raid.
    pub fn drop_in(&self, username: &str, viewers: u64) -> String {
        let metadata = json!({ "who": username, "what": "dropped in", "number_of_viewers": viewers });
        self.stream_event("StreamDroppedIn", &format!("{username} dropped in with {viewers} viewers"), metadata)
    }

    pub fn go_online(&self) -> String {
        self.remember(|memory| memory.is_live = true);
        self.sample("Started")
    }

    pub fn go_offline(&self) -> String {
        self.remember(|memory| memory.is_live = false);
        self.sample("Ended")
    }

    pub fn add_moderator(&self, username: &str) {
        self.remember(|memory| memory.moderators.push(username.to_owned()));
    }

    pub fn is_muted(&self, username: &str) -> bool {
        self.remember(|memory| memory.muted.contains(username))
    }
}

impl ChatLine<'_> {
    #[must_use]
    pub fn moderator(mut self) -> Self {
        self.chat.author.is_moderator = true;
        self
    }

    #[must_use]
    pub fn subscriber(mut self) -> Self {
        self.chat.author.is_subscriber = true;
        self
    }

    #[must_use]
    pub fn newcomer(mut self) -> Self {
        self.chat.author.is_new = true;
        self
    }

    #[must_use]
    pub fn staff(mut self) -> Self {
        self.chat.author.is_staff = true;
        self
    }

    #[must_use]
    pub fn nickname(mut self, nickname: &str) -> Self {
        self.chat.author.nickname = Some(nickname.to_owned());
        self
    }

    #[must_use]
    pub fn color(mut self, color: &str) -> Self {
        self.chat.author.color = Some(color.to_owned());
        self
    }

    #[must_use]
    pub fn highlighted(mut self) -> Self {
        self.chat.is_highlighted = true;
        self
    }

    #[must_use]
    pub fn fake(mut self) -> Self {
        self.chat.is_fake = true;
        self
    }

    #[must_use]
    pub fn visibility(mut self, visibility: &str) -> Self {
        visibility.clone_into(&mut self.chat.visibility);
        self
    }

    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// Says it. Returns its id.
    pub fn say(self) -> String {
        let Self { room, chat, id, at } = self;
        room.remember(|memory| memory.lines.push((id.clone(), chat.author.username.clone())));
        room.state.tell(Event { id: id.clone(), channel: room.channel.clone(), at, what: What::Chat(chat) });
        id
    }
}
