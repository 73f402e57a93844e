//! What the last part of a host says: whether it leads anywhere, and whether people also write it for other reasons.

use crate::letters::look;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing leads there.
    None,
    /// Also a word, or the ending of a file: a sentence without a space behind its full stop looks the same.
    Ambiguous,
    /// Written with letters that look like those of a sure one.
    Disguised,
    Sure,
}

/// Top-level domains that are also words of the languages of chats, files, or parts of programs. In order.
#[rustfmt::skip]
const AMBIGUOUS: &[&str] = &[
    "able", "ad", "al", "am", "ao", "as", "at", "au", "ba", "bar", "be", "best", "bio", "black", "blue", "boo",
    "bot", "box", "buy", "by", "ca", "call", "cat", "cool", "dad", "data", "day", "do", "dog", "dot", "drive",
    "eat", "ec", "es", "eu", "fail", "family", "fan", "fans", "fast", "fish", "fit", "fly", "foo", "food", "free",
    "game", "games", "gg", "gold", "got", "green", "guide", "health", "help", "here", "hm", "hot", "how", "id",
    "ie", "im", "in", "ing", "ink", "is", "ist", "it", "java", "je", "kids", "la", "land", "lat", "life", "like",
    "lol", "love", "ma", "man", "map", "md", "me", "meme", "men", "mm", "mo", "moe", "moi", "mom", "money", "mov",
    "ms", "mu", "music", "my", "na", "name", "ne", "new", "next", "nexus", "ni", "no", "now", "nu", "one", "open",
    "pa", "party", "pay", "phone", "ping", "pink", "play", "plus", "pm", "post", "properties", "ps", "pub", "py",
    "read", "red", "rest", "rip", "rocks", "rs", "run", "sa", "safe", "save", "school", "se", "search", "secure",
    "select", "sh", "show", "si", "smart", "smile", "so", "st", "su", "sucks", "talk", "team", "tips", "to",
    "today", "toys", "trust", "tube", "us", "va", "ve", "vi", "watch", "weather", "work", "works", "world", "wow",
    "wtf", "ye", "you", "zero", "zip", "zone",
];

/// Endings in other scripts, of which the crate has the Punycode only.
const NATIONAL: &[&str] = &[
    "ελ",
    "ευ",
    "бел",
    "ею",
    "католик",
    "ком",
    "мкд",
    "мон",
    "москва",
    "онлайн",
    "орг",
    "рус",
    "рф",
    "сайт",
    "срб",
    "укр",
    "қаз",
    "հայ",
    "გე",
];

impl Ending {
    /// Of a folded label.
    pub(super) fn of(label: &str) -> Self {
        if label.is_ascii() {
            return Self::of_ascii(label);
        }
        if NATIONAL.contains(&label) {
            return Self::Sure;
        }
        match Self::of_ascii(&look(label)) {
            Self::Sure => Self::Disguised,
            _ => Self::None,
        }
    }

    fn of_ascii(label: &str) -> Self {
        if !tld::exist(label) {
            Self::None
        } else if AMBIGUOUS.binary_search(&label).is_ok() {
            Self::Ambiguous
        } else {
            Self::Sure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_from_words_and_files() {
        for (label, ending) in [
            ("com", Ending::Sure),
            ("xyz", Ending::Sure),
            ("de", Ending::Sure),
            ("рф", Ending::Sure),
            ("соm", Ending::Disguised),
            ("xn--p1ai", Ending::Sure),
            ("it", Ending::Ambiguous),
            ("rs", Ending::Ambiguous),
            ("mp4", Ending::None),
            ("40", Ending::None),
            ("example", Ending::None),
            ("cöm", Ending::None),
            ("", Ending::None),
        ] {
            assert_eq!(Ending::of(label), ending, "{label}");
        }
    }

    #[test]
    fn the_lists_are_in_order_and_hold_what_there_is() {
        assert!(AMBIGUOUS.is_sorted() && AMBIGUOUS.iter().all(|label| tld::exist(label)));
        assert!(NATIONAL.iter().all(|label| crate::Folded::new(label).text() == *label));
    }
}
