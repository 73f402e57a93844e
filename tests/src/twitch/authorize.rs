//! The consent page: whoever shall sign in agrees, or does not, at once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::identity::field;
use super::refusal::IdRefusal;
use super::state::{State, new_id};
use super::tokens::{Code, is_known_client};

pub(super) async fn authorize(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Response, IdRefusal> {
    let client_id = field(&query, "client_id");
    if !is_known_client(client_id) {
        return Err(IdRefusal(400, "invalid client"));
    }
    if field(&query, "response_type") != "code" {
        return Err(IdRefusal(400, "unknown response type"));
    }
    let redirect = field(&query, "redirect_uri");
    let scope = field(&query, "scope");
    let scopes: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
    let (login, denies, redirects) = {
        let behaviour = state.behaviour();
        (behaviour.who_signs_in(&scopes), behaviour.denies, behaviour.redirects.clone())
    };
    let Some(mut target) = Url::parse(redirect).ok().filter(|url| is_allowed(url, redirect, &redirects)) else {
        return Err(IdRefusal(400, "Parameter redirect_uri does not match registered URI"));
    };
    if denies {
        target
            .query_pairs_mut()
            .append_pair("error", "access_denied")
            .append_pair("error_description", "The user denied you access");
    } else {
        let code = new_id().replace('-', "");
        target.query_pairs_mut().append_pair("code", &code).append_pair("scope", scope);
        let user = state.user(&login);
        let code_of = Code { client_id: client_id.to_owned(), user, scopes, redirect: redirect.to_owned() };
        state.tokens().codes.insert(code, code_of);
    }
    if let Some(echoed) = query.get("state") {
        target.query_pairs_mut().append_pair("state", echoed);
    }
    Ok((StatusCode::FOUND, [(LOCATION, String::from(target))]).into_response())
}

fn is_allowed(url: &Url, text: &str, redirects: &[String]) -> bool {
    if redirects.is_empty() {
        return matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    }
    redirects.iter().any(|redirect| redirect == text)
}
