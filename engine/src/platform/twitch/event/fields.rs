//! Single fields, in whichever type they come, and never longer than an event may hold.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::event::{Channel, Roles, User};
use crate::platform::fields as shared;
pub(super) use crate::platform::fields::{json_of, word as shortened};

/// Of a list of people, choices or outcomes, this many at most.
pub(super) const LONGEST_LIST: usize = 100;

/// The accounts that Twitch puts in the place of those who give and cheer without their name.
const ANONYMOUS: [&str; 2] = ["274598607", "407665396"];

/// The three fields that say who somebody is: id, login and name.
pub(super) type Names = [&'static str; 3];

pub(super) const USER: Names = ["user_id", "user_login", "user_name"];
pub(super) const CHATTER: Names = ["chatter_user_id", "chatter_user_login", "chatter_user_name"];
pub(super) const MODERATOR: Names = ["moderator_user_id", "moderator_user_login", "moderator_user_name"];
pub(super) const TARGET: Names = ["target_user_id", "target_user_login", "target_user_name"];
pub(super) const RECIPIENT: Names = ["recipient_user_id", "recipient_user_login", "recipient_user_name"];
pub(super) const REQUESTER: Names = ["requester_user_id", "requester_user_login", "requester_user_name"];
pub(super) const WHISPERER: Names = ["from_user_id", "from_user_login", "from_user_name"];
pub(super) const FROM: Names =
    ["from_broadcaster_user_id", "from_broadcaster_user_login", "from_broadcaster_user_name"];
pub(super) const TO: Names = ["to_broadcaster_user_id", "to_broadcaster_user_login", "to_broadcaster_user_name"];
pub(super) const HOST: Names =
    ["host_broadcaster_user_id", "host_broadcaster_user_login", "host_broadcaster_user_name"];
const BROADCASTER: Names = ["broadcaster_user_id", "broadcaster_user_login", "broadcaster_user_name"];

/// A text of some length: what somebody wrote, a title, a reason. `None` when there is none.
pub(super) fn text<'json>(fields: &'json Value, name: &str) -> Option<&'json str> {
    shared::text_of(fields.as_object()?, &[name])
}

pub(super) fn owned_text(fields: &Value, name: &str) -> Option<String> {
    text(fields, name).map(str::to_owned)
}

/// A word or two: a name, a kind, a currency.
pub(super) fn word<'json>(fields: &'json Value, name: &str) -> Option<&'json str> {
    shared::word_of(fields.as_object()?, &[name])
}

pub(super) fn owned_word(fields: &Value, name: &str) -> Option<String> {
    word(fields, name).map(str::to_owned)
}

/// Ids are strings; a number is taken for one.
pub(super) fn id(fields: &Value, name: &str) -> Option<String> {
    shared::id(fields.get(name)?)
}

/// What is counted; more than 32 bits hold is as many as they hold.
pub(super) fn count(fields: &Value, name: &str) -> Option<u32> {
    match fields.get(name)? {
        Value::Number(number) => number.as_u64().map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub(super) fn is_set(fields: &Value, name: &str) -> bool {
    fields.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn list<'json>(fields: &'json Value, name: &str) -> impl Iterator<Item = &'json Value> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().take(LONGEST_LIST)
}

/// A time of RFC 3339, with as many digits behind the second as it has, in milliseconds since 1970.
pub(super) fn time(fields: &Value, name: &str) -> Option<u64> {
    let instant: Timestamp = fields.get(name)?.as_str()?.trim().parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok()
}

/// Somebody. A name is not an identity: without an id it is nobody.
pub(super) fn user(fields: &Value, names: Names, channel: &Channel) -> Option<User> {
    let [id_name, login_name, shown_name] = names;
    let id = id(fields, id_name)?;
    let login = word(fields, login_name).or_else(|| word(fields, shown_name));
    let shown = word(fields, shown_name).or(login).unwrap_or(&id).to_owned();
    let login = login.unwrap_or(&id).to_lowercase();
    let roles = Roles { broadcaster: *id == *channel.id, ..Roles::default() };
    Some(User { id, login, display_name: shown, roles, ..User::default() })
}

/// Somebody who may have chosen to give without a name.
pub(super) fn giver(fields: &Value, names: Names, channel: &Channel) -> Option<User> {
    let is_anonymous = is_set(fields, "is_anonymous") || is_set(fields, "chatter_is_anonymous");
    user(fields, names, channel).filter(|user| !is_anonymous && !ANONYMOUS.contains(&user.id.as_str()))
}

/// What else a payload says: all fields that are set, but those of `used` and the channel itself.
pub(super) fn rest(fields: &Value, used: &[&str]) -> Map<String, Value> {
    let is_news = |name: &str, value: &Value| {
        !value.is_null() && value.as_str() != Some("") && !used.contains(&name) && !BROADCASTER.contains(&name)
    };
    let fields = fields.as_object().into_iter().flatten();
    fields.filter(|(name, value)| is_news(name, value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// An object for `extra`, or only how long it was.
pub(super) fn extra(fields: Map<String, Value>) -> Option<String> {
    (!fields.is_empty()).then(|| json_of(&Value::Object(fields)))
}
