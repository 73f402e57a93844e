//! Makes text that strangers wrote safe to print.
//!
//! A viewer may write escape sequences, which would move the cursor, recolor or retitle the operator's terminal, and
//! direction marks, which would let a line read as another one. They become visible signs; everything else, emoji with
//! their joiners and every script, stays as it is.

use std::borrow::Cow;

/// One line: also its ends become signs.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    replace(text, |_| false)
}

/// Keeps the line ends of a text of several lines.
pub(super) fn clean_lines(text: &str) -> Cow<'_, str> {
    replace(text, |character| character == '\n')
}

/// No longer than `most` characters.
pub(super) fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or(text))),
        None => Cow::Borrowed(text),
    }
}

fn replace(text: &str, keeps: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|character| is_hostile(character) && !keeps(character)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_hostile(character) && !keeps(character) {
            push_sign(&mut safe, character);
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Controls of both ranges, line and paragraph separators, and marks that change the direction of what follows.
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
}

fn push_sign(safe: &mut String, character: char) {
    match character {
        '\n' => safe.push('⏎'),
        '\t' => safe.push(' '),
        '\u{7f}' => safe.push('␡'),
        // Unicode has a picture of each control.
        '\0'..='\x1f' => safe.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}')),
        _ => safe.push_str(&format!("<{:04X}>", u32::from(character))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_of_every_script_is_untouched() {
        for text in ["hello", "日本語 한국어", "👩‍👩‍👧‍👦 👍🏽 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "naïve café", "שלום", "a\u{200d}b", ""]
        {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(clean("\x1b[31mred\x1b]0;title\x07"), "␛[31mred␛]0;title␇");
        assert_eq!(clean("\u{9b}31m\u{9d}x\x7f"), "<009B>31m<009D>x␡");
        assert_eq!(clean("one\r\ntwo\tthree\0"), "one␍⏎two three␀");
    }

    #[test]
    fn direction_marks_are_shown() {
        assert_eq!(clean("user\u{202e}nimda\u{2066}\u{2028}"), "user<202E>nimda<2066><2028>");
    }

    #[test]
    fn lines_are_kept_where_they_are_ours() {
        assert_eq!(clean_lines("one\ntwo\x1b"), "one\ntwo␛");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shorten("日本語", 2), "日本…");
        assert_eq!(shorten("日本語", 3), "日本語");
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            let safe = clean(&text);
            prop_assert!(!safe.chars().any(is_hostile));
            prop_assert_eq!(clean(&safe), safe.clone());
        }
    }
}
