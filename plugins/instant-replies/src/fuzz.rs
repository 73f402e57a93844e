//! A chat that says anything, moderators included: each line of the input is a message.

use showrunner_fuzz::fuzz_text;
use showrunner_sdk::testing::{Harness, Setup, event};

use super::InstantReplies;

/// An event may cause so many effects; a line of chat is so long, and an answer may hold some of them.
const EFFECTS: usize = 32;
const CHARACTERS: usize = 5000;

/// Lines that begin with a dot are a moderator's.
#[test]
fn reply_chats() {
    fuzz_text!(4096, |text| {
        let mut harness: Harness<InstantReplies> =
            Harness::start(Setup::new().manifest(include_str!("../plugin.toml"))).unwrap();
        for line in text.lines().take(64) {
            let draft = match line.strip_prefix('.') {
                Some(line) => event::chat("Mia", line).moderator(),
                None => event::chat("Ada", line),
            };
            let reaction = harness.push(draft);
            assert_eq!(reaction.error(), None, "{line}");
            assert!(reaction.effects.len() <= EFFECTS);
            for text in reaction.texts() {
                assert!(!text.trim().is_empty() && text.chars().count() <= CHARACTERS, "{text:?}");
            }
        }
        // What it remembers is read back, all of it.
        harness.restart().unwrap();
        assert_eq!(harness.started().logs, []);
    });
}
