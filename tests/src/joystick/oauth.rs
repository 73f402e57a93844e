//! Tokens for codes and for refresh tokens, what a token is worth, and its end.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::state::State;
use super::tokens::{Tokens, has_basic_header};
use super::{BOT, CLIENT_ID, PUBLIC_CLIENT_ID};
use crate::service::pairs;

/// As OAuth words it; what Joystick writes is not known.
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::from_u16(self.0).unwrap(), Json(json!({ "error": self.1 }))).into_response()
    }
}

/// Bots of before 2026 put the form into the query.
fn fields(query: Option<String>, body: &str) -> HashMap<String, String> {
    let query = query.unwrap_or_default();
    pairs(query.as_bytes()).into_iter().chain(pairs(body.as_bytes())).collect()
}

/// With a secret in the header, or without one.
fn client(headers: &HeaderMap, fields: &HashMap<String, String>) -> Result<&'static str, Refusal> {
    if has_basic_header(headers) {
        return Ok(CLIENT_ID);
    }
    if !headers.contains_key("authorization") && fields.get("client_id").is_some_and(|id| id == PUBLIC_CLIENT_ID) {
        return Ok(PUBLIC_CLIENT_ID);
    }
    Err(Refusal(401, "invalid_client"))
}

pub(super) async fn token(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refusal> {
    let fields = fields(query, &body);
    let client_id = client(&headers, &fields)?;
    let text = |name: &str| fields.get(name).map(String::as_str);
    let (expires_in, is_absolute) = {
        let behaviour = state.behaviour();
        (behaviour.access_lifetime, behaviour.expiry_is_absolute)
    };
    let tokens = match text("grant_type") {
        Some("authorization_code") => {
            let mut store = state.tokens();
            let code = store.codes.remove(text("code").unwrap_or_default()).ok_or(Refusal(400, "invalid_grant"))?;
            let is_same_place = code.redirect.as_deref() == text("redirect_uri");
            let is_right = code.client_id == client_id && code.is_fresh() && is_same_place;
            if !is_right || !code.is_met_by(text("code_verifier")) {
                return Err(Refusal(400, "invalid_grant"));
            }
            store.install(client_id, &code.channel, &code.scopes, expires_in)
        }
        Some("refresh_token") => {
            let refresh = text("refresh_token").unwrap_or_default();
            let tokens = state.tokens().refresh(client_id, refresh, expires_in);
            state.requests.note_activity();
            tokens.ok_or(Refusal(400, "invalid_grant"))?
        }
        _ => return Err(Refusal(400, "unsupported_grant_type")),
    };
    let mut response = Json(written(&tokens, is_absolute)).into_response();
    if let Some(echoed) = headers.get("x-joystick-state") {
        response.headers_mut().insert(HeaderName::from_static("x-joystick-state"), echoed.clone());
    }
    Ok(response)
}

fn written(tokens: &Tokens, is_absolute: bool) -> Value {
    let seconds = i64::try_from(tokens.expires_in.as_secs()).unwrap();
    let expires = if is_absolute { Timestamp::now().as_second() + seconds } else { seconds };
    json!({
        "access_token": tokens.access, "token_type": "Bearer", "expires_in": expires, "refresh_token": tokens.refresh,
    })
}

pub(super) async fn introspect(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let fields = fields(None, &body);
    client(&headers, &fields)?;
    let token = fields.get("token").map(String::as_str).unwrap_or_default();
    let holder = state.tokens().holder(token);
    let Some((installation, left)) = holder else { return Ok(Json(json!({ "active": false }))) };
    let now = Timestamp::now().as_second();
    Ok(Json(json!({
        "active": true, "client_id": installation.client_id, "username": BOT, "iat": now - 1,
        "exp": now + i64::try_from(left.as_secs()).unwrap(), "sub": installation.channel.id, "token_type": "Bearer",
    })))
}

/// Always 200, whatever there was to revoke.
pub(super) async fn revoke(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, Refusal> {
    let fields = fields(None, &body);
    client(&headers, &fields)?;
    state.tokens().revoke(fields.get("token").map(String::as_str).unwrap_or_default());
    Ok(Json(json!({})))
}
