//! The REST half of the fake: sends and the history.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State as Shared};
use axum::http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};
use showrunner::config::settings::RetakeGeneration;

use super::state::{Asked, SendAnswer, State};
use super::{BOT_ID, BOT_NAME, ROOM, TOKEN};

pub(super) async fn send(
    Shared(state): Shared<Arc<State>>,
    uri: Uri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    note(&state, uri.path(), HashMap::new(), &headers);
    let answer = {
        let mut settings = state.settings();
        settings.next_sends.pop_front().unwrap_or_else(|| settings.send_answer.clone())
    };
    if let Some(response) = misbehave(&answer).await {
        return response;
    }
    if !is_authorized(&headers) {
        return refuse(401, None);
    }
    let room = match state.generation {
        RetakeGeneration::V1 => body.get("userDbId"),
        RetakeGeneration::V2 => body.get("destination_user_id"),
    };
    let (Some(ROOM), Some(text)) = (room.and_then(Value::as_str), body.get("message").and_then(Value::as_str)) else {
        return refuse(400, None);
    };
    state.note_sent(text);
    let id = state.say(BOT_ID, BOT_NAME, text, true);
    if let SendAnswer::DoneBut(code) = answer {
        return refuse(code, None);
    }
    Json(json!({ "message_id": id, "sent_at": "2026-01-05T10:11:12.000Z" })).into_response()
}

pub(super) async fn history(
    Shared(state): Shared<Arc<State>>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    note(&state, uri.path(), query.clone(), &headers);
    let answer = state.settings().history_answer.clone();
    if let Some(response) = misbehave(&answer).await {
        return response;
    }
    let (room, before, name) = match state.generation {
        RetakeGeneration::V1 => (query.get("userDbId"), query.get("beforeId"), "comments"),
        RetakeGeneration::V2 => (query.get("streamer_id"), query.get("before_chat_event_id"), "chats"),
    };
    if state.generation == RetakeGeneration::V1 && !is_authorized(&headers) {
        return refuse(401, None);
    }
    if room.map(String::as_str) != Some(ROOM) {
        return refuse(404, None);
    }
    let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50).min(100);
    Json(json!({ name: state.history(before.map(String::as_str), limit) })).into_response()
}

/// `None` to go on properly.
async fn misbehave(answer: &SendAnswer) -> Option<Response> {
    match answer {
        SendAnswer::Properly | SendAnswer::DoneBut(_) => None,
        SendAnswer::Status { code, retry_after } => Some(refuse(*code, retry_after.as_deref())),
        SendAnswer::Redirect(location) => {
            Some((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location.clone())]).into_response())
        }
        SendAnswer::Html => Some(Html("<html><body>Welcome to this network</body></html>").into_response()),
        SendAnswer::Large(bytes) => Some(Json(json!({ "nothing": "x".repeat(*bytes) })).into_response()),
        SendAnswer::Never => pending().await,
    }
}

fn is_authorized(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes() == format!("Bearer {TOKEN}").as_bytes())
}

fn refuse(code: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    let body = Json(json!({ "error": status.canonical_reason().unwrap_or("error") }));
    match retry_after {
        Some(wait) => (status, [(RETRY_AFTER, wait.to_owned())], body).into_response(),
        None => (status, body).into_response(),
    }
}

fn note(state: &State, path: &str, query: HashMap<String, String>, headers: &HeaderMap) {
    let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    state.note_asked(Asked { path: path.to_owned(), query, authorization });
}
