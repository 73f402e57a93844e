//! What happens on a stream beside its chat. Each case names the fields that it takes; what is left goes along.

use serde_json::{Map, Value};

use super::text::plain;
use super::{keep, people};
use crate::event::{Broadcast, Event, Follow, Gift, Goal, Moderation, Raid, Subscription, Support, User};
use crate::platform::fields::{amount, count, field, text_of, word_of};

type Fields = Map<String, Value>;

/// The currency of the service.
const TOKENS: &str = "tokens";

/// An event and the names of the fields that it took.
type Read = (Event, &'static [&'static str]);

pub(super) fn read(kind: &str, fields: &Fields, details: &Fields, extra: &mut Fields) -> Option<Event> {
    let (event, taken) = match kind {
        "followed" => (Event::Follow(Follow { who: who(details)? }), &["who"][..]),
        "subscribed" => subscription("new", details)?,
        "resubscribed" => subscription("resub", details)?,
        "gifted_subscriptions" => gift(details)?,
        "tipped" => support("tip", "tip_menu_item", details)?,
        "wheel_spin_claimed" => support("wheel-spin", "prize", details)?,
        "stream_dropped_in" => raid(details)?,
        "user_muted" => moderation("timeout", details)?,
        "user_unmuted" => moderation("unban", details)?,
        _ => state(kind, details).or_else(|| goal(kind, details))?,
    };
    let left: Fields = details
        .iter()
        .filter(|(name, value)| !taken.contains(&name.as_str()) && *name != "what" && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !left.is_empty() {
        keep(extra, "metadata", left);
    }
    if let Some(text) = text_of(fields, &["text"]).map(plain).filter(|text| !text.is_empty()) {
        keep(extra, "text", text);
    }
    Some(event)
}

fn who(details: &Fields) -> Option<User> {
    people::named(details, &["who", "username"])
}

fn number(details: &Fields, names: &[&str]) -> Option<u32> {
    field(details, names).and_then(count)
}

/// A first subscription says no months; old bots and their tests do.
fn subscription(kind: &str, details: &Fields) -> Option<Read> {
    let months = number(details, &["how_long", "months"]).unwrap_or_default();
    let subscription = Subscription {
        kind: kind.to_owned(),
        who: who(details)?,
        tier: String::new(),
        months,
        streak_months: None,
        message: None,
    };
    Some((Event::Subscription(subscription), &["who", "username", "how_long", "months"]))
}

fn gift(details: &Fields) -> Option<Read> {
    let count = number(details, &["how_much"])?;
    let gift = Gift { giver: who(details), recipients: Vec::new(), count, tier: String::new(), total: None };
    Some((Event::Gift(gift), &["who", "username", "how_much"]))
}

/// `None` when there is no amount in it: what is no money must not be thanked for.
fn support(kind: &str, item: &'static str, details: &Fields) -> Option<Read> {
    let support = Support {
        kind: kind.to_owned(),
        who: who(details),
        amount: field(details, &["how_much"]).and_then(amount)?,
        currency: TOKENS.to_owned(),
        message: None,
        item: text_of(details, &[item]).map(plain).filter(|item| !item.is_empty()),
    };
    Some((Event::Support(support), &["who", "username", "how_much", "tip_menu_item", "prize"]))
}

fn raid(details: &Fields) -> Option<Read> {
    let viewers = number(details, &["number_of_viewers"]).unwrap_or_default();
    let raid = Raid { source: who(details)?, viewers };
    Some((Event::Raid(raid), &["who", "username", "number_of_viewers"]))
}

/// A mute has an end that the service does not tell.
fn moderation(kind: &str, details: &Fields) -> Option<Read> {
    let moderation = Moderation {
        kind: kind.to_owned(),
        target: Some(who(details)?),
        moderator: people::named(details, &["by_user", "moderator"]),
        ..Moderation::default()
    };
    Some((Event::Moderation(moderation), &["who", "username", "by_user", "moderator"]))
}

fn state(kind: &str, details: &Fields) -> Option<Read> {
    let broadcast = |kind: &str| Broadcast { kind: kind.to_owned(), ..Broadcast::default() };
    let counted =
        |kind: &str, name: &str| Some(Broadcast { count: Some(number(details, &[name])?), ..broadcast(kind) });
    let (broadcast, taken): (_, &[&str]) = match kind {
        "started" | "stream_started" => (Broadcast { who: who(details), ..broadcast("online") }, &["who", "username"]),
        "ended" | "stream_ended" => (Broadcast { who: who(details), ..broadcast("offline") }, &["who", "username"]),
        "stream_ending" => (broadcast("ending"), &[]),
        "stream_resuming" => (broadcast("resuming"), &[]),
        "stream_mode_updated" => (broadcast("mode"), &[]),
        "follower_count_updated" => (counted("followers", "number_of_followers")?, &["number_of_followers"]),
        "subscriber_count_updated" => (counted("subscribers", "number_of_subscribers")?, &["number_of_subscribers"]),
        "viewer_count_updated" => (counted("viewers", "number_of_viewers")?, &["number_of_viewers"]),
        "dropin_stream" => {
            let who = people::named(details, &["destination_username", "destination"]);
            let count = number(details, &["number_of_viewers"]);
            (Broadcast { who, count, ..broadcast("raid-out") }, &["destination_username", "number_of_viewers"])
        }
        _ => return None,
    };
    Some((Event::Broadcast(broadcast), taken))
}

fn goal(kind: &str, details: &Fields) -> Option<Read> {
    let (name, phase) = match kind {
        "tip_goal_created" => ("tip-goal", "begin"),
        "tip_goal_increased" | "tip_goal_updated" => ("tip-goal", "progress"),
        "tip_goal_met" | "tip_goal_deleted" => ("tip-goal", "end"),
        "milestone_completed" => ("milestone", "end"),
        _ => return None,
    };
    let amount = number(details, &["amount"]).unwrap_or_default();
    let (current, target) = match kind {
        "tip_goal_met" | "milestone_completed" => (amount, amount),
        "tip_goal_increased" => increase(details, amount),
        _ => (number(details, &["current"]).unwrap_or_default(), amount),
    };
    let goal = Goal {
        kind: name.to_owned(),
        phase: phase.to_owned(),
        id: String::new(),
        title: word_of(details, &["title"]).unwrap_or_default().to_owned(),
        level: 0,
        current,
        target,
        ends_at_ms: None,
    };
    Some((Event::Goal(goal), &["title", "current"]))
}

/// It is not documented whether the amount is that of the goal or of the tip; when it is what was added, it is the
/// tip's.
fn increase(details: &Fields, amount: u32) -> (u32, u32) {
    let current = number(details, &["current"]).unwrap_or_default();
    let previous = number(details, &["previous"]).unwrap_or_default();
    let is_of_goal = current.checked_sub(previous) != Some(amount);
    (current, if is_of_goal { amount } else { 0 })
}
