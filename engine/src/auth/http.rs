//! Asking an id server: one form at a time, bounded in time and size, never by a redirect.
//!
//! What is sent and what is answered are secrets; no error holds any of it but the service's own explanation, with
//! every secret taken out that was sent along.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::web::{BodyError, in_words, one_line_without, read_body};

/// To be connected; a service that is up takes far less.
const CONNECT: Duration = Duration::from_secs(5);
/// For the whole answer.
const ANSWER: Duration = Duration::from_secs(15);
/// Tokens are some kilobytes at most.
const MAX_BYTES: usize = 64 << 10;
/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    /// It never reached the service, or the service says that it did nothing.
    #[error("{0}")]
    Undone(String),
    /// It left, and no answer came that says what became of it.
    #[error("{0}")]
    Lost(String),
    /// The service knows what it was given no more.
    #[error("{0}")]
    Refused(String),
    /// The service does not know this application.
    #[error("{0}")]
    Application(String),
}

/// One for all services. Connections are not kept: a request on one that has just been closed would be lost.
pub(super) fn client() -> reqwest::Result<Client> {
    // An error says that it was installed before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("showrunner/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// An address below a base that ends with a slash.
pub(super) fn below(base: &Url, path: &str) -> Url {
    // Only an address without a host can't have any path, and the config refuses those.
    base.join(path).unwrap_or_else(|_| base.clone())
}

/// A form for the token endpoint and its like.
pub(super) fn form(http: &Client, address: Url, fields: &[(&str, &str)]) -> RequestBuilder {
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    http.post(address)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .body(body)
}

/// With a header that holds a secret, as in "Bearer …".
pub(super) fn authorized(request: RequestBuilder, scheme: &str, credentials: &str) -> RequestBuilder {
    // What no header can hold is no token; the service then says so.
    let mut value = HeaderValue::from_str(&format!("{scheme} {credentials}"))
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer unusable"));
    value.set_sensitive(true);
    request.header(AUTHORIZATION, value)
}

/// The answer as JSON; an empty one is null. `secrets` are taken out of what the service says.
pub(super) async fn ask(request: RequestBuilder, secrets: &[&str]) -> Result<Value, RequestError> {
    answer(request, secrets).await?.map_err(Failure::judge)
}

/// The same; `None` where the service itself says that it has no such thing, or not for whoever asks.
pub(super) async fn ask_if_there(request: RequestBuilder, secrets: &[&str]) -> Result<Option<Value>, RequestError> {
    match answer(request, secrets).await? {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if failure.is_not_for_us() => Ok(None),
        Err(failure) => Err(failure.judge()),
    }
}

/// An answer that is no success.
struct Failure {
    status: StatusCode,
    /// In the service's own words.
    problem: Option<String>,
    /// For a browser, in HTML.
    is_page: bool,
}

async fn answer(request: RequestBuilder, secrets: &[&str]) -> Result<Result<Value, Failure>, RequestError> {
    let response = request.send().await.map_err(transport_error)?;
    let status = response.status();
    if status.is_success() {
        let body = body_of(response).await?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Ok(Value::Null));
        }
        let answer = serde_json::from_slice(&body);
        return answer
            .map(Ok)
            .map_err(|_| RequestError::Lost("the answer is no JSON, so it may not be the service's".to_owned()));
    }
    // An error without a readable body is still that error.
    let body = body_of(response).await.unwrap_or_default();
    let problem =
        serde_json::from_slice(&body).ok().as_ref().and_then(problem).map(|text| one_line_without(&text, secrets));
    let is_page = body.trim_ascii_start().starts_with(b"<");
    Ok(Err(Failure { status, problem, is_page }))
}

impl Failure {
    /// Services have pages of their own for what is not there.
    fn is_not_for_us(&self) -> bool {
        match self.status.as_u16() {
            404 => true,
            401 | 403 => !self.is_page,
            _ => false,
        }
    }

