//! What a gap has swallowed, from the lists of Helix. An event has the id that it would have had live, so that one that
//! was told all the same is known for a repeat, and says in `extra` that it is late.

use serde_json::{Value, json};

use super::fields::{is_set, owned_word, user};
use super::participation::redeemed;
use super::support::{followed, subscription_key};
use super::{Notice, Parsed};
use crate::event::{Channel, Draft, Event, Subscription};

/// An entry of `GET /channels/followers`.
pub(in super::super) fn missed_follow(channel: &Channel, item: &Value) -> Option<Draft> {
    late(channel, followed(item, channel)?, 0)
}

/// An entry of `GET /channel_points/custom_rewards/redemptions`.
pub(in super::super) fn missed_redemption(channel: &Channel, item: &Value) -> Option<Draft> {
    late(channel, redeemed(item, channel)?, 0)
}

/// An entry of `GET /subscriptions` that was not there before. The list does not say since when, so `at_ms` is when it
/// was read.
pub(in super::super) fn missed_subscription(channel: &Channel, item: &Value, at_ms: u64) -> Option<Draft> {
    let who = user(item, ["user_id", "user_login", "user_name"], channel)?;
    let tier = owned_word(item, "tier").unwrap_or_default();
    let kind = if is_set(item, "is_gift") { "gifted" } else { "new" };
    let key = Some(subscription_key(channel, kind, &who, &tier, at_ms));
    let kind = kind.to_owned();
    let subscription = Subscription { kind, who, tier, months: 0, streak_months: None, message: None };
    let mut parsed = Parsed { key, at_ms: Some(at_ms), ..Parsed::new(Event::Subscription(subscription)) };
    for name in ["gifter_id", "gifter_login", "gifter_name"] {
        if let Some(gifter) = owned_word(item, name) {
            parsed.extra.insert(name.to_owned(), json!(gifter));
        }
    }
    late(channel, parsed, at_ms)
}

/// `None` for what has no time and no id: it could be told again and again.
fn late(channel: &Channel, parsed: Parsed, at_ms: u64) -> Option<Draft> {
    let (Some(_), Some(_)) = (&parsed.key, parsed.at_ms) else { return None };
    let notice = Notice { message_id: "", topic: "", version: "", at_ms, event: &Value::Null };
    Some(parsed.draft(channel, &notice).late())
}
