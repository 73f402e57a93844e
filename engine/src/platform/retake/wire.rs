//! What retake.tv sends, read with tolerance, as events of the vocabulary.
//!
//! Two generations of the service, and clients of both, spell the same things differently, so every field is
//! looked for under each name that was ever seen. What can't be understood becomes a raw event; nothing here is
//! an error, and nothing here does any IO.

mod fields;
mod notices;

use serde_json::{Map, Value, json};

use self::fields::{Sender, amount, field, id_of, json_of, object, text, text_of, time, word, word_of};
use crate::event::{ChatMessage, Event, Moderation, Raw, Support};

/// Messages in one event, or in one page of the history, at most: ten times what is asked for.
const MOST_MESSAGES: usize = 1000;

/// Names under which the sender of a message may stand, besides fields of the message itself.
const SENDERS: [&str; 3] = ["author", "sender", "user"];

/// An event with all that tells it from others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub event: Event,
    /// What names this event for ever, already without any other meaning, where the platform gives such a thing.
    pub key: Option<String>,
    /// The platform's id to go on from when paging back through the history.
    pub cursor: Option<String>,
    /// When it happened, by the platform's clock.
    pub at_ms: Option<u64>,
    /// Who said what: equal for two sightings of one message, also where only one of them has an id or a time.
    pub content: Option<String>,
    /// The user id of whoever did it. `None` where the platform does not say: a name is not an identity.
    pub sender_id: Option<String>,
    pub session_id: Option<String>,
    pub extra: Option<String>,
}

impl Parsed {
    fn new(event: Event) -> Self {
        Self {
            event,
            key: None,
            cursor: None,
            at_ms: None,
            content: None,
            sender_id: None,
            session_id: None,
            extra: None,
        }
    }

    fn raw(kind: &str, payload: &Value) -> Self {
        Self::new(Event::Raw(Raw { kind: word(kind).to_owned(), json: json_of(payload) }))
    }
}

/// Reads an event of the socket. One event may hold several messages.
pub(super) fn read_event(name: &str, args: &[Value], room: &str) -> Vec<Parsed> {
    let payload = args.first().unwrap_or(&Value::Null);
    match payload {
        Value::Array(items) if name == "message" => read_messages(items, room),
        _ => vec![match name {
            "message" => read_message(payload, room),
            "tip_received" => notices::tip_received(payload, room),
            "user_followed" => notices::user_followed(payload, room),
            "session_started" => notices::session_started(payload),
            "pinned" => notices::pinned(payload),
            "newtrade" => notices::new_trade(payload),
            other if args.len() > 1 => Parsed::raw(other, &Value::from(args)),
            other => Parsed::raw(other, payload),
        }],
    }
}

/// Reads an answer of the history, whichever of the shapes it has. `None` when it is none of them.
pub(super) fn read_history(answer: &Value, room: &str) -> Option<Vec<Parsed>> {
    let items = match answer {
        Value::Array(items) => items,
        Value::Object(fields) => {
            ["comments", "chats", "messages", "data"].iter().find_map(|name| fields.get(*name)?.as_array())?
        }
        _ => return None,
    };
    Some(read_messages(items, room))
}

fn read_messages(items: &[Value], room: &str) -> Vec<Parsed> {
    items.iter().take(MOST_MESSAGES).map(|item| read_message(item, room)).collect()
}

/// Reads a chat message, a tip, a trade or an act of moderation, live or from the history.
fn read_message(payload: &Value, room: &str) -> Parsed {
    let Value::Object(message) = payload else {
        return Parsed::raw("message", payload);
    };
    let kind = word_of(message, &["type"]).unwrap_or_default().to_lowercase();
    let mut parsed = match kind.as_str() {
        "" | "message" | "chat" | "text" => read_talk(message, room),
        "tip" => read_support("tip", message, room),
        "trade" => read_support("trade", message, room),
        "jail" | "unjail" | "delete" | "delete_all" => Some(read_moderation(&kind, message, room)),
        other => Some(Parsed::raw(&format!("message.{other}"), payload)),
    }
    .unwrap_or_else(|| Parsed::raw("message", payload));
    parsed.at_ms = time(message);
    parsed.cursor = id_of(message, &["_id", "id", "chat_event_id", "message_id"]);
    parsed.session_id = id_of(message, &["session_id", "sessionId", "streamId"]);
    if parsed.key.is_none() && matches!(parsed.event, Event::Chat(_) | Event::Support(_) | Event::Raw(_)) {
        parsed.key.clone_from(&parsed.cursor);
    }
    parsed
}