    fn judge(self) -> RequestError {
        let Self { status, problem, is_page } = self;
        let text = match &problem {
            Some(problem) => format!("HTTP {}, \"{problem}\"", status.as_u16()),
            None => format!("HTTP {}", status.as_u16()),
        };
        let names_client = problem.is_some_and(|problem| {
            let problem = problem.to_ascii_lowercase();
            ["invalid_client", "unauthorized_client", "invalid client", "missing client", "client id", "client secret"]
                .iter()
                .any(|words| problem.contains(words))
        });
        match status.as_u16() {
            // A network's own page: the service was never asked.
            400 | 401 | 403 if is_page => RequestError::Undone(format!("a page turns this machine away ({text})")),
            400 | 401 | 403 if names_client => RequestError::Application(text),
            400 | 401 => RequestError::Refused(text),
            429 => RequestError::Undone(format!("it asks to wait ({text})")),
            // What answers there is not what gives tokens.
            300..400 => RequestError::Undone(format!("it redirects elsewhere, which is never followed ({text})")),
            404 | 405 | 410 => RequestError::Undone(format!("there is no such address ({text})")),
            _ => RequestError::Lost(text),
        }
    }
}

/// The words of Twitch, and those of the standard.
fn problem(answer: &Value) -> Option<String> {
    let word = |key| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (word("error"), word("error_description").or_else(|| word("message"))) {
        (Some(error), Some(description)) => Some(format!("{error}: {description}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

async fn body_of(response: Response) -> Result<Vec<u8>, RequestError> {
    read_body(response, MAX_BYTES).await.map_err(|error| match error {
        BodyError::Broken(error) => transport_error(error),
        BodyError::TooLong => RequestError::Lost("the answer is too long".to_owned()),
    })
}

fn transport_error(error: reqwest::Error) -> RequestError {
    match () {
        () if error.is_connect() || error.is_builder() => RequestError::Undone(in_words(error)),
        () if error.is_timeout() => RequestError::Lost("no answer in time".to_owned()),
        () => RequestError::Lost(in_words(error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_says_whether_the_token_the_application_or_nothing_was_touched() {
        let judged = |status: u16, problem: Option<&str>| {
            let (status, problem) = (StatusCode::from_u16(status).unwrap(), problem.map(str::to_owned));
            Failure { status, problem, is_page: false }.judge()
        };
        assert!(matches!(judged(400, Some("Invalid refresh token")), RequestError::Refused(_)));
        assert!(matches!(judged(401, None), RequestError::Refused(_)));
        assert!(matches!(judged(403, Some("invalid client secret")), RequestError::Application(_)));
        assert!(matches!(judged(401, Some("invalid_client: unknown")), RequestError::Application(_)));
        for undone in [429, 404, 302] {
            assert!(matches!(judged(undone, None), RequestError::Undone(_)), "{undone}");
        }
        for lost in [403, 408, 409, 500, 502, 503, 504] {
            assert!(matches!(judged(lost, None), RequestError::Lost(_)), "{lost}");
        }
    }

    #[test]
    fn an_explanation_is_one_short_line_without_what_was_sent() {
        let said = json!({ "status": 400, "error": "bad", "error_description": "no\n token abc \u{1b}[2J" });
        assert_eq!(one_line_without(&problem(&said).unwrap(), &["abc", ""]), "bad: no token … [2J");
        assert_eq!(
            problem(&json!({ "status": 400, "message": "Invalid refresh token" })).unwrap(),
            "Invalid refresh token"
        );
        assert_eq!(problem(&json!("text")), None);
    }

    #[test]
    fn a_form_keeps_what_has_a_meaning_in_one() {
        let request = form(&Client::new(), Url::parse("http://127.0.0.1/token").unwrap(), &[("code", "a+b&c=d é")]);
        let request = request.build().unwrap();
        assert_eq!(request.body().unwrap().as_bytes().unwrap(), b"code=a%2Bb%26c%3Dd+%C3%A9");
    }
}
