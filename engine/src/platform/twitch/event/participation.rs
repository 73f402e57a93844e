//! What viewers take part in: rewards, polls, predictions, hype trains.
//!
//! Each phase but progress comes once, so its id and phase name it; Twitch closes a poll twice, as over and later as
//! archived. Progress comes again and again, and only the notification names it.

use serde_json::Value;

use super::fields::{USER, count, id, list, owned_text, owned_word, time, user, word};
use super::{NoticeContext, Parsed, text};
use crate::event::{Ballot, BallotOption, Channel, Event, Goal, Redemption};

/// A reward of the channel's own: redeemed, or decided on by a moderator.
pub(super) fn redemption(context: &NoticeContext<'_>) -> Option<Parsed> {
    let parsed = redeemed(context.event(), context.channel)?;
    let is_new = context.notice.topic.ends_with(".add");
    Some(Parsed { at_ms: parsed.at_ms.filter(|_| is_new), ..parsed })
}

/// A redemption, from a notification or from the list of a reward's.
pub(super) fn redeemed(fields: &Value, channel: &Channel) -> Option<Parsed> {
    let reward = fields.get("reward")?;
    let id = id(fields, "id")?;
    // The list writes it in capitals.
    let status = word(fields, "status").unwrap_or("unfulfilled").to_lowercase();
    let key = Some(format!("redemption:{id}:{status}"));
    let redemption = Redemption {
        id,
        reward_id: super::fields::id(reward, "id").unwrap_or_default(),
        title: owned_text(reward, "title").unwrap_or_default(),
        cost: count(reward, "cost").unwrap_or(0),
        who: user(fields, USER, channel)?,
        input: owned_text(fields, "user_input"),
        status,
    };
    let at_ms = time(fields, "redeemed_at");
    let mut parsed = Parsed { key, at_ms, ..Parsed::new(Event::Redemption(redemption)) };
    if let Some(prompt) = owned_text(reward, "prompt") {
        parsed.extra.insert("prompt".to_owned(), prompt.into());
    }
    Some(parsed)
}

/// A reward that every channel has, such as a highlighted message: it is fulfilled by being redeemed. Version 1 calls
/// the price `cost`, version 2 `channel_points`.
pub(super) fn automatic_redemption(context: &NoticeContext<'_>) -> Option<Parsed> {
    let event = context.event();
    let reward = event.get("reward")?;
    let kind = owned_word(reward, "type")?;
    let id = id(event, "id")?;
    let status = "fulfilled".to_owned();
    let key = Some(format!("redemption:{id}:{status}"));
    let redemption = Redemption {
        id,
        title: kind.replace('_', " "),
        reward_id: kind,
        cost: count(reward, "channel_points").or_else(|| count(reward, "cost")).unwrap_or(0),
        who: user(event, USER, context.channel)?,
        input: event.get("message").and_then(text::words).or_else(|| owned_text(event, "user_input")),
        status,
    };
    let at_ms = time(event, "redeemed_at");
    let mut parsed = Parsed { key, at_ms, ..Parsed::new(Event::Redemption(redemption)) };
    for name in ["emote", "unlocked_emote"] {
        if let Some(emote) = reward.get(name).filter(|emote| emote.is_object()) {
            parsed.extra.insert(name.to_owned(), emote.clone());
        }
    }
    Some(parsed)
}

/// What names an event of something that has an id.
fn key(what: &str, id: &str, phase: &str) -> Option<String> {
    (phase != "progress").then(|| format!("{what}:{id}:{phase}"))
}

pub(super) fn poll(context: &NoticeContext<'_>, phase: &str) -> Option<Parsed> {
    let event = context.event();
    let options = options(event, "choices", "votes", "channel_points_votes");
    let winner = if phase == "end" { winner(&options) } else { None };
    let used = ["id", "title", "choices", "ends_at"];
    ballot(context, "poll", phase, Contents { options, winner, ends_at_ms: time(event, "ends_at") }, &used)
}

pub(super) fn prediction(context: &NoticeContext<'_>, phase: &str) -> Option<Parsed> {
    let event = context.event();
    let options = options(event, "outcomes", "users", "channel_points");
    let winner = id(event, "winning_outcome_id");
    // At the end, the outcomes name those who won most.
    let used: &[&str] = match phase {
        "end" => &["id", "title", "locks_at", "winning_outcome_id"],
        _ => &["id", "title", "outcomes", "locks_at", "winning_outcome_id"],
    };
    ballot(context, "prediction", phase, Contents { options, winner, ends_at_ms: time(event, "locks_at") }, used)
}

struct Contents {
    options: Vec<BallotOption>,
    winner: Option<String>,
    ends_at_ms: Option<u64>,
}

fn ballot(context: &NoticeContext<'_>, kind: &str, phase: &str, contents: Contents, used: &[&str]) -> Option<Parsed> {
    let id = id(context.event(), "id")?;
    let key = key(kind, &id, phase);
    let Contents { options, winner, ends_at_ms } = contents;
    let title = owned_text(context.event(), "title").unwrap_or_default();
    let ballot = Ballot { kind: kind.to_owned(), phase: phase.to_owned(), id, title, options, winner, ends_at_ms };
    Some(Parsed { key, extra: context.rest(used), ..Parsed::new(Event::Ballot(ballot)) })
}

fn options(event: &Value, name: &str, votes: &str, points: &str) -> Vec<BallotOption> {
    let option = |option: &Value| BallotOption {
        id: id(option, "id").unwrap_or_default(),
        title: owned_text(option, "title").unwrap_or_default(),
        votes: count(option, votes).unwrap_or(0),
        points: count(option, points).unwrap_or(0),
    };
    list(event, name).map(option).collect()
}

/// The option with the most votes. Where several have as many, or nobody voted, none has won.
fn winner(options: &[BallotOption]) -> Option<String> {
    let most = options.iter().map(|option| option.votes).max().filter(|most| *most > 0)?;
    let mut first = options.iter().filter(|option| option.votes == most);
    let winner = first.next()?;
    first.next().is_none().then(|| winner.id.clone())
}

pub(super) fn hype_train(context: &NoticeContext<'_>, phase: &str) -> Option<Parsed> {
    let event = context.event();
    let id = id(event, "id")?;
    let key = key("hype-train", &id, phase);
    let goal = Goal {
        kind: "hype-train".to_owned(),
        phase: phase.to_owned(),
        id,
        // "regular", "golden_kappa", ...
        title: owned_word(event, "type").unwrap_or_default(),
        level: count(event, "level").unwrap_or(0),
        // The end has neither progress nor goal: what it came to in all.
        current: count(event, "progress").or_else(|| count(event, "total")).unwrap_or(0),
        target: count(event, "goal").unwrap_or(0),
        ends_at_ms: time(event, "expires_at"),
    };
    let extra = context.rest(&["id", "type", "level", "progress", "goal", "expires_at"]);
    Some(Parsed { key, extra, ..Parsed::new(Event::Goal(goal)) })
}
