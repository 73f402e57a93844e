//! Follows, subscriptions, gifts, cheers, raids: the alerts of a channel.

use serde_json::Value;

use super::broadcast::raid_out;
use super::fields::{
    FROM, RECIPIENT, TO, USER, count, giver, id, is_set, owned_text, owned_word, shortened, time, user, word,
};
use super::{FollowUp, NoticeContext, Parsed, text};
use crate::event::{Amount, Channel, Event, Follow, Gift, Raid, Subscription, Support, User};

pub(super) fn follow(context: &NoticeContext<'_>) -> Option<Parsed> {
    followed(context.event(), context.channel)
}

/// A follow, from a notification or from the list of followers. Who follows again later does so at another time.
pub(super) fn followed(fields: &Value, channel: &Channel) -> Option<Parsed> {
    let who = user(fields, USER, channel)?;
    let at_ms = time(fields, "followed_at");
    // The list has seconds only.
    let key = at_ms.map(|at_ms| format!("follow:{}:{}:{}", channel.id, who.id, at_ms / 1000));
    Some(Parsed { key, at_ms, ..Parsed::new(Event::Follow(Follow { who })) })
}

/// What tells a new or received subscription from others, in each topic and in the list of subscribers, which has no
/// time. Nobody subscribes to the same tier twice in a day.
pub(super) fn subscription_key(channel: &Channel, kind: &str, who: &User, tier: &str, at_ms: u64) -> String {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    format!("{kind}:{}:{}:{tier}:{}", channel.id, who.id, at_ms / DAY_MS)
}

/// A new or received subscription, which several topics tell of.
pub(super) fn begun(
    context: &NoticeContext<'_>,
    kind: &str,
    who: User,
    tier: String,
    message: Option<String>,
) -> Parsed {
    let key = subscription_key(context.channel, kind, &who, &tier, context.notice.at_ms);
    let happening = format!("{kind}:{}", who.id);
    let subscription = subscription(kind, who, tier, message);
    Parsed { key: Some(key), happening: Some(happening), ..Parsed::new(Event::Subscription(subscription)) }
}

fn subscription(kind: &str, who: User, tier: String, message: Option<String>) -> Subscription {
    Subscription { kind: kind.to_owned(), who, tier, months: 0, streak_months: None, message }
}

pub(super) fn subscribe(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let who = user(event, USER, context.channel)?;
    let tier = owned_word(event, "tier").unwrap_or_default();
    if !is_set(event, "is_gift") {
        return Some(begun(context, "new", who, tier, None));
    }
    let follow_up = FollowUp::Received { who: who.clone(), tier: tier.clone() };
    Some(Parsed { follow_up, ..begun(context, "gifted", who, tier, None) })
}

pub(super) fn resubscribe(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let who = user(event, USER, context.channel)?;
    let message = event.get("message").unwrap_or(&Value::Null);
    let happening = format!("resub:{}", who.id);
    let subscription = Subscription {
        months: count(event, "cumulative_months").unwrap_or(0),
        streak_months: count(event, "streak_months"),
        ..subscription("resub", who, owned_word(event, "tier").unwrap_or_default(), text::words(message))
    };
    let mut extra =
        context.rest(&["user_id", "user_login", "user_name", "tier", "message", "cumulative_months", "streak_months"]);
    if let Some(emotes) = message.get("emotes").filter(|emotes| emotes.as_array().is_some_and(|it| !it.is_empty())) {
        extra.insert("emotes".to_owned(), emotes.clone());
    }
    Some(Parsed { happening: Some(happening), extra, ..Parsed::new(Event::Subscription(subscription)) })
}

pub(super) fn subscription_end(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let who = user(event, USER, context.channel)?;
    let tier = owned_word(event, "tier").unwrap_or_default();
    let extra = context.rest(&["user_id", "user_login", "user_name", "tier"]);
    Some(Parsed { extra, ..Parsed::new(Event::Subscription(subscription("end", who, tier, None))) })
}

pub(super) fn gift(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let gift = Gift {
        giver: giver(event, USER, context.channel),
        recipients: Vec::new(),
        count: count(event, "total")?.max(1),
        tier: owned_word(event, "tier").unwrap_or_default(),
        total: count(event, "cumulative_total"),
    };
    Some(Parsed { follow_up: FollowUp::Given { community: None }, ..Parsed::new(Event::Gift(gift)) })
}

pub(super) fn cheer(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let message = owned_text(event, "message").map(|message| text::tidy(&message).to_owned());
    bits(context, message.filter(|message| !message.is_empty()), None)
}

