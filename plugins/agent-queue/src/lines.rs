//! Splits a long answer into lines of chat.

/// At most `lines` lines of at most `characters` characters, split between words; line breaks are spaces. What
/// does not fit ends with "…".
pub(crate) fn split(text: &str, characters: usize, lines: usize) -> Vec<String> {
    let mut result: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace().flat_map(|word| pieces(word, characters)) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > characters {
            result.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    if !line.is_empty() {
        result.push(line);
    }
    if result.len() > lines {
        result.truncate(lines);
        if let Some(last) = result.last_mut() {
            shorten(last, characters);
        }
    }
    result
}

/// A word that is longer than a line, such as an address, cut into pieces.
fn pieces(word: &str, characters: usize) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(characters).map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Ends a line with "…", at the cost of its last word where there is no room.
fn shorten(line: &mut String, characters: usize) {
    while line.chars().count() + 2 > characters {
        match line.rfind(' ') {
            Some(space) => line.truncate(space),
            None => {
                line.pop();
            }
        }
        if line.is_empty() {
            break;
        }
    }
    line.push_str(" …");
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let cases: &[(&str, usize, usize, &[&str])] = &[
            ("", 10, 4, &[]),
            (" \n ", 10, 4, &[]),
            ("short", 10, 4, &["short"]),
            ("one two three", 7, 4, &["one two", "three"]),
            ("one\ntwo\r\n\tthree", 7, 4, &["one two", "three"]),
            ("abcdefghijkl", 5, 4, &["abcde", "fghij", "kl"]),
            ("x abcdefgh", 5, 4, &["x", "abcde", "fgh"]),
            ("grüße 你好", 5, 4, &["grüße", "你好"]),
            ("aa bb cc dd ee", 5, 2, &["aa bb", "cc …"]),
            ("abcdefghijkl", 5, 1, &["abc …"]),
        ];
        for (text, characters, lines, expected) in cases {
            assert_eq!(split(text, *characters, *lines), *expected, "{text}");
        }
    }

    #[test]
    fn no_line_is_ever_too_long() {
        let text = "Lorem ipsum dolor sit amet ".repeat(50);
        for characters in 10..80 {
            for line in split(&text, characters, 3) {
                assert!(line.chars().count() <= characters, "{line}");
            }
        }
    }
}
