//! A text without what stands between its letters, so that `f.r e_e` and `free` are the same row of letters.
//!
//! Each letter remembers where it stood and what was before it, which is what tells a disguise from two words that
//! happen to meet.

use std::ops::Range;

use crate::effort;
use crate::letters::{Kind, Letter};

/// The letters, digits and pictures of a folded text.
pub(crate) struct Squeezed {
    /// Their bases, one behind the other.
    text: String,
    letters: Vec<Kept>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// As it stands in the folded text.
    pub(crate) character: char,
    pub(crate) letter: Letter,
    /// Where in the folded text.
    pub(crate) at: usize,
    /// Where in the row of bases.
    byte: usize,
    /// The first letter of its word.
    pub(crate) word: usize,
    pub(crate) before: Before,
}

/// What stands between a letter and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    Space,
    Apostrophe,
    Punctuation,
}

impl Kept {
    pub(crate) fn end(&self) -> usize {
        self.at + self.character.len_utf8()
    }

    /// Whether a word begins here.
    pub(crate) fn begins(&self) -> bool {
        self.before != Before::Nothing
    }
}

impl Squeezed {
    pub(crate) fn new(folded: &str) -> Self {
        let mut squeezed =
            Self { text: String::with_capacity(folded.len()), letters: Vec::with_capacity(folded.len()) };
        let mut before = Before::Space;
        let mut rest = folded.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            let next = rest.peek().map(|(_, next)| *next);
            let is_letter =
                character.is_alphanumeric() || (before == Before::Nothing && is_letter_sign(character, next));
            let is_picture = !is_letter && is_picture(character);
            if is_letter || is_picture {
                // A picture is a word of its own.
                let apart = if is_picture && before == Before::Nothing { Before::Punctuation } else { before };
                squeezed.keep(character, at, apart);
                before = if is_picture { Before::Punctuation } else { Before::Nothing };
            } else if character == ' ' {
                before = Before::Space;
            } else if is_mark(character) {
                // It belongs to the letter before it.
            } else if matches!(character, '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{b4}') {
                before = if before == Before::Nothing { Before::Apostrophe } else { before };
            } else if before != Before::Space {
                before = Before::Punctuation;
            }
        }
        squeezed
    }

    fn keep(&mut self, character: char, at: usize, before: Before) {
        let letter = Letter::of(character);
        let word = match (self.letters.last(), before) {
            (Some(last), Before::Nothing) => last.word,
            _ => self.letters.len(),
        };
        self.letters.push(Kept { character, letter, at, byte: self.text.len(), word, before });
        self.text.push(letter.base());
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn letters(&self) -> &[Kept] {
        &self.letters
    }

    /// The letters that make up these bytes of the row.
    pub(crate) fn letters_of(&self, bytes: &Range<usize>) -> Range<usize> {
        // Where all bases are ASCII, both count the same.
        if self.text.len() == self.letters.len() {
            return bytes.clone();
        }
        let index = |byte: usize| self.letters.partition_point(|kept| kept.byte < byte);
        index(bytes.start)..index(bytes.end)
    }

    /// The word that a letter is in.
    pub(crate) fn word_at(&self, index: usize) -> Range<usize> {
        let Some(kept) = self.letters.get(index) else { return index..index };
        kept.word..self.word_end(index, self.letters.len())
    }

    /// Where the word of a letter ends; `limit` where it goes on to there.
    pub(crate) fn word_end(&self, index: usize, limit: usize) -> usize {
        let rest = self.letters.get(index + 1..limit).unwrap_or_default();
        let is_next = |kept: &Kept| {
            effort::spend();
            kept.begins()
        };
        rest.iter().position(is_next).map_or(limit, |length| index + 1 + length)
    }

    pub(crate) fn fingerprint(&self, at_least: usize) -> Option<u64> {
        let mut hash = Fnv::default();
        let mut count = 0_usize;
        for kept in self.letters.iter().filter(|kept| !kept.character.is_numeric() && kept.letter.kind != Kind::Sign) {
            hash.add(kept.letter.base());
            count += 1;
        }
        (count >= at_least).then_some(hash.0)
    }
}

/// The hash of Fowler, Noll and Vo: short, and nobody gains anything by making two texts meet.
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn of(text: &str) -> u64 {
        let mut hash = Self::default();
        text.chars().for_each(|character| hash.add(character));
        hash.0
    }

    pub(crate) fn add(&mut self, character: char) {
        self.0 = (self.0 ^ u64::from(u32::from(character))).wrapping_mul(0x0100_0000_01b3);
    }
}

/// Whether a sign behind a letter is written for one: in the midst of a word, and an s also at its end.
fn is_letter_sign(character: char, next: Option<char>) -> bool {
    match character {
        '@' | '!' | '|' => next.is_some_and(char::is_alphanumeric),
        '$' => true,
        _ => false,
    }
}

fn is_mark(character: char) -> bool {
    !character.is_ascii() && unicode_normalization::char::is_combining_mark(character)
}

/// Emoji and other signs that say something, unlike punctuation.
const fn is_picture(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> String {
        let squeezed = Squeezed::new(text);
        let mut words = String::new();
        for kept in squeezed.letters() {
            words.push_str(match kept.before {
                Before::Nothing => "",
                Before::Space => " ",
                Before::Apostrophe => "'",
                Before::Punctuation => ".",
            });
            words.push(kept.letter.base());
        }
        words
    }

    #[test]
    fn only_letters_are_kept_and_know_what_was_before_them() {
        for (text, expected) in [
            ("free followers", " free foiiowers"),
            ("f.r-e_e  (x)", " f.r.e.e x"),
            ("it's he\u{2019}ll", " it's he'ii"),
            ("ca$h! @name v!ew follower$ a$$", " cash name view foiiowers ass"),
            ("a🔥b 🔥🔥", " a.🔥.b 🔥.🔥"),
            ("  ", ""),
            ("हिन्दी", " हिनदी"),
            ("'quoted'", " quoted"),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn letters_know_their_word() {
        let squeezed = Squeezed::new("ab cd.e");
        let found: Vec<_> = (0..5).map(|index| squeezed.word_at(index)).collect();
        assert_eq!(found, [0..2, 0..2, 2..4, 2..4, 4..5]);
    }

    #[test]
    fn a_fingerprint_sees_through_how_a_text_is_written() {
        let print = |text: &str| Squeezed::new(crate::Folded::new(text).text()).fingerprint(4);
        assert_eq!(print("Buy followers now"), print("BUY... foll\u{200b}owers, nоw 123"));
        assert_ne!(print("Buy followers now"), print("Buy followers never"));
        assert_eq!(print("gg 1"), None);
    }

    proptest! {
        #[test]
        fn letters_and_bytes_find_each_other(text in any::<String>()) {
            let squeezed = Squeezed::new(&text);
            for (index, kept) in squeezed.letters().iter().enumerate() {
                let bytes = kept.byte..kept.byte + kept.letter.base().len_utf8();
                prop_assert_eq!(squeezed.letters_of(&bytes), index..index + 1);
                prop_assert!(squeezed.word_at(index).contains(&index));
                prop_assert!(text[kept.at..kept.end()].chars().eq([kept.character]));
            }
        }
    }
}