/// Bits that were spent: a cheer, which has a topic of its own besides, or something bought with them.
pub(super) fn bits_use(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let message = event.get("message").and_then(text::words);
    let kind = word(event, "type").unwrap_or("cheer");
    if kind == "cheer" {
        return bits(context, message, None);
    }
    let power_up = event.get("power_up").and_then(|power_up| word(power_up, "type"));
    let custom = event.get("custom_power_up").and_then(|power_up| word(power_up, "title"));
    let item = custom.or(power_up).unwrap_or(kind).replace('_', " ");
    let used = ["user_id", "user_login", "user_name", "bits", "message"];
    let parsed = bits(context, message, Some(item))?;
    Some(Parsed { happening: None, extra: context.rest(&used), ..parsed })
}

fn bits(context: &NoticeContext<'_>, message: Option<String>, item: Option<String>) -> Option<Parsed> {
    let event = context.event();
    let bits = count(event, "bits")?;
    let who = giver(event, USER, context.channel);
    let happening = format!("bits:{}:{bits}", who.as_ref().map_or("", |who| who.id.as_str()));
    let (kind, currency) = ("bits".to_owned(), "bits".to_owned());
    let support = Support { kind, who, amount: Amount::whole(bits), currency, message, item };
    Some(Parsed { happening: Some(happening), ..Parsed::new(Event::Support(support)) })
}

/// A raid that arrives, or one that leaves for another channel.
pub(super) fn raid(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let viewers = count(event, "viewers").unwrap_or(0);
    if id(event, "from_broadcaster_user_id").as_deref() == Some(&*context.channel.id) {
        let who = user(event, TO, context.channel)?;
        return Some(raid_out(who, viewers));
    }
    Some(raided(user(event, FROM, context.channel)?, viewers))
}

pub(super) fn raided(source: User, viewers: u32) -> Parsed {
    let happening = format!("raid:{}", source.id);
    Parsed { happening: Some(happening), ..Parsed::new(Event::Raid(Raid { source, viewers })) }
}

/// What the chat says of a subscription that somebody was given: theirs, and the gift that it is or belongs to.
pub(super) fn chat_gift(context: &NoticeContext<'_>, notice: &Value, giver: Option<User>) -> Option<Parsed> {
    let who = user(notice, RECIPIENT, context.channel)?;
    let tier = owned_word(notice, "sub_tier").unwrap_or_default();
    let recipients = vec![who.clone()];
    let gift = Gift { giver, recipients, count: 1, tier: tier.clone(), total: count(notice, "cumulative_total") };
    let community = word(notice, "community_gift_id").map(str::to_owned);
    let follow_up = FollowUp::Named { community, gift: Box::new(Parsed::new(Event::Gift(gift))) };
    let mut parsed = Parsed { follow_up, ..begun(context, "gifted", who, tier, None) };
    if let Some(months) = count(notice, "duration_months") {
        parsed.extra.insert("duration_months".to_owned(), months.into());
    }
    Some(parsed)
}

/// The chat's announcement of gifts to whoever is there.
pub(super) fn chat_gifts(notice: &Value, giver: Option<User>) -> Option<Parsed> {
    let gift = Gift {
        giver,
        recipients: Vec::new(),
        count: count(notice, "total")?.max(1),
        tier: owned_word(notice, "sub_tier").unwrap_or_default(),
        total: count(notice, "cumulative_total"),
    };
    let community = word(notice, "id").map(str::to_owned);
    Some(Parsed { follow_up: FollowUp::Given { community }, ..Parsed::new(Event::Gift(gift)) })
}

/// A gift to a good cause: `amount{value, decimal_places, currency}`.
pub(super) fn donation(notice: &Value, who: Option<User>, message: Option<String>) -> Option<Parsed> {
    let sum = notice.get("amount")?;
    let places = count(sum, "decimal_places").or_else(|| count(sum, "decimal_place")).unwrap_or(0);
    let value = sum.get("value")?.as_u64()?;
    let amount = match (u32::try_from(value), i8::try_from(places)) {
        (Ok(minor_units), Ok(exponent)) => Amount { minor_units, exponent },
        _ => Amount::parse(&format!("{value}e-{places}"))?,
    };
    let support = Support {
        kind: "charity".to_owned(),
        who,
        amount,
        currency: shortened(word(sum, "currency").unwrap_or_default()).to_owned(),
        message,
        item: owned_word(notice, "charity_name"),
    };
    Some(Parsed::new(Event::Support(support)))
}
