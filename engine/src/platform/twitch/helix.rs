//! Twitch's web service, as one grant uses it.
//!
//! Owns the headers, the one refresh after a token was refused (and none when that one is refused at once, too), the
//! bucket of calls, and what an error says. It knows no call by name: the sink, the subscriptions and the look-ups each
//! make their own [`Request`]s. Tokens go to the configured host only, and neither they nor addresses ever reach an
//! error.

mod bucket;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use self::bucket::{Bucket, Limits};
use crate::auth::{Access, TokenError, Tokens};
use crate::event::now_ms;
use crate::platform::http::{self, HttpError, transport_error};

/// A page of a hundred followers has some thirty kilobytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// A token that is refused so soon after it was given is refused for another reason than its age.
const FRESH: Duration = Duration::from_secs(60);

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HelixError {
    /// It never left.
    #[error("{0}")]
    Unreachable(String),
    /// It left, and no answer came that says what became of it.
    #[error("{0}")]
    Lost(String),
    #[error("HTTP {}{}", status.as_u16(), message.as_ref().map_or_else(String::new, |message| format!(", \"{message}\"")))]
    Status {
        status: StatusCode,
        /// In Twitch's words.
        message: Option<String>,
        /// How long Twitch wants to be left alone, where it says so.
        wait: Option<Duration>,
    },
    /// It was not sent, as Twitch would have refused it. How long that lasts is not in the words, which are to be the
    /// same for all that wait.
    #[error("Twitch takes no more calls for now")]
    Exhausted(Duration),
    /// Only a person can help.
    #[error("{why}; {what_to_do}")]
    SignIn { why: String, what_to_do: String },
    /// There is no token at the moment.
    #[error("{0}")]
    NoToken(String),
    #[error("an answer that is not understood: {0}")]
    Answer(&'static str),
}

impl HelixError {
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What Twitch said, in small letters, to look for words in.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Status { message: Some(message), .. } => message.to_lowercase(),
            _ => String::new(),
        }
    }

    /// Whether asking again later may bring more.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) | Self::Exhausted(_) | Self::NoToken(_) => true,
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::SignIn { .. } | Self::Answer(_) => false,
        }
    }

    /// A token that lacks a scope is answered in the same way, and another one would lack it too.
    fn is_stale_token(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED) && !self.words().contains("missing scope")
    }
}

impl From<HttpError> for HelixError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(why) => Self::Unreachable(why),
            HttpError::Lost(why) => Self::Lost(why),
            HttpError::Status { status, problem, retry_after } => {
                Self::Status { status, message: problem, wait: retry_after }
            }
            HttpError::Answer(why) => Self::Answer(why),
        }
    }
}

impl From<TokenError> for HelixError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::SignIn { why, what_to_do } => Self::SignIn { why, what_to_do },
            TokenError::Later(why) => Self::NoToken(why),
        }
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Request {
    pub(super) fn new(method: Method, path: &'static str) -> Self {
        Self { method, path, query: Vec::new(), body: None }
    }

    pub(super) fn get(path: &'static str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn post(path: &'static str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// No Debug: what it holds gives tokens.
pub(super) struct Helix {
    http: Client,
    base: Url,
    client_id: HeaderValue,
    tokens: Arc<dyn Tokens>,
    bucket: Bucket,
    /// The last one that a refusal led to.
    refreshed: Mutex<Option<(SecretString, Instant)>>,
}

impl Helix {
    pub(super) fn new(http: Client, base: Url, client_id: &str, tokens: Arc<dyn Tokens>) -> Self {
        // What no header can hold is no client id; Twitch then says so.
        let client_id = HeaderValue::from_str(client_id).unwrap_or_else(|_| HeaderValue::from_static("unusable"));
        Self { http, base, client_id, tokens, bucket: Bucket::default(), refreshed: Mutex::default() }
    }

    /// The grant as it stands now.
    pub(super) async fn access(&self) -> Result<Access, HelixError> {
        Ok(self.tokens.read().await?)
    }

    /// The answer's JSON; null when it has none.
    pub(super) async fn ask(&self, access: &Access, request: &Request) -> Result<Value, HelixError> {
        self.bucket.check().map_err(HelixError::Exhausted)?;
        match self.ask_once(access, request).await {
            Err(error) if error.is_stale_token() && !self.is_fresh(access) => {
                let fresh = self.tokens.refresh(access).await?;
                *self.refreshed.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((fresh.token.clone(), Instant::now()));
                self.ask_once(&fresh, request).await
            }
            outcome => outcome,
        }
    }

    fn is_fresh(&self, access: &Access) -> bool {
        let refreshed = self.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        refreshed
            .as_ref()
            .is_some_and(|(token, at)| token.expose_secret() == access.token.expose_secret() && at.elapsed() < FRESH)
    }

    async fn ask_once(&self, access: &Access, request: &Request) -> Result<Value, HelixError> {
        let token = access.token.expose_secret();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| HelixError::NoToken("the stored token can't be sent".to_owned()))?;
        authorization.set_sensitive(true);
        let mut call = self
            .http
            .request(request.method.clone(), address(&self.base, request))
            .header(AUTHORIZATION, authorization)
            .header("Client-Id", self.client_id.clone());
        if let Some(body) = &request.body {
            call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_string());
        }
        let response = call.send().await.map_err(transport_error)?;
        let limits = Limits::read(response.headers(), now_ms());
        self.bucket.note(limits);
        answer(response, limits, token).await
    }
}

fn address(base: &Url, request: &Request) -> Url {
    let segments: Vec<&str> = request.path.split('/').collect();
    let mut address = http::below(base, &segments);
    if !request.query.is_empty() {
        address.query_pairs_mut().extend_pairs(&request.query);
    }
    address
}

async fn answer(response: Response, limits: Limits, token: &str) -> Result<Value, HelixError> {
    match http::answer(Ok(response), MAX_ANSWER_BYTES, token).await {
        Ok(body) if body.iter().all(u8::is_ascii_whitespace) => Ok(Value::Null),
        Ok(body) => serde_json::from_slice(&body).map_err(|_| HelixError::Answer("it is no JSON")),
        Err(HttpError::Status { status, problem, retry_after }) => {
            // Without it, it is a limit of the call alone: the bucket has nothing to do with it.
            let exhausted = limits.exhausted_for().filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
            Err(HelixError::Status { status, message: problem, wait: exhausted.or(retry_after) })
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
