//! What people and bots write, in public and in private.

mod spans;

use serde_json::{Map, Value};

use self::spans::spans;
use super::{keep, people};
use crate::event::{ChatMessage, Event};
use crate::platform::fields::{count, field, id_of, object, text_of, word_of};

type Fields = Map<String, Value>;

pub(super) fn read(fields: &Fields, details: &Fields, extra: &mut Fields) -> Option<Event> {
    let message = message(fields, details, extra)?;
    Some(if is_public(fields, details, extra) { Event::Chat(message) } else { Event::Whisper(message) })
}

pub(super) fn read_whisper(fields: &Fields, details: &Fields, extra: &mut Fields) -> Option<Event> {
    message(fields, details, extra).map(Event::Whisper)
}

/// The service's own announcements and other bots' lines come without a word on who may read them, and all may.
pub(super) fn read_of_bot(fields: &Fields, details: &Fields, extra: &mut Fields) -> Option<Event> {
    let mut event = read(fields, details, extra)?;
    if let Event::Chat(message) | Event::Whisper(message) = &mut event {
        message.author.roles.bot = true;
    }
    Some(event)
}

/// The second shape has the message in its data, the first in the envelope itself.
fn message(fields: &Fields, details: &Fields, extra: &mut Fields) -> Option<ChatMessage> {
    let either = |names: &[&str]| field(details, names).or_else(|| field(fields, names));
    let text = text_of(details, &["text"]).or_else(|| text_of(fields, &["text"]))?;
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let mut author = people::user(object(details, &["author"]).or_else(|| object(fields, &["author"]))?)?;
    if let Some(months) = object(details, &["subscription"]).and_then(|it| count(it.get("streak")?)) {
        for badge in author.badges.iter_mut().filter(|badge| *badge == "subscriber") {
            *badge = format!("subscriber/{months}");
        }
    }
    if either(&["highlight"]).is_some_and(|value| *value == true) {
        keep(extra, "highlight", true);
    }
    Some(ChatMessage {
        id: id_of(fields, &["messageId", "message_id", "id"]).unwrap_or_default(),
        spans: spans(
            text,
            either(&["emotes", "emotesUsed", "emotes_used"]),
            either(&["mentions", "mentionedUsername", "mentioned_username"]),
        ),
        author,
        text: text.to_owned(),
        ..ChatMessage::default()
    })
}

/// What says of itself that it is for fewer than all must not be answered before all.
fn is_public(fields: &Fields, details: &Fields, extra: &mut Fields) -> bool {
    let names = ["visibility"];
    let Some(visibility) = field(details, &names).or_else(|| field(fields, &names)) else { return true };
    let word = word_of(details, &names).or_else(|| word_of(fields, &names));
    match word {
        Some(word) if word.trim().eq_ignore_ascii_case("public") => true,
        Some(word) => {
            keep(extra, "visibility", word);
            false
        }
        None => visibility.as_str().is_some_and(str::is_empty),
    }
}
