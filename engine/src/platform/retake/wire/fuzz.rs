//! Whatever the platform sends becomes events of bounded names, and what we do not know changes nothing.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;
use crate::event::User;

const ROOM: &str = "5b7c";
/// Ids and names are stored with every message and remembered for thousands of them. Lower case may take half as much
/// again as what was sent.
const LONGEST_NAME: usize = 400;
/// Names, a kind and a time make the key of an event.
const LONGEST_KEY: usize = 420;

/// The first line of an input is the name of the event, the others are its arguments.
#[test]
fn retake_events() {
    // Small objects of JSON cost the most: a tree of one field for every eight bytes.
    fuzz_text!(768, |text| {
        let mut lines = text.lines();
        let name = lines.next().unwrap_or_default();
        let args: Vec<Value> = lines.map_while(|line| serde_json::from_str(line).ok()).collect();
        let events = read_event(name, &args, ROOM);
        match args.first() {
            Some(Value::Array(items)) if name == "message" => assert_eq!(events.len(), items.len().min(MOST_MESSAGES)),
            _ => assert_eq!(events.len(), 1),
        }
        events.iter().for_each(assert_sound);

        let wider: Vec<Value> = args.iter().cloned().map(with_unknown_field).collect();
        let same = read_event(name, &wider, ROOM);
        assert_eq!(events.len(), same.len());
        events.iter().zip(&same).for_each(|(event, same)| assert_same(event, same));
    });
}

#[test]
fn retake_histories() {
    fuzz_text!(768, |text| {
        let Ok(answer) = serde_json::from_str::<Value>(text) else { return };
        let Some(events) = read_history(&answer, ROOM) else {
            return assert!(!answer.is_array());
        };
        events.iter().for_each(assert_sound);
        let same = read_history(&with_unknown_field(answer), ROOM).unwrap();
        events.iter().zip(&same).for_each(|(event, same)| assert_same(event, same));
    });
}

#[test]
fn retake_answers() {
    fuzz_text!(128, |text| {
        let Ok(answer) = serde_json::from_str::<Value>(text) else { return };
        assert!(read_sent_id(&answer).is_none_or(|id| (1..=LONGEST_NAME).contains(&id.len())));
    });
}

fn with_unknown_field(mut payload: Value) -> Value {
    match &mut payload {
        Value::Object(fields) => {
            for list in fields.values_mut().filter(|field| field.is_array()) {
                *list = with_unknown_field(list.take());
            }
            fields.insert("field-of-tomorrow".to_owned(), json!({ "text": ["x", 1] }));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = with_unknown_field(item.take())),
        _ => {}
    }
    payload
}

/// The same but for what is passed on as it came.
fn assert_same(event: &Parsed, same: &Parsed) {
    let names = |event: &Parsed| (event.key.clone(), event.cursor.clone(), event.at_ms, event.content.clone());
    assert_eq!(names(event), names(same));
    match (&event.event, &same.event) {
        (Event::Raw(raw), Event::Raw(same)) => assert_eq!(raw.kind, same.kind),
        (event, same) => assert_eq!(event, same),
    }
}

fn assert_sound(event: &Parsed) {
    assert!(event.at_ms.is_none_or(|at_ms| at_ms > 0));
    assert!(event.key.as_ref().is_none_or(|key| (1..=LONGEST_KEY).contains(&key.len())), "{:?}", event.key);
    for id in [&event.cursor, &event.sender_id, &event.session_id].into_iter().flatten() {
        assert!((1..=LONGEST_NAME).contains(&id.len()), "{id:?}");
    }
    if let Some(extra) = &event.extra {
        assert!(matches!(serde_json::from_str(extra), Ok(Value::Object(_))), "{extra}");
    }
    match &event.event {
        Event::Chat(chat) => assert!(!chat.text.trim().is_empty() && chat.id.len() <= LONGEST_NAME),
        Event::Moderation(moderation) => moderation.target.iter().for_each(assert_named),
        // No more, no less than was given.
        Event::Support(support) => assert_one_short_line(&support.amount.to_string()),
        Event::Raw(raw) => assert!(serde_json::from_str::<Value>(&raw.json).is_ok(), "{}", raw.json),
        _ => {}
    }
    event.event.actor().into_iter().for_each(assert_named);
}

fn assert_named(user: &User) {
    for name in [&user.id, &user.login, &user.display_name] {
        assert!((1..=LONGEST_NAME).contains(&name.len()), "{user:?}");
    }
}
