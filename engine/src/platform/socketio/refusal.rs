//! What a server answered instead of becoming a WebSocket, in words that are safe to show.
//!
//! The answer may be JSON or text of the Socket.IO server, a redirect, or a page of whatever stands before it.
//! Only what explains the refusal is kept; never the address, whose query may hold a secret.

use std::fmt;

use serde_json::Value;

use crate::web::one_line;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code of Engine.IO, such as 5 for an unsupported protocol version.
    pub code: Option<u64>,
    pub message: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let body = body.trim();
        if let Ok(Value::Object(fields)) = serde_json::from_str(body) {
            let message = fields.get("message").or_else(|| fields.get("error")).and_then(Value::as_str);
            return Self { status, code: fields.get("code").and_then(Value::as_u64), message: message.map(one_line) };
        }
        // A page is made for people with a browser; Socket.IO itself refuses upgrades with one line of text.
        let is_plain = !body.is_empty() && !body.contains('<');
        Self { status, code: None, message: is_plain.then(|| one_line(body)) }
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
    use super::*;
    use crate::web::LONGEST_TOLD;

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
            assert_eq!(Refusal::new(status, body).to_string(), shown);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let message = Refusal::new(400, "ü".repeat(5000).as_bytes()).message.unwrap();
        assert_eq!(message.chars().count(), LONGEST_TOLD);
    }
}
