//! The frames: one JSON object in each text message. Pure functions from text to frames and back.

use serde_json::{Map, Value, json};

use crate::web::one_line;

/// A frame as a server sends it.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Commands may be sent from now on.
    Welcome,
    /// The server lives. Its clock is of no interest.
    Ping,
    Confirmed {
        identifier: String,
    },
    Rejected {
        identifier: String,
    },
    /// The end is near, and whether we are to come back.
    Disconnect {
        /// As the server wrote it.
        reason: Option<String>,
        reconnect: bool,
    },
    /// What a channel says: any JSON.
    Message {
        identifier: Option<String>,
        message: Value,
    },
    /// Not of the protocol. Services have frames of their own.
    Foreign(Value),
}

/// A text that holds no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no JSON: {0}")]
pub struct FrameError(String);

impl Frame {
    /// The type decides, where there is one; what a channel says has none.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let value = serde_json::from_str(text).map_err(|error| FrameError(one_line(&error.to_string())))?;
        let Value::Object(mut fields) = value else { return Ok(Self::Foreign(value)) };
        let kind = fields.get("type").and_then(Value::as_str);
        Ok(match (kind, identifier(&fields)) {
            (Some("welcome"), _) => Self::Welcome,
            (Some("ping"), _) => Self::Ping,
            (Some("confirm_subscription"), Some(identifier)) => Self::Confirmed { identifier },
            (Some("reject_subscription"), Some(identifier)) => Self::Rejected { identifier },
            (Some("disconnect"), _) => disconnect(&fields),
            (None, identifier) if fields.contains_key("message") => {
                Self::Message { identifier, message: fields.remove("message").unwrap_or_default() }
            }
            _ => Self::Foreign(Value::Object(fields)),
        })
    }
}

fn identifier(fields: &Map<String, Value>) -> Option<String> {
    fields.get("identifier").and_then(Value::as_str).map(str::to_owned)
}

/// A server that does not say whether to come back wants it, unless its reason would be the same again.
fn disconnect(fields: &Map<String, Value>) -> Frame {
    let reason = fields.get("reason").and_then(Value::as_str).map(str::to_owned);
    let is_final = matches!(reason.as_deref(), Some("unauthorized" | "invalid_request"));
    let reconnect = fields.get("reconnect").and_then(Value::as_bool).unwrap_or(!is_final);
    Frame::Disconnect { reason, reconnect }
}

/// Asks to hear a channel. The server keys it by the very text of `identifier`.
pub fn subscribe(identifier: &str) -> String {
    json!({ "command": "subscribe", "identifier": identifier }).to_string()
}

/// Asks a channel to do something: `data` is an object whose `action` names it.
pub fn perform(identifier: &str, data: &Value) -> String {
    json!({ "command": "message", "identifier": identifier, "data": data.to_string() }).to_string()
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDENTIFIER: &str = r#"{"channel":"GatewayChannel"}"#;

    fn parse(value: Value) -> Frame {
        Frame::parse(&value.to_string()).unwrap()
    }

    #[test]
    fn each_frame_is_read() {
        let identifier = IDENTIFIER.to_owned();
        let cases = [
            (json!({"type": "welcome"}), Frame::Welcome),
            (json!({"type": "ping", "message": 1_767_607_872}), Frame::Ping),
            (json!({"message": "soon", "type": "ping"}), Frame::Ping),
            (
                json!({"identifier": IDENTIFIER, "type": "confirm_subscription"}),
                Frame::Confirmed { identifier: identifier.clone() },
            ),
            (
                json!({"type": "reject_subscription", "identifier": IDENTIFIER}),
                Frame::Rejected { identifier: identifier.clone() },
            ),
            (
                json!({"identifier": IDENTIFIER, "message": {"type": "ping"}}),
                Frame::Message { identifier: Some(identifier), message: json!({"type": "ping"}) },
            ),
        ];
        for (value, frame) in cases {
            assert_eq!(parse(value), frame);
        }
    }

    #[test]
    fn a_channel_may_say_anything() {
        for message in [json!("x"), json!(1), json!(null), json!([1]), json!({"a": 1})] {
            let frame = parse(json!({ "identifier": IDENTIFIER, "message": message }));
            assert_eq!(frame, Frame::Message { identifier: Some(IDENTIFIER.to_owned()), message });
        }
        assert_eq!(parse(json!({"message": 1, "type": null})), Frame::Message { identifier: None, message: json!(1) });
    }

    #[test]
    fn whether_to_come_back_is_what_the_server_says_or_means() {
        let end = |value: Value| match parse(value) {
            Frame::Disconnect { reason, reconnect } => (reason, reconnect),
            other => panic!("{other:?}"),
        };
        let word = |word: &str| Some(word.to_owned());
        let cases = [
            (json!({"reason": "unauthorized", "reconnect": false}), word("unauthorized"), false),
            (json!({"reason": "invalid_request", "reconnect": false}), word("invalid_request"), false),
            (json!({"reason": "server_restart", "reconnect": true}), word("server_restart"), true),
            (json!({"reason": "remote", "reconnect": false}), word("remote"), false),
            (json!({"reason": null, "reconnect": true}), None, true),
            (json!({}), None, true),
            (json!({"reason": "unauthorized"}), word("unauthorized"), false),
            (json!({"reason": "remote"}), word("remote"), true),
        ];
        for (mut value, reason, reconnect) in cases {
            value["type"] = json!("disconnect");
            assert_eq!(end(value), (reason, reconnect));
        }
    }

    #[test]
    fn what_is_not_of_the_protocol_is_handed_on() {
        for value in [
            json!({"error": "Not allowed"}),
            json!({"v": 2, "type": "new_message", "id": "x"}),
            json!({"type": "confirm_subscription"}),
            json!({"type": "of-tomorrow", "message": 1}),
            json!([]),
            json!("x"),
            json!(1),
        ] {
            assert_eq!(parse(value.clone()), Frame::Foreign(value));
        }
        assert!(Frame::parse("").is_err() && Frame::parse("{").is_err() && Frame::parse("hello").is_err());
    }

    proptest! {
        /// The identifier stays what it is, letter by letter, and the data is a text that holds JSON.
        #[test]
        fn commands_hold_what_they_were_given(identifier in ".*", text in ".*") {
            let data = json!({ "action": "send_message", "text": text });
            let command: Value = serde_json::from_str(&perform(&identifier, &data)).unwrap();
            prop_assert_eq!(command["command"].as_str(), Some("message"));
            prop_assert_eq!(command["identifier"].as_str(), Some(identifier.as_str()));
            prop_assert_eq!(&serde_json::from_str::<Value>(command["data"].as_str().unwrap()).unwrap(), &data);
            let line = perform(&identifier, &data);
            prop_assert!(!line.contains('\n'));
            let command: Value = serde_json::from_str(&subscribe(&identifier)).unwrap();
            prop_assert_eq!(command, json!({ "command": "subscribe", "identifier": identifier }));
        }
    }
}
