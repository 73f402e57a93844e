//! Whatever an operator writes as patterns and viewers as messages.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first three lines of an input are an exact text, a part of one and a regex; the rest is the message.
#[test]
fn reply_patterns() {
    // A compiled regex has a bound of its own, and a few letters reach it.
    fuzz_text!(32 << 10, |text| {
        let mut lines = text.splitn(4, '\n');
        let mut next = || lines.next().unwrap_or_default();
        let (exact, part, pattern, message) = (next(), next(), next(), next());
        let mut matcher = Matcher::default();
        let added = [matcher.add_exact(exact, 0), matcher.add_contains(part, 1), matcher.add_regex(pattern, 2)];
        assert!(added.iter().all(|added| added.as_ref().err().is_none_or(|error| !error.is_empty())));
        let found = matcher.matches(message);
        assert!(found.is_sorted() && found.iter().all(|rule| added[*rule].is_ok()), "{found:?}");
        // What is shown differently is not another message.
        assert_eq!(matcher.matches(&format!(" \t{message}\u{fe0f} ")), found);
        assert_eq!(fold(&fold(message)), fold(message));
        assert_eq!(found.contains(&0), added[0].is_ok() && fold(exact) == fold(message));
        assert_eq!(found.contains(&1), added[1].is_ok() && fold(message).contains(&fold(part)));
    });
}
