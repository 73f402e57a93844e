//! Reading what people type: arguments, names, who is meant.

use crate::event::ChatMessage;

/// Splits arguments at spaces; `"double quotes"` hold words together, and a backslash before a quote or a
/// backslash stands for it. A quote that is never closed is an ordinary character: people write 5" and it's.
pub fn split(arguments: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.is_empty() {
        let (word, after) = quoted(rest).unwrap_or_else(|| plain(rest));
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn plain(text: &str) -> (String, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word.to_owned(), rest)
}

/// A word in quotes that ends before a space or the end; `None` when there is no such word here.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.chars();
    let mut word = String::new();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => {
                let escaped = characters.clone().next().filter(|next| matches!(next, '"' | '\\'));
                word.push(escaped.unwrap_or('\\'));
                if escaped.is_some() {
                    characters.next();
                }
            }
            character => word.push(character),
        }
    }
    let rest = characters.as_str();
    rest.chars().next().is_none_or(char::is_whitespace).then_some((word, rest))
}

/// Cuts the first word off: (`first`, `rest`), both without spaces around them.
pub fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// The bare login of what somebody typed to name somebody: "@Alice," is "Alice".
pub fn mention(word: &str) -> &str {
    word.trim().trim_start_matches('@').trim_end_matches([',', ':', ';', '.', '!', '?'])
}

/// The characters before the command's name, such as "!", so that an answer can show how to type it. Empty
/// when the message holds no command.
pub fn prefix(message: &ChatMessage) -> &str {
    let first = first_word(&message.text).0;
    let Some(command) = &message.command else { return "" };
    let end = first
        .char_indices()
        .map(|(index, _)| index)
        .find(|index| first.get(*index..).is_some_and(|name| name.to_lowercase() == command.name));
    end.and_then(|end| first.get(..end)).unwrap_or("")
}

/// What is left of a message that begins with one of `names`, with or without an @ and followed by a space, a
/// comma, a colon or the end; `None` when it is not meant for them. Letter case does not matter.
pub fn addressed<'a, S: AsRef<str>>(text: &'a str, names: &[S]) -> Option<&'a str> {
    let text = text.trim_start();
    let text = text.strip_prefix('@').unwrap_or(text);
    names.iter().map(AsRef::as_ref).filter(|name| !name.is_empty()).find_map(|name| {
        let rest = strip_prefix_ignoring_case(text, name)?;
        let ends = rest.chars().next().is_none_or(|next| !is_name_character(next));
        ends.then(|| rest.trim_start_matches([',', ':', ';', '!', '?', '.', '-']).trim())
    })
}

/// Whether one of `names` stands anywhere in the text as a word of its own, with or without an @.
pub fn mentions<S: AsRef<str>>(text: &str, names: &[S]) -> bool {
    let starts = text.char_indices().scan(' ', |before, (index, character)| {
        // Not every name begins as a word does.
        let start = !is_name_character(*before) && !character.is_whitespace();
        *before = character;
        Some(start.then_some(index))
    });
    starts.flatten().any(|start| text.get(start..).is_some_and(|rest| addressed(rest, names).is_some()))
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Lower-casing can change a text's length, so the characters are compared one by one.
fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let mut characters = text.chars();
    for wanted in prefix.chars() {
        let found = characters.next()?;
        if !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(characters.as_str())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_split_at_spaces_and_keep_quotes_together() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  a  b ", &["a", "b"]),
            (r#"add "two words" rest"#, &["add", "two words", "rest"]),
            (r#""with \"inner\" and \\""#, &[r#"with "inner" and \"#]),
            (r#"it's 5" tall"#, &["it's", "5\"", "tall"]),
            (r#""never closed"#, &["\"never", "closed"]),
            (r#""glued"on"#, &["\"glued\"on"]),
            ("\"\"", &[""]),
            ("grüße\u{3000}你好", &["grüße", "你好"]),
        ];
        for (text, words) in cases {
            assert_eq!(split(text), *words, "{text}");
        }
    }

    #[test]
    fn a_mention_is_stripped_to_the_login() {
        for (word, login) in [("@Alice", "Alice"), ("@alice,", "alice"), ("bob", "bob"), ("@", ""), (" @x: ", "x")] {
            assert_eq!(mention(word), login);
        }
    }

    #[test]
    fn a_message_is_addressed_by_name_at_its_start() {
        let names = ["nova", "Éclair"];
        let cases = [
            ("@nova what is this?", Some("what is this?")),
            ("Nova, hi", Some("hi")),
            ("NOVA: hi", Some("hi")),
            ("nova", Some("")),
            ("éclair hi", Some("hi")),
            ("novas are stars", None),
            ("nova_bot hi", None),
            ("hi nova", None),
            ("", None),
        ];
        for (text, rest) in cases {
            assert_eq!(addressed(text, &names), rest, "{text}");
        }
    }

    #[test]
    fn a_name_is_found_anywhere_as_a_word() {
        let names = ["nova"];
        for text in ["hi nova", "hi @Nova!", "nova", "(nova)", "what, nova?"] {
            assert!(mentions(text, &names), "{text}");
        }
        for text in ["supernova", "novas", "x_nova", "", "nov a"] {
            assert!(!mentions(text, &names), "{text}");
        }
        assert!(mentions("hi ★nova", &["★nova"]));
        assert!(!mentions("anything", &[""]));
    }
}
