//! Requests to the addresses that the operator granted (`http = ["https://api.example.com/v1/"]`).
//!
//! ```
//! use showrunner_sdk::http::{self, Request};
//! # #[derive(serde::Deserialize)] struct Weather { words: String }
//!
//! fn weather(city: &str) -> Result<String, String> {
//!     let request = Request::post("https://api.example.com/v1/weather")
//!         .header("authorization", "Bearer {secret:weather}")
//!         .json(&serde_json::json!({ "city": city }))?;
//!     let weather: Weather = http::send(&request)?.json()?;
//!     Ok(weather.words)
//! }
//! # let _ = weather;
//! ```
//!
//! Only this plugin waits for the answer, and what it waits does not count as its own time. Limits: 10 seconds, 1 MiB
//! of body in either direction, 60 requests a minute. Redirects are not followed: a status of 3xx is an answer like any
//! other. A request is made at once, also when the handler returns an error afterwards.

pub use crate::bindings::showrunner::plugin::http::{Failure, Header, Request, Response};

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host;

/// Sends a request and waits for the answer, whatever its status.
///
/// # Errors
/// A [`Failure`], which `?` makes the handler's error. Its `message` is for people, its `kind` is one of these, or one
/// that is newer than this SDK:
///
/// | kind | |
/// |---|---|
/// | "denied" | the address or a secret is not granted, or it leads into the operator's own network |
/// | "timeout" | no answer in time |
/// | "network" | no connection, or one that broke |
/// | "too-large" | a body of more than 1 MiB, of the request or of the answer |
/// | "rate-limited" | more than 60 requests in this minute |
/// | "bad-request" | no address, no method, a header that can't be sent or that is the host's own |
/// | "unavailable" | this engine can't do it now, as in a replay that has no answer to it |
pub fn send(request: &Request) -> Result<Response, Failure> {
    host::http::send(request)
}

/// A plain GET.
///
/// # Errors
/// As [`send`].
pub fn get(url: impl Into<String>) -> Result<Response, Failure> {
    send(&Request::get(url))
}

impl Request {
    /// A request with any method, such as "PUT"; without headers and without a body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: None, timeout_ms: None }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST, without a body so far.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// With one more header. `{secret:name}` in its value is filled in by the host, with a secret that the operator
    /// gave and granted (`secrets = ["name"]`); the plugin never sees it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header { name: name.into(), value: value.into() });
        self
    }

    /// With this body, as it is.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With this value as JSON, and the header that says so.
    ///
    /// # Errors
    /// When the value is not representable as JSON.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Result<Self, String> {
        let json = serde_json::to_vec(body)
            .map_err(|error| format!("the body for {} can't be written as JSON: {error}", self.url))?;
        Ok(self.header("content-type", "application/json").body(json))
    }

    /// With less patience than the 10 seconds that there are; with more it is as good as that.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout_ms = Some(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
        self
    }
}

impl Response {
    /// The body as JSON.
    ///
    /// # Errors
    /// When the status is not 2xx, or the body is no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        if !(200..300).contains(&self.status) {
            return Err(format!("the server answered with status {}", self.status));
        }
        serde_json::from_slice(&self.body).map_err(|error| format!("the server's answer: {error}"))
    }
}

/// `"<kind>: <message>"`, so that a request can be given up with `?`.
impl From<Failure> for String {
    fn from(Failure { kind, message }: Failure) -> Self {
        // Where the host refuses in the words of an effect's refusal, the kind stands there already.
        match message.strip_prefix(&kind) {
            Some(rest) if rest.starts_with(':') => message,
            _ => format!("{kind}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_failure_names_its_kind_once() {
        for (kind, message, words) in [
            ("timeout", "no answer within 10s", "timeout: no answer within 10s"),
            ("denied", "denied: http was not granted", "denied: http was not granted"),
            ("network", "networks are down", "network: networks are down"),
        ] {
            let failure = Failure { kind: kind.to_owned(), message: message.to_owned() };
            assert_eq!(String::from(failure), words);
        }
    }
}
