//! The rules there are, and what one of them says of a line.

use std::ops::Range;

/// A rule, in the order in which they are told when a line breaks several alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Terms,
    Links,
    Raid,
    Rate,
    Repeats,
    Caps,
    Symbols,
    Emotes,
    Length,
    FirstTime,
}

impl Rule {
    pub const ALL: [Self; 10] = [
        Self::Terms,
        Self::Links,
        Self::Raid,
        Self::Rate,
        Self::Repeats,
        Self::Caps,
        Self::Symbols,
        Self::Emotes,
        Self::Length,
        Self::FirstTime,
    ];

    /// As settings and reasons spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Links => "links",
            Self::Raid => "raid",
            Self::Rate => "rate",
            Self::Repeats => "repeats",
            Self::Caps => "caps",
            Self::Symbols => "symbols",
            Self::Emotes => "emotes",
            Self::Length => "length",
            Self::FirstTime => "first-time",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Some of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleSet(u16);

impl RuleSet {
    pub const fn all() -> Self {
        Self(u16::MAX)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & rule.bit() != 0
    }

    #[must_use]
    pub const fn with(self, rule: Rule) -> Self {
        Self(self.0 | rule.bit())
    }

    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self(self.0 & !rule.bit())
    }
}

/// That a line breaks a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    /// The group of terms that holds what was found, counted as the settings list them.
    pub group: Option<usize>,
    /// In bytes of the line's text, on character boundaries.
    pub span: Range<usize>,
}

impl Finding {
    pub(crate) const fn new(rule: Rule, span: Range<usize>) -> Self {
        Self { rule, group: None, span }
    }
}
