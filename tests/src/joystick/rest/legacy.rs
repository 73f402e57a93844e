//! The calls of before July 2026.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query as FromQuery, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{Query, authorize, page};
use crate::joystick::oauth::Refusal;
use crate::joystick::state::State;

pub(super) async fn read(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "")?.channel;
    Ok(Json(state.remember(&channel.id, |memory| {
        json!({
            "username": channel.username, "stream_title": memory.title, "chat_welcome_message": memory.welcome,
            "banned_chat_words": memory.banned_words, "device_active": false, "photo_url": "",
            "live": memory.is_live, "number_of_followers": memory.followers.len(), "channel_id": channel.id,
        })
    })))
}

pub(super) async fn change(
    shared: Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&shared, &headers, "stream:manage")?.channel;
    let field = |name: &str| body.get("streamer").and_then(|streamer| streamer.get(name));
    shared.remember(&channel.id, |memory| {
        if let Some(title) = field("stream_title").and_then(Value::as_str) {
            title.clone_into(&mut memory.title);
        }
        if let Some(welcome) = field("chat_welcome_message").and_then(Value::as_str) {
            welcome.clone_into(&mut memory.welcome);
        }
        if let Some(words) = field("banned_chat_words").and_then(Value::as_array) {
            memory.banned_words = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
    });
    read(shared, headers).await
}

pub(super) async fn subscriptions(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    FromQuery(query): FromQuery<Query>,
) -> Result<Json<Value>, Refusal> {
    let channel = authorize(&state, &headers, "subscribers:read")?.channel;
    let items = state.remember(&channel.id, |memory| {
        let subscribers = memory.subscribers.iter().rev();
        let described = subscribers.map(|name| {
            json!({
                "username": name, "expires_at": "2026-02-05T10:11:12Z", "renewal": true, "streak": 1,
                "total_subscribed": 1, "nickname": null, "username_color": null,
            })
        });
        described.collect()
    });
    Ok(Json(page(items, &query)))
}
