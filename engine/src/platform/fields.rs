//! Single fields of a payload, under whichever name and in whichever type they come.
//!
//! Pure, and bounded: what is kept of a field is never longer than the constants below say. Each platform's `wire` uses
//! it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::event::Amount;

/// An id longer than this is none: it is stored with every message.
pub(super) const LONGEST_ID: usize = 256;
/// Of a longer text this much is kept: no line of a chat comes near it, and every event of a flood stands in queues.
const LONGEST_TEXT: usize = 8 << 10;
/// The same for names, and for whatever else is a word or two.
const LONGEST_NAME: usize = 256;
/// A payload that is longer than this is not handed around.
const LONGEST_JSON: usize = 16 << 10;
/// A smaller number than this counts seconds: as milliseconds it would lie in early 1973.
const FIRST_MILLISECONDS: u64 = 100_000_000_000;
/// The last instant that the calendar holds.
const LAST_MILLISECONDS: u64 = 253_402_207_200_000;

/// The first field of these names that holds something.
pub(super) fn field<'json>(fields: &'json Map<String, Value>, names: &[&str]) -> Option<&'json Value> {
    names.iter().find_map(|name| fields.get(*name).filter(|value| !value.is_null()))
}

pub(super) fn object<'json>(fields: &'json Map<String, Value>, names: &[&str]) -> Option<&'json Map<String, Value>> {
    names.iter().find_map(|name| fields.get(*name)?.as_object())
}

/// A text of some length: what somebody wrote, a title, a reason.
pub(super) fn text_of<'json>(fields: &'json Map<String, Value>, names: &[&str]) -> Option<&'json str> {
    let text = names.iter().find_map(|name| fields.get(*name)?.as_str().filter(|text| !text.is_empty()));
    text.map(|text| beginning(text, LONGEST_TEXT))
}

/// A word or two: a name, a kind, a currency.
pub(super) fn word_of<'json>(fields: &'json Map<String, Value>, names: &[&str]) -> Option<&'json str> {
    text_of(fields, names).map(word)
}

pub(super) fn word(text: &str) -> &str {
    beginning(text, LONGEST_NAME)
}

fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// A payload as it came, or only how long it was.
pub(super) fn json_of(payload: &Value) -> String {
    let json = payload.to_string();
    if json.len() <= LONGEST_JSON { json } else { json!({ "omitted-bytes": json.len() }).to_string() }
}

/// Ids are strings or numbers.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= LONGEST_ID => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn id_of(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| id(fields.get(*name)?))
}

/// Sums are numbers, or the same in a string.
pub(super) fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => Amount::parse(text),
        Value::Number(number) => Amount::parse(&number.to_string()),
        _ => None,
    }
}

pub(super) fn count(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|count| u32::try_from(count).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An instant, in milliseconds since 1970.
pub(super) fn time_of(fields: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    let value = field(fields, names)?;
    let milliseconds = match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?))?,
        Value::String(text) => match text.trim().parse::<u64>() {
            Ok(number) => number,
            Err(_) => return calendar(text.trim()),
        },
        _ => return None,
    };
    let milliseconds = if milliseconds < FIRST_MILLISECONDS { milliseconds.saturating_mul(1000) } else { milliseconds };
    (0 < milliseconds && milliseconds < LAST_MILLISECONDS).then_some(milliseconds)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn whole(number: f64) -> Option<u64> {
    (0.0..1e18).contains(&number).then_some(number as u64)
}

/// ISO 8601; without an offset it is taken for UTC, which is what servers mean.
fn calendar(text: &str) -> Option<u64> {
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    u64::try_from(instant.as_millisecond()).ok()
}
