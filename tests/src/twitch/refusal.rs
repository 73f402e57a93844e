//! How Helix and the id server say no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `{"error","status","message"}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap();
        let error = status.canonical_reason().unwrap_or("Error");
        (status, Json(json!({ "error": error, "status": self.status, "message": self.message }))).into_response()
    }
}

/// `{"status","message"}`: the id server leaves `error` out.
pub(super) struct IdRefusal(pub(super) u16, pub(super) &'static str);

impl IntoResponse for IdRefusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap();
        (status, Json(json!({ "status": self.0, "message": self.1 }))).into_response()
    }
}
