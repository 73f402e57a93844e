//! REST: the channel, its people, its chat; the older calls; and `/echo`, which lets things happen.

mod chat;
mod echo;
mod legacy;
mod people;
mod stream;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{delete, get, post};
use serde_json::{Value, json};

use super::oauth::Refusal;
use super::state::State;
use super::tokens::Installation;

pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/me", get(stream::me))
        .route("/api/v1/me/identity", get(stream::identity))
        .route("/api/v1/me/stream", get(stream::read).put(stream::change))
        .route("/api/v1/chat/messages", post(chat::send))
        .route("/api/v1/chat/whispers", post(chat::whisper))
        .route("/api/v1/chat/messages/{id}", delete(chat::delete_message))
        .route("/api/v1/chat/messages/{id}/ban", post(chat::ban))
        .route("/api/v1/chat/messages/{id}/mute", post(chat::mute))
        .route("/api/v1/chat/users/{username}/ban", delete(chat::unban))
        .route("/api/v1/moderators", get(people::moderators).post(people::add_moderator))
        .route("/api/v1/moderators/{username}", delete(people::remove_moderator))
        .route("/api/v1/followers", get(people::followers))
        .route("/api/v1/subscribers", get(people::subscribers))
        .route("/api/v1/banned-words", get(stream::words).post(stream::add_word).delete(stream::remove_word))
        .route("/api/users/stream-settings", get(legacy::read).patch(legacy::change))
        .route("/api/users/subscriptions", get(legacy::subscriptions))
        .route("/echo", post(echo::echo))
}

type Query = HashMap<String, String>;

/// Whose token this is, if it has the scope; "" for none in particular.
fn authorize(state: &State, headers: &HeaderMap, scope: &str) -> Result<Installation, Refusal> {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = value.strip_prefix("Bearer ").ok_or(Refusal(401, "unauthorized"))?;
    let (installation, _) = state.tokens().holder(token).ok_or(Refusal(401, "unauthorized"))?;
    if !scope.is_empty() && !installation.scopes.contains(scope) {
        return Err(Refusal(403, "forbidden"));
    }
    Ok(installation)
}

fn text(body: &Value, pointer: &str) -> Result<String, Refusal> {
    let value = body.pointer(pointer).and_then(Value::as_str).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or(Refusal(422, "a field is missing"))
}

/// `items`, and where the neighbouring pages are.
fn page(items: Vec<Value>, query: &Query) -> Value {
    let number = |name: &str, default: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("page", 1).max(1), number("per_page", 25).clamp(1, 100));
    let pages = items.len().div_ceil(size);
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    json!({ "items": items, "pagination": {
        "next_page": (page < pages).then_some(page + 1), "previous_page": (page > 1).then_some(page - 1),
        "total_items": total, "total_pages": pages,
    } })
}
