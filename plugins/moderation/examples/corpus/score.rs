//! What the rules make of the lines, and how good that is.

use std::collections::BTreeMap;

use moderation_rules::{Content, Line, Rule, RuleSet};
use serde_json::Value;

use crate::lines::Labelled;

/// The rules that need nothing but the line.
pub(crate) const TEXT_RULES: [Rule; 7] =
    [Rule::Terms, Rule::Links, Rule::Repeats, Rule::Caps, Rule::Symbols, Rule::Emotes, Rule::Length];

/// The rules as `plugin.toml` has them.
pub(crate) struct Rules {
    pub(crate) content: Content,
    /// Those that are on.
    pub(crate) enabled: RuleSet,
}

/// A line and what the rules found in it.
pub(crate) struct Judged<'l> {
    pub(crate) line: &'l Labelled,
    pub(crate) found: Vec<(Rule, String)>,
}

/// Counts of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) spam: usize,
    pub(crate) fine: usize,
    /// Spam that was found.
    pub(crate) found: usize,
    /// Lines that were blamed, rightly or not.
    pub(crate) blamed: usize,
    /// Fine lines that were blamed.
    pub(crate) wronged: usize,
}

impl Rules {
    pub(crate) fn load() -> Result<Self, String> {
        let manifest: Value =
            toml::from_str(include_str!("../../plugin.toml")).map_err(|error| format!("plugin.toml: {error}"))?;
        let rules = manifest.pointer("/defaults/rules").cloned().unwrap_or_default();
        let mut tables: BTreeMap<String, Value> =
            serde_json::from_value(rules).map_err(|error| format!("plugin.toml: {error}"))?;
        let (content, common) = Content::take(&mut tables)?;
        let enabled = common.iter().filter(|(_, common)| common.enabled);
        Ok(Self { content, enabled: enabled.fold(RuleSet::default(), |set, (rule, _)| set.with(*rule)) })
    }

    pub(crate) fn judge<'l>(&self, lines: &'l [Labelled], rules: RuleSet) -> Vec<Judged<'l>> {
        let judge = |line: &'l Labelled| {
            let mut found = Vec::new();
            let bare = Line::new(&line.text, line.marks.clone());
            self.content.judge(&bare, rules, |finding| {
                found.push((finding.rule, bare.text().get(finding.span).unwrap_or_default().to_owned()));
            });
            Judged { line, found }
        };
        lines.iter().map(judge).collect()
    }
}

impl Judged<'_> {
    pub(crate) fn is_missed(&self) -> bool {
        self.line.is_spam() && self.found.is_empty()
    }

    pub(crate) fn is_wronged(&self) -> bool {
        !self.line.is_spam() && !self.found.is_empty()
    }

    fn has(&self, rule: Rule) -> bool {
        self.found.iter().any(|(found, _)| *found == rule)
    }
}

impl Score {
    /// Whatever the rule.
    pub(crate) fn overall(judged: &[Judged<'_>]) -> Self {
        Self::count(judged, |_| true, |judged| !judged.found.is_empty())
    }

    /// Recall over the lines that are labelled with this rule, precision over all lines that it blames.
    pub(crate) fn of_rule(judged: &[Judged<'_>], rule: Rule) -> Self {
        Self::count(judged, |line| line.rule == rule.name(), |judged| judged.has(rule))
    }

    fn count(judged: &[Judged<'_>], counts: impl Fn(&Labelled) -> bool, blames: impl Fn(&Judged<'_>) -> bool) -> Self {
        let number = |is_one: &dyn Fn(&Judged<'_>) -> bool| judged.iter().filter(|judged| is_one(judged)).count();
        Self {
            spam: number(&|judged| judged.line.is_spam() && counts(judged.line)),
            fine: number(&|judged| !judged.line.is_spam()),
            found: number(&|judged| judged.line.is_spam() && counts(judged.line) && blames(judged)),
            blamed: number(&|judged| blames(judged)),
            wronged: number(&|judged| !judged.line.is_spam() && blames(judged)),
        }
    }

    /// Of what was blamed, how much is spam.
    pub(crate) fn precision(&self) -> f64 {
        share(self.blamed - self.wronged, self.blamed)
    }

    /// Of the spam, how much was found.
    pub(crate) fn recall(&self) -> f64 {
        share(self.found, self.spam)
    }
}

/// Nothing of nothing is all of it.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
