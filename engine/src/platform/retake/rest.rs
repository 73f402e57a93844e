//! The REST half of both generations: sending a line, reading the history.
//!
//! The token goes to the configured host only: every address is made from `rest_base`, and a redirect is never
//! followed. Addresses, tokens and bodies never reach an error.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::wire::{Parsed, read_history, read_problem, read_sent_id};
use crate::config::settings::{RetakeGeneration, RetakeSettings};
use crate::event::now_ms;
use crate::platform::http::{HttpError, read_body, retry_after, tellable, transport_error};

/// What the service gives at most at once.
const PAGE: &str = "100";
/// A hundred messages of some kilobytes each.
const MAX_HISTORY_BYTES: usize = 4 << 20;
/// An answer to one line, or an error.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// No limit is documented. This one keeps a plugin gone wild from posting books.
pub(super) const MAX_TEXT_BYTES: usize = 8 << 10;
/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RestError {
    /// It never left.
    #[error("{0}")]
    Unreachable(String),
    /// It left, and no answer came that says what became of it.
    #[error("{0}")]
    Lost(String),
    #[error("HTTP {}{}", status.as_u16(), problem.as_ref().map_or_else(String::new, |problem| format!(", \"{problem}\"")))]
    Status { status: StatusCode, problem: Option<String>, retry_after: Option<Duration> },
    #[error("an answer that is not understood: {0}")]
    Answer(&'static str),
}

impl From<HttpError> for RestError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(why) => Self::Unreachable(why),
            HttpError::Lost(why) => Self::Lost(why),
            HttpError::TooLong => Self::Answer("it is too long"),
        }
    }
}

impl RestError {
    /// Whether asking again later may bring more.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) => true,
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Answer(_) => false,
        }
    }

    /// How long the service wants to be left alone.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// No Debug: it holds the token.
pub(super) struct Rest {
    http: Client,
    generation: RetakeGeneration,
    room: String,
    authorization: HeaderValue,
    /// The same, to be taken out of what the service says.
    token: SecretString,
    send: Url,
    history: Url,
}

impl Rest {
    pub(super) fn new(settings: &RetakeSettings, http: Client) -> Self {
        let bearer = format!("Bearer {}", settings.token.expose_secret().trim());
        // What no header can hold is no token; the service then says so.
        let mut authorization =
            HeaderValue::from_str(&bearer).unwrap_or_else(|_| HeaderValue::from_static("Bearer unusable"));
        authorization.set_sensitive(true);
        let base = &settings.rest_base;
        let (send, history, room_key) = match settings.generation {
            RetakeGeneration::V1 => (
                below(base, &["api", "agent", "chat", "send"]),
                below(base, &["api", "agent", "stream", "comments"]),
                "userDbId",
            ),
            RetakeGeneration::V2 => (
                below(base, &["agent", "stream", "chat", "send"]),
                // With the slash that its documentation has.
                below(base, &["chat", ""]),
                "streamer_id",
            ),
        };
        let mut history = history;
        history.query_pairs_mut().append_pair(room_key, &settings.room).append_pair("limit", PAGE);
        let (generation, room, token) = (settings.generation, settings.room.clone(), settings.token.clone());
        Self { http, generation, room, authorization, token, send, history }
    }

    /// Sends a line and returns the id that the platform gave it.
    pub(super) async fn send(&self, text: &str) -> Result<Option<String>, RestError> {
        let body = match self.generation {
            RetakeGeneration::V1 => json!({ "userDbId": self.room, "message": text }),
            RetakeGeneration::V2 => json!({ "message": text, "destination_user_id": self.room }),
        };
        let request = self
            .http
            .request(Method::POST, self.send.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string());
        let body = answer(request.send().await, MAX_ANSWER_BYTES, self.token()).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let answer: Value = serde_json::from_slice(&body)
            .map_err(|_| RestError::Lost("the answer is no JSON, so it may not be the service's".to_owned()))?;
        Ok(read_sent_id(&answer))
    }

    /// A page of the history: the newest, or the one before a message.
    pub(super) async fn history(&self, before: Option<&str>) -> Result<Vec<Parsed>, RestError> {
        let mut address = self.history.clone();
        let mut request_headers = HeaderMap::new();
        let before_key = match self.generation {
            RetakeGeneration::V1 => {
                request_headers.insert(AUTHORIZATION, self.authorization.clone());
                "beforeId"
            }
            // This one is public, and what needs no token gets none.
            RetakeGeneration::V2 => "before_chat_event_id",
        };
        if let Some(before) = before {
            address.query_pairs_mut().append_pair(before_key, before);
        }
        let request = self.http.request(Method::GET, address).headers(request_headers);
        let body = answer(request.send().await, MAX_HISTORY_BYTES, self.token()).await?;
        let answer: Value = serde_json::from_slice(&body).map_err(|_| RestError::Answer("it is no JSON"))?;
        read_history(&answer, &self.room).ok_or(RestError::Answer("it holds no list of messages"))
    }
}

impl Rest {
    fn token(&self) -> &str {
        self.token.expose_secret().trim()
    }

    /// Whether the history was refused for the token that was sent along.
    pub(super) fn refuses_token(&self, error: &RestError) -> bool {
        self.generation == RetakeGeneration::V1
            && matches!(error, RestError::Status { status: StatusCode::UNAUTHORIZED, .. })
    }

    /// What an error of the history means to a person.
    pub(super) fn explain(&self, error: &RestError) -> String {
        let advice = match error {
            _ if self.refuses_token(error) => "the token is not accepted",
            RestError::Status { status: StatusCode::NOT_FOUND, .. } => {
                "there is no such address or streamer; check `rest_base`, `generation` and `room`"
            }
            RestError::Status { status, .. } if status.is_redirection() => {
                "it redirects elsewhere, which is never followed; check `rest_base`"
            }
            _ => return error.to_string(),
        };
        format!("{advice} ({error})")
    }
}

/// The address with `segments` below its path. Only an address without a host can't have any, and the config
/// refuses those.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut address = base.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    address.set_query(None);
    address.set_fragment(None);
    address
}

/// The body of a good answer, or what is wrong with it, without the token that some services tell back.
async fn answer(outcome: reqwest::Result<Response>, limit: usize, token: &str) -> Result<Vec<u8>, RestError> {
    let response = outcome.map_err(transport_error)?;
    let status = response.status();
    if status.is_success() {
        return Ok(read_body(response, limit).await?);
    }
    let retry_after = retry_after(response.headers(), now_ms());
    // An error without a readable body is still that error.
    let body = read_body(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
    let problem = serde_json::from_slice::<Value>(&body).ok();
    let problem = problem.as_ref().and_then(read_problem).map(|problem| tellable(problem, token));
    Err(RestError::Status { status, problem, retry_after })
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_below_the_base() {
        for (base, made) in [
            ("https://x", "https://x/agent/stream/chat/send"),
            ("https://x/api/v1", "https://x/api/v1/agent/stream/chat/send"),
            ("https://x/api/v1/?a=b#c", "https://x/api/v1/agent/stream/chat/send"),
        ] {
            let base = Url::parse(base).unwrap();
            assert_eq!(below(&base, &["agent", "stream", "chat", "send"]).as_str(), made);
            assert!(below(&base, &["chat", ""]).path().ends_with("/chat/"));
        }
    }
}
