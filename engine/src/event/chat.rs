//! What people write, and that they come and go.

use serde::{Deserialize, Serialize};

use super::user::User;

/// A part of a message's text, in bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub kind: String,
    pub start: u32,
    pub length: u32,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub name: String,
    pub args: String,
}

impl Command {
    /// Reads `!name args`. The name is lower-cased; a prefix with nothing behind it is no command.
    pub fn parse(text: &str, prefix: &str) -> Option<Self> {
        let rest = text.trim_start().strip_prefix(prefix)?;
        let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        (!name.is_empty()).then(|| Self { name: name.to_lowercase(), args: args.trim().to_owned() })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChatMessage {
    pub id: String,
    pub author: User,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Filled in by the sequencer, which knows the channel's prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored_from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub kind: String,
    pub who: User,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_prefix_and_a_name() {
        let command = |text| Command::parse(text, "!").map(|command| (command.name, command.args));
        assert_eq!(command("!So  alice bob "), Some(("so".into(), "alice bob".into())));
        assert_eq!(command("  !ping"), Some(("ping".into(), String::new())));
        assert_eq!(command("!"), None);
        assert_eq!(command("! ping"), None);
        assert_eq!(command("hello !ping"), None);
    }
}
