//! The half that acts: commands over the socket of the half that listens.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::authors::{Author, Authors};
use super::commands::{CommandQueue, Proof};
use crate::config::settings::{JoystickKeys, JoystickSettings};
use crate::effect::Action;
use crate::event::Channel;
use crate::platform::{ActionError, Receipt, Sink};

/// An error comes within this time, as a rule; what becomes of a later one, the queue decides.
const SILENCE: Duration = Duration::from_secs(3);
/// No limit is documented. This one keeps a plugin gone wild from posting books.
const MAX_TEXT_BYTES: usize = 8 << 10;

pub(super) struct JoystickSink {
    channels: Vec<Channel>,
    queue: Arc<CommandQueue>,
    authors: Arc<Authors>,
    keys: JoystickKeys,
    echo: Duration,
}

impl JoystickSink {
    pub(super) fn new(
        settings: &JoystickSettings,
        channels: Vec<Channel>,
        queue: Arc<CommandQueue>,
        authors: Arc<Authors>,
    ) -> Self {
        Self { channels, queue, authors, keys: settings.command_keys, echo: settings.echo }
    }
}

#[async_trait]
impl Sink for JoystickSink {
    async fn perform(&self, channel: &Channel, action: &Action) -> Result<Receipt, ActionError> {
        if !self.channels.contains(channel) {
            return Err(ActionError::Refused(format!(
                "this account is not in {channel}; add it to `channels` in [joystick]"
            )));
        }
        let command = self.command(channel, action)?;
        let data = command.written(&channel.id, self.keys);
        let name = command.name();
        let proof = match &command {
            Command::Say { text } => Proof::Echo(text, self.echo),
            _ => Proof::Silence(&name, SILENCE),
        };
        self.queue.carry_out(&channel.id, data, proof).await
    }
}

impl JoystickSink {
    fn command(&self, channel: &Channel, action: &Action) -> Result<Command, ActionError> {
        Ok(match action {
            // There are no threads here, so an answer is a line like any other.
            Action::Say { text } | Action::Reply { text, .. } => Command::Say { text: line(text)? },
            Action::Whisper { user_id, text } => {
                Command::Whisper { username: self.username(channel, user_id), text: line(text)? }
            }
            Action::RemoveMessage { message_id, .. } => Command::Delete { message_id: message_id.clone() },
            // A mute has a length that the service decides on. There is none for good but the block, which calls its
            // staff, and that is another action.
            Action::Suspend { user_id, .. } => Command::Mute { message_id: self.author(channel, user_id)?.message_id },
            Action::Block { user_id, .. } => Command::Block { message_id: self.author(channel, user_id)?.message_id },
            Action::Lift { user_id } => Command::Unmute { username: self.username(channel, user_id) },
            other => return Err(ActionError::Unsupported { platform: super::PLATFORM, action: other.name() }),
        })
    }

    fn author(&self, channel: &Channel, user_id: &str) -> Result<Author, ActionError> {
        self.authors.find(&channel.id, user_id).ok_or_else(|| {
            ActionError::Refused(format!(
                "Joystick acts on the author of a message, and none of {user_id} was heard in {channel} lately"
            ))
        })
    }

    /// As it is written, where that is known.
    fn username(&self, channel: &Channel, user_id: &str) -> String {
        self.authors.find(&channel.id, user_id).map_or_else(|| user_id.to_owned(), |author| author.login)
    }
}

/// What the gateway can be asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Say { text: String },
    Whisper { username: String, text: String },
    Delete { message_id: String },
    Mute { message_id: String },
    Unmute { username: String },
    Block { message_id: String },
}

impl Command {
    /// With what it is done to, and without what it says.
    fn name(&self) -> String {
        match self {
            Self::Say { .. } => "send_message".to_owned(),
            Self::Whisper { username, .. } => format!("send_whisper to {username}"),
            Self::Delete { message_id } => format!("delete_message {message_id}"),
            Self::Mute { message_id } => format!("mute_user of message {message_id}"),
            Self::Unmute { username } => format!("unmute_user {username}"),
            Self::Block { message_id } => format!("block_user of message {message_id}"),
        }
    }

    fn written(&self, channel_id: &str, keys: JoystickKeys) -> Value {
        let (channel_key, message_key) = match keys {
            JoystickKeys::Snake => ("channel_id", "message_id"),
            JoystickKeys::Camel => ("channelId", "messageId"),
        };
        let mut data = match self {
            Self::Say { text } => json!({ "action": "send_message", "text": text }),
            Self::Whisper { username, text } => json!({ "action": "send_whisper", "username": username, "text": text }),
            Self::Delete { message_id } => json!({ "action": "delete_message", message_key: message_id }),
            Self::Mute { message_id } => json!({ "action": "mute_user", message_key: message_id }),
            Self::Unmute { username } => json!({ "action": "unmute_user", "username": username }),
            Self::Block { message_id } => json!({ "action": "block_user", message_key: message_id }),
        };
        if let Value::Object(fields) = &mut data {
            fields.insert(channel_key.to_owned(), json!(channel_id));
        }
        data
    }
}

/// One line, of a length that can be meant.
fn line(text: &str) -> Result<String, ActionError> {
    let text = text.replace(char::is_control, " ");
    let text = text.trim();
    if text.is_empty() {
        return Err(ActionError::Refused("the line is empty".to_owned()));
    }
    if text.len() > MAX_TEXT_BYTES {
        let size = text.len();
        return Err(ActionError::Refused(format!("the line has {size} bytes, more than {MAX_TEXT_BYTES}")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_written_in_both_spellings() {
        let text = || "gm".to_owned();
        let (username, message_id) = (|| "Alice".to_owned(), || "m1".to_owned());
        let cases = [
            (Command::Say { text: text() }, json!({ "action": "send_message", "text": "gm" })),
            (
                Command::Whisper { username: username(), text: text() },
                json!({ "action": "send_whisper", "username": "Alice", "text": "gm" }),
            ),
            (Command::Delete { message_id: message_id() }, json!({ "action": "delete_message", "message_id": "m1" })),
            (Command::Mute { message_id: message_id() }, json!({ "action": "mute_user", "message_id": "m1" })),
            (Command::Unmute { username: username() }, json!({ "action": "unmute_user", "username": "Alice" })),
            (Command::Block { message_id: message_id() }, json!({ "action": "block_user", "message_id": "m1" })),
        ];
        for (command, mut data) in cases {
            assert!(command.name().starts_with(data["action"].as_str().unwrap()) && !command.name().contains("gm"));
            data["channel_id"] = json!("3f9a");
            assert_eq!(command.written("3f9a", JoystickKeys::Snake), data);
            let camel = data.to_string().replace("channel_id", "channelId").replace("message_id", "messageId");
            assert_eq!(command.written("3f9a", JoystickKeys::Camel), serde_json::from_str::<Value>(&camel).unwrap());
        }
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line(" a\r\nb <3 & \u{0}").unwrap(), "a  b <3 &");
        for nothing in ["", " \n"] {
            assert!(matches!(line(nothing), Err(ActionError::Refused(_))));
        }
        assert!(matches!(line(&"x".repeat(MAX_TEXT_BYTES + 1)), Err(ActionError::Refused(_))));
    }
}
