use serde_json::{Value, json};

use super::super::wire::{Heard, read};
use super::*;

fn reader(channels: &[&str]) -> Reader {
    let channels = channels.iter().map(|id| Channel::new(PLATFORM, *id)).collect();
    Reader::new(channels, "Pixel", Arc::default())
}

fn draft(reader: &mut Reader, message: Value) -> Option<Draft> {
    match read(&message) {
        Heard::Event(parsed) => reader.draft(*parsed),
        Heard::Error(words) => panic!("{words}"),
    }
}

fn said(username: &str, channel: Option<&str>) -> Value {
    json!({"event": "ChatMessage", "type": "new_message", "messageId": "m1", "text": "gm", "channelId": channel,
        "author": {"username": username}, "createdAt": "2099-01-01T00:00:00Z"})
}

#[test]
fn a_draft_has_its_channel_and_an_id_that_tells_a_repeat() {
    let mut reader = reader(&["one", "two"]);
    let draft = draft(&mut reader, said("Alice", Some("two"))).unwrap();
    assert_eq!(draft.channel, Channel::new("joystick", "two"));
    assert_eq!(draft.id.as_deref(), Some("joystick:m1"));
    assert!(!draft.own && draft.origin == Origin::Live && draft.at_ms <= now_ms());
    let author = Author { login: "Alice".into(), message_id: "m1".into() };
    assert_eq!(reader.authors.find(&"two".into(), "alice"), Some(author));
    assert_eq!(reader.authors.find(&"one".into(), "alice"), None);
}

#[test]
fn other_channels_are_dropped_and_told_once() {
    let mut one = reader(&["one"]);
    assert!(draft(&mut one, said("alice", Some("strange"))).is_none());
    assert!(draft(&mut one, said("alice", Some("strange"))).is_none());
    assert_eq!(one.strange.len(), 1);
    assert!(draft(&mut one, said("alice", None)).is_some(), "it can only be of the one there is");
    for number in 0..1000 {
        assert!(draft(&mut one, said("alice", Some(&format!("strange {number}")))).is_none());
    }
    assert_eq!(one.strange.len(), MOST_STRANGE);
    assert!(draft(&mut reader(&["one", "two"]), said("alice", None)).is_none());
}

#[test]
fn our_own_lines_are_known_by_our_name_in_any_case() {
    let mut reader = reader(&["one"]);
    let own = draft(&mut reader, said("PIXEL", Some("one"))).unwrap();
    assert!(own.own && Reader::own_line(&own).is_some());
    assert_eq!(reader.authors.find(&"one".into(), "pixel"), None, "nobody mutes himself");
    let mut whispered = said("pixel", Some("one"));
    whispered["visibility"] = json!("private");
    let whispered = draft(&mut reader, whispered).unwrap();
    assert!(whispered.own && Reader::own_line(&whispered).is_none());
    let entered = json!({"event": "UserPresence", "type": "enter_stream", "text": "pixel", "channelId": "one"});
    assert!(draft(&mut reader, entered).unwrap().own);
}

#[test]
fn a_fake_never_counts_as_the_real_thing() {
    let mut fake = said("alice", Some("one"));
    fake["isFake"] = json!(true);
    assert_eq!(draft(&mut reader(&["one"]), fake).unwrap().origin, Origin::Test);
}
