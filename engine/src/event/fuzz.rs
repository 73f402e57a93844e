//! Amounts, commands and entries of the journal: what is read is bounded, and reads the same when it is written.

use serde_json::{Value, json};
use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

#[test]
fn amounts() {
    fuzz_text!(8, |text| {
        let Some(amount) = Amount::parse(text) else { return };
        let shown = amount.to_string();
        // 32 bits, and at most 128 places before or behind them.
        assert_one_short_line(&shown);
        assert!(shown.len() <= 10 + 1 + 128, "{shown}");
        let again = Amount::parse(&shown).unwrap_or_else(|| panic!("{text} is shown as {shown}, which is no amount"));
        assert_eq!(again.to_string(), shown);
    });
}

/// The first line of an input is the prefix, the second the message.
#[test]
fn chat_commands() {
    fuzz_text!(8, |text| {
        let (prefix, message) = text.split_once('\n').unwrap_or(("!", text));
        let Some(command) = Command::parse(message, prefix) else { return };
        assert!(message.trim_start().starts_with(prefix));
        assert!(!command.name.is_empty() && !command.name.contains(char::is_whitespace), "{command:?}");
        assert_eq!(command.args.trim(), command.args);
        // Names are compared by how they are lower-cased, so that must be final.
        let again = Command::parse(&format!("{prefix}{} {}", command.name, command.args), prefix);
        assert_eq!(again, Some(command));
    });
}

/// An entry that was written is read back as it was, also by an engine that knows fewer fields.
#[test]
fn journal_entries() {
    fuzz_text!(128, |text| {
        let Ok(envelope) = serde_json::from_str::<Envelope>(text) else { return };
        let written = serde_json::to_string(&envelope).unwrap();
        assert_eq!(serde_json::from_str::<Envelope>(&written).unwrap(), envelope);

        let mut wider: Value = serde_json::from_str(&written).unwrap();
        wider["field-of-tomorrow"] = json!([1]);
        wider["event"]["field-of-tomorrow"] = json!({ "x": "y" });
        assert_eq!(serde_json::from_value::<Envelope>(wider).unwrap(), envelope);
    });
}
