//! Chat and moderation by REST.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{authorize, text};
use crate::joystick::actions::perform;
use crate::joystick::oauth::Refusal;
use crate::joystick::seen::Did;
use crate::joystick::state::State;

/// Does it in the channel of the token.
fn act(state: &Arc<State>, headers: &HeaderMap, scope: &str, did: Did) -> Result<(), Refusal> {
    let installation = authorize(state, headers, scope)?;
    let did = Did { channel_id: installation.channel.id.clone(), ..did };
    perform(state, &installation.channel, did).map_err(|_| Refusal(404, "not found"))
}

fn action(name: &str) -> Did {
    Did { action: name.to_owned(), ..Did::default() }
}

pub(super) async fn send(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let line = text(&body, "/text")?;
    act(&state, &headers, "chat:write", Did { text: line.clone(), ..action("send_message") })?;
    Ok(Json(json!({ "sent": true, "send_mode": "chat", "text": line })))
}

pub(super) async fn whisper(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let username = text(&body, "/username")?;
    let did = Did { text: text(&body, "/text")?, username: username.clone(), ..action("send_whisper") };
    act(&state, &headers, "chat:whisper:write", did)?;
    Ok(Json(json!({ "sent": true, "username": username })))
}

pub(super) async fn delete_message(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    act(&state, &headers, "chat:moderate", Did { message_id: id, ..action("delete_message") })?;
    Ok(Json(json!({})))
}

pub(super) async fn ban(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    act(&state, &headers, "chat:moderate", Did { message_id: id, ..action("block_user") })?;
    Ok(Json(json!({})))
}

pub(super) async fn mute(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    act(&state, &headers, "chat:moderate", Did { message_id: id, ..action("mute_user") })?;
    Ok(Json(json!({})))
}

pub(super) async fn unban(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Path(username): Path<String>,
) -> Result<Json<Value>, Refusal> {
    act(&state, &headers, "chat:moderate", Did { username, ..action("unmute_user") })?;
    Ok(Json(json!({})))
}
