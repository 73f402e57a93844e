//! The text of a message, and what stands in it: emotes, mentions, cheers, links, each by its place in bytes.

use std::ops::Range;

use serde_json::Value;

use super::fields::{count, id, shortened, text, word};
use crate::event::Span;

/// Pieces of one message at most: as many as emotes of one letter fit.
const MOST_FRAGMENTS: usize = 512;

/// What a line begins with that was sent with `/me`; it ends with the same control character.
const ACTION: &str = "\u{1}ACTION ";
const ACTION_END: char = '\u{1}';

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) spans: Vec<Span>,
    /// It was sent with `/me`.
    pub(super) is_action: bool,
}

/// Reads `{text, fragments}`. Clients pad a line that is said twice, which hides a command and says nothing: that is
/// taken off.
pub(super) fn read(message: &Value) -> Text {
    let joined: String;
    let whole = match text(message, "text") {
        Some(whole) => whole,
        None => {
            joined = fragments(message).filter_map(|fragment| text(fragment, "text")).collect();
            &joined
        }
    };
    let (kept, is_action) = core(whole);
    let spans = spans(message, whole, &kept);
    Text { text: whole.get(kept).unwrap_or_default().to_owned(), spans, is_action }
}

/// The words of `{text, …}` alone; `None` where there are none.
pub(super) fn words(message: &Value) -> Option<String> {
    Some(tidy(text(message, "text")?).to_owned()).filter(|text| !text.is_empty())
}

/// A line without its padding.
pub(super) fn tidy(line: &str) -> &str {
    line.get(core(line).0).unwrap_or(line)
}

fn fragments(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("fragments").and_then(Value::as_array).into_iter().flatten().take(MOST_FRAGMENTS)
}

/// The part of a line that says something, and whether it is an action.
fn core(line: &str) -> (Range<usize>, bool) {
    let action = line.strip_prefix(ACTION);
    let inner = action.map_or(line, |inner| inner.strip_suffix(ACTION_END).unwrap_or(inner));
    let trimmed = inner.trim_start_matches(is_padding);
    let start = if action.is_some() { ACTION.len() } else { 0 } + (inner.len() - trimmed.len());
    (start..start + trimmed.trim_end_matches(is_padding).len(), action.is_some())
}

/// Spaces, and what takes no room: the empty tag, joiners and spaces of no width. No variation selector, which belongs
/// to the emoji before it.
fn is_padding(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{e0000}' | '\u{34f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The spans of what is kept of `whole`. Pieces are found by their order, so that one that is not there shifts nothing.
fn spans(message: &Value, whole: &str, kept: &Range<usize>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0;
    for fragment in fragments(message) {
        let Some(piece) = text(fragment, "text") else { continue };
        let Some(found) = whole.get(at..).and_then(|rest| rest.find(piece)) else { continue };
        let start = at + found;
        at = start + piece.len();
        let mut add = |kind: &str, place: Range<usize>, value: String| {
            let (first, last) = (place.start.max(kept.start), place.end.min(kept.end));
            if let (Ok(start), Ok(length)) =
                (u32::try_from(first - kept.start), u32::try_from(last.saturating_sub(first)))
                && length > 0
            {
                spans.push(Span { kind: kind.to_owned(), start, length, value });
            }
        };
        match word(fragment, "type") {
            None | Some("text") => {
                for link in links(piece) {
                    let address = piece.get(link.clone()).unwrap_or_default().to_owned();
                    add("link", start + link.start..start + link.end, address);
                }
            }
            Some(kind) => {
                let (kind, value) = meaning(kind, fragment);
                add(kind, start..at, value);
            }
        }
    }
    spans
}

/// A piece's kind in the words of the vocabulary, and its value.
fn meaning<'json>(kind: &'json str, fragment: &Value) -> (&'json str, String) {
    let of = |name: &str| fragment.get(name).unwrap_or(&Value::Null);
    match kind {
        "emote" => (kind, id(of("emote"), "id").unwrap_or_default()),
        "mention" => (kind, word(of("mention"), "user_login").unwrap_or_default().to_owned()),
        "cheermote" => ("cheer", count(of("cheermote"), "bits").unwrap_or_default().to_string()),
        other => (other, String::new()),
    }
}

/// The addresses in a piece of plain text.
fn links(piece: &str) -> impl Iterator<Item = Range<usize>> {
    piece.match_indices("http").filter_map(|(start, _)| {
        let stands_free = piece.get(..start)?.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let rest = piece.get(start..)?;
        let word = rest.split(char::is_whitespace).next()?.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"']);
        let behind = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"))?;
        // Longer than a word is no address that anybody types.
        let is_address = stands_free && !behind.is_empty() && shortened(word) == word;
        is_address.then(|| start..start + word.len())
    })
}
