//! The plugin through the harness, as the engine would drive it.

mod escalation;
mod first_time;
mod rules;
mod settings;
mod words;

use serde_json::{Value, json};
use showrunner_sdk::Verdict;
use showrunner_sdk::event::{ChatMessage, Event, Moderation as ModerationEvent, Origin, Span, User};
use showrunner_sdk::testing::{Draft, Effect, Harness, Reaction, Setup, event};

use super::Moderation;

const SCAM: &str = "get free followers here";

fn setup(settings: Value) -> Setup {
    Setup::new().manifest(include_str!("../plugin.toml")).settings(settings)
}

fn start(settings: Value) -> Harness<Moderation> {
    Harness::start(setup(settings)).unwrap()
}

/// A verdict in short: what it is, and its reason.
fn short(verdict: &Verdict) -> (&'static str, &str) {
    match verdict {
        Verdict::Pass => ("pass", ""),
        Verdict::Flag(reason) => ("flag", reason),
        Verdict::Hold(reason) => ("hold", reason),
        Verdict::Remove(reason) => ("remove", reason),
        Verdict::Suspend(suspension) => match suspension.seconds {
            Some(60) => ("60 s", &suspension.reason),
            Some(600) => ("600 s", &suspension.reason),
            Some(_) => ("some time", &suspension.reason),
            None => ("ban", &suspension.reason),
        },
    }
}

/// What becomes of a line by Ada.
fn review(harness: &mut Harness<Moderation>, text: &str) -> &'static str {
    short(&harness.review(event::chat("Ada", text))).0
}

fn reason(harness: &mut Harness<Moderation>, draft: Draft) -> String {
    short(&harness.review(draft)).1.to_owned()
}

/// A line by somebody in particular, with what the platform says of its parts.
fn line(author: User, text: &str, spans: Vec<Span>) -> Draft {
    let (id, text) = (String::new(), text.to_owned());
    event::any(Event::Chat(ChatMessage { id, author, text, spans, reply_to: None, command: None, mirrored_from: None }))
}

/// Somebody who is called Ada, and is somebody else.
fn namesake(id: &str) -> User {
    User { id: id.to_owned(), ..event::user("Ada") }
}

/// What the engine tells of a verdict.
fn notice(kind: &str, message_id: &str, reason: &str) -> Draft {
    event::any(Event::Moderation(ModerationEvent {
        kind: kind.to_owned(),
        moderator: None,
        target: Some(event::user("Ada")),
        message_id: Some(message_id.to_owned()),
        text: None,
        seconds: None,
        reason: Some(reason.to_owned()),
    }))
}

/// What the bot answers to a moderator.
fn order(harness: &mut Harness<Moderation>, text: &str) -> String {
    let reaction = harness.push(event::chat("Mia", text).moderator());
    assert!(reaction.handled(), "{reaction:?}");
    reaction.texts().concat()
}

fn acts(reaction: &Reaction) -> Vec<&Effect> {
    reaction.effects.iter().filter(|effect| effect.text().is_none()).collect()
}
