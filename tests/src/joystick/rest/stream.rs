//! The channel of a token, its stream, and the words that are banned there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{authorize, text};
use crate::joystick::BOT;
use crate::joystick::oauth::Refusal;
use crate::joystick::state::State;

pub(super) async fn me(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let installation = authorize(&state, &headers, "")?;
    let channel = installation.channel;
    Ok(Json(json!({
        "channel": { "channel_id": channel.id, "username": channel.username }, "bot": { "username": BOT },
        "permissions": installation.scopes,
    })))
}

pub(super) async fn identity(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "identity:read")?.channel;
    let is_live = state.remember(&channel.id, |memory| memory.is_live);
    Ok(Json(json!({
        "channel_id": channel.id, "username": channel.username, "nickname": null, "photo_url": "", "live": is_live,
    })))
}

pub(super) async fn read(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "stream:read")?.channel;
    Ok(Json(state.remember(&channel.id, |memory| {
        json!({
            "channel_id": channel.id, "live": memory.is_live, "live_at": "2026-01-05T10:11:12Z",
            "stream_title": memory.title, "view_count": 12, "tags": [], "online_photo_url": "",
            "offline_photo_url": "",
        })
    })))
}

pub(super) async fn change(
    shared: Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&shared, &headers, "stream:manage")?.channel;
    let field = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    shared.remember(&channel.id, |memory| {
        memory.title = field("stream_title").unwrap_or_else(|| memory.title.clone());
        memory.welcome = field("chat_welcome_message").unwrap_or_else(|| memory.welcome.clone());
    });
    read(shared, headers).await
}

fn banned(state: &State, channel_id: &str) -> Json<Value> {
    Json(json!({ "banned_words": state.remember(channel_id, |memory| memory.banned_words.clone()) }))
}

pub(super) async fn words(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "stream:manage")?.channel;
    Ok(banned(&state, &channel.id))
}

pub(super) async fn add_word(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "stream:manage")?.channel;
    let word = text(&body, "/word")?;
    state.remember(&channel.id, |memory| memory.banned_words.push(word));
    Ok(banned(&state, &channel.id))
}

pub(super) async fn remove_word(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "stream:manage")?.channel;
    let word = text(&body, "/word")?;
    state.remember(&channel.id, |memory| memory.banned_words.retain(|known| *known != word));
    Ok(banned(&state, &channel.id))
}
