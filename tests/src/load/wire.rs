//! What is written to the bot's socket, in the shape of the service's second generation.

use std::fmt::Write as _;

use super::COMMAND;
use crate::retake::{BOT_ID, BOT_NAME, ROOM};

/// So many people write. Each has some lines in the time of a phase, as in a busy chat.
const VIEWERS: u64 = 2000;

/// What they add to their question, so that no two lines next to each other look the same.
const WORDS: [&str; 16] = [
    "please",
    "when you have a second",
    "before the next round",
    "if anybody knows",
    "my sister wants to know too",
    "sorry for asking again",
    "I just came back",
    "for the people in the back",
    "and thanks for the stream",
    "no hurry at all",
    "it is for a friend",
    "because the wiki does not say",
    "I lost the link",
    "asking on behalf of my cat",
    "as always on a Tuesday",
    "you said it last week",
];

/// Every moment is as good as another; the bot believes its own clock where this one is ahead.
const SENT_AT: u64 = 1_767_607_872_000;

pub(super) fn question(frame: &mut String, number: u64) {
    let viewer = number % VIEWERS;
    let words = WORDS[usize::try_from(number / 3 % WORDS.len() as u64).unwrap_or_default()];
    let at = SENT_AT + number;
    let _ = write!(
        frame,
        r#"42["message",{{"_id":"m{number}","type":"message","sender_user_id":"u-{viewer}","sender_username":"viewer-{viewer}","streamer_id":"{ROOM}","session_id":"s1","text":"!{COMMAND} {number} {words}","timestamp":"{at}"}}]"#
    );
}

/// A line of a viewer that is no question. The text must need no escapes.
pub(super) fn aside(frame: &mut String, number: u64, text: &str) {
    let viewer = number % VIEWERS;
    let at = SENT_AT + number;
    let _ = write!(
        frame,
        r#"42["message",{{"_id":"x{number}","type":"message","sender_user_id":"u-{viewer}","sender_username":"viewer-{viewer}","streamer_id":"{ROOM}","session_id":"s1","text":"{text}","timestamp":"{at}"}}]"#
    );
}

/// The bot's own line, as everybody in the room sees it.
pub(super) fn echo(frame: &mut String, number: u64, text: &str) {
    let at = SENT_AT + number;
    let text = serde_json::Value::from(text);
    let _ = write!(
        frame,
        r#"42["message",{{"_id":"e{number}","type":"message","sender_user_id":"{BOT_ID}","sender_username":"{BOT_NAME}","streamer_id":"{ROOM}","session_id":"s1","text":{text},"timestamp":"{at}"}}]"#
    );
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_line_is_an_event_of_the_service() {
        let read = |write: &dyn Fn(&mut String)| -> Value {
            let mut frame = String::new();
            write(&mut frame);
            let event: Value = serde_json::from_str(frame.strip_prefix("42").unwrap()).unwrap();
            assert_eq!(event[0], "message");
            event[1].clone()
        };
        let question = read(&|frame| question(frame, 4711));
        assert_eq!(question["sender_user_id"], "u-711");
        assert!(question["text"].as_str().unwrap().starts_with("!ask 4711 "));
        let echo = read(&|frame| echo(frame, 1, "say \"hi\""));
        assert_eq!((&echo["sender_user_id"], &echo["text"]), (&Value::from(BOT_ID), &Value::from("say \"hi\"")));
        assert_eq!(read(&|frame| aside(frame, 1, "spin"))["text"], "spin");
    }
}
