//! What a bot says: chat lines, announcements, shoutouts, whispers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Pairs, authorize, check_moderator, check_self, known_user, needed};
use crate::twitch::refusal::Refusal;
use crate::twitch::room::Room;
use crate::twitch::seen::Sent;
use crate::twitch::state::State;

/// Characters of a chat line.
const LINE: usize = 500;
/// Characters of a whisper to somebody one knows.
const WHISPER: usize = 10_000;
const ANNOUNCEMENT_PAUSE: Duration = Duration::from_secs(2);
const SHOUTOUT_PAUSE: Duration = Duration::from_secs(120);
const SAME_SHOUTOUT_PAUSE: Duration = Duration::from_secs(3600);

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    let value = body.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::bad(format!("The parameter \"{name}\" is missing or empty")))
}

pub(super) async fn send(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let (_, sender) = authorize(&state, &headers, "user:write:chat")?;
    let broadcaster = known_user(&state, text(&body, "broadcaster_id")?)?;
    check_self("sender_id", text(&body, "sender_id")?, &sender)?;
    let line = text(&body, "message")?;
    if body.get("for_source_only").is_some_and(|value| !value.is_null()) {
        return Err(Refusal::bad("for_source_only needs an app access token"));
    }
    if line.chars().count() > LINE {
        return Err(Refusal::new(422, "The message is too long"));
    }
    let is_banned = state.rooms().of(&broadcaster.id).bans.contains_key(&sender.id);
    if is_banned {
        return Err(Refusal::new(
            403,
            "The sender is not permitted to send chat messages to the broadcaster's chat room",
        ));
    }
    let (reason, does_echo, names_none) = {
        let mut behaviour = state.behaviour();
        (behaviour.drops.pop_front(), behaviour.does_echo, behaviour.names_no_drop_reason)
    };
    if let Some(reason) = reason {
        let why = json!({ "code": reason.code, "message": reason.message });
        let why = if reason.is_list { json!([why]) } else { why };
        return Ok(Json(json!({ "data": [{ "message_id": "", "is_sent": false, "drop_reason": why }] })));
    }
    let reply_to = body.get("reply_parent_message_id").and_then(Value::as_str);
    let room = Room::of(&state, broadcaster.clone());
    let message_id = room.note_line(&sender, line, reply_to);
    state.record().sent.push(Sent {
        broadcaster_id: broadcaster.id,
        sender_id: sender.id,
        text: line.to_owned(),
        reply_to: reply_to.map(str::to_owned),
        message_id: message_id.clone(),
    });
    if does_echo {
        room.tell_line(&message_id);
    }
    state.requests.note_activity();
    let mut answer = json!({ "message_id": message_id, "is_sent": true });
    if names_none {
        answer["drop_reason"] = Value::Null;
    }
    Ok(Json(json!({ "data": [answer] })))
}

pub(super) async fn announce(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let (_, user) = authorize(&state, &headers, "moderator:manage:announcements")?;
    let broadcaster = known_user(&state, check_moderator(&state, &query, &user)?)?;
    let line: String = text(&body, "message")?.chars().take(LINE).collect();
    let color = body.get("color").and_then(Value::as_str).unwrap_or("primary");
    if !["blue", "green", "orange", "purple", "primary"].contains(&color) {
        return Err(Refusal::bad("The color is not one of those there are"));
    }
    let is_limited = state.behaviour().has_endpoint_limits;
    {
        let mut rooms = state.rooms();
        let announced = &mut rooms.of(&broadcaster.id).announced;
        if is_limited && announced.is_some_and(|at| at.elapsed() < ANNOUNCEMENT_PAUSE) {
            return Err(Refusal::new(429, "One announcement every 2 seconds"));
        }
        *announced = Some(Instant::now());
        rooms.announcements.push(json!({ "sender": user.id, "text": line, "color": color }));
    }
    Room::of(&state, broadcaster).announce_as(&user, &line, color);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn shout_out(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<StatusCode, Refusal> {
    let (_, user) = authorize(&state, &headers, "moderator:manage:shoutouts")?;
    let from = known_user(&state, needed(&query, "from_broadcaster_id")?)?;
    let to = known_user(&state, needed(&query, "to_broadcaster_id")?)?;
    check_self("moderator_id", needed(&query, "moderator_id")?, &user)?;
    if !state.users().is_moderator(&from.id, &user.id) {
        return Err(Refusal::new(403, "The user in moderator_id is not one of the broadcaster's moderators"));
    }
    if from == to {
        return Err(Refusal::bad("The broadcaster may not give themselves a Shoutout"));
    }
    let is_limited = state.behaviour().has_endpoint_limits;
    {
        let mut rooms = state.rooms();
        let memory = rooms.of(&from.id);
        if memory.live.is_none() {
            return Err(Refusal::bad("The broadcaster is not streaming live or does not have one or more viewers"));
        }
        let is_early = |(whom, at): &(String, Instant)| {
            at.elapsed() < SHOUTOUT_PAUSE || (*whom == to.id && at.elapsed() < SAME_SHOUTOUT_PAUSE)
        };
        if is_limited && memory.shouted_out.iter().any(is_early) {
            return Err(Refusal::new(429, "The broadcaster exceeded the number of Shoutouts they may send"));
        }
        memory.shouted_out.push((to.id.clone(), Instant::now()));
    }
    Room::of(&state, from).shout_out_as(&user, &to);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn whisper(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let (_, user) = authorize(&state, &headers, "user:manage:whispers")?;
    check_self("from_user_id", needed(&query, "from_user_id")?, &user)?;
    let to = known_user(&state, needed(&query, "to_user_id")?)?;
    if to == user {
        return Err(Refusal::bad("A user cannot whisper themself"));
    }
    let line = text(&body, "message")?;
    let mut rooms = state.rooms();
    let is_first = !rooms.whispers.iter().any(|(from, whom, _)| *from == user.id && *whom == to.id);
    // What is too long is cut, and that is not an error.
    let line = line.chars().take(if is_first { LINE } else { WHISPER }).collect();
    rooms.whispers.push((user.id, to.id, line));
    drop(rooms);
    state.requests.note_activity();
    Ok(StatusCode::NO_CONTENT)
}
