//! The rule of blocked terms: phrases, phrases with wildcards, and regexes.
//!
//! One pass over the row of letters finds all places where a term may be; what stands there and around it then decides.
//! Regexes are the operator's own and run one after the other, each in time proportional to the text.

mod literal;
mod surroundings;
mod wildcard;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::Input;
use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::noncontiguous::NFA;
use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;

use self::literal::Literal;
use self::surroundings::Surroundings;
use self::wildcard::Wildcard;
use crate::finding::{Finding, Rule};
use crate::fold::Folded;
use crate::letters::{Kind, Letter};
use crate::line::Line;
use crate::squeezed::{Kept, Squeezed};

/// What the operator writes under `[rules.terms]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TermsSettings {
    #[serde(default)]
    groups: BTreeMap<String, GroupSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct GroupSettings {
    enabled: bool,
    literal: Vec<String>,
    wildcard: Vec<String>,
    regex: Vec<String>,
    ignore_accents: bool,
    steps: Vec<String>,
}

impl Default for GroupSettings {
    fn default() -> Self {
        let (literal, wildcard, regex, steps) = Default::default();
        Self { enabled: true, literal, wildcard, regex, ignore_accents: false, steps }
    }
}

/// Terms that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// What follows, strike by strike, where it is not what follows otherwise.
    pub steps: Vec<String>,
}

/// A letter of a term, with what it may be disguised as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TermLetter {
    character: char,
    letter: Letter,
    begins: bool,
}

impl From<&Kept> for TermLetter {
    fn from(kept: &Kept) -> Self {
        Self { character: kept.character, letter: kept.letter, begins: kept.begins() }
    }
}

/// What the automaton looks for stands for one of these.
enum Entry {
    Literal(Literal),
    Wildcard(Wildcard),
}

pub(crate) struct Terms {
    groups: Vec<Group>,
    /// Finds the fragments of all entries; the numbers of its patterns are theirs.
    automaton: Option<NFA>,
    entries: Vec<(usize, Entry)>,
    /// Without a letter, or with punctuation that matters.
    verbatim: Vec<(usize, String)>,
    regexes: Vec<(usize, Regex)>,
}

impl Terms {
    pub(crate) fn new(settings: TermsSettings) -> Result<Self, String> {
        let mut terms = Self {
            groups: Vec::new(),
            automaton: None,
            entries: Vec::new(),
            verbatim: Vec::new(),
            regexes: Vec::new(),
        };
        let mut fragments = Vec::new();
        for (name, group) in settings.groups {
            let number = terms.groups.len();
            if group.enabled {
                terms.add(number, &group, &mut fragments).map_err(|error| format!("group `{name}`: {error}"))?;
            }
            terms.groups.push(Group { name, steps: group.steps });
        }
        if !fragments.is_empty() {
            let automaton = NFA::new(&fragments).map_err(|error| format!("there are too many terms: {error}"))?;
            terms.automaton = Some(automaton);
        }
        Ok(terms)
    }

