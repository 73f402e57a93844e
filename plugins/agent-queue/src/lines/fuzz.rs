//! Whatever an agent answers, it is a bounded number of bounded lines.

use showrunner_fuzz::fuzz_text;

use super::*;

/// The first byte of an input says how long a line may be.
#[test]
fn reply_lines() {
    fuzz_text!(32, |text| {
        let characters = 10 + usize::from(text.bytes().next().unwrap_or_default());
        let most = 4;
        let lines = split(text, characters, most);
        assert!(lines.len() <= most);
        assert!(lines.iter().all(|line| (1..=characters).contains(&line.chars().count())), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains(['\n', '\r'])));
        // All of it, where there is room, but for the spaces.
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let all = split(text, characters, usize::MAX);
        assert_eq!(bare(&all.concat()), bare(text));
        if all.len() <= most {
            assert_eq!(lines, all);
        }
    });
}
