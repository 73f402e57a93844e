//! What moderators and `AutoMod` do. An act is told by a topic of its own, by `channel.moderate`, or by both.

use serde_json::{Value, json};

use super::fields::{MODERATOR, TARGET, USER, count, id, list, owned_text, rest, text, time, user, word};
use super::{FollowUp, NoticeContext, Parsed, text::words};
use crate::event::{Event, Moderation, User};

/// Fields that say who did what to whom.
const NAMES: [&str; 6] =
    ["user_id", "user_login", "user_name", "moderator_user_id", "moderator_user_login", "moderator_user_name"];

/// An act against or for somebody, equal in all topics that tell of it.
fn act(kind: &str, moderator: Option<User>, target: Option<User>) -> (Moderation, Option<String>) {
    let happening = format!("{kind}:{}", target.as_ref().map_or("", |target| target.id.as_str()));
    let moderation = Moderation { kind: kind.to_owned(), moderator, target, ..Moderation::default() };
    (moderation, Some(happening))
}

fn told((moderation, happening): (Moderation, Option<String>)) -> Parsed {
    Parsed { happening, ..Parsed::new(Event::Moderation(moderation)) }
}

pub(super) fn message_delete(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    Some(deleted(id(event, "message_id")?, None, user(event, TARGET, context.channel)))
}

/// Its text is not handed on: who may read what was taken away is the operator's to say.
fn deleted(message_id: String, moderator: Option<User>, target: Option<User>) -> Parsed {
    let key = Some(format!("delete:{message_id}"));
    let (kind, message_id) = ("delete".to_owned(), Some(message_id));
    let moderation = Moderation { kind, moderator, target, message_id, ..Moderation::default() };
    Parsed { key, ..Parsed::new(Event::Moderation(moderation)) }
}

pub(super) fn clear() -> Parsed {
    told(act("clear", None, None))
}

pub(super) fn clear_user_messages(context: &NoticeContext<'_>) -> Option<Parsed> {
    let target = user(context.event(), TARGET, context.channel)?;
    let follow_up = FollowUp::Cleared(target.id.clone());
    let (kind, target) = ("clear".to_owned(), Some(target));
    let moderation = Moderation { kind, target, ..Moderation::default() };
    Some(Parsed { follow_up, ..Parsed::new(Event::Moderation(moderation)) })
}

pub(super) fn ban(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let target = user(event, USER, context.channel)?;
    let from_ms = time(event, "banned_at").unwrap_or(context.notice.at_ms);
    let seconds = time(event, "ends_at").map(|until_ms| seconds_between(from_ms, until_ms));
    let is_timeout = seconds.is_some() || event.get("is_permanent") == Some(&Value::Bool(false));
    Some(silenced(is_timeout, seconds, user(event, MODERATOR, context.channel), target, owned_text(event, "reason")))
}

fn silenced(
    is_timeout: bool,
    seconds: Option<u32>,
    moderator: Option<User>,
    target: User,
    reason: Option<String>,
) -> Parsed {
    let follow_up = FollowUp::Silences(target.id.clone());
    let (moderation, happening) = act(if is_timeout { "timeout" } else { "ban" }, moderator, Some(target));
    Parsed { follow_up, ..told((Moderation { seconds, reason, ..moderation }, happening)) }
}

