//! What people write: lines of chat, announcements, whispers.

use serde_json::{Map, Value, json};

use super::fields::{CHATTER, WHISPERER, count, id, is_set, list, rest, user, word};
use super::text;
use super::{NoticeContext, Parsed};
use crate::event::{ChatMessage, Event, Roles, User};

/// Badges that one name shows at most.
const MOST_BADGES: usize = 32;

pub(super) fn message(context: &NoticeContext<'_>) -> Option<Parsed> {
    let mut parsed = line(context)?;
    if let Some(kind) = word(context.event(), "message_type").filter(|kind| *kind != "text") {
        parsed.extra.insert("message_type".to_owned(), json!(kind));
    }
    Some(parsed)
}

/// An announcement comes as a notification, and is a line of chat with a color.
pub(super) fn announcement(context: &NoticeContext<'_>, notice: &Value) -> Option<Parsed> {
    let mut parsed = line(context)?;
    parsed.extra.insert("announcement".to_owned(), json!(word(notice, "color").unwrap_or("PRIMARY")));
    Some(parsed)
}

fn line(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let id = id(event, "message_id")?;
    let author = chatter(context)?;
    let read = text::read(event.get("message")?);
    let mut extra = details(context);
    if read.is_action {
        extra.insert("action".to_owned(), json!(true));
    }
    let own = !context.own.is_empty() && author.id == context.own;
    let key = format!("chat:{id}");
    let reply_to = event.get("reply").and_then(|reply| super::fields::id(reply, "parent_message_id"));
    let mirrored_from = origin(context);
    let chat = ChatMessage { id, author, text: read.text, spans: read.spans, reply_to, command: None, mirrored_from };
    Some(Parsed { key: Some(key), extra, own, ..Parsed::new(Event::Chat(chat)) })
}

/// The channel that it was written in, where that is another one of a shared chat.
pub(super) fn origin(context: &NoticeContext<'_>) -> Option<String> {
    id(context.event(), "source_broadcaster_user_id").filter(|origin| **origin != *context.channel.id)
}

/// Whoever a line or a notification of the chat is from, with all that the chat shows of them.
pub(super) fn chatter(context: &NoticeContext<'_>) -> Option<User> {
    let event = context.event();
    let mut author = user(event, CHATTER, context.channel)?;
    author.badges = list(event, "badges").take(MOST_BADGES).filter_map(badge).collect();
    author.roles = roles(&author, word(event, "message_type") == Some("user_intro"));
    author.color = word(event, "color").filter(|color| is_color(color)).map(str::to_owned);
    Some(author)
}

/// "#RRGGBB"; who never chose one has an empty one.
fn is_color(color: &str) -> bool {
    let digits = color.strip_prefix('#');
    digits.is_some_and(|digits| digits.len() == 6 && digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

fn badge(badge: &Value) -> Option<String> {
    let set = word(badge, "set_id")?;
    Some(word(badge, "id").map_or_else(|| set.to_owned(), |id| format!("{set}/{id}")))
}

/// The chat says nothing of roles but by badges.
fn roles(author: &User, first_time: bool) -> Roles {
    let has =
        |sets: &[&str]| author.badges.iter().any(|badge| sets.contains(&badge.split('/').next().unwrap_or_default()));
    Roles {
        broadcaster: author.roles.broadcaster || has(&["broadcaster"]),
        moderator: has(&["moderator", "lead_moderator"]),
        vip: has(&["vip"]),
        subscriber: has(&["subscriber", "founder"]),
        staff: has(&["staff", "admin", "global_mod"]),
        bot: has(&["bot-badge"]),
        first_time,
    }
}

fn details(context: &NoticeContext<'_>) -> Map<String, Value> {
    let event = context.event();
    let mut extra = Map::new();
    let mut add = |name: &str, value: Value| {
        extra.insert(name.to_owned(), value);
    };
    if let Some(bits) = event.get("cheer").and_then(|cheer| count(cheer, "bits")) {
        add("bits", json!(bits));
    }
    if let Some(months) = list(event, "badges").find_map(months) {
        add("subscriber_months", json!(months));
    }
    if let Some(reply) = event.get("reply").filter(|reply| reply.is_object()) {
        add("reply", Value::Object(rest(reply, &["parent_message_id"])));
    }
    for name in ["channel_points_custom_reward_id", "channel_points_animation_id", "source_message_id"] {
        if let Some(value) = word(event, name) {
            add(name, json!(value));
        }
    }
    if is_set(event, "is_source_only") {
        add("is_source_only", json!(true));
    }
    extra
}

/// How long somebody has subscribed, as their badge tells it.
fn months(badge: &Value) -> Option<u32> {
    word(badge, "set_id").filter(|set| matches!(*set, "subscriber" | "founder"))?;
    count(badge, "info")
}

pub(super) fn whisper(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let id = id(event, "whisper_id")?;
    let author = user(event, WHISPERER, context.channel)?;
    let read = text::read(event.get("whisper")?);
    let own = !context.own.is_empty() && author.id == context.own;
    let key = format!("whisper:{id}");
    let whisper = ChatMessage { id, author, text: read.text, spans: read.spans, ..ChatMessage::default() };
    Some(Parsed { key: Some(key), own, ..Parsed::new(Event::Whisper(whisper)) })
}
