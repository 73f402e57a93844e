//! Whatever Twitch sends becomes events of bounded names, and what we do not know changes nothing.

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;
use crate::event::{ChatMessage, User};

/// Ids and names are stored with every event. Lower case may take half as much again as what was sent.
const LONGEST_NAME: usize = 400;
/// An id and a few words, or some of both.
const LONGEST_ID: usize = 1200;

/// A line of an input has a topic and an event.
#[test]
fn twitch_events() {
    fuzz_text!(1024, |text| {
        let channel = Channel::new(PLATFORM, "1337");
        let notices: Vec<(&str, Value)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map_while(|(topic, event)| Some((topic, serde_json::from_str(event).ok()?)))
            .collect();
        let told = tell_all(&channel, &notices);
        told.iter().for_each(assert_sound);

        let wider: Vec<(&str, Value)> =
            notices.into_iter().map(|(topic, event)| (topic, with_unknown_field(event))).collect();
        let same = tell_all(&channel, &wider);
        assert_eq!(told.len(), same.len());
        told.iter().zip(&same).for_each(|(draft, same)| assert_same(draft, same));
    });
}

/// Entries of the lists of Helix.
#[test]
fn twitch_gaps() {
    fuzz_text!(128, |text| {
        let Ok(item) = serde_json::from_str::<Value>(text) else { return };
        let channel = Channel::new(PLATFORM, "1337");
        let missed = [
            missed_follow(&channel, &item),
            missed_redemption(&channel, &item),
            missed_subscription(&channel, &item, 1_767_607_873_000),
        ];
        for draft in missed.iter().flatten() {
            assert_sound(draft);
            assert!(draft.id.is_some() && draft.extra.as_deref().is_some_and(|extra| extra.contains("late")));
        }
    });
}

/// Each is told, or belongs to one that is, or waits for a time that comes.
fn tell_all(channel: &Channel, notices: &[(&str, Value)]) -> Vec<Draft> {
    let (mut normalizer, now) = (Normalizer::new(), Instant::now());
    let mut drafts = Vec::new();
    for (number, (topic, event)) in notices.iter().enumerate() {
        let message_id = number.to_string();
        let notice = Notice { message_id: &message_id, topic, version: "1", at_ms: 1_767_607_873_000, event };
        drafts.extend(normalizer.read(channel, "9001", &notice, now));
    }
    drafts.extend(normalizer.due(now + Duration::from_secs(60)));
    assert_eq!(normalizer.next_due(), None);
    drafts
}

fn with_unknown_field(mut event: Value) -> Value {
    if let Value::Object(fields) = &mut event {
        fields.insert("field-of-tomorrow".to_owned(), json!({ "text": ["x", 1] }));
    }
    event
}

/// The same but for what is passed on as it came.
fn assert_same(draft: &Draft, same: &Draft) {
    assert_eq!((&draft.id, draft.at_ms, draft.own), (&same.id, same.at_ms, same.own));
    match (&draft.event, &same.event) {
        (Event::Raw(raw), Event::Raw(same)) => assert_eq!(raw.kind, same.kind),
        (event, same) => assert_eq!(event, same),
    }
}

pub(super) fn assert_sound(draft: &Draft) {
    assert!(draft.id.as_ref().is_none_or(|id| id.starts_with("twitch:") && id.len() <= LONGEST_ID), "{:?}", draft.id);
    if let Some(extra) = &draft.extra {
        assert!(matches!(serde_json::from_str(extra), Ok(Value::Object(_))), "{extra}");
    }
    match &draft.event {
        Event::Chat(message) | Event::Whisper(message) => assert_spans(message),
        Event::Moderation(moderation) => {
            assert_eq!(moderation.seconds.filter(|seconds| *seconds == 0), None);
            moderation.target.iter().for_each(assert_named);
        }
        Event::Gift(gift) => {
            assert!(gift.count > 0 && u32::try_from(gift.recipients.len()).unwrap() <= gift.count);
            gift.recipients.iter().for_each(assert_named);
        }
        Event::Support(support) => assert_one_short_line(&support.amount.to_string()),
        Event::Raw(raw) => assert!(serde_json::from_str::<Value>(&raw.json).is_ok(), "{}", raw.json),
        _ => {}
    }
    draft.event.actor().into_iter().for_each(assert_named);
}

/// In order, apart, and each a part of the text.
fn assert_spans(message: &ChatMessage) {
    let mut last = 0;
    for span in &message.spans {
        let start = usize::try_from(span.start).unwrap();
        let end = start + usize::try_from(span.length).unwrap();
        assert!(last <= start && message.text.get(start..end).is_some_and(|part| !part.is_empty()), "{message:?}");
        last = end;
    }
}

fn assert_named(user: &User) {
    for name in [&user.id, &user.login, &user.display_name] {
        assert!((1..=LONGEST_NAME).contains(&name.len()), "{user:?}");
    }
    assert!(user.color.as_ref().is_none_or(|color| color.len() == 7 && color.starts_with('#')), "{user:?}");
}
