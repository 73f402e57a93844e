//! Gives the ways to write the same text one form: NFKC, lower case, without what can't be seen.
//!
//! Nothing is lost that a reader would miss, and each byte of the result knows where in the original it came from.

mod ignored;

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

pub(crate) use self::ignored::{is_invisible, is_stray};

/// Composing can join what leaving out has brought together; more rounds than this bring nothing new.
const ROUNDS: usize = 4;

/// A text in its one form.
pub struct Folded<'t> {
    original: &'t str,
    text: Cow<'t, str>,
    /// For each byte of `text` the start of its source; `None` where both are the same.
    origins: Option<Vec<usize>>,
}

impl<'t> Folded<'t> {
    pub fn new(original: &'t str) -> Self {
        if original.is_ascii() {
            return Self { original, text: fold_ascii(original), origins: None };
        }
        let mut folder = Folder { text: String::with_capacity(original.len()), origins: Vec::new() };
        folder.fold(original);
        Self { original, text: Cow::Owned(folder.text), origins: Some(folder.origins) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where in the original a part of the folded text came from. On character boundaries, whatever is asked for.
    pub fn source(&self, part: &Range<usize>) -> Range<usize> {
        let Some(origins) = &self.origins else {
            return part.start.min(self.original.len())..part.end.min(self.original.len());
        };
        let at = |index: usize| origins.get(index).copied().unwrap_or(self.original.len());
        let start = at(part.start);
        // What one letter became stays together.
        let last = part.end.checked_sub(1).map_or(start, at);
        let rest = origins.get(part.end..).unwrap_or_default();
        let end = rest.iter().copied().find(|origin| *origin > last).unwrap_or(self.original.len());
        start..end.max(start)
    }
}

fn fold_ascii(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_control()) {
        return Cow::Borrowed(text);
    }
    let mut folded = text.to_ascii_lowercase();
    if folded.contains(|character: char| character.is_ascii_control()) {
        folded = folded.replace(|character: char| character.is_ascii_control(), " ");
    }
    Cow::Owned(folded)
}

struct Folder {
    text: String,
    origins: Vec<usize>,
}

impl Folder {
    /// A character goes with the marks behind it: what is composed of several must be seen as one.
    fn fold(&mut self, original: &str) {
        let mut rest = original.char_indices().peekable();
        let mut cluster = String::new();
        while let Some((start, first)) = rest.next() {
            let mut is_single = true;
            cluster.clear();
            while let Some((_, next)) = rest.next_if(|(_, next)| joins(*next)) {
                if is_single {
                    cluster.push(first);
                    is_single = false;
                }
                if !is_invisible(next) {
                    cluster.push(next);
                }
            }
            if !is_single {
                self.push_cluster(&cluster, start);
            } else if first.is_ascii() {
                self.push(if first.is_ascii_control() { ' ' } else { first.to_ascii_lowercase() }, start);
            } else if is_settled(first) {
                self.push(first, start);
            } else if is_nfkc_quick(std::iter::once(first)) == IsNormalized::Yes {
                first.to_lowercase().filter_map(seen).for_each(|character| self.push(character, start));
            } else {
                self.push_cluster(first.encode_utf8(&mut [0; 4]), start);
            }
        }
    }

    fn push_cluster(&mut self, cluster: &str, start: usize) {
        let once = |text: &str| text.nfkc().flat_map(char::to_lowercase).filter_map(seen).collect::<String>();
        let mut folded = once(cluster);
        for _ in 0..ROUNDS {
            let again = once(&folded);
            if again == folded {
                break;
            }
            folded = again;
        }
        folded.chars().for_each(|character| self.push(character, start));
    }

