//! Whatever people type behind a command.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first line of an input is a name, the rest what was typed.
#[test]
fn arguments() {
    fuzz_text!(64, |text| {
        let (name, typed) = text.split_once('\n').unwrap_or(("nova", text));
        let words = split(typed);
        assert!(words.iter().map(String::len).sum::<usize>() <= typed.len());
        // Words that need no quotes are read again as they are.
        let plain: Vec<String> = words.into_iter().filter(|word| is_plain(word)).collect();
        assert_eq!(split(&plain.join(" ")), plain);
        let (first, rest) = first_word(typed);
        assert!(!first.contains(char::is_whitespace) && typed.trim().ends_with(rest));
        assert!(typed.contains(mention(typed)));
        if let Some(rest) = addressed(typed, &[name]) {
            assert!(!name.is_empty() && typed.ends_with(rest.trim_end()) | typed.contains(rest));
            assert!(mentions(typed, &[name]));
        }
    });
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && !word.contains(char::is_whitespace) && !word.starts_with('"')
}
