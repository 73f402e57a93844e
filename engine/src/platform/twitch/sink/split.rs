//! Cuts a text into messages that Twitch takes.

/// Twitch's limit for a message of chat. Whether it counts code points or UTF-16 is not documented; code points are
/// what its own examples count.
pub(super) const LONGEST: usize = 500;

/// The text in pieces of at most [`LONGEST`] code points, cut between words where there is room for that. Nothing but
/// the white space at the cuts is left out.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (piece, next) = rest.split_at(cut(rest));
        pieces.push(piece.trim_end());
        rest = next.trim_start();
    }
    pieces
}

/// The text as far as Twitch takes it.
pub(super) fn cut_off(text: &str) -> &str {
    let text = text.trim();
    text.get(..end(text)).unwrap_or(text)
}

/// Where the first piece ends.
fn cut(text: &str) -> usize {
    let end = end(text);
    let is_between = text.get(end..).is_none_or(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if is_between {
        return end;
    }
    match text.get(..end).and_then(|piece| piece.rfind(char::is_whitespace)) {
        // One that begins with white space was trimmed, so this is never the start.
        Some(space) if space > 0 => space,
        _ => end,
    }
}

/// Where the longest piece ends, in bytes.
fn end(text: &str) -> usize {
    text.char_indices().nth(LONGEST).map_or(text.len(), |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_between_words() {
        let text = format!("{} {} {}", "a".repeat(300), "b".repeat(199), "c".repeat(300));
        let pieces: Vec<usize> = split(&text).iter().map(|piece| piece.len()).collect();
        assert_eq!(pieces, [500, 300]);
        let text = format!("{} {}", "a".repeat(300), "b".repeat(300));
        assert_eq!(split(&text).iter().map(|piece| piece.len()).collect::<Vec<_>>(), [300, 300]);
    }

    #[test]
    fn a_word_that_is_too_long_is_cut_between_characters() {
        let text = "é".repeat(1001);
        assert_eq!(split(&text).iter().map(|piece| piece.chars().count()).collect::<Vec<_>>(), [500, 500, 1]);
        assert_eq!(split("  short  "), ["short"]);
        assert!(split(" \u{3000} ").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_is_too_long(text in "[a-é\u{1F600}-\u{1F64F} ]{0,1500}") {
            let pieces = split(&text);
            prop_assert!(pieces.iter().all(|piece| (1..=LONGEST).contains(&piece.chars().count())));
            prop_assert!(pieces.iter().all(|piece| piece.trim() == *piece));
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(solid(&pieces.concat()), solid(&text));
            prop_assert!(cut_off(&text).chars().count() <= LONGEST);
        }
    }
}
