//! Where in a text the emotes and mentions are that the service names beside it, without their places.

use serde_json::Value;

use crate::event::Span;
use crate::platform::fields::{object, word, word_of};

/// Names beside one message, and spans in it, at most: a line of chat is short.
const MOST: usize = 64;

/// The places of all emotes and mentions that can be found, in order, none over another.
pub(super) fn spans(text: &str, emotes: Option<&Value>, mentions: Option<&Value>) -> Vec<Span> {
    let mut codes = names(emotes, &["code", "name", "shortcode"]);
    // One code may be a part of another.
    codes.sort_unstable_by_key(|code| std::cmp::Reverse(code.len()));
    let mut spans = Vec::new();
    for code in codes {
        let places = text.match_indices(code).filter(|(start, code)| stands_alone(text, *start, code.len()));
        for (start, _) in places {
            add(&mut spans, "emote", start, code.len(), code);
        }
    }
    for name in names(mentions, &["username", "name"]) {
        let name = name.trim_start_matches('@');
        let ends_there = |start: usize| {
            let place = text.get(start + 1..start + 1 + name.len());
            place.is_some_and(|place| place.eq_ignore_ascii_case(name)) && stands_alone(text, start, name.len() + 1)
        };
        for (start, _) in text.match_indices('@').filter(|(start, _)| !name.is_empty() && ends_there(*start)) {
            add(&mut spans, "mention", start, name.len() + 1, name);
        }
    }
    spans.sort_unstable_by_key(|span| span.start);
    spans
}

/// One name, or a list of names, or of objects that have one.
fn names<'json>(value: Option<&'json Value>, keys: &[&str]) -> Vec<&'json str> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let name = |item: &'json Value| match item {
        Value::String(name) => Some(word(name)),
        Value::Object(fields) => word_of(fields, keys).or_else(|| word_of(object(fields, &["emote"])?, keys)),
        _ => None,
    };
    let mut names: Vec<&str> =
        items.iter().filter_map(name).filter(|name| !name.trim().is_empty()).take(MOST).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What begins or ends with a letter is no part of a longer word.
fn stands_alone(text: &str, start: usize, length: usize) -> bool {
    let (Some(before), Some(found), Some(behind)) =
        (text.get(..start), text.get(start..start + length), text.get(start + length..))
    else {
        return false;
    };
    let joins = |outside: Option<char>, inside: Option<char>| {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        outside.is_some_and(is_word) && inside.is_some_and(is_word)
    };
    !joins(before.chars().next_back(), found.chars().next()) && !joins(behind.chars().next(), found.chars().next_back())
}

fn add(spans: &mut Vec<Span>, kind: &str, start: usize, length: usize, value: &str) {
    let (Ok(start), Ok(length)) = (u32::try_from(start), u32::try_from(length)) else { return };
    let is_free = spans.iter().all(|span| start + length <= span.start || span.start + span.length <= start);
    if is_free && spans.len() < MOST {
        spans.push(Span { kind: kind.to_owned(), start, length, value: value.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(text: &str, emotes: Value, mentions: Value) -> Vec<(String, String)> {
        let spans = spans(text, Some(&emotes), Some(&mentions));
        let part = |span: &Span| {
            let start = usize::try_from(span.start).unwrap();
            text[start..start + usize::try_from(span.length).unwrap()].to_owned()
        };
        spans.iter().map(|span| (span.kind.clone(), part(span))).collect()
    }

    fn emote(text: &str) -> (String, String) {
        ("emote".into(), text.into())
    }

    #[test]
    fn every_place_of_an_emote_is_found_in_bytes() {
        let text = "🎉 :x: and :x::xx: but not y:x";
        let all = found(text, json!([{"code": ":x:", "url": "…"}, {"code": ":xx:"}]), json!(null));
        assert_eq!(all, [emote(":x:"), emote(":x:"), emote(":xx:")]);
        assert_eq!(spans(text, Some(&json!([":x:"])), None)[0].start, 5);
    }

    #[test]
    fn a_word_is_no_part_of_another() {
        assert_eq!(found("hi high hi", json!("hi"), json!([])), [emote("hi"), emote("hi")]);
        assert_eq!(found("hi", json!([{"code": ""}, 7, null, {}]), json!(7)), []);
    }

    #[test]
    fn mentions_are_found_in_any_case() {
        let mention = |text: &str| ("mention".to_owned(), text.to_owned());
        let all = found("@Alice hi @alice2 a@alice @aliceé", json!([]), json!(["alice"]));
        assert_eq!(all, [mention("@Alice"), mention("@alice")]);
        assert_eq!(found("@é x", json!([]), json!(["@é", {"username": "x"}])), [mention("@é")]);
    }

    #[test]
    fn there_is_a_bound() {
        let codes: Vec<String> = (0..1000).map(|number| format!(":{number}:")).collect();
        assert_eq!(spans(&codes.concat(), Some(&json!(codes)), None).len(), MOST);
        assert_eq!(spans(&":x:".repeat(1000), Some(&json!([":x:"])), None).len(), MOST);
    }
}
