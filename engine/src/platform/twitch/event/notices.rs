//! `channel.chat.notification`: what the chat shows besides lines. Most of it has a topic of its own, too, which not
//! everybody may read.

use serde_json::{Map, Value, json};

use super::chat::{announcement, chatter, origin};
use super::fields::{USER, count, is_set, owned_word, rest, shortened, user, word};
use super::support::{begun, chat_gift, chat_gifts, donation, raided};
use super::{NoticeContext, Parsed, text};
use crate::event::{Event, Moderation, Subscription, User};

/// `None` where the vocabulary has no case for it, and for what happened in another channel of a shared chat, which is
/// not to be thanked for here.
pub(super) fn notification(context: &NoticeContext<'_>) -> Option<Parsed> {
    let kind = kind(context.event())?;
    let notice = context.event().get(kind).unwrap_or(&Value::Null);
    match kind {
        "announcement" => return announcement(context, notice),
        "shared_chat_announcement" => return announcement(context, notice),
        _ if origin(context).is_some() => return None,
        _ => {}
    }
    let anonymous = is_set(context.event(), "chatter_is_anonymous");
    let who = chatter(context).filter(|_| !anonymous);
    let message = context.event().get("message").and_then(text::words);
    let mut parsed = match kind {
        "sub" => begun(context, "new", who?, tier(notice), message),
        "resub" => resub(who?, notice, message),
        "sub_gift" => chat_gift(context, notice, who)?,
        "community_sub_gift" => chat_gifts(notice, who)?,
        "gift_paid_upgrade" | "prime_paid_upgrade" => upgrade(who?, kind, notice, message),
        "raid" => raided(raider(context, notice, who)?, count(notice, "viewer_count").unwrap_or(0)),
        "unraid" => unraid(who),
        "charity_donation" => donation(notice, who, message)?,
        _ => return None,
    };
    if let Some(said) = word(context.event(), "system_message") {
        parsed.extra.insert("system_message".to_owned(), json!(said));
    }
    Some(parsed)
}

/// What the notification tells of, as it calls that itself.
pub(super) fn kind(event: &Value) -> Option<&str> {
    word(event, "notice_type")
}

fn tier(notice: &Value) -> String {
    owned_word(notice, "sub_tier").unwrap_or_default()
}

fn resub(who: User, notice: &Value, message: Option<String>) -> Parsed {
    let happening = format!("resub:{}", who.id);
    let subscription = Subscription {
        kind: "resub".to_owned(),
        who,
        tier: tier(notice),
        months: count(notice, "cumulative_months").unwrap_or(0),
        streak_months: count(notice, "streak_months"),
        message,
    };
    let extra = rest(notice, &["cumulative_months", "streak_months", "sub_tier"]);
    Parsed { happening: Some(happening), extra, ..Parsed::new(Event::Subscription(subscription)) }
}

/// Somebody who was given a subscription, or had one by Prime, goes on with one of their own.
fn upgrade(who: User, kind: &str, notice: &Value, message: Option<String>) -> Parsed {
    let happening = format!("new:{}", who.id);
    let mut extra: Map<String, Value> = rest(notice, &["sub_tier"]);
    extra.insert("upgrade".to_owned(), json!(shortened(kind)));
    let (kind, tier) = ("upgrade".to_owned(), tier(notice));
    let subscription = Subscription { kind, who, tier, months: 0, streak_months: None, message };
    Parsed { happening: Some(happening), extra, ..Parsed::new(Event::Subscription(subscription)) }
}

/// Whoever raids, with their badges where they are the one who is shown.
fn raider(context: &NoticeContext<'_>, notice: &Value, who: Option<User>) -> Option<User> {
    let raider = user(notice, USER, context.channel).or_else(|| who.clone())?;
    Some(who.filter(|who| who.id == raider.id).unwrap_or(raider))
}

fn unraid(who: Option<User>) -> Parsed {
    let unraid = Moderation { kind: "unraid".to_owned(), moderator: who, ..Moderation::default() };
    Parsed { happening: Some("unraid".to_owned()), ..Parsed::new(Event::Moderation(unraid)) }
}
