//! Whatever anybody writes: it has one form, and each part of that comes from whole characters.

use showrunner_fuzz::fuzz_text;

use super::*;

#[test]
fn folded_texts() {
    fuzz_text!(512, |text| {
        let folded = Folded::new(text);
        let again = Folded::new(folded.text());
        assert_eq!(again.text(), folded.text());
        assert!(!folded.text().contains(char::is_control));
        let mut end = 0;
        for (start, character) in folded.text().char_indices() {
            let source = folded.source(&(start..start + character.len_utf8()));
            assert!(text.get(source.clone()).is_some_and(|source| !source.is_empty()), "{character:?} of {source:?}");
            assert!(source.end >= end, "what is read later stands later");
            end = source.end;
        }
        assert_eq!(folded.source(&(0..folded.text().len())).end, text.len());
    });
}
