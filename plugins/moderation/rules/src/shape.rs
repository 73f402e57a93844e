//! What a line looks like from afar: how much of it is shouted, drawn, repeated. One pass over the text counts it all.
//!
//! Emotes, names and links are counted as what they are: an emote is no shouting, whatever its name.

mod emoji;
mod streak;

use self::emoji::Emoji;
pub(crate) use self::streak::Streak;
use self::streak::Streaks;
use crate::effort;
use crate::fold::{is_invisible, is_stray};
use crate::line::{Line, MarkKind};
use crate::squeezed::Fnv;

/// Marks on one letter that a language may need.
const MARKS: usize = 2;

/// The counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) characters: usize,
    /// Of scripts that have capitals.
    pub(crate) letters: usize,
    pub(crate) capitals: usize,
    /// Neither letter, digit, space nor emoji.
    pub(crate) symbols: usize,
    /// Neither space nor emote.
    pub(crate) inked: usize,
    /// Marks piled up on letters that already have enough.
    pub(crate) piled: usize,
    /// Those of the platform, those with a known name, emoji.
    pub(crate) emotes: usize,
    /// The most characters in which the same few come again and again.
    pub(crate) characters_again: Streak,
    /// The words that come again most often, the same few in turn.
    pub(crate) words_again: Streak,
}

impl Shape {
    /// `is_emote` knows the names of emotes that the platform does not mark.
    pub(crate) fn of(line: &Line<'_>, is_emote: impl Fn(&str) -> bool) -> Self {
        let text = line.text();
        let mut counter = Counter::new();
        let mut marks = line.marks().iter().peekable();
        let mut at = 0;
        while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
            if let Some(mark) = marks.next_if(|mark| mark.span.start <= at) {
                counter.mark(mark.kind, text.get(mark.span.clone()).unwrap_or_default());
                at = mark.span.end;
            } else if first.is_whitespace() {
                counter.space();
                at += first.len_utf8();
            } else {
                let rest = text.get(at..marks.peek().map_or(text.len(), |mark| mark.span.start)).unwrap_or_default();
                let word = rest.split(char::is_whitespace).next().unwrap_or_default();
                if is_emote(word.trim_matches(|character: char| character.is_ascii_punctuation())) {
                    counter.mark(MarkKind::Emote, word);
                } else {
                    counter.word(word, at);
                }
                at += word.len();
            }
        }
        counter.end()
    }
}

struct Counter {
    shape: Shape,
    emoji: Emoji,
    /// Marks on the letter at hand.
    marks: usize,
    characters: Streaks<char>,
    words: Streaks<u64>,
}

impl Counter {
    fn new() -> Self {
        Self {
            shape: Shape::default(),
            emoji: Emoji::default(),
            marks: 0,
            characters: Streaks::new(|streak| streak.length),
            words: Streaks::new(Streak::times),
        }
    }

    fn mark(&mut self, kind: MarkKind, text: &str) {
        self.shape.characters += text.chars().count();
        if kind == MarkKind::Emote {
            self.shape.emotes += 1;
        }
        self.characters.interrupt();
        self.words.interrupt();
    }

    fn space(&mut self) {
        self.shape.characters += 1;
        self.marks = 0;
        self.characters.interrupt();
    }

    fn word(&mut self, text: &str, start: usize) {
        let mut rest = text.char_indices().peekable();
        // The letters at hand, which are one word whatever punctuation is around them.
        let mut letters: Option<(usize, Fnv)> = None;
        while let Some((offset, character)) = rest.next() {
            effort::spend();
            self.shape.characters += 1;
            let next = rest.peek().map(|(_, next)| *next);
            let at = start + offset;
            // Nearly all text takes the short way.
            if character.is_ascii() && next.is_none_or(|next| next.is_ascii()) {
                self.emoji = Emoji::default();
                self.ink_ascii(character, at);
            } else if is_invisible(character) {
                self.emoji.joins(character);
                continue;
            } else {
                self.shape.emotes += usize::from(self.emoji.begins(character, next));
                self.ink(character, at);
            }
            if character.is_alphanumeric() {
                let (_, hash) = letters.get_or_insert_with(|| (at, Fnv::default()));
                hash.add(character.to_ascii_lowercase());
            } else if let Some((word, hash)) = letters.take() {
                self.words.next(hash.0, word..at);
            }
        }
        if let Some((word, hash)) = letters {
            self.words.next(hash.0, word..start + text.len());
        }
    }

    fn ink_ascii(&mut self, character: char, at: usize) {
        self.marks = 0;
        self.shape.inked += 1;
        if character.is_ascii_alphabetic() {
            self.shape.letters += 1;
            self.shape.capitals += usize::from(character.is_ascii_uppercase());
        } else if !character.is_ascii_digit() {
            self.shape.symbols += 1;
        }
        self.characters.next(character.to_ascii_lowercase(), at..at + 1);
    }

    fn ink(&mut self, character: char, at: usize) {
        if self.emoji.is_inside() {
            self.characters.interrupt();
            return;
        }
        if is_stray(character) {
            self.marks += 1;
            self.shape.piled += usize::from(self.marks > MARKS);
            return;
        }
        self.marks = 0;
        self.shape.inked += 1;
        let is_capital = character.is_uppercase();
        if is_capital || character.is_lowercase() {
            self.shape.letters += 1;
            self.shape.capitals += usize::from(is_capital);
        } else if !character.is_alphanumeric() {
            self.shape.symbols += 1;
        }
        self.characters.next(character.to_ascii_lowercase(), at..at + character.len_utf8());
    }

    fn end(self) -> Shape {
        Shape { characters_again: self.characters.worst(), words_again: self.words.worst(), ..self.shape }
    }
}

#[cfg(test)]
mod tests;
