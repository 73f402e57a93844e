//! Whatever the gateway sends becomes one event of bounded names, and what we do not know changes nothing.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;
use crate::event::{ChatMessage, User};

/// Ids and names are stored with every message. Lower case may take half as much again as what was sent.
const LONGEST_NAME: usize = 400;

#[test]
fn joystick_events() {
    // Small objects of JSON cost the most: a tree of one field for every eight bytes. Details written as text are read
    // beside the text.
    fuzz_text!(1024, |text| {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
        let heard = read(&message);
        match &heard {
            Heard::Error(words) => assert_one_short_line(words),
            Heard::Event(parsed) => assert_sound(parsed),
        }
        if let Value::Object(fields) = &mut message {
            fields.insert("field-of-tomorrow".to_owned(), json!({ "text": ["x", 1] }));
        }
        assert_eq!(without_payload(heard), without_payload(read(&message)));
    });
}

/// What is passed on as it came has the field of tomorrow in it.
fn without_payload(mut heard: Heard) -> Heard {
    if let Heard::Event(parsed) = &mut heard
        && let Event::Raw(raw) = &mut parsed.event
    {
        raw.json.clear();
    }
    heard
}

fn assert_sound(parsed: &Parsed) {
    for id in [&parsed.channel, &parsed.id].into_iter().flatten() {
        assert!((1..=LONGEST_NAME).contains(&id.len()), "{id:?}");
    }
    assert!(parsed.at_ms.is_none_or(|at_ms| at_ms > 0));
    if let Some(extra) = &parsed.extra {
        assert!(matches!(serde_json::from_str(extra), Ok(Value::Object(_))), "{extra}");
    }
    match &parsed.event {
        Event::Chat(message) | Event::Whisper(message) => assert_message(message),
        Event::Support(support) => assert_one_short_line(&support.amount.to_string()),
        Event::Moderation(moderation) => moderation.target.iter().for_each(assert_named),
        Event::Raw(raw) => {
            assert!((1..=LONGEST_NAME).contains(&raw.kind.len()), "{:?}", raw.kind);
            assert!(serde_json::from_str::<Value>(&raw.json).is_ok(), "{}", raw.json);
        }
        _ => {}
    }
    parsed.event.actor().into_iter().for_each(assert_named);
}

fn assert_message(message: &ChatMessage) {
    assert!(!message.text.is_empty() && message.text.trim() == message.text);
    let mut end = 0;
    for span in &message.spans {
        let (start, length) = (usize::try_from(span.start).unwrap(), usize::try_from(span.length).unwrap());
        assert!(start >= end && length > 0, "{:?}", message.spans);
        end = start + length;
        assert!(message.text.get(start..end).is_some(), "{:?}", message.spans);
    }
}

fn assert_named(user: &User) {
    for name in [&user.id, &user.login, &user.display_name] {
        assert!((1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control), "{user:?}");
    }
    assert!(user.color.as_ref().is_none_or(|color| color.len() == 7));
}
