//! The id server: tokens for codes and for refresh tokens, what a token is worth, and its end.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::refusal::IdRefusal;
use super::state::State;
use super::tokens::{Rules, is_known_client, secret_of};
use super::{device, tokens};
use crate::service::pairs;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) type Form = HashMap<String, String>;

pub(super) fn form(body: &str) -> Form {
    pairs(body.as_bytes()).into_iter().collect()
}

pub(super) fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.get(name).map(String::as_str).unwrap_or_default()
}

impl State {
    pub(super) fn rules(&self) -> Rules {
        let behaviour = self.behaviour();
        Rules {
            lifetime: behaviour.access_lifetime,
            does_rotate: behaviour.does_rotate,
            does_revoke_family: behaviour.does_revoke_family,
        }
    }
}

pub(super) async fn token(Shared(state): Shared<Arc<State>>, body: String) -> Result<Response, IdRefusal> {
    let form = form(&body);
    let client_id = field(&form, "client_id");
    if !is_known_client(client_id) {
        return Err(IdRefusal(400, "invalid client"));
    }
    let kind = field(&form, "grant_type");
    // Who signs in with a code needs no secret; a public client has none.
    let has_secret = secret_of(client_id).is_none_or(|secret| field(&form, "client_secret") == secret);
    if !has_secret && kind != DEVICE_CODE {
        return Err(match form.get("client_secret") {
            Some(_) => IdRefusal(403, "invalid client secret"),
            None => IdRefusal(400, "missing client secret"),
        });
    }
    let tokens = match kind {
        "authorization_code" => exchange(&state, client_id, &form)?,
        "refresh_token" => {
            let rules = state.rules();
            let tokens = state.tokens().refresh(client_id, field(&form, "refresh_token"), rules);
            state.requests.note_activity();
            tokens.ok_or(IdRefusal(400, "Invalid refresh token"))?
        }
        "client_credentials" if secret_of(client_id).is_some() => {
            let lifetime = state.rules().lifetime;
            let tokens = state.tokens().grant(client_id, None, &[], lifetime);
            let body =
                json!({ "access_token": tokens.access, "expires_in": lifetime.as_secs(), "token_type": "bearer" });
            return Ok(Json(body).into_response());
        }
        DEVICE_CODE => device::exchange(&state, client_id, &form)?,
        "" => return Err(IdRefusal(400, "missing grant type")),
        _ => return Err(IdRefusal(400, "invalid grant type")),
    };
    Ok(Json(tokens.to_json()).into_response())
}

fn exchange(state: &State, client_id: &str, form: &Form) -> Result<tokens::Tokens, IdRefusal> {
    if secret_of(client_id).is_none() {
        return Err(IdRefusal(400, "missing client secret"));
    }
    let lifetime = state.rules().lifetime;
    let mut store = state.tokens();
    // It serves once, whatever comes of it.
    let code = store.codes.remove(field(form, "code")).ok_or(IdRefusal(400, "Invalid authorization code"))?;
    if code.client_id != client_id {
        return Err(IdRefusal(400, "Invalid authorization code"));
    }
    if code.redirect != field(form, "redirect_uri") {
        return Err(IdRefusal(400, "Parameter redirect_uri does not match registered URI"));
    }
    Ok(store.grant(client_id, Some(code.user), &code.scopes, lifetime))
}

pub(super) async fn validate(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Result<Response, IdRefusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = value.strip_prefix("OAuth ").or_else(|| value.strip_prefix("Bearer "));
    let caller = token.and_then(|token| state.tokens().caller(token)).ok_or(IdRefusal(401, "invalid access token"))?;
    let mut body = json!({
        "client_id": caller.client_id, "scopes": caller.scopes, "expires_in": caller.expires_in.as_secs(),
    });
    if let Some(user) = caller.user {
        body["login"] = user.login.into();
        body["user_id"] = user.id.into();
    }
    Ok(Json(body).into_response())
}

pub(super) async fn revoke(Shared(state): Shared<Arc<State>>, body: String) -> Result<StatusCode, IdRefusal> {
    let form = form(&body);
    let client_id = field(&form, "client_id");
    if !is_known_client(client_id) {
        return Err(IdRefusal(404, "client does not exist"));
    }
    if !state.tokens().revoke(client_id, field(&form, "token")) {
        return Err(IdRefusal(400, "Invalid token"));
    }
    Ok(StatusCode::OK)
}
