//! Requests to the addresses that the operator granted (`http = ["https://api.example.com/v1/"]`).
//!
//! Only this plugin waits for the answer. Limits: 10 seconds, 1 MiB of body, 60 requests a minute. Redirects
//! are not followed. `{secret:name}` in a header's value is filled in by the host.

pub use crate::bindings::showrunner::plugin::http::{Failure, Header, Request, Response};

use serde::de::DeserializeOwned;

use crate::host;

/// Sends a request and waits for the answer, whatever its status.
///
/// # Errors
/// `kind` is "denied", "timeout", "network", "too-large", "rate-limited" or "bad-request".
pub fn send(request: &Request) -> Result<Response, Failure> {
    host::http::send(request)
}

/// A plain GET.
///
/// # Errors
/// As [`send`].
pub fn get(url: &str) -> Result<Response, Failure> {
    send(&Request { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None, timeout_ms: None })
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
