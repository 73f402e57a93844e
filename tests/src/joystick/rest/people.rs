//! Followers, subscribers, moderators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as FromQuery, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{Query, authorize, page, text};
use crate::joystick::oauth::Refusal;
use crate::joystick::room::Memory;
use crate::joystick::state::State;

/// The newest first.
fn names(
    state: &State,
    headers: &HeaderMap,
    scope: &str,
    query: &Query,
    list: impl FnOnce(&Memory) -> &Vec<String>,
) -> Result<Json<Value>, Refusal> {
    let installation = authorize(state, headers, scope)?;
    let items = state.remember(&installation.channel.id, |memory| {
        list(memory).iter().rev().map(|name| json!({ "username": name })).collect()
    });
    Ok(Json(page(items, query)))
}

pub(super) async fn followers(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    FromQuery(query): FromQuery<Query>,
) -> Result<Json<Value>, Refusal> {
    names(&state, &headers, "followers:read", &query, |memory| &memory.followers)
}

pub(super) async fn subscribers(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    FromQuery(query): FromQuery<Query>,
) -> Result<Json<Value>, Refusal> {
    names(&state, &headers, "subscribers:read", &query, |memory| &memory.subscribers)
}

pub(super) async fn moderators(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    FromQuery(query): FromQuery<Query>,
) -> Result<Json<Value>, Refusal> {
    names(&state, &headers, "moderators:read", &query, |memory| &memory.moderators)
}

pub(super) async fn add_moderator(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let installation = authorize(&state, &headers, "moderators:manage")?;
    let username = text(&body, "/username")?;
    state.remember(&installation.channel.id, |memory| memory.moderators.push(username.clone()));
    Ok(Json(json!({ "username": username })))
}

pub(super) async fn remove_moderator(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    Path(username): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let installation = authorize(&state, &headers, "moderators:manage")?;
    state.remember(&installation.channel.id, |memory| memory.moderators.retain(|name| *name != username));
    Ok(Json(json!({})))
}
