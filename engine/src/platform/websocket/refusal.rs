//! What a server answered instead of becoming a WebSocket, in words that are safe to show.
//!
//! The answer may be JSON or text of the service, a redirect, or a page of whatever stands before it.
//! Only what explains the refusal is kept; never the address, nor what a server tells back of its query.

use std::fmt;

use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::CONTENT_TYPE;

use super::secrets::Secrets;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code of Engine.IO, such as 5 for an unsupported protocol version.
    pub code: Option<u64>,
    /// What the server itself says; a page says nothing.
    pub message: Option<String>,
    /// A page for a browser: what stands before the service answered, not the service.
    pub is_page: bool,
}

impl Refusal {
    /// Of the body only what came along with the headers is there, so they are asked too.
    pub(super) fn new(response: &Response, secrets: &Secrets) -> Self {
        let status = response.status().as_u16();
        let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default());
        let body = body.trim();
        if let Ok(Value::Object(fields)) = serde_json::from_str(body) {
            let code = fields.get("code").and_then(Value::as_u64);
            let message = fields.get("message").or_else(|| fields.get("error")).and_then(Value::as_str);
            return Self { status, code, message: message.map(|message| secrets.one_line(message)), is_page: false };
        }
        let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let is_page = body.contains('<') || kind.to_ascii_lowercase().starts_with(b"text/html");
        // Who is no page refuses with one line of text.
        let message = (!is_page && !body.is_empty()).then(|| secrets.one_line(body));
        Self { status, code: None, message, is_page }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        if (300..400).contains(&self.status) {
            formatter.write_str(", a redirect, which is never followed")?;
        }
        if let Some(code) = self.code {
            write!(formatter, ", code {code}")?;
        }
        match &self.message {
            Some(message) => write!(formatter, ", \"{message}\""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::http::StatusCode;

    use super::*;
    use crate::web::LONGEST_TOLD;

    fn refusal(status: u16, kind: &'static str, body: &[u8]) -> Refusal {
        let mut response = Response::new(Some(body.to_vec()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Refusal::new(&response, &Secrets::default())
    }

    #[test]
    fn it_keeps_what_explains_the_refusal() {
        let cases: [(u16, &[u8], &str); 7] = [
            (
                400,
                br#"{"code":5,"message":"Unsupported protocol version"}"#,
                "HTTP 400, code 5, \"Unsupported protocol version\"",
            ),
            (403, br#"{"code":4,"message":"Forbidden"}"#, "HTTP 403, code 4, \"Forbidden\""),
            (400, b"Transport unknown", "HTTP 400, \"Transport unknown\""),
            (403, b"<!DOCTYPE html><html><body>Attention required</body></html>", "HTTP 403"),
            (302, b"", "HTTP 302, a redirect, which is never followed"),
            (400, br#"{"code":"x","message":7}"#, "HTTP 400"),
            (502, b"\xff\xfe\x00 bad\r\n gateway", "HTTP 502, \"\u{fffd}\u{fffd} bad gateway\""),
        ];
        for (status, body, shown) in cases {
            assert_eq!(refusal(status, "", body).to_string(), shown);
        }
    }

    #[test]
    fn a_page_is_known_by_its_body_or_its_type_and_says_nothing() {
        for (kind, body, message, is_page) in [
            ("text/plain", "Page not found", Some("Page not found"), false),
            ("text/plain", "<html>Attention required</html>", None, true),
            ("Text/HTML; charset=utf-8", "", None, true),
            ("text/html", r#"{"message":"no"}"#, Some("no"), false),
            ("text/plain", "", None, false),
            ("", "two\r\nlines", Some("twolines"), false),
        ] {
            let expected = Refusal { status: 404, code: None, message: message.map(str::to_owned), is_page };
            assert_eq!(refusal(404, kind, body.as_bytes()), expected);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let message = refusal(400, "", "ü".repeat(5000).as_bytes()).message.unwrap();
        assert_eq!(message.chars().count(), LONGEST_TOLD);
    }
}
