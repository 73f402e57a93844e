//! The REST half of both generations: sending a line, reading the history.
//!
//! The token goes to the configured host only: every address is made from `rest_base`, and a redirect is never
//! followed. Addresses, tokens and bodies never reach an error.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::wire::{Parsed, read_history, read_sent_id};
use crate::config::Secret;
use crate::config::settings::{RetakeGeneration, RetakeSettings};
use crate::platform::http::{HttpError, MAX_ANSWER_BYTES, answer, below};

/// What the service gives at most at once.
const PAGE: &str = "100";
/// A hundred messages of some kilobytes each.
const MAX_HISTORY_BYTES: usize = 4 << 20;
/// No limit is documented. This one keeps a plugin gone wild from posting books.
pub(super) const MAX_TEXT_BYTES: usize = 8 << 10;

/// No Debug: it holds the token.
pub(super) struct Rest {
    http: Client,
    generation: RetakeGeneration,
    room: String,
    authorization: HeaderValue,
    /// The same, to be taken out of what the service says.
    token: Secret,
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
    pub(super) async fn send(&self, text: &str) -> Result<Option<String>, HttpError> {
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
            .map_err(|_| HttpError::Lost("the answer is no JSON, so it may not be the service's".to_owned()))?;
        Ok(read_sent_id(&answer))
    }

    /// A page of the history: the newest, or the one before a message.
    pub(super) async fn history(&self, before: Option<&str>) -> Result<Vec<Parsed>, HttpError> {
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
        let answer: Value = serde_json::from_slice(&body).map_err(|_| HttpError::Answer("it is no JSON"))?;
        read_history(&answer, &self.room).ok_or(HttpError::Answer("it holds no list of messages"))
    }
}

impl Rest {
    fn token(&self) -> &str {
        self.token.expose_secret().trim()
    }

    /// Whether the history was refused for the token that was sent along.
    pub(super) fn refuses_token(&self, error: &HttpError) -> bool {
        self.generation == RetakeGeneration::V1
            && matches!(error, HttpError::Status { status: StatusCode::UNAUTHORIZED, .. })
    }

    /// What an error of the history means to a person.
    pub(super) fn explain(&self, error: &HttpError) -> String {
        let advice = match error {
            _ if self.refuses_token(error) => "the token is not accepted",
            HttpError::Status { status: StatusCode::NOT_FOUND, .. } => {
                "there is no such address or streamer; check `rest_base`, `generation` and `room`"
            }
            HttpError::Status { status, .. } if status.is_redirection() => {
                "it redirects elsewhere, which is never followed; check `rest_base`"
            }
            _ => return error.to_string(),
        };
        format!("{advice} ({error})")
    }
}
