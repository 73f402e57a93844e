//! The socket's events that are no messages. Their payloads are hardly documented, so each reader takes what it
//! recognises, and what it does not recognise stays raw.

use serde_json::{Map, Value, json};

use super::fields::{Sender, amount, field, id_of, json_of, object, text, text_of, time, word_of};
use super::{Parsed, read_support, written};
use crate::event::{Broadcast, Event, Follow, Moderation, Support};

pub(super) fn tip_received(payload: &Value, room: &str) -> Parsed {
    let Some(mut parsed) = payload.as_object().and_then(|tip| {
        let mut tip = tip.clone();
        // A notice may call the sender by the part that it plays in it.
        if let Some(sender) = field(&tip, &["from", "tipper", "sender"]).cloned() {
            tip.insert("sender".to_owned(), sender);
        }
        let mut parsed = read_support("tip", &tip, room)?;
        parsed.at_ms = time(&tip);
        Some(parsed)
    }) else {
        return Parsed::raw("tip_received", payload);
    };
    parsed.session_id = session_id(payload);
    parsed
}

pub(super) fn user_followed(payload: &Value, room: &str) -> Parsed {
    let Some(fields) = payload.as_object() else {
        return Parsed::raw("user_followed", payload);
    };
    let who = Sender::of(fields, &["follower", "user", "author", "from"]);
    let flat = Sender::of_flat(fields, &["follower_id", "followerId"], &["follower_username", "followerUsername"]);
    let who = flat.unwrap_or(who);
    if !who.is_known() {
        return Parsed::raw("user_followed", payload);
    }
    let mut extra = Map::new();
    who.explain(&mut extra);
    let mut parsed = Parsed::new(Event::Follow(Follow { who: who.user(room) }));
    parsed.at_ms = time(fields);
    parsed.key = parsed.at_ms.map(|at_ms| format!("follow:{}:{at_ms}", who.name_key()));
    parsed.sender_id = who.id;
    parsed.extra = written(extra);
    parsed
}

pub(super) fn session_started(payload: &Value) -> Parsed {
    let empty = Map::new();
    let fields = payload.as_object().unwrap_or(&empty);
    let session = object(fields, &["session", "stream"]).unwrap_or(fields);
    let session_id = session_id(payload);
    let mut parsed = Parsed::new(Event::Broadcast(Broadcast {
        kind: "online".to_owned(),
        title: text_of(session, &["title", "stream_title", "name"]).map(str::to_owned),
        category: word_of(session, &["category"]).map(str::to_owned),
        ..Broadcast::default()
    }));
    parsed.at_ms = time(session);
    parsed.key = session_id.as_ref().map(|session_id| format!("session:{session_id}"));
    if let Some(session_id) = &session_id {
        parsed.extra = Some(json!({ "session_id": session_id }).to_string());
    }
    parsed.session_id = session_id;
    parsed
}

/// A message that a moderator holds up. Its id is the message's, so it must not name the event.
pub(super) fn pinned(payload: &Value) -> Parsed {
    let Some(fields) = payload.as_object() else {
        return Parsed::raw("pinned", payload);
    };
    let message = object(fields, &["message", "comment", "chat"]).unwrap_or(fields);
    let mut parsed = Parsed::new(Event::Moderation(Moderation {
        kind: "pin".to_owned(),
        message_id: id_of(message, &["_id", "id", "message_id", "chat_event_id"]),
        text: text(message).map(str::to_owned),
        ..Moderation::default()
    }));
    parsed.extra = Some(json_of(payload));
    parsed
}

/// A trade of a token, from the platform's feed. Only what is bought supports anybody.
pub(super) fn new_trade(payload: &Value) -> Parsed {
    let bought = payload.as_object().and_then(|trade| {
        let action = text_of(trade, &["action", "type"])?;
        let amount = field(trade, &["usdAmount", "usd_amount"]).and_then(amount)?;
        let ticker = word_of(trade, &["tokenTicker", "token_ticker", "ticker"]).unwrap_or_default();
        action.eq_ignore_ascii_case("buy").then_some((trade, amount, ticker))
    });
    let Some((trade, amount, ticker)) = bought else {
        return Parsed::raw("newtrade", payload);
    };
    let mut parsed = Parsed::new(Event::Support(Support {
        kind: "trade".to_owned(),
        who: None,
        amount,
        currency: "USD".to_owned(),
        message: None,
        item: Some(format!("buy {ticker}").trim_end().to_owned()),
    }));
    parsed.at_ms = time(trade);
    parsed.key = id_of(trade, &["tx_hash", "txHash", "signature"]).map(|transaction| format!("tx:{transaction}"));
    parsed.extra = Some(json_of(payload));
    parsed
}

fn session_id(payload: &Value) -> Option<String> {
    let fields = payload.as_object()?;
    id_of(fields, &["session_id", "sessionId"])
        .or_else(|| id_of(object(fields, &["session", "stream"])?, &["_id", "id", "session_id"]))
}
