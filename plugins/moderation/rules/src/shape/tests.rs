use proptest::prelude::*;

use super::*;
use crate::line::Mark;

fn shape(text: &str) -> Shape {
    Shape::of(&Line::new(text, Vec::new()), |word| ["KEKW", "Pog"].contains(&word))
}

#[test]
fn letters_symbols_and_spaces_are_told_apart() {
    let Shape { characters, letters, capitals, symbols, inked, .. } = shape("Ab ÄÖ, жЖ 中あ 12 !?");
    assert_eq!((characters, letters, capitals, symbols, inked), (18, 6, 4, 3, 13));
}

#[test]
fn what_is_marked_is_neither_shouted_nor_drawn() {
    let text = "HELLO @BOB-_-_ XD";
    let mark = Mark { kind: MarkKind::Other, span: 6..14 };
    let marked = Shape::of(&Line::new(text, vec![mark]), |_| false);
    assert_eq!((marked.capitals, marked.symbols, marked.emotes, marked.characters), (7, 0, 0, 17));
    let emotes = shape("KEKW, Pog KEKWW");
    assert_eq!((emotes.emotes, emotes.letters), (2, 5));
}

#[test]
fn emoji_are_counted_as_people_see_them() {
    for (text, emotes) in
        [("🔥🔥 🔥", 3), ("👩‍👩‍👧‍👦", 1), ("👏🏽👏🏽", 2), ("🇩🇪🇫🇷", 2), ("❤️❤", 2), ("1️⃣", 1), ("☀️", 1), ("★☆ © ✓ 1", 0)]
    {
        assert_eq!(shape(text).emotes, emotes, "{text}");
    }
    assert_eq!(shape("🔥🔥👏🏽").symbols, 0);
}

#[test]
fn marks_pile_up() {
    assert_eq!(shape("cafe\u{301} a\u{323}\u{302}").piled, 0);
    assert_eq!(shape("Z\u{300}\u{301}\u{302}\u{303}\u{304}").piled, 3);
}

#[test]
fn repetition_is_found_with_what_is_repeated() {
    for (text, length, times, span) in [
        ("so looooong", 5, 5, "ooooo"),
        ("so LOooOng", 4, 4, "OooO"),
        ("hahahahah", 9, 4, "hahahahah"),
        ("スパムスパムスパム", 9, 3, "スパムスパムスパム"),
        ("abc", 0, 0, ""),
    ] {
        let again = shape(text).characters_again;
        assert_eq!((again.length, again.times(), &text[again.span.clone()]), (length, times, span), "{text}");
    }
    for (text, times, span) in [
        ("no no NO, no!", 4, "no no NO, no"),
        ("buy now buy now buy", 2, "buy now buy now buy"),
        ("stop.stop.stop", 3, "stop.stop.stop"),
        ("no KEKW no", 0, ""),
        ("one two", 0, ""),
    ] {
        let again = shape(text).words_again;
        assert_eq!((again.times(), &text[again.span]), (times, span), "{text}");
    }
}

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    let effort = |count: usize| {
        effort::of(|| {
            shape(&"ab 🔥é! ".repeat(count));
        })
    };
    assert!(effort(400) <= 4 * effort(100));
}

proptest! {
    #[test]
    fn no_text_and_no_marks_are_too_strange(
        text in any::<String>(), marks in prop::collection::vec((0usize..60, 0usize..20), 0..6),
    ) {
        let mark = |(start, length)| Mark { kind: MarkKind::Emote, span: start..start + length };
        let line = Line::new(&text, marks.into_iter().map(mark).collect());
        let shape = Shape::of(&line, |_| false);
        prop_assert_eq!(shape.characters, line.text().chars().count());
        prop_assert!(line.text().get(shape.characters_again.span).is_some());
        prop_assert!(line.text().get(shape.words_again.span).is_some());
    }
}
