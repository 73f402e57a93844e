//! The rules of noise: capitals, symbols, repetition, emotes, length. Each compares a count with the operator's bound.

use std::ops::Range;

use serde::Deserialize;

use crate::finding::{Finding, Rule, RuleSet};
use crate::line::Line;
use crate::shape::Shape;
use crate::squeezed::Fnv;

/// What the operator writes under `[rules.caps]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CapsSettings {
    min_letters: usize,
    percent: usize,
}

/// Under `[rules.symbols]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SymbolsSettings {
    min_symbols: usize,
    percent: usize,
    max_piled_marks: usize,
}

/// Under `[rules.repeats]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RepeatsSettings {
    max_characters: usize,
    max_words: usize,
}

/// Under `[rules.emotes]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EmotesSettings {
    max_emotes: usize,
    names: Names,
}

/// The names of emotes that no platform marks, by their hashes: looked through for each word of each line.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
struct Names(Vec<u64>);

impl From<Vec<String>> for Names {
    fn from(names: Vec<String>) -> Self {
        let mut hashes: Vec<u64> = names.iter().map(|name| Fnv::of(name)).collect();
        hashes.sort_unstable();
        Self(hashes)
    }
}

impl Names {
    fn has(&self, word: &str) -> bool {
        self.0.binary_search(&Fnv::of(word)).is_ok()
    }
}

/// Under `[rules.length]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LengthSettings {
    max_characters: usize,
}

pub(crate) struct Noise {
    pub(crate) caps: CapsSettings,
    pub(crate) symbols: SymbolsSettings,
    pub(crate) repeats: RepeatsSettings,
    pub(crate) emotes: EmotesSettings,
    pub(crate) length: LengthSettings,
}

/// The rules that need nothing but the counts.
const RULES: [Rule; 5] = [Rule::Repeats, Rule::Caps, Rule::Symbols, Rule::Emotes, Rule::Length];

impl Noise {
    pub(crate) fn find(&self, line: &Line<'_>, rules: RuleSet, report: &mut impl FnMut(Finding)) {
        if !RULES.into_iter().any(|rule| rules.contains(rule)) {
            return;
        }
        let shape = Shape::of(line, |word| self.emotes.names.has(word));
        for rule in RULES.into_iter().filter(|rule| rules.contains(*rule)) {
            if let Some(span) = self.breaks(rule, &shape, line.text()) {
                report(Finding::new(rule, span));
            }
        }
    }

    /// Where the line breaks a rule.
    fn breaks(&self, rule: Rule, shape: &Shape, text: &str) -> Option<Range<usize>> {
        let whole = 0..text.len();
        match rule {
            Rule::Caps => {
                let Shape { letters, capitals, .. } = *shape;
                (letters >= self.caps.min_letters && is_share(capitals, letters, self.caps.percent)).then_some(whole)
            }
            Rule::Symbols => {
                let Shape { symbols, inked, piled, .. } = *shape;
                let is_drawn = symbols >= self.symbols.min_symbols && is_share(symbols, inked, self.symbols.percent);
                (is_drawn || piled > self.symbols.max_piled_marks).then_some(whole)
            }
            Rule::Repeats => {
                let (characters, words) = (&shape.characters_again, &shape.words_again);
                if characters.length > self.repeats.max_characters {
                    Some(characters.span.clone())
                } else {
                    (words.times() > self.repeats.max_words).then(|| words.span.clone())
                }
            }
            Rule::Emotes => (shape.emotes > self.emotes.max_emotes).then_some(whole),
            Rule::Length => (shape.characters > self.length.max_characters).then_some(whole),
            Rule::Terms | Rule::Links | Rule::Raid | Rule::Rate | Rule::FirstTime => None,
        }
    }
}

/// Whether `part` is at least so many percent of `whole`.
const fn is_share(part: usize, whole: usize, percent: usize) -> bool {
    part.saturating_mul(100) >= whole.saturating_mul(percent)
}
