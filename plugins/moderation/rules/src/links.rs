//! The rule of links: what leads somewhere that the operator did not allow.
//!
//! A link is told by its ending: `1.40`, `clip.mp4` and `1:15:20` have none that leads anywhere. Some real endings are
//! also words or file names (`.it`, `.rs`); those count only with something more, such as a path. `hosts` finds
//! links as they are written, `spelled` those that are written around the rule.

mod allowed;
mod endings;
mod hosts;
mod spelled;

use std::ops::Range;

use serde::Deserialize;

use self::allowed::Allowed;
use crate::finding::{Finding, Rule};
use crate::line::{Line, MarkKind};

/// What the operator writes under `[rules.links]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LinksSettings {
    #[serde(default)]
    allow: Vec<String>,
}

pub(crate) struct Links {
    allowed: Allowed,
}

/// A link in a folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    span: Range<usize>,
    /// With dots, whatever stood for them.
    host: String,
    /// From the slash on, or nothing.
    path: Range<usize>,
}

impl Links {
    pub(crate) fn new(settings: &LinksSettings) -> Result<Self, String> {
        Ok(Self { allowed: Allowed::new(&settings.allow)? })
    }

    /// Reports the first link that is not allowed.
    pub(crate) fn find(&self, line: &Line<'_>, report: &mut impl FnMut(Finding)) {
        let folded = line.folded();
        let text = folded.text();
        let mut links = hosts::find(text, &Written { line });
        links.extend(spelled::find(text));
        let stranger = links.into_iter().find(|link| !self.allowed.has(link, text));
        if let Some(link) = stranger {
            report(Finding::new(Rule::Links, folded.source(&link.span)));
        }
    }
}

/// The line as it was written, which knows more of a place than its folded text.
struct Written<'l, 't> {
    line: &'l Line<'t>,
}

impl Written<'_, '_> {
    /// Whether the platform made a link of a part.
    fn is_clickable(&self, part: &Range<usize>) -> bool {
        let source = self.line.folded().source(part);
        let mut links = self.line.marks().iter().filter(|mark| mark.kind == MarkKind::Link);
        links.any(|mark| mark.span.start < source.end && source.start < mark.span.end)
    }

    /// Whether a part is a word with a capital, as at the beginning of a sentence.
    fn is_capitalised(&self, part: &Range<usize>) -> bool {
        let mut source = self.line.text().get(self.line.folded().source(part)).unwrap_or_default().chars();
        source.next().is_some_and(char::is_uppercase) && source.next().is_some_and(char::is_lowercase)
    }
}

#[cfg(test)]
mod tests;
