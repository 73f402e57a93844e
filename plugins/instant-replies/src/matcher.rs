//! Finds the rules that a message matches: exact ones first, then those it contains, then regexes; among
//! equals, in the order of their names.
//!
//! Letter case, runs of spaces and the emoji variation selectors do not matter, on either side.

use std::collections::BTreeMap;

use regex_lite::{Regex, RegexBuilder};

/// Of one compiled regex: some thousand letters. A count such as `{9999}` would take all the memory that a plugin has.
const REGEX_BYTES: usize = 128 << 10;

/// The patterns of all rules; a rule is known by its number.
#[derive(Default)]
pub(crate) struct Matcher {
    exact: BTreeMap<String, Vec<usize>>,
    contains: Vec<(String, usize)>,
    regexes: Vec<(Regex, usize)>,
}

impl Matcher {
    pub(crate) fn add_exact(&mut self, text: &str, rule: usize) -> Result<(), String> {
        self.exact.entry(not_empty(text)?).or_default().push(rule);
        Ok(())
    }

    pub(crate) fn add_contains(&mut self, text: &str, rule: usize) -> Result<(), String> {
        self.contains.push((not_empty(text)?, rule));
        Ok(())
    }

    pub(crate) fn add_regex(&mut self, pattern: &str, rule: usize) -> Result<(), String> {
        let regex = RegexBuilder::new(&fold_pattern(pattern))
            .case_insensitive(true)
            .size_limit(REGEX_BYTES)
            .build()
            .map_err(|error| format!("the regex `{pattern}` can't be used: {error}"))?;
        self.regexes.push((regex, rule));
        Ok(())
    }

    /// The numbers of the rules that match, best first.
    pub(crate) fn matches(&self, text: &str) -> Vec<usize> {
        let text = fold(text);
        let exact = self.exact.get(&text).into_iter().flatten().copied();
        let contains = self.contains.iter().filter(|(part, _)| text.contains(part)).map(|(_, rule)| *rule);
        let regexes = self.regexes.iter().filter(|(regex, _)| regex.is_match(&text)).map(|(_, rule)| *rule);
        exact.chain(contains).chain(regexes).collect()
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    let folded = fold(text);
    if folded.is_empty() {
        Err("an empty text matches everything or nothing; remove it".to_owned())
    } else {
        Ok(folded)
    }
}

/// The form in which texts are compared.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let seen = text.chars().filter(|character| !is_variation_selector(*character));
    let mut space = false;
    for character in seen {
        if character.is_whitespace() {
            space = !folded.is_empty();
        } else {
            if std::mem::take(&mut space) {
                folded.push(' ');
            }
            folded.extend(character.to_lowercase());
        }
    }
    folded
}

/// The regex engine knows the case of ASCII letters only, and sees folded text: so the other letters of a
/// pattern are folded here. Those are never syntax.
fn fold_pattern(pattern: &str) -> String {
    let mut folded = String::with_capacity(pattern.len());
    for character in pattern.chars().filter(|character| !is_variation_selector(*character)) {
        if character.is_ascii() { folded.push(character) } else { folded.extend(character.to_lowercase()) }
    }
    folded
}

/// "❤️" is a heart and a selector that asks for colour; many keyboards send the heart alone.
const fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{fe0e}' | '\u{fe0f}')
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A matcher with one rule, when there can be one.
    fn with(add: impl FnOnce(&mut Matcher) -> Result<(), String>) -> Option<Matcher> {
        let mut matcher = Matcher::default();
        add(&mut matcher).is_ok().then_some(matcher)
    }

    proptest! {
        #[test]
        fn a_folded_text_stays_as_it_is(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn a_text_matches_itself_and_what_holds_it(text in any::<String>(), before in any::<String>(), behind in any::<String>()) {
            if let Some(matcher) = with(|matcher| matcher.add_exact(&text, 7)) {
                prop_assert_eq!(matcher.matches(&text), [7]);
                prop_assert_eq!(matcher.matches(&format!("  {}\t", text)), [7]);
            }
            if let Some(matcher) = with(|matcher| matcher.add_contains(&text, 7)) {
                prop_assert_eq!(matcher.matches(&format!("{before} {text} {behind}")), [7]);
            }
        }

        #[test]
        fn case_does_not_matter(text in "[a-zA-Z][a-zA-Z0-9 ]{0,20}") {
            let matcher = with(|matcher| matcher.add_exact(&text.to_uppercase(), 7)).unwrap();
            prop_assert_eq!(matcher.matches(&text.to_lowercase()), [7]);
        }

        #[test]
        fn a_regex_of_plain_text_matches_it(text in "\\S{1,20}") {
            let matcher = with(|matcher| matcher.add_regex(&format!("^{}$", regex_lite::escape(&text)), 7)).unwrap();
            prop_assert_eq!(matcher.matches(&text), [7]);
        }

        #[test]
        fn no_pattern_and_no_text_is_too_strange(
            pattern in prop_oneof![any::<String>(), "[a-z(){}|*+?.^$\\[\\]0-9,\\\\-]{0,12}"],
            text in any::<String>(),
        ) {
            if let Some(matcher) = with(|matcher| matcher.add_regex(&pattern, 7)) {
                prop_assert!(matcher.matches(&text).len() <= 1);
            }
        }
    }

    #[test]
    fn texts_match_whatever_their_case_spaces_and_selectors() {
        let mut matcher = Matcher::default();
        matcher.add_exact("Größe  Ä", 0).unwrap();
        matcher.add_exact("❤️", 1).unwrap();
        matcher.add_contains("Are You Live", 2).unwrap();
        matcher.add_regex(r"^ÄH+M\b|\d{3}", 3).unwrap();
        for (text, rules) in [
            (" GRÖSSE ä", &[][..]),
            ("größe ä", &[0]),
            ("GRÖßE\tÄ ", &[0]),
            ("❤", &[1]),
            ("❤️", &[1]),
            ("❤️❤️", &[]),
            ("hey, are you  LIVE?", &[2]),
            ("are \u{fe0f} you live", &[2]),
            ("ähhm", &[3]),
            ("ÄHM", &[3]),
            ("are you live 123", &[2, 3]),
            ("", &[]),
        ] {
            assert_eq!(matcher.matches(text), rules, "{text}");
        }
    }

    #[test]
    fn a_hostile_text_costs_a_regex_no_more_than_its_length() {
        let mut matcher = Matcher::default();
        matcher.add_regex("(a+)+$", 0).unwrap();
        let text = format!("{}b", "a".repeat(2000));
        assert!(matcher.matches(&text).is_empty());
    }

    #[test]
    fn patterns_that_can_not_be_meant_are_refused() {
        let mut matcher = Matcher::default();
        assert!(matcher.add_exact(" \u{fe0f}", 0).is_err());
        assert!(matcher.add_contains("", 0).is_err());
        let error = matcher.add_regex("(", 0).unwrap_err();
        assert!(error.starts_with("the regex `(` can't be used: "), "{error}");
    }
}
