//! Links written around the rule: `example dot com`, `example . com`, `example(.)com`, `www example com`.
//!
//! Only well-known endings count here, and only behind something that can be a name: `the dot com bubble` is no link.

use std::ops::Range;

use super::Link;
use crate::effort;
use crate::letters::look;

/// Words for a dot, with the endings that people name with them. With the rest, sentences would be links.
const SPOKEN: &[(&[&str], &[&str])] = &[
    (
        &["dot", "d0t", "(dot)"],
        &["com", "net", "org", "gg", "tv", "io", "ru", "xyz", "de", "top", "shop", "store", "online", "site", "club"],
    ),
    (&["punkt"], &["com", "net", "org", "de", "tv", "at", "ch"]),
    (&["punto", "ponto", "nokta", "kropka", "ドット"], &["com", "net", "org", "tv", "gg"]),
    (&["point"], &["com"]),
    (&["точка", "крапка"], &["com", "ru", "net", "ком", "ру", "рф"]),
];

/// Endings that are believed behind a dot with spaces or brackets around it.
const WRITTEN: &[&str] = &[
    "com", "net", "org", "gg", "tv", "io", "ru", "xyz", "de", "top", "shop", "store", "online", "site", "club", "info",
];

/// Words that are no names: what follows is talked about.
#[rustfmt::skip]
const TALK: &[&str] = &[
    "a", "al", "am", "an", "any", "au", "ce", "com", "das", "de", "del", "dem", "den", "der", "des", "die", "do", "du", "ein", "el",
    "every", "her", "his", "il", "la", "le", "les", "mon", "my", "no", "of", "or", "polka", "that", "the", "this", "un", "una", "une",
    "ton", "your",
];

/// Brackets that are put around a dot.
const BRACKETS: [char; 10] = ['(', ')', '[', ']', '{', '}', '<', '>', '"', '\\'];

/// A run of letters, digits and hyphens, with what stands before it.
struct Word<'t> {
    span: Range<usize>,
    text: &'t str,
    gap: &'t str,
}

pub(super) fn find(text: &str) -> Vec<Link> {
    if !may_be_spelled(text) {
        return Vec::new();
    }
    let words = words(text);
    let mut links = Vec::new();
    for (index, name) in words.iter().enumerate() {
        let behind = (words.get(index + 1), words.get(index + 2));
        let ending = match behind {
            (Some(dot), Some(ending)) if is_spoken(name, dot, ending) => ending,
            (Some(host), Some(ending)) if name.text == "www" && is_written_with_spaces(host, ending) => ending,
            (Some(ending), _) if is_written(name, ending, text) => ending,
            _ => continue,
        };
        let host = if name.text == "www" { behind.0.map_or("", |host| host.text) } else { name.text };
        links.push(link(name.span.start, host, ending, text));
    }
    links
}

fn link(start: usize, host: &str, ending: &Word<'_>, text: &str) -> Link {
    let end = ending.span.end;
    let rest = text.get(end..).unwrap_or_default();
    let length = if rest.starts_with('/') { rest.find(' ').unwrap_or(rest.len()) } else { 0 };
    Link { span: start..end + length, host: format!("{host}.{}", ending.text), path: end..end + length }
}

/// Most lines have nothing of the kind, and this says so quickly.
fn may_be_spelled(text: &str) -> bool {
    text.contains(" .")
        || text.contains(BRACKETS)
        || text.contains("www ")
        || SPOKEN.iter().any(|(dots, _)| dots.iter().any(|dot| text.contains(dot)))
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut end = 0;
    while let Some(offset) = text.get(end..).and_then(|rest| rest.find(is_word)) {
        let start = end + offset;
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(|character: char| !is_word(character)).unwrap_or(rest.len());
        effort::spend();
        let (gap, word) =
            (text.get(end..start).unwrap_or_default(), text.get(start..start + length).unwrap_or_default());
        end = start + length;
        words.push(Word { span: start..end, text: word, gap });
    }
    words
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '-'
}

/// `example dot com`
fn is_spoken(name: &Word<'_>, dot: &Word<'_>, ending: &Word<'_>) -> bool {
    is_name(name)
        && is_apart(dot.gap)
        && is_apart(ending.gap)
        && SPOKEN.iter().any(|(dots, endings)| dots.contains(&dot.text) && has(endings, ending.text))
}

/// `example . com`, `example[.]com`
fn is_written(name: &Word<'_>, ending: &Word<'_>, text: &str) -> bool {
    let gap = ending.gap;
    let mut bare = gap.chars().filter(|character| *character != ' ' && !BRACKETS.contains(character));
    if bare.next() != Some('.') || bare.next().is_some() || !is_name(name) || !has(WRITTEN, ending.text) {
        return false;
    }
    // ". com" may begin a sentence, and is Portuguese; " .net" and " .io" are things that people talk of.
    match (gap.contains(BRACKETS), gap.starts_with(' '), gap.ends_with(' ')) {
        (true, ..) | (_, true, true) => true,
        (_, true, false) => {
            ending.text == "com" || text.get(ending.span.end..).is_some_and(|rest| rest.starts_with('/'))
        }
        _ => false,
    }
}

/// `www example com`
fn is_written_with_spaces(host: &Word<'_>, ending: &Word<'_>) -> bool {
    is_apart(host.gap) && is_apart(ending.gap) && has(WRITTEN, ending.text)
}

fn is_name(name: &Word<'_>) -> bool {
    name.text.len() > 1 && name.text.contains(char::is_alphabetic) && !TALK.contains(&name.text)
}

/// Only spaces and brackets.
fn is_apart(gap: &str) -> bool {
    !gap.is_empty() && gap.chars().all(|character| character == ' ' || BRACKETS.contains(&character))
}

/// Also when it is written with look-alikes.
fn has(endings: &[&str], text: &str) -> bool {
    endings.contains(&text) || (!text.is_ascii() && endings.contains(&look(text).as_str()))
}
