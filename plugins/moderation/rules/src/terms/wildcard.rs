//! A phrase with wildcards: `*` for any letters within a word, `?` for one, and `*` as a word of its own for up to
//! three words.

use std::ops::Range;

use super::TermLetter;
use super::surroundings::Surroundings;
use crate::squeezed::Squeezed;

/// The words that a `*` of its own stands for at most.
const GAP: usize = 3;
/// Each gap doubles what there is to try.
const GAPS: usize = 3;

pub(super) struct Wildcard {
    words: Vec<Word>,
    /// The word that has the fragment which is looked for.
    anchor: usize,
    ignore_accents: bool,
}

enum Word {
    Gap,
    Pattern(Vec<Piece>),
}

enum Piece {
    Any,
    One,
    Letter(TermLetter),
}

impl Wildcard {
    /// With the row of bases to look for.
    pub(super) fn new(folded: &str, ignore_accents: bool) -> Result<(Self, String), String> {
        let words = folded.split_whitespace().map(Word::parse).collect::<Result<Vec<_>, _>>()?;
        if words.iter().filter(|word| matches!(word, Word::Gap)).count() > GAPS {
            return Err(format!("at most {GAPS} of its words may be a `*` alone"));
        }
        let fragments = words.iter().enumerate().map(|(index, word)| (index, word.fragment()));
        let (anchor, fragment) = fragments
            .max_by_key(|(_, fragment)| fragment.chars().count())
            .filter(|(_, fragment)| !fragment.is_empty())
            .ok_or("it has no letter")?;
        Ok((Self { words, anchor, ignore_accents }, fragment))
    }

    /// The letters of the phrase, if it stands around this word of the text.
    pub(super) fn stands_around(&self, word: &Range<usize>, surroundings: &Surroundings<'_>) -> Option<Range<usize>> {
        if !self.is_word(self.words.get(self.anchor)?, word, surroundings) {
            return None;
        }
        let (before, behind) = (self.words.get(..self.anchor)?, self.words.get(self.anchor + 1..)?);
        let end = self.forwards(behind, word.end, surroundings)?;
        let start = self.backwards(before, word.start, surroundings)?;
        Some(start..end)
    }

    /// Where the words end that begin at `from`.
    fn forwards(&self, words: &[Word], from: usize, surroundings: &Surroundings<'_>) -> Option<usize> {
        let Some((first, rest)) = words.split_first() else { return Some(from) };
        match first {
            Word::Gap => {
                let mut from = from;
                for _ in 0..GAP {
                    if let Some(end) = self.forwards(rest, from, surroundings) {
                        return Some(end);
                    }
                    from = next_word(from, surroundings)?.end;
                }
                self.forwards(rest, from, surroundings)
            }
            pattern => {
                let word = next_word(from, surroundings)?;
                if self.is_word(pattern, &word, surroundings) {
                    self.forwards(rest, word.end, surroundings)
                } else {
                    None
                }
            }
        }
    }

    /// Where the words begin that end at `to`.
    fn backwards(&self, words: &[Word], to: usize, surroundings: &Surroundings<'_>) -> Option<usize> {
        let Some((last, rest)) = words.split_last() else { return Some(to) };
        match last {
            Word::Gap => {
                let mut to = to;
                for _ in 0..GAP {
                    if let Some(start) = self.backwards(rest, to, surroundings) {
                        return Some(start);
                    }
                    to = word_before(to, surroundings)?.start;
                }
                self.backwards(rest, to, surroundings)
            }
            pattern => {
                let word = word_before(to, surroundings)?;
                if self.is_word(pattern, &word, surroundings) {
                    self.backwards(rest, word.start, surroundings)
                } else {
                    None
                }
            }
        }
    }

    /// Goes back to the last `*` when a letter does not fit, and to no other: that is enough.
    fn is_word(&self, word: &Word, letters: &Range<usize>, surroundings: &Surroundings<'_>) -> bool {
        let Word::Pattern(pieces) = word else { return false };
        let (mut piece, mut letter) = (0, letters.start);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let fits = match pieces.get(piece) {
                None if letter == letters.end => return true,
                Some(Piece::Any) => {
                    retry = Some((piece + 1, letter));
                    piece += 1;
                    continue;
                }
                None => false,
                Some(_) if letter == letters.end => return false,
                Some(Piece::One) => true,
                Some(Piece::Letter(wanted)) => surroundings.stands_for(letter, wanted, self.ignore_accents),
            };
            if fits {
                (piece, letter) = (piece + 1, letter + 1);
            } else if let Some((after, from)) = retry.filter(|(_, from)| *from < letters.end) {
                retry = Some((after, from + 1));
                (piece, letter) = (after, from + 1);
            } else {
                return false;
            }
        }
    }
}

impl Word {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Gap);
        }
        let mut pieces = Vec::new();
        for (number, part) in text.split_inclusive(['*', '?']).enumerate() {
            let (letters, sign) = match part.strip_suffix(['*', '?']) {
                Some(letters) => (letters, part.chars().last()),
                None => (part, None),
            };
            let squeezed = Squeezed::new(letters);
            if squeezed.letters().iter().map(|kept| kept.character.len_utf8()).sum::<usize>() < letters.len() {
                return Err(format!("`{letters}` in its part {} is more than letters and digits", number + 1));
            }
            pieces.extend(squeezed.letters().iter().map(|kept| Piece::Letter(TermLetter::from(kept))));
            pieces.extend(sign.map(|sign| if sign == '*' { Piece::Any } else { Piece::One }));
        }
        Ok(Self::Pattern(pieces))
    }

    /// The longest run of letters, as bases.
    fn fragment(&self) -> String {
        let Self::Pattern(pieces) = self else { return String::new() };
        let runs = pieces.split(|piece| !matches!(piece, Piece::Letter(_)));
        let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
        let bases = longest.iter().filter_map(|piece| match piece {
            Piece::Letter(wanted) => Some(wanted.letter.base()),
            Piece::Any | Piece::One => None,
        });
        bases.collect()
    }
}

fn next_word(from: usize, surroundings: &Surroundings<'_>) -> Option<Range<usize>> {
    surroundings.letter(from).map(|_| surroundings.word_at(from))
}

fn word_before(to: usize, surroundings: &Surroundings<'_>) -> Option<Range<usize>> {
    to.checked_sub(1).map(|last| surroundings.word_at(last))
}
