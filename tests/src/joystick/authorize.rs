//! The consent page: whoever shall sign in agrees, or does not, at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::PUBLIC_CLIENT_ID;
use super::oauth::Refusal;
use super::state::{State, new_id};
use super::tokens::{Code, is_known_client};

pub(super) async fn authorize(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let text = |name: &str| query.get(name).map(String::as_str);
    let client_id = text("client_id").unwrap_or_default();
    if !is_known_client(client_id) {
        return Err(Refusal(401, "invalid_client"));
    }
    if text("response_type") != Some("code") {
        return Err(Refusal(400, "unsupported_response_type"));
    }
    let challenge = text("code_challenge").filter(|challenge| !challenge.is_empty());
    let is_public = client_id == PUBLIC_CLIENT_ID;
    if is_public && (challenge.is_none() || text("redirect_uri").is_none()) {
        return Err(Refusal(400, "invalid_request"));
    }
    if challenge.is_some() && text("code_challenge_method") != Some("S256") {
        return Err(Refusal(400, "invalid_request"));
    }
    let (login, denies, granted, redirects) = {
        let behaviour = state.behaviour();
        (behaviour.signs_in.clone(), behaviour.denies, behaviour.granted.clone(), behaviour.redirects.clone())
    };
    let wanted = text("scope").unwrap_or("bot");
    let scopes: Vec<String> = match wanted {
        "bot" => granted.clone(),
        wanted => wanted.split_whitespace().map(str::to_owned).collect(),
    };
    if !scopes.iter().all(|scope| granted.contains(scope)) {
        return Err(Refusal(400, "invalid_scope"));
    }
    let redirect = text("redirect_uri").unwrap_or("http://localhost:3000/oauth");
    let target = Url::parse(redirect).ok().filter(|url| is_allowed(url, is_public, redirect, &redirects));
    let mut target = target.ok_or(Refusal(400, "invalid_redirect_uri"))?;
    if denies {
        target.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        let code = new_id();
        target.query_pairs_mut().append_pair("code", &code);
        let made = Code {
            client_id: client_id.to_owned(),
            channel: state.channel(&login),
            scopes,
            redirect: text("redirect_uri").map(str::to_owned),
            challenge: challenge.map(str::to_owned),
            made: Instant::now(),
        };
        state.tokens().codes.insert(code, made);
    }
    if let Some(echoed) = text("state") {
        target.query_pairs_mut().append_pair("state", echoed);
    }
    Ok((StatusCode::FOUND, [(LOCATION, String::from(target))]).into_response())
}

/// Clients without a secret may name any port of this machine.
fn is_allowed(url: &Url, is_public: bool, text: &str, redirects: &[String]) -> bool {
    let is_here = url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    is_here && (is_public || redirects.is_empty()) || redirects.iter().any(|redirect| redirect == text)
}
