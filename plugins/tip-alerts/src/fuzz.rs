//! Tips of any sum and moderators who type anything, under whatever the operator has set: each gets an answer, and no
//! sum breaks a goal.

use serde_json::Value;
use showrunner_fuzz::fuzz_text;
use showrunner_sdk::testing::{Draft, Harness, Reaction, Setup, event};

use super::TipAlerts;

/// A line of chat is no longer than this on any platform, in characters.
const LINE: usize = 2000;

/// The first line of an input holds settings as JSON. What stands behind a dot is what a moderator types behind
/// `!goal`; each other line is a tip: "1250e2 USD thank you" is 12.50.
#[test]
fn alert_chats() {
    fuzz_text!(8192, |text| {
        let mut lines = text.lines();
        let settings = lines.next().and_then(|settings| serde_json::from_str(settings).ok());
        let settings = settings.filter(Value::is_object).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let setup = Setup::new().manifest(include_str!("../plugin.toml")).settings(settings);
        let mut harness: Harness<TipAlerts> = match Harness::start(setup) {
            Ok(harness) => harness,
            Err(error) => return assert!(!error.is_empty()),
        };
        for line in lines.take(32) {
            let line: String = line.chars().take(LINE).collect();
            let reaction = match line.strip_prefix('.') {
                Some(line) => harness.push(event::chat("Mia", &format!("!goal {line}")).moderator()),
                None => harness.push(tip(&line)),
            };
            assert_sound(&line, &reaction);
        }
        harness.restart().unwrap();
        harness.advance(std::time::Duration::from_secs(60)).iter().for_each(|reaction| assert_sound("later", reaction));
    });
}

fn tip(line: &str) -> Draft {
    let (sum, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (currency, message) = rest.split_once(' ').unwrap_or((rest, ""));
    let (units, exponent) = sum.split_once('e').unwrap_or((sum, "0"));
    let (units, exponent) = (units.parse().unwrap_or(1), exponent.parse().unwrap_or(0));
    event::support("Ada", "tip", units, exponent, currency).saying(message)
}

fn assert_sound(cause: &str, reaction: &Reaction) {
    assert_eq!(reaction.error(), None, "{cause}");
    assert!(reaction.texts().iter().all(|text| !text.trim().is_empty()), "{cause}: {reaction:?}");
}