    fn push(&mut self, character: char, origin: usize) {
        self.text.push(character);
        self.origins.resize(self.text.len(), origin);
    }
}

/// What a reader sees of a character: itself, a space for all kinds of space, or nothing.
fn seen(character: char) -> Option<char> {
    if is_invisible(character) || is_stray(character) {
        None
    } else if character.is_whitespace() || character.is_control() || character == '\u{2800}' {
        Some(' ')
    } else {
        Some(character)
    }
}

/// Letters that most text which is not ASCII consists of, and that folding leaves as they are. Only to be quick.
const fn is_settled(character: char) -> bool {
    matches!(
        character,
        '\u{430}'..='\u{45f}'
            | '\u{5d0}'..='\u{5ea}'
            | '\u{621}'..='\u{63a}'
            | '\u{641}'..='\u{64a}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30a1}'..='\u{30fa}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}'
    )
}

/// Whether a character may change or join the one before it. What is left out keeps nothing apart.
fn joins(character: char) -> bool {
    if character < '\u{ad}' || is_settled(character) {
        return false;
    }
    // Halfwidth and compatibility letters of Korean and Japanese compose, too.
    matches!(character, '\u{1160}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ff9e}'..='\u{ffdc}')
        || is_invisible(character)
        || is_stray(character)
        || is_combining_mark(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        Folded::new(text).text().to_owned()
    }

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        for (text, folded) in [
            ("Hello World", "hello world"),
            ("tab\there\u{7f}", "tab here "),
            ("ｆｒｅｅ　ｔｅｘｔ．ｃｏｍ", "free text.com"),
            ("𝐟𝐫𝐞𝐞 𝓯𝓻𝓮𝓮 🄵ⓡee ⅣΩ", "free free free ivω"),
            ("f\u{200b}r\u{ad}e\u{2060}e\u{fe0f}", "free"),
            ("\u{202e}free\u{202c}", "free"),
            ("C̶h̲e̷a̲p", "cheap"),
            ("cafe\u{301} CAFÉ", "café café"),
            ("e\u{200b}\u{301}", "é"),
            ("İstanbul", "istanbul"),
            ("ｶﾞ", "ガ"),
            ("مُتَابِعِين", "متابعين"),
            ("ﬁne ½", "fine 1⁄2"),
            ("a\u{2800}b\u{a0}c", "a b c"),
            ("한글", "한글"),
            ("ПрИвЕт ΣΑΣ", "привет σασ"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn a_part_knows_where_it_came_from() {
        let text = "Ab ﬁ\u{200b}ｆｒｅｅ e\u{301}!";
        let folded = Folded::new(text);
        assert_eq!(folded.text(), "ab fifree é!");
        let source = |part: &str| {
            let start = folded.text().find(part).unwrap();
            &text[folded.source(&(start..start + part.len()))]
        };
        assert_eq!(source("free"), "ｆｒｅｅ");
        assert_eq!(source("é"), "e\u{301}");
        assert_eq!(source("i"), "ﬁ\u{200b}");
        assert_eq!(source("ab fifree é!"), text);
    }

    /// Texts of letters that compose, join and vanish.
    fn odd_text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(
            "aEé ÅﬁİıǅſΣς\u{300}\u{301}\u{338}\u{345}\u{653}\u{64b}\u{640}\u{200b}\u{200d}\u{fe0f}\u{3099}ｶﾞㅋㅏ가\u{1100}\u{1161}\u{11a8}\u{1160}\u{ffa0}がकि\u{94d}ࠀ𝐟Ⅳ㎏ﷺ\u{2800}\u{1d165}"
                .chars()
                .collect::<Vec<_>>(),
        );
        prop::collection::vec(odd, 0..24).prop_map(|characters| characters.into_iter().collect())
    }

    #[test]
    fn what_is_settled_is_what_folding_would_leave() {
        for letter in ('\u{400}'..='\u{d7a3}').filter(|letter| is_settled(*letter)) {
            let lower: String = letter.to_lowercase().collect();
            let folded: String = lower.nfkc().filter_map(seen).collect();
            assert!(folded.chars().eq([letter]) && !is_combining_mark(letter), "{letter}");
        }
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in prop_oneof![any::<String>(), odd_text()]) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn every_part_comes_from_whole_characters(
            text in prop_oneof![any::<String>(), odd_text()], start in 0usize..80, length in 0usize..80,
        ) {
            let folded = Folded::new(&text);
            prop_assert!(text.get(folded.source(&(start..start.saturating_add(length)))).is_some());
        }

        /// Folding may lengthen a text, but by no more than the longest expansion that Unicode has for one character.
        #[test]
        fn the_result_grows_with_the_text_and_no_faster(text in any::<String>()) {
            prop_assert!(fold(&text).chars().count() <= 18 * text.chars().count());
        }
    }
}
