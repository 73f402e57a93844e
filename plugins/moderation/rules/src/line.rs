//! A line of chat, with what several rules want to know of it worked out once.

use std::cell::OnceCell;
use std::ops::Range;

use crate::fold::Folded;
use crate::squeezed::Squeezed;

/// What a platform says of a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    Emote,
    Link,
    /// A name, a cheer: neither shouting nor symbols.
    Other,
}

/// A part of the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub kind: MarkKind,
    pub span: Range<usize>,
}

pub struct Line<'t> {
    text: &'t str,
    /// In order, apart from each other, on character boundaries.
    marks: Vec<Mark>,
    folded: OnceCell<Folded<'t>>,
    squeezed: OnceCell<Squeezed>,
}

impl<'t> Line<'t> {
    /// Marks that fit the text nowhere are left out: a platform that counts wrong must not stop a review.
    pub fn new(text: &'t str, mut marks: Vec<Mark>) -> Self {
        let body = without_action(text);
        let skipped = text.len() - body.len();
        let text = body;
        marks.retain_mut(|Mark { span, .. }| {
            let (start, end) = (span.start.checked_sub(skipped), span.end.checked_sub(skipped));
            *span = start.unwrap_or(0)..end.unwrap_or(0);
            start.is_some() && text.get(span.clone()).is_some_and(|marked| !marked.is_empty())
        });
        marks.sort_by_key(|mark| mark.span.start);
        let mut end = 0;
        marks.retain(|mark| {
            let is_apart = mark.span.start >= end;
            if is_apart {
                end = mark.span.end;
            }
            is_apart
        });
        Self { text, marks, folded: OnceCell::new(), squeezed: OnceCell::new() }
    }

    /// The text, without the words that make it an action (`/me`).
    pub const fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(crate) fn folded(&self) -> &Folded<'t> {
        self.folded.get_or_init(|| Folded::new(self.text))
    }

    pub(crate) fn squeezed(&self) -> &Squeezed {
        self.squeezed.get_or_init(|| Squeezed::new(self.folded().text()))
    }

    /// What is the same for lines that differ only in how they are written: case, disguise, spaces, punctuation,
    /// numbers. `None` when the line has fewer than `letters` letters.
    pub fn fingerprint(&self, letters: usize) -> Option<u64> {
        self.squeezed().fingerprint(letters)
    }
}

/// What somebody wrote as an action is judged like any other line. Some platforms hand `/me` over as it was typed, some
/// in the way of IRC.
fn without_action(text: &str) -> &str {
    if let Some(action) = text.strip_prefix("\u{1}ACTION") {
        return action.trim_end_matches('\u{1}').trim_start();
    }
    match text.trim_start().split_at_checked(4) {
        Some((command, rest)) if command.eq_ignore_ascii_case("/me ") => rest.trim_start(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emote(span: Range<usize>) -> Mark {
        Mark { kind: MarkKind::Emote, span }
    }

    #[test]
    fn an_action_is_a_line_like_any_other() {
        for (text, body) in [
            ("/me waves", "waves"),
            (" /ME  waves", "waves"),
            ("\u{1}ACTION waves\u{1}", "waves"),
            ("/menu", "/menu"),
            ("/me", "/me"),
            ("", ""),
        ] {
            assert_eq!(Line::new(text, Vec::new()).text(), body);
        }
        let line = Line::new("/me Kappa", vec![emote(4..9), emote(0..2)]);
        assert_eq!(line.marks(), [emote(0..5)]);
    }

    #[test]
    fn marks_that_fit_nowhere_are_left_out() {
        let marks = vec![emote(4..9), emote(1..2), emote(0..3), emote(2..2), emote(90..99), emote(3..4)];
        assert_eq!(Line::new("äöü abcde", marks).marks(), [emote(7..9)].map(|_| emote(4..9)).as_slice());
    }
}
