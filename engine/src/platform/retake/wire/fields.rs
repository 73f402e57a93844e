//! Single fields, under whichever name and in whichever type they come.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::event::{Amount, Roles, User};

/// An id longer than this is none: it is stored with every message.
const LONGEST_ID: usize = 256;
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

/// What was written. Also "message", as the history of the first generation calls it.
pub(super) fn text(message: &Map<String, Value>) -> Option<&str> {
    text_of(message, &["text", "message", "content"])
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

/// When it happened, in milliseconds since 1970.
pub(super) fn time(message: &Map<String, Value>) -> Option<u64> {
    let value = field(message, &["timestamp", "sent_at", "created_at", "createdAt", "time"])?;
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

/// Stands in for an id where there is none, so it is whole or nothing.
fn wallet_of(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    text_of(fields, names).filter(|wallet| wallet.len() <= LONGEST_ID).map(str::to_owned)
}

/// Whoever did it, with as much of an identity as the platform gave.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) id: Option<String>,
    name: Option<String>,
    wallet: Option<String>,
    avatar: Option<String>,
}

const NAMES: [&str; 6] = ["fusername", "username", "name", "display_name", "displayName", "login"];
const IDS: [&str; 7] = ["_id", "id", "userDbId", "user_id", "userId", "user_db_id", "sender_user_id"];

impl Sender {
    /// Of a message: an object of one of `nested`, and else fields of the message itself.
    pub(super) fn of(message: &Map<String, Value>, nested: &[&str]) -> Self {
        let mut sender = Self::of_nested(message, nested).unwrap_or_default();
        let flat = Self::of_flat(
            message,
            &["sender_user_id", "senderUserId", "user_id", "userId"],
            &["sender_username", "senderUsername", "username", "fusername"],
        )
        .unwrap_or_default();
        sender.id = sender.id.or(flat.id);
        sender.name = sender.name.or(flat.name);
        sender.wallet = sender.wallet.or(flat.wallet);
        sender
    }

    /// Of an object of one of these names, or of a string that can only be a name.
    pub(super) fn of_nested(message: &Map<String, Value>, names: &[&str]) -> Option<Self> {
        match field(message, names)? {
            Value::Object(author) => Some(Self {
                id: id_of(author, &IDS),
                name: word_of(author, &NAMES).map(str::to_owned),
                wallet: wallet_of(author, &["walletAddress", "wallet_address", "wallet"]),
                avatar: text_of(author, &["favatar", "avatar", "image_url"]).map(str::to_owned),
            })
            .filter(Self::is_known),
            Value::String(name) if !name.is_empty() => {
                Some(Self { name: Some(word(name).to_owned()), ..Self::default() })
            }
            _ => None,
        }
    }

    pub(super) fn of_flat(message: &Map<String, Value>, ids: &[&str], names: &[&str]) -> Option<Self> {
        let wallet = wallet_of(message, &["sender_wallet_address", "walletAddress", "wallet_address"]);
        let name = word_of(message, names).map(str::to_owned);
        Some(Self { id: id_of(message, ids), name, wallet, avatar: None }).filter(Self::is_known)
    }

    pub(super) fn is_known(&self) -> bool {
        self.id.is_some() || self.name.is_some() || self.wallet.is_some()
    }

    /// The name that is shown: the chosen one, else the beginning of the wallet's address.
    fn shown(&self) -> String {
        match (&self.name, &self.wallet) {
            (Some(name), _) => name.clone(),
            (None, Some(wallet)) => wallet.chars().take(8).collect(),
            (None, None) => "anon".to_owned(),
        }
    }

    /// The part of the sender that the socket and both histories have in common.
    pub(super) fn name_key(&self) -> String {
        self.shown().to_lowercase()
    }

    /// The user, in the words of the vocabulary. A made-up id has a prefix that no id of the platform has, so a
    /// viewer who takes the name of another never takes the identity.
    pub(super) fn user(&self, room: &str) -> User {
        let shown = self.shown();
        let id = match (&self.id, &self.wallet) {
            (Some(id), _) => id.clone(),
            (None, Some(wallet)) => format!("wallet:{wallet}"),
            (None, None) => format!("name:{}", shown.to_lowercase()),
        };
        let roles = Roles { broadcaster: self.id.as_deref() == Some(room), ..Roles::default() };
        User { id, login: shown.clone(), display_name: shown, roles, ..User::default() }
    }

    /// Writes down what the vocabulary has no field for, and how sure the identity is.
    pub(super) fn explain(&self, extra: &mut Map<String, Value>) {
        if self.id.is_none() {
            extra.insert("identity".to_owned(), json!(if self.wallet.is_some() { "wallet" } else { "name" }));
        }
        if let Some(wallet) = &self.wallet {
            extra.insert("wallet".to_owned(), json!(wallet));
        }
        if let Some(avatar) = &self.avatar {
            extra.insert("avatar".to_owned(), json!(avatar));
        }
    }
}
