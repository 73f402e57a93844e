//! One frame of `EventSub`, read. Pure: no socket and no clock.
//!
//! What we do not know is no error: an unknown type of message is [`Body::Unknown`], an unknown field is not looked at,
//! and a field of an unknown shape counts as missing.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::web::one_line;

/// What Twitch documents, for a welcome that does not tell.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// What Twitch may be asked for. Nothing else is believed of a welcome.
const KEEPALIVE_SECONDS: (u64, u64) = (1, 600);

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Frame {
    pub(in super::super) message_id: String,
    /// By Twitch's clock; milliseconds since 1970.
    pub(in super::super) at_ms: Option<u64>,
    pub(in super::super) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Body {
    Welcome {
        session_id: String,
        keepalive: Duration,
    },
    Keepalive,
    Notification(Notification),
    /// Where to go; `None` when it is not told.
    Reconnect(Option<String>),
    Revocation(Subscription),
    /// A type of message that did not exist when this was written.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Notification {
    pub(in super::super) subscription: Subscription,
    /// Nearly always one. Those of a batch have an id of their own.
    pub(in super::super) events: Vec<(Option<String>, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Subscription {
    /// "channel.follow".
    pub(in super::super) topic: String,
    pub(in super::super) version: String,
    /// "enabled", or why it was revoked.
    pub(in super::super) status: String,
    pub(in super::super) condition: Value,
}

/// What is no frame of `EventSub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("it is no JSON")]
    Json,
    #[error("it has no type")]
    Untyped,
    #[error("a welcome without a session")]
    NoSession,
}

impl Frame {
    pub(super) fn parse(text: &str) -> Result<Self, FrameError> {
        let mut frame: Value = serde_json::from_str(text).map_err(|_| FrameError::Json)?;
        let mut payload = frame.get_mut("payload").map(Value::take).unwrap_or_default();
        let metadata = frame.get("metadata").unwrap_or(&Value::Null);
        let kind = text_of(metadata, "message_type").ok_or(FrameError::Untyped)?;
        let session = payload.get("session").unwrap_or(&Value::Null);
        let body = match kind {
            "session_welcome" => Body::Welcome {
                session_id: text_of(session, "id").ok_or(FrameError::NoSession)?.to_owned(),
                keepalive: keepalive(session),
            },
            "session_keepalive" => Body::Keepalive,
            "session_reconnect" => Body::Reconnect(text_of(session, "reconnect_url").map(str::to_owned)),
            "notification" => Body::Notification(Notification {
                events: events(&mut payload),
                subscription: subscription(&mut payload, metadata),
            }),
            "revocation" => Body::Revocation(subscription(&mut payload, metadata)),
            unknown => Body::Unknown(one_line(unknown)),
        };
        let message_id = text_of(metadata, "message_id").unwrap_or_default().to_owned();
        Ok(Self { message_id, at_ms: text_of(metadata, "message_timestamp").and_then(read_time), body })
    }
}

/// RFC 3339 with up to nine digits behind the second, in milliseconds since 1970.
pub(in super::super) fn read_time(text: &str) -> Option<u64> {
    let timestamp: Timestamp = text.parse().ok()?;
    u64::try_from(timestamp.as_millisecond()).ok()
}

fn text_of<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str().filter(|text| !text.is_empty())
}

fn keepalive(session: &Value) -> Duration {
    let (least, most) = KEEPALIVE_SECONDS;
    let seconds = session.get("keepalive_timeout_seconds").and_then(Value::as_u64);
    seconds.map_or(KEEPALIVE, |seconds| Duration::from_secs(seconds.clamp(least, most)))
}

/// What it is stands in two places, and one of them is enough.
fn subscription(payload: &mut Value, metadata: &Value) -> Subscription {
    let mut subscription = payload.get_mut("subscription").map(Value::take).unwrap_or_default();
    let condition = subscription.get_mut("condition").map(Value::take).unwrap_or_default();
    let either = |in_metadata: &str, field: &str| {
        let text = text_of(metadata, in_metadata).or_else(|| text_of(&subscription, field));
        text.unwrap_or_default().to_owned()
    };
    Subscription {
        topic: either("subscription_type", "type"),
        version: either("subscription_version", "version"),
        status: text_of(&subscription, "status").map(one_line).unwrap_or_default(),
        condition,
    }
}

fn events(payload: &mut Value) -> Vec<(Option<String>, Value)> {
    match payload.get_mut("events").map(Value::take) {
        Some(Value::Array(events)) => events
            .into_iter()
            .map(|mut item| {
                let id = text_of(&item, "id").map(str::to_owned);
                // Without a shell it is the event itself.
                let data = item.get_mut("data").map(Value::take).unwrap_or(item);
                (id, data)
            })
            .collect(),
        _ => vec![(None, payload.get_mut("event").map(Value::take).unwrap_or_default())],
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
