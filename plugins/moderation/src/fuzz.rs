//! A chat that says anything, moderators included, under whatever the operator has set: nothing fails, and whatever is
//! done says why.

use serde_json::Value;
use showrunner_fuzz::{assert_one_short_line, fuzz_text};
use showrunner_sdk::testing::{Harness, Setup, event};

use super::Moderation;

/// A line of chat is no longer than this on any platform, in characters.
const LINE: usize = 2000;

/// The first line of an input holds settings as JSON, the others are the chat; one that begins with a dot is a
/// moderator's.
#[test]
fn moderation_chats() {
    // A compiled regex has a bound of its own, and a few letters reach it.
    fuzz_text!(32 << 10, |text| {
        let mut lines = text.lines();
        let settings = lines.next().and_then(|settings| serde_json::from_str(settings).ok());
        let settings = settings.filter(Value::is_object).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let setup = Setup::new().manifest(include_str!("../plugin.toml")).settings(settings);
        let mut harness: Harness<Moderation> = match Harness::start(setup) {
            Ok(harness) => harness,
            Err(error) => return assert!(!error.is_empty()),
        };
        for line in lines.take(32) {
            let line: String = line.chars().take(LINE).collect();
            match line.strip_prefix('.') {
                Some(line) => {
                    let reaction = harness.push(event::chat("Mia", line).moderator());
                    assert_eq!(reaction.error(), None, "{line}");
                    reaction.texts().into_iter().for_each(assert_one_short_line);
                }
                None => assert_one_short_line(super::tests::short(&harness.review(event::chat("Ada", &line))).1),
            }
        }
        // What it remembers is read back, all of it.
        harness.restart().unwrap();
    });
}
