//! Finds the rules that a message matches: exact ones first, then those it contains, then regexes; among
//! equals, in the order of their names.
//!
//! Letter case, runs of spaces and the emoji variation selectors do not matter, on either side.

use std::collections::BTreeMap;

use regex_lite::{Regex, RegexBuilder};

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
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().filter(|character| !is_variation_selector(*character)).flat_map(char::to_lowercase));
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
mod tests {
    use super::*;

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