/// To the nearest second: one of both may be when it was told, not when it was done.
fn seconds_between(from_ms: u64, until_ms: u64) -> u32 {
    let seconds = until_ms.saturating_sub(from_ms).saturating_add(500) / 1000;
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

pub(super) fn unban(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let target = user(event, USER, context.channel)?;
    Some(told(act("unban", user(event, MODERATOR, context.channel), Some(target))))
}

/// Somebody became, or is no longer, a moderator or a VIP.
pub(super) fn role(context: &NoticeContext<'_>, kind: &str) -> Option<Parsed> {
    Some(told(act(kind, None, Some(user(context.event(), USER, context.channel)?))))
}

/// `channel.moderate`: the action says under which name its details stand.
pub(super) fn moderate(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let action = action(event)?;
    let details = match action {
        "add_blocked_term" | "add_permitted_term" | "remove_blocked_term" | "remove_permitted_term" => "automod_terms",
        "approve_unban_request" | "deny_unban_request" => "unban_request",
        _ => action,
    };
    let details = event.get(details).unwrap_or(&Value::Null);
    let moderator = user(event, MODERATOR, context.channel);
    let target = user(details, USER, context.channel);
    let reason = owned_text(details, "reason");
    let mut parsed = match action {
        "ban" => return Some(silenced(false, None, moderator, target?, reason)),
        "timeout" => return Some(silenced(true, seconds(context, details), moderator, target?, reason)),
        "delete" => return Some(deleted(id(details, "message_id")?, moderator, target)),
        "clear" => return Some(told(act("clear", moderator, None))),
        "unban" | "untimeout" => told(act("unban", moderator, Some(target?))),
        "warn" => warned(moderator, target?, reason, details),
        "mod" => told(act("moderator-added", moderator, Some(target?))),
        "unmod" => told(act("moderator-removed", moderator, Some(target?))),
        "vip" => told(act("vip-added", moderator, Some(target?))),
        "unvip" => told(act("vip-removed", moderator, Some(target?))),
        // The one that is taken back is not said in chat, where this is told as well.
        "unraid" => Parsed { happening: Some("unraid".to_owned()), ..told(act("unraid", moderator, target)) },
        _ => other(context, action, details, moderator, target)?,
    };
    if action == "untimeout" {
        parsed.extra.insert("action".to_owned(), json!(action));
    }
    Some(parsed)
}

/// What was done, as `channel.moderate` calls it.
pub(super) fn action(event: &Value) -> Option<&str> {
    word(event, "action")
}

fn seconds(context: &NoticeContext<'_>, details: &Value) -> Option<u32> {
    time(details, "expires_at").map(|until_ms| seconds_between(context.notice.at_ms, until_ms))
}

fn warned(moderator: Option<User>, target: User, reason: Option<String>, details: &Value) -> Parsed {
    let (moderation, happening) = act("warn", moderator, Some(target));
    let mut parsed = told((Moderation { reason, ..moderation }, happening));
    if let Some(rules) = details.get("chat_rules_cited").filter(|rules| rules.is_array()) {
        parsed.extra.insert("chat_rules_cited".to_owned(), rules.clone());
    }
    parsed
}

/// Acts that only `channel.moderate` tells of; `extra` has the action and its details.
fn other(
    context: &NoticeContext<'_>,
    action: &str,
    details: &Value,
    moderator: Option<User>,
    target: Option<User>,
) -> Option<Parsed> {
    let kind = match action {
        "raid" => "raid".to_owned(),
        "emoteonly" | "emoteonlyoff" | "followers" | "followersoff" | "slow" | "slowoff" | "subscribers"
        | "subscribersoff" | "uniquechat" | "uniquechatoff" => "chat-settings".to_owned(),
        "add_blocked_term" | "add_permitted_term" | "remove_blocked_term" | "remove_permitted_term" => {
            "terms".to_owned()
        }
        "approve_unban_request" | "deny_unban_request" => "unban-request".to_owned(),
        // Done in another channel of a shared chat.
        shared => format!("shared-chat-{}", shared.strip_prefix("shared_chat_")?),
    };
    let moderation = Moderation {
        kind,
        moderator,
        target,
        message_id: id(details, "message_id"),
        seconds: seconds(context, details),
        reason: owned_text(details, "reason").or_else(|| owned_text(details, "moderator_message")),
        ..Moderation::default()
    };
    let used =
        ["user_id", "user_login", "user_name", "message_id", "message_body", "reason", "moderator_message", "action"];
    let mut parsed = Parsed { extra: rest(details, &used), ..Parsed::new(Event::Moderation(moderation)) };
    parsed.extra.insert("action".to_owned(), json!(action));
    if let Some(origin) = word(context.event(), "source_broadcaster_user_id") {
        parsed.extra.insert("source_broadcaster_user_id".to_owned(), json!(origin));
    }
    Some(parsed)
}

pub(super) fn warning_send(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let target = user(event, USER, context.channel)?;
    Some(warned(user(event, MODERATOR, context.channel), target, owned_text(event, "reason"), event))
}

pub(super) fn warning_acknowledge(context: &NoticeContext<'_>) -> Option<Parsed> {
    role(context, "warn-acknowledged")
}

/// A message that waits for a moderator: of anybody, or one of our own.
pub(super) fn held(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let message = event.get("message")?;
    let mut parsed = judged(context, "automod-hold", words(message))?;
    let found: Vec<&str> = boundaries(event).filter_map(|boundary| part(text(message, "text")?, boundary)).collect();
    if !found.is_empty() {
        parsed.extra.insert("found".to_owned(), json!(found));
    }
    Some(parsed)
}

/// What became of it: "approved", "denied", "expired", "invalid".
pub(super) fn decided(context: &NoticeContext<'_>) -> Option<Parsed> {
    let status = word(context.event(), "status")?.to_lowercase();
    judged(context, &format!("automod-{status}"), context.event().get("message").and_then(words))
}

fn judged(context: &NoticeContext<'_>, kind: &str, text: Option<String>) -> Option<Parsed> {
    let event = context.event();
    let message_id = id(event, "message_id")?;
    let category =
        event.get("automod").and_then(|automod| word(automod, "category")).or_else(|| word(event, "category"));
    let moderation = Moderation {
        kind: kind.to_owned(),
        moderator: user(event, MODERATOR, context.channel),
        target: Some(user(event, USER, context.channel)?),
        text,
        seconds: None,
        reason: category.or_else(|| word(event, "reason")).map(str::to_owned),
        message_id: Some(message_id.clone()),
    };
    let used = [&NAMES[..], &["message_id", "message", "status", "reason", "category"]].concat();
    let key = Some(format!("{kind}:{message_id}"));
    Some(Parsed { key, extra: context.rest(&used), ..Parsed::new(Event::Moderation(moderation)) })
}

/// Where what was objected to stands.
fn boundaries(event: &Value) -> impl Iterator<Item = &Value> {
    let automod = event.get("automod").into_iter().flat_map(|automod| list(automod, "boundaries"));
    let terms = event.get("blocked_term").into_iter().flat_map(|terms| list(terms, "terms_found"));
    automod.chain(terms.filter_map(|term| term.get("boundary")))
}

/// Boundaries count characters, and the last one belongs to it.
fn part<'text>(text: &'text str, boundary: &Value) -> Option<&'text str> {
    let first = usize::try_from(count(boundary, "start_pos")?).ok()?;
    let last = usize::try_from(count(boundary, "end_pos")?).ok()?;
    let (start, _) = text.char_indices().nth(first)?;
    let rest = text.get(start..)?;
    let end = rest.char_indices().nth(last.checked_sub(first)? + 1).map_or(rest.len(), |(end, _)| end);
    rest.get(..end)
}

pub(super) fn suspicious_message(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let message = event.get("message").unwrap_or(&Value::Null);
    let why = word(event, "low_trust_status").into_iter().chain(list(event, "types").filter_map(Value::as_str));
    let moderation = Moderation {
        kind: "suspicious".to_owned(),
        moderator: None,
        target: Some(user(event, USER, context.channel)?),
        message_id: id(message, "message_id"),
        text: words(message),
        seconds: None,
        reason: Some(why.map(super::shortened).collect::<Vec<_>>().join(", ")).filter(|why| !why.is_empty()),
    };
    let extra = context.rest(&["user_id", "user_login", "user_name", "message"]);
    Some(Parsed { extra, ..Parsed::new(Event::Moderation(moderation)) })
}

/// A moderator changed how somebody suspicious is treated.
pub(super) fn suspicious_update(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let moderation = Moderation {
        kind: "suspicious-update".to_owned(),
        moderator: user(event, MODERATOR, context.channel),
        target: Some(user(event, USER, context.channel)?),
        reason: word(event, "low_trust_status").map(str::to_owned),
        ..Moderation::default()
    };
    Some(Parsed { extra: context.rest(&NAMES), ..Parsed::new(Event::Moderation(moderation)) })
}
