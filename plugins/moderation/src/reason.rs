//! The one form in which a verdict says why:
//!
//! ```text
//! links: "win-a-skin.top"; strike 2: timeout 60 s
//! dry run: terms/scam: "free followers"; strike 1: warn
//! first-time: "hello everybody"; no strike: hold
//! ```

use std::fmt::Display;

/// Of the text that broke the rule.
const SPAN_CHARACTERS: usize = 40;

pub(crate) struct Reason<'r> {
    pub(crate) is_dry: bool,
    /// The rule, and behind a slash what of it.
    pub(crate) rule: &'r str,
    pub(crate) span: &'r str,
    pub(crate) strike: Option<u32>,
    pub(crate) action: &'r dyn Display,
}

impl Display for Reason<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { is_dry, rule, span, strike, action } = self;
        let dry = if *is_dry { "dry run: " } else { "" };
        write!(formatter, "{dry}{rule}: \"{}\"; ", cut(span, SPAN_CHARACTERS))?;
        match strike {
            Some(strike) => write!(formatter, "strike {strike}: {action}"),
            None => write!(formatter, "no strike: {action}"),
        }
    }
}

/// The beginning of a text, on one line.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    let flat = text
        .trim()
        .chars()
        .map(|character| if character.is_control() || character.is_whitespace() { ' ' } else { character });
    let mut cut: String = flat.clone().take(characters).collect();
    if flat.count() > characters {
        cut.pop();
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Step;

    #[test]
    fn a_reason_has_one_form() {
        let long = "so\nlong ".repeat(20);
        let reason = |is_dry, span, strike, action| Reason { is_dry, rule: "links", span, strike, action }.to_string();
        let timeout = Step::Timeout { seconds: 60 };
        assert_eq!(reason(false, "a.top", Some(2), &timeout), "links: \"a.top\"; strike 2: timeout 60 s");
        assert_eq!(reason(true, "a.top", None, &"hold"), "dry run: links: \"a.top\"; no strike: hold");
        let cut = reason(false, &long, Some(1), &Step::Ban);
        assert_eq!(cut, "links: \"so long so long so long so long so long…\"; strike 1: ban");
    }
}