/// A message without a type is what it holds: money, or text.
fn read_talk(message: &Map<String, Value>, room: &str) -> Option<Parsed> {
    if object(message, &["tip_data"]).is_some() {
        return read_support("tip", message, room);
    }
    if object(message, &["trade_data"]).is_some() {
        return read_support("trade", message, room);
    }
    let text = text(message).filter(|text| !text.trim().is_empty())?;
    let sender = Sender::of(message, &SENDERS);
    let mut extra = Map::new();
    sender.explain(&mut extra);
    let content = format!("chat\0{}\0{text}", sender.name_key());
    let chat = ChatMessage {
        id: id_of(message, &["_id", "id", "message_id", "chat_event_id"]).unwrap_or_default(),
        author: sender.user(room),
        text: text.to_owned(),
        reply_to: id_of(message, &["reply_to", "replyTo", "parent_id"]),
        ..ChatMessage::default()
    };
    let mut parsed = Parsed::new(Event::Chat(chat));
    parsed.content = Some(content);
    parsed.sender_id = sender.id;
    parsed.extra = written(extra);
    Some(parsed)
}

/// `None` when there is no amount in it: what is no money must not be thanked for.
fn read_support(kind: &str, message: &Map<String, Value>, room: &str) -> Option<Parsed> {
    let data = object(message, &["tip_data", "trade_data"]).unwrap_or(message);
    let shown = field(data, &["amount"]).and_then(amount)?;
    let sender = Sender::of(message, &SENDERS);
    let mut extra = Map::new();
    sender.explain(&mut extra);
    let transaction = id_of(data, &["tx_hash", "txHash", "signature"]);
    if let Some(transaction) = &transaction {
        extra.insert("tx_hash".to_owned(), json!(transaction));
    }
    let content = format!("{kind}\0{}\0{shown}", sender.name_key());
    let support = Support {
        kind: kind.to_owned(),
        who: sender.is_known().then(|| sender.user(room)),
        amount: shown,
        currency: word_of(data, &["currency", "ticker", "token_ticker", "symbol"]).unwrap_or_default().to_owned(),
        message: text(message).filter(|text| !text.trim().is_empty()).map(str::to_owned),
        // Which way it was traded.
        item: if kind == "trade" { word_of(data, &["type"]).map(str::to_owned) } else { None },
    };
    let mut parsed = Parsed::new(Event::Support(support));
    // The same tip is told as a message and as a notice; its transaction is what both share.
    parsed.key = transaction.map(|transaction| format!("tx:{transaction}"));
    parsed.content = Some(content);
    parsed.sender_id = sender.id;
    parsed.extra = written(extra);
    Some(parsed)
}

fn read_moderation(kind: &str, message: &Map<String, Value>, room: &str) -> Parsed {
    let nested = Sender::of_nested(message, &["target", "target_user", "targetUser", "jailed_user"]);
    let target = nested.or_else(|| Sender::of_flat(message, &["target_user_id", "target_id"], &["target_username"]));
    let seconds = field(message, &["duration", "seconds", "duration_seconds"]).and_then(fields::count);
    let message_id = match kind {
        "delete" => id_of(message, &["message_id", "messageId", "target_message_id", "_id", "id"]),
        _ => None,
    };
    let kind = match kind {
        "jail" if seconds.is_some() => "timeout",
        "jail" => "ban",
        "unjail" => "unban",
        "delete" => "delete",
        _ => "clear",
    };
    let sender = Sender::of(message, &SENDERS);
    let key = match (&message_id, time(message)) {
        (Some(message_id), _) => Some(format!("{kind}:{message_id}")),
        (None, Some(at_ms)) => {
            let target = target.as_ref().map(Sender::name_key).unwrap_or_default();
            Some(format!("{kind}:{target}:{at_ms}"))
        }
        (None, None) => None,
    };
    let mut parsed = Parsed::new(Event::Moderation(Moderation {
        kind: kind.to_owned(),
        moderator: sender.is_known().then(|| sender.user(room)),
        target: target.map(|target| target.user(room)),
        message_id,
        text: None,
        seconds,
        reason: text_of(message, &["reason"]).map(str::to_owned),
    }));
    parsed.key = key;
    parsed.sender_id = sender.id;
    // Where these types name whom they hit is not documented, so the whole message goes along.
    parsed.extra = Some(json_of(&Value::Object(message.clone())));
    parsed
}

fn written(extra: Map<String, Value>) -> Option<String> {
    (!extra.is_empty()).then(|| Value::Object(extra).to_string())
}

/// The id of a message that was sent, from the answer to it.
pub(super) fn read_sent_id(answer: &Value) -> Option<String> {
    let names = ["message_id", "messageId", "_id", "id", "chat_event_id"];
    let fields = answer.as_object()?;
    id_of(fields, &names).or_else(|| id_of(object(fields, &["message", "comment", "chat", "data"])?, &names))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