    fn add(&mut self, number: usize, group: &GroupSettings, fragments: &mut Vec<String>) -> Result<(), String> {
        for text in &group.literal {
            let folded = Folded::new(text.trim());
            if folded.text().trim().is_empty() {
                return Err("a literal is empty".to_owned());
            }
            match Literal::new(folded.text(), group.ignore_accents) {
                Some((literal, fragment)) => {
                    self.entries.push((number, Entry::Literal(literal)));
                    fragments.push(fragment);
                }
                None => self.verbatim.push((number, folded.text().to_owned())),
            }
        }
        for text in &group.wildcard {
            let (wildcard, fragment) = Wildcard::new(Folded::new(text).text(), group.ignore_accents)
                .map_err(|error| format!("the wildcard `{text}` can't be used: {error}"))?;
            self.entries.push((number, Entry::Wildcard(wildcard)));
            fragments.push(fragment);
        }
        for pattern in &group.regex {
            self.regexes.push((number, regex(pattern)?));
        }
        Ok(())
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Reports the first place of each group that stands in the line.
    pub(crate) fn find(&self, line: &Line<'_>, report: &mut impl FnMut(Finding)) {
        let mut found = BTreeSet::new();
        let mut tell = |group: usize, part: Range<usize>| {
            if found.insert(group) {
                let span = line.folded().source(&part);
                report(Finding { rule: Rule::Terms, group: Some(group), span });
            }
        };
        self.find_entries(line.squeezed(), &mut tell);
        let text = line.folded().text();
        for (group, verbatim) in &self.verbatim {
            if let Some(start) = text.find(verbatim) {
                tell(*group, start..start + verbatim.len());
            }
        }
        if !self.regexes.is_empty() {
            self.find_regexes(text, &mut tell);
        }
    }

    fn find_entries(&self, squeezed: &Squeezed, tell: &mut impl FnMut(usize, Range<usize>)) {
        let Some(automaton) = &self.automaton else { return };
        let Ok(matches) = automaton.try_find_overlapping_iter(Input::new(squeezed.text())) else { return };
        let surroundings = Surroundings::new(squeezed);
        // A word is looked at once for each wildcard, however often its fragment is in it.
        let mut looked_at = BTreeSet::new();
        for place in matches {
            let Some((group, entry)) = self.entries.get(place.pattern().as_usize()) else { continue };
            let letters = squeezed.letters_of(&place.range());
            let found = match entry {
                Entry::Literal(literal) => literal.stands_at(&letters, &surroundings).then_some(letters),
                Entry::Wildcard(wildcard) => {
                    let word = squeezed.letters().get(letters.start).map_or(letters.start, |kept| kept.word);
                    if looked_at.insert((place.pattern().as_usize(), word)) {
                        wildcard.stands_around(&squeezed.word_at(word), &surroundings)
                    } else {
                        None
                    }
                }
            };
            if let Some(part) = found.and_then(|letters| surroundings.part(&letters)) {
                tell(*group, part);
            }
        }
    }

    /// On the text as it is, and on the text that it looks like.
    fn find_regexes(&self, text: &str, tell: &mut impl FnMut(usize, Range<usize>)) {
        let plain = if text.is_ascii() { None } else { Plain::of(text) };
        for (group, regex) in &self.regexes {
            if let Some(found) = regex.find(text) {
                tell(*group, found.range());
            } else if let Some(plain) = &plain
                && let Some(found) = regex.find(&plain.text)
            {
                tell(*group, plain.part(&found.range()));
            }
        }
    }
}

/// The engine knows the case of ASCII letters only and sees folded text, so the other letters of a pattern are folded
/// here; those are never syntax.
fn regex(pattern: &str) -> Result<Regex, String> {
    let lower = |character: char| -> String {
        if character.is_ascii() { character.to_string() } else { character.to_lowercase().collect() }
    };
    let folded: String = pattern.chars().map(lower).collect();
    RegexBuilder::new(&folded)
        .case_insensitive(true)
        .build()
        .map_err(|error| format!("the regex `{pattern}` can't be used: {error}"))
}

/// A folded text with each look-alike replaced by what it looks like.
struct Plain {
    text: String,
    /// For each byte of `text`, and its end, where it stands in the folded text.
    origins: Vec<usize>,
}

impl Plain {
    /// `None` when nothing in it looks like anything else.
    fn of(folded: &str) -> Option<Self> {
        let mut plain = Self { text: String::with_capacity(folded.len()), origins: Vec::new() };
        let mut is_different = false;
        for (at, character) in folded.char_indices() {
            let letter = Letter::of(character);
            let seen = if matches!(letter.kind, Kind::LookAlike(_)) { letter.plain } else { character };
            is_different |= seen != character;
            plain.text.push(seen);
            plain.origins.resize(plain.text.len(), at);
        }
        plain.origins.push(folded.len());
        is_different.then_some(plain)
    }

    fn part(&self, range: &Range<usize>) -> Range<usize> {
        let at = |index: usize| self.origins.get(index).copied().unwrap_or(0);
        at(range.start)..at(range.end)
    }
}

#[cfg(test)]
mod tests;
