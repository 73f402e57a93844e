//! Bans, timeouts, deletions, warnings, and what `AutoMod` holds.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Pairs, authorize, check_moderator, get, known_user, needed};
use crate::twitch::memory::Ban;
use crate::twitch::refusal::Refusal;
use crate::twitch::room::Room;
use crate::twitch::state::{State, written};

/// Two weeks, in seconds.
const LONGEST_TIMEOUT: i64 = 1_209_600;
const REASON: usize = 500;

pub(super) async fn ban(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let (_, moderator) = authorize(&state, &headers, "moderator:manage:banned_users")?;
    let broadcaster = known_user(&state, check_moderator(&state, &query, &moderator)?)?;
    let target = known_user(&state, body.pointer("/data/user_id").and_then(Value::as_str).unwrap_or_default())?;
    let reason = body.pointer("/data/reason").and_then(Value::as_str).unwrap_or_default();
    if reason.chars().count() > REASON {
        return Err(Refusal::bad("The text in the reason field is too long"));
    }
    let seconds = match body.pointer("/data/duration").filter(|value| !value.is_null()) {
        None => None,
        Some(value) => Some(
            value
                .as_i64()
                .filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds))
                .ok_or_else(|| Refusal::bad("The value in the duration field is not valid"))?,
        ),
    };
    if target == broadcaster {
        return Err(Refusal::bad("The user specified in the user_id field may not be banned"));
    }
    let now = state.now();
    let ends_at = seconds.map(|seconds| now + SignedDuration::from_secs(seconds));
    {
        let mut rooms = state.rooms();
        let bans = &mut rooms.of(&broadcaster.id).bans;
        // A timeout can be made longer, or a ban.
        if bans.get(&target.id).is_some_and(|ban| ban.ends_at.is_none()) {
            return Err(Refusal::bad("The user specified in the user_id field is already banned"));
        }
        bans.insert(target.id.clone(), Ban { ends_at });
    }
    let answer = json!({ "data": [{
        "broadcaster_id": broadcaster.id, "moderator_id": moderator.id, "user_id": target.id,
        "created_at": written(now), "end_time": ends_at.map(written),
    }] });
    Room::of(&state, broadcaster).tell_ban(&moderator, &target, reason, ends_at);
    Ok(Json(answer))
}

pub(super) async fn unban(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<StatusCode, Refusal> {
    let (_, moderator) = authorize(&state, &headers, "moderator:manage:banned_users")?;
    let broadcaster = known_user(&state, check_moderator(&state, &query, &moderator)?)?;
    let target = known_user(&state, needed(&query, "user_id")?)?;
    if state.rooms().of(&broadcaster.id).bans.remove(&target.id).is_none() {
        return Err(Refusal::bad("The user specified in the user_id query parameter is not banned"));
    }
    Room::of(&state, broadcaster).tell_unban(&moderator, &target);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete_message(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
) -> Result<StatusCode, Refusal> {
    let (_, moderator) = authorize(&state, &headers, "moderator:manage:chat_messages")?;
    let broadcaster = known_user(&state, check_moderator(&state, &query, &moderator)?)?;
    let room = Room::of(&state, broadcaster.clone());
    let Some(id) = get(&query, "message_id") else {
        room.clear_as(&moderator);
        return Ok(StatusCode::NO_CONTENT);
    };
    let found = state.rooms().of(&broadcaster.id).lines.iter().find(|line| line.id == id).cloned();
    let line = found.ok_or_else(|| Refusal::new(404, "The ID in message_id was not found"))?;
    if line.chatter != moderator && state.users().is_moderator(&broadcaster.id, &line.chatter.id) {
        return Err(Refusal::bad("You may not delete another moderator's messages"));
    }
    room.delete_as(&moderator, &line);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn warn(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Query(query): Query<Pairs>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let (_, moderator) = authorize(&state, &headers, "moderator:manage:warnings")?;
    let broadcaster = known_user(&state, check_moderator(&state, &query, &moderator)?)?;
    let target = known_user(&state, body.pointer("/data/user_id").and_then(Value::as_str).unwrap_or_default())?;
    let reason = body.pointer("/data/reason").and_then(Value::as_str).unwrap_or_default();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(Refusal::bad("The reason is missing or too long"));
    }
    let answer = json!({ "data": [{
        "broadcaster_id": broadcaster.id, "moderator_id": moderator.id, "user_id": target.id, "reason": reason,
    }] });
    Room::of(&state, broadcaster).tell_warning(&moderator, &target, reason);
    Ok(Json(answer))
}

pub(super) async fn judge(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let (_, moderator) = authorize(&state, &headers, "moderator:manage:automod")?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    super::check_self("user_id", text("user_id"), &moderator)?;
    let is_allowed = match text("action") {
        "ALLOW" => true,
        "DENY" => false,
        _ => return Err(Refusal::bad("The value in the action field is not valid")),
    };
    let id = text("msg_id");
    let room = Room::holding(&state, id)
        .ok_or_else(|| Refusal::new(404, "The message specified in the msg_id field was not found"))?;
    if !state.users().is_moderator(&room.broadcaster().id, &moderator.id) {
        return Err(Refusal::new(403, "The user in user_id is not one of the broadcaster's moderators"));
    }
    room.judge_as(&moderator, id, is_allowed);
    Ok(StatusCode::NO_CONTENT)
}
