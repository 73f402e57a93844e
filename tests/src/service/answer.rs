//! How a request is answered otherwise than it should be.

use std::future::pending;
use std::panic::resume_unwind;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::time::sleep;

/// When something is said that comes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    AtOnce,
    After(Duration),
    Never,
}

/// Unless its name says otherwise, nothing is done of what was asked.
#[derive(Debug, Clone, Default)]
pub enum Answer {
    #[default]
    Properly,
    /// An error in the shape that the platform's HTTP errors have, with headers of its own.
    Status {
        code: u16,
        message: String,
        headers: Vec<(String, String)>,
    },
    /// What was asked is done, and an error is answered all the same.
    DoneBut(u16),
    /// This JSON, as it is.
    Json(u16, Value),
    /// A page, as networks put before everything.
    Html(u16),
    /// To another place: no token may follow.
    Redirect(String),
    /// Properly, and this much later.
    Slow(Duration),
    /// The connection ends without an answer.
    Cut,
    /// What was asked is done, and the connection ends without an answer.
    DoneButCut,
    Never,
}

impl Answer {
    pub fn status(code: u16, message: &str) -> Self {
        Self::Status { code, message: message.to_owned(), headers: Vec::new() }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_string()));
        }
        self
    }

    pub(super) async fn give(self, properly: impl Future<Output = Response>) -> Response {
        match self {
            Self::Properly => properly.await,
            Self::Status { code, message, headers } => {
                let mut response = refuse(code, &message);
                for (name, value) in headers {
                    let (name, value) = (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
                    response.headers_mut().insert(name, value);
                }
                response
            }
            Self::DoneBut(code) => {
                properly.await;
                refuse(code, "")
            }
            Self::Json(code, body) => {
                (status(code), [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
            }
            Self::Html(code) => {
                (status(code), Html("<html><body>Welcome to this network</body></html>")).into_response()
            }
            Self::Redirect(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
            Self::Slow(pause) => {
                let response = properly.await;
                sleep(pause).await;
                response
            }
            Self::Cut => cut(),
            Self::DoneButCut => {
                properly.await;
                cut()
            }
            Self::Never => pending().await,
        }
    }
}

/// `{"error","status","message"}`, as Twitch writes it; nothing is known of what Joystick writes.
fn refuse(code: u16, message: &str) -> Response {
    let status = status(code);
    let body = json!({ "error": status.canonical_reason().unwrap_or("Error"), "status": code, "message": message });
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

/// Ends the task of the connection, which closes it. Nothing is printed, as a panic would.
fn cut() -> ! {
    resume_unwind(Box::new("the fake cuts the connection"))
}
