//! What the gateway sends, read with tolerance, as events of the vocabulary.
//!
//! Two shapes of event are about, and servers of both; which one it is shows in each message. Names of fields are
//! looked for in every spelling that was ever seen, and what can't be understood becomes a raw event of the same kind
//! in both shapes: nothing here is an error, and nothing here does any IO.

mod chat;
mod people;
mod stream;
mod text;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

pub(super) use self::people::user_id;
pub(super) use self::text::plain;
use crate::event::{Event, Presence, Raw};
use crate::platform::fields::{field, id_of, json_of, object, text_of, time_of, word, word_of};

/// An event with all that the envelope says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    /// `None` where the message names no channel, as those of bots and of old servers.
    pub channel: Option<String>,
    pub event: Event,
    /// The service's id, which is the same for a repeat.
    pub id: Option<String>,
    pub at_ms: Option<u64>,
    /// The service says itself that it did not happen.
    pub is_fake: bool,
    pub extra: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Event(Box<Parsed>),
    /// A command was refused; which one, it does not say.
    Error(String),
}

/// Reads what the gateway said.
pub(super) fn read(message: &Value) -> Heard {
    let Value::Object(fields) = message else {
        return Heard::Event(Box::new(Parsed::new(raw("message", message))));
    };
    if let Some(words) = refusal(fields) {
        return Heard::Error(words);
    }
    let details = details(fields);
    let mut extra = Map::new();
    let event = read_event(fields, &details, &mut extra);
    let event = event.unwrap_or_else(|| {
        extra.clear();
        raw(&kind_of(fields), message)
    });
    Heard::Event(Box::new(Parsed {
        channel: id_of(fields, &["channel_id", "channelId"]).or_else(|| id_of(&details, &["channel_id", "channelId"])),
        id: id_of(fields, &["id", "messageId", "message_id"]),
        at_ms: time_of(fields, &["occurred_at", "occurredAt", "createdAt", "created_at"]),
        is_fake: ["isFake", "is_fake"]
            .iter()
            .any(|name| [fields, &*details].iter().any(|fields| fields.get(*name).is_some_and(|value| *value == true))),
        extra: (!extra.is_empty()).then(|| json_of(&Value::Object(extra))),
        ..Parsed::new(event)
    }))
}

impl Parsed {
    fn new(event: Event) -> Self {
        Self { channel: None, event, id: None, at_ms: None, is_fake: false, extra: None }
    }
}

/// `None` for what the vocabulary has no case for.
fn read_event(
    fields: &Map<String, Value>,
    details: &Map<String, Value>,
    extra: &mut Map<String, Value>,
) -> Option<Event> {
    let family = word_of(fields, &["event"]).map(text::snake).unwrap_or_default();
    let kind = word_of(fields, &["type"]).map(text::snake).unwrap_or_default();
    match (family.as_str(), kind.as_str()) {
        ("chat_message", "") | ("" | "chat_message", "new_message" | "chat_message") => {
            chat::read(fields, details, extra)
        }
        // Whatever the service calls it, nobody else was to read it.
        (_, private) if private.contains("whisper") => chat::read_whisper(fields, details, extra),
        ("bot_message", _) | (_, "event_bot_message" | "bot_message") => chat::read_of_bot(fields, details, extra),
        (_, "enter_stream") => presence("join", fields, details),
        (_, "leave_stream") => presence("part", fields, details),
        _ => stream::read(&kind, fields, details, extra),
    }
}

/// The first shape names who came in its text, the second in its data.
fn presence(kind: &str, fields: &Map<String, Value>, details: &Map<String, Value>) -> Option<Event> {
    let who = people::named(details, &["username", "who", "user"])
        .or_else(|| object(fields, &["author", "user"]).and_then(people::user))
        .or_else(|| people::named(fields, &["username", "who", "text"]))?;
    Some(Event::Presence(Presence { kind: kind.to_owned(), who }))
}

/// What an event is about: an object, or the same written as text.
fn details(fields: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    match field(fields, &["data", "metadata"]) {
        Some(Value::Object(details)) => Cow::Borrowed(details),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(details)) => Cow::Owned(details),
            _ => Cow::Owned(Map::new()),
        },
        _ => Cow::Owned(Map::new()),
    }
}

/// What the service says of a command that it did not carry out. An event has a type, or at least a family.
fn refusal(fields: &Map<String, Value>) -> Option<String> {
    let error = field(fields, &["error", "errors"])?;
    let is_event = fields.contains_key("event") || fields.get("type").is_some_and(|kind| *kind != "error");
    if is_event {
        return None;
    }
    Some(match error {
        Value::String(_) => text::one_line(text_of(fields, &["error", "errors"]).unwrap_or_default()),
        Value::Object(error) => match text_of(error, &["message", "error", "detail"]) {
            Some(words) => text::one_line(words),
            None => text::one_line(&json_of(&Value::Object(error.clone()))),
        },
        other => text::one_line(&json_of(other)),
    })
}

/// What a raw event is called: the same in both shapes.
fn kind_of(fields: &Map<String, Value>) -> String {
    let kind = word_of(fields, &["type"]).or_else(|| word_of(fields, &["event"])).map(text::snake);
    kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| "message".to_owned())
}

fn raw(kind: &str, payload: &Value) -> Event {
    Event::Raw(Raw { kind: word(kind).to_owned(), json: json_of(payload) })
}

/// Keeps what the vocabulary has no field for.
fn keep(extra: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    extra.insert(name.to_owned(), json!(value.into()));
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
