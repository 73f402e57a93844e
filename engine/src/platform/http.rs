//! Asking a service over HTTP: answers that are bounded, and errors that show no secret.
//!
//! Used by the platforms that act or look things up by REST. It retries nothing, and never shows an address: its query
//! may hold what nobody is to see.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::fields::{object, text_of};
use crate::event::now_ms;
use crate::web::{BodyError, in_words, one_line_without, read_body};

/// An answer to one line, or an error.
pub(super) const MAX_ANSWER_BYTES: usize = 64 << 10;
/// A platform that asks for a longer wait than this is not believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
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

impl HttpError {
    /// Whether asking again later may bring more.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) => true,
            Self::Status { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Answer(_) => false,
        }
    }

    /// How long the service wants to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The address with `segments` below its path. Only an address without a host can't have any, and the config
/// refuses those.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut address = base.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    address.set_query(None);
    address.set_fragment(None);
    address
}

/// The body of a good answer, or what is wrong with it, without the token that some services tell back.
pub(super) async fn answer(
    outcome: reqwest::Result<Response>,
    limit: usize,
    token: &str,
) -> Result<Vec<u8>, HttpError> {
    let response = outcome.map_err(transport_error)?;
    let status = response.status();
    if status.is_success() {
        return body_of(response, limit).await;
    }
    let retry_after = retry_after(response.headers(), now_ms());
    // An error without a readable body is still that error.
    let body = body_of(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
    let problem = serde_json::from_slice::<Value>(&body).ok();
    let problem = problem.as_ref().and_then(read_problem).map(|problem| one_line_without(problem, &[token]));
    Err(HttpError::Status { status, problem, retry_after })
}

async fn body_of(response: Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    read_body(response, limit).await.map_err(|error| match error {
        BodyError::Broken(error) => transport_error(error),
        BodyError::TooLong => HttpError::Answer("it is too long"),
    })
}

pub(super) fn transport_error(error: reqwest::Error) -> HttpError {
    match () {
        () if error.is_connect() => HttpError::Unreachable(in_words(error)),
        () if error.is_timeout() => HttpError::Lost("no answer in time".to_owned()),
        () => HttpError::Lost(in_words(error)),
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => {
            let until: Timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::from_millis(u64::try_from(until.as_millisecond()).ok()?.saturating_sub(now_ms))
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// What an error's body says of itself.
fn read_problem(answer: &Value) -> Option<&str> {
    let fields = answer.as_object()?;
    text_of(fields, &["message", "error", "detail", "reason"])
        .or_else(|| text_of(object(fields, &["error"])?, &["message"]))
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_looked_for_where_services_put_it() {
        assert_eq!(read_problem(&json!({"error": {"message": "no"}})), Some("no"));
        assert_eq!(read_problem(&json!({"error": "no"})), Some("no"));
        assert_eq!(read_problem(&json!([])), None);
    }

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

    #[test]
    fn a_wait_is_seconds_or_a_date_and_not_endless() {
        let now_ms = 1_767_607_872_000;
        for (text, seconds) in [
            ("7", Some(7.0)),
            ("0.5", Some(0.5)),
            ("Mon, 05 Jan 2026 10:11:22 GMT", Some(10.0)),
            ("Mon, 05 Jan 2026 09:00:00 GMT", Some(0.0)),
            ("999999999", Some(3600.0)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers, now_ms).map(|wait| wait.as_secs_f64()), seconds, "{text}");
        }
    }
}
