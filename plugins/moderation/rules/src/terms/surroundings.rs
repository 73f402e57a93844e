//! Whether a letter may stand for another one in the place where it stands.
//!
//! `е` of Cyrillic in `frее` is a disguise, in `привет` it is Russian; the 5 in `a55` is a letter, in `455` it is a
//! number. Only what is around them tells.

use std::cell::OnceCell;
use std::ops::Range;

use super::TermLetter;
use crate::effort;
use crate::letters::{Kind, Letter, Script};
use crate::squeezed::{Kept, Squeezed};

/// A row of letters with what was found out about it so far.
pub(super) struct Surroundings<'s> {
    squeezed: &'s Squeezed,
    /// The scripts of which there are letters that look like no other.
    written: OnceCell<u8>,
}

impl<'s> Surroundings<'s> {
    pub(super) const fn new(squeezed: &'s Squeezed) -> Self {
        Self { squeezed, written: OnceCell::new() }
    }

    pub(super) fn letters(&self) -> &'s [Kept] {
        self.squeezed.letters()
    }

    pub(super) fn letter(&self, index: usize) -> Option<&'s Kept> {
        self.letters().get(index)
    }

    pub(super) fn word_at(&self, index: usize) -> Range<usize> {
        self.squeezed.word_at(index)
    }

    /// Where some letters stand in the folded text.
    pub(super) fn part(&self, letters: &Range<usize>) -> Option<Range<usize>> {
        let first = self.letter(letters.start)?;
        let last = self.letter(letters.end.checked_sub(1)?)?;
        Some(first.at..last.end())
    }

    /// Whether a word may begin here, or end before here.
    pub(super) fn is_edge(&self, index: usize) -> bool {
        let Some(kept) = self.letter(index) else { return true };
        let before = index.checked_sub(1).and_then(|before| self.letter(before));
        kept.begins() || has_no_spaces(kept.character) || before.is_none_or(|kept| has_no_spaces(kept.character))
    }

    /// Whether the letter at `index` may be read as that of a term.
    pub(super) fn stands_for(&self, index: usize, wanted: &TermLetter, ignore_accents: bool) -> bool {
        effort::spend();
        let Some(kept) = self.letter(index) else { return false };
        if kept.character == wanted.character {
            return true;
        }
        if kept.letter.base() != wanted.letter.base() {
            return false;
        }
        match (kept.letter.kind, wanted.letter.kind) {
            // A term is never less disguised than it says: `b0t` is not `bot`.
            (_, Kind::Sign) => false,
            (Kind::Sign, _) => {
                Letter::sign_reads_as(kept.character, wanted.letter.plain) && self.word_has_letters(index)
            }
            (found, asked) => {
                let accents = [found, asked].contains(&Kind::Accented);
                kept.letter.plain == wanted.letter.plain
                    && (!accents || ignore_accents)
                    && self.may_look_alike(index, found)
                    && self.may_look_alike(index, asked)
            }
        }
    }

    /// Whether a look-alike of this kind is a disguise here.
    fn may_look_alike(&self, index: usize, kind: Kind) -> bool {
        let Kind::LookAlike(script) = kind else { return true };
        match script {
            Script::Fancy => true,
            Script::Other => self.word_has_ascii(index),
            Script::Greek | Script::Cyrillic | Script::Armenian => {
                self.word_has_ascii(index) || self.written() & script.bit() == 0
            }
        }
    }

    fn word_has_ascii(&self, index: usize) -> bool {
        self.word(index).iter().any(|kept| kept.character.is_ascii_alphabetic())
    }

    fn word_has_letters(&self, index: usize) -> bool {
        self.word(index).iter().any(|kept| kept.character.is_alphabetic())
    }

    /// The word of a letter, as far as it is near. Letters that were spelled out (f r 3 e) are judged with their
    /// neighbours.
    fn word(&self, index: usize) -> &'s [Kept] {
        let letters = self.letters();
        let limit = letters.len().min(index + LONGEST);
        let end = self.squeezed.word_end(index, limit);
        let start = letters.get(index).map_or(index, |kept| kept.word).max(index.saturating_sub(LONGEST));
        let near = if (start, end) == (index, index + 1) {
            index.saturating_sub(NEIGHBOURS)..letters.len().min(index + 1 + NEIGHBOURS)
        } else {
            start..end
        };
        letters.get(near).unwrap_or_default()
    }

    fn written(&self) -> u8 {
        *self.written.get_or_init(|| {
            let own = self.letters().iter().filter(|kept| kept.letter.kind == Kind::Own && !kept.character.is_ascii());
            own.fold(0, |scripts, kept| scripts | Script::of(kept.character).bit())
        })
    }
}

/// As far as spelled-out letters are looked at to either side.
const NEIGHBOURS: usize = 2;
/// As far as a word is looked at to either side; longer than nearly all words.
const LONGEST: usize = 24;

/// Scripts that do not part words, or that glue endings to them: a term stands anywhere in them.
const fn has_no_spaces(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..
    )
}
