//! A phrase, however it is disguised.

use std::ops::Range;

use super::TermLetter;
use super::surroundings::Surroundings;
use crate::squeezed::{Before, Squeezed};

/// Fewer letters than this are not read as spelled out: `a s` are two words.
const SPELLED_OUT: usize = 3;

pub(super) struct Literal {
    letters: Vec<TermLetter>,
    ignore_accents: bool,
}

impl Literal {
    /// With the row of bases to look for. `None` for what begins or ends with punctuation, which is looked for as it
    /// is.
    pub(super) fn new(folded: &str, ignore_accents: bool) -> Option<(Self, String)> {
        let squeezed = Squeezed::new(folded);
        let (first, last) = (squeezed.letters().first()?, squeezed.letters().last()?);
        if first.at > 0 || last.end() < folded.len() {
            return None;
        }
        let letters = squeezed.letters().iter().map(TermLetter::from).collect();
        Some((Self { letters, ignore_accents }, squeezed.text().to_owned()))
    }

    /// Whether these letters are the phrase, and not parts of other words that happen to meet.
    pub(super) fn stands_at(&self, place: &Range<usize>, surroundings: &Surroundings<'_>) -> bool {
        surroundings.is_edge(place.start)
            && surroundings.is_edge(place.end)
            && self.is_whole(place, surroundings)
            && place
                .clone()
                .zip(&self.letters)
                .all(|(index, wanted)| surroundings.stands_for(index, wanted, self.ignore_accents))
    }

    /// Words may be glued together; they may only be torn apart by punctuation (`fr.ee`), or into single letters.
    fn is_whole(&self, place: &Range<usize>, surroundings: &Surroundings<'_>) -> bool {
        let letters = surroundings.letters().get(place.clone()).unwrap_or_default();
        let is_spelled_out = letters.len() >= SPELLED_OUT && letters.iter().skip(1).all(|kept| kept.begins());
        letters.iter().zip(&self.letters).skip(1).all(|(kept, wanted)| match kept.before {
            Before::Nothing | Before::Punctuation => true,
            Before::Space => wanted.begins || is_spelled_out,
            // "he'll" is two words.
            Before::Apostrophe => wanted.begins,
        })
    }
}
