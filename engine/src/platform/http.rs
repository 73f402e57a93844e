//! What the answers of all platforms' web services have in common: bounded bodies, errors that show no address and no
//! token, and waits that are believed only up to a point.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// A platform that asks for a longer wait than this is not believed.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// An explanation longer than this explains nothing more.
const LONGEST_PROBLEM: usize = 200;

/// Why no answer came, or none that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    /// It never left.
    #[error("{0}")]
    Unreachable(String),
    /// It left, and no answer came that says what became of it.
    #[error("{0}")]
    Lost(String),
    #[error("it is too long")]
    TooLong,
}

/// The error without its address, and with what is behind it.
pub(super) fn transport_error(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    match () {
        () if error.is_connect() => HttpError::Unreachable(text),
        () if error.is_timeout() => HttpError::Lost("no answer in time".to_owned()),
        () => HttpError::Lost(text),
    }
}

pub(super) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a service says is wrong, without the token that some tell back.
pub(super) fn tellable(problem: &str, token: &str) -> String {
    let line: String = problem.chars().filter(|character| !character.is_control()).collect();
    let line = if token.is_empty() { line } else { line.replace(token, "…") };
    line.chars().take(LONGEST_PROBLEM).collect()
}

/// Seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now_ms: u64) -> Option<Duration> {
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

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

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
