//! Effects: what the bot writes in chat.
//!
//! Each function returns the effect's number, which a later `outcome` event carries, and leaves when the
//! handler returns `Ok`. `Err` says why it was refused on the spot; [`crate::Refusal`] tells the causes apart. A batch
//! holds 32 effects and 64 KiB of text.

use crate::event::{Envelope, Event, Place};
use crate::host;

/// Writes into a channel; an envelope stands for the channel that it came from.
///
/// # Errors
/// When it is not granted (`chat = ["say"]`) or over a limit.
pub fn say<'a>(place: impl Into<Place<'a>>, text: &str) -> Result<u32, String> {
    let place = place.into();
    host::chat::say(place.platform, place.channel, text)
}

/// Answers the message of this envelope: a line of chat with a reply, a whisper with a whisper.
///
/// # Errors
/// When it is not granted (`chat = ["reply"]`, for whispers `chat = ["whisper"]`), over a limit, or when the
/// event is no message; [`say`] works for every event.
pub fn reply(envelope: &Envelope, text: &str) -> Result<u32, String> {
    match &envelope.event {
        Event::Chat(message) => reply_to(envelope, &message.id, text),
        Event::Whisper(message) => whisper(envelope, &message.author.id, text),
        other => Err(format!("a `{}` event can't be replied to; use chat::say", other.name())),
    }
}

/// Answers a message by its id, for an answer that comes later than its question. Where a platform has no threads, it is a
/// line like any other.
///
/// # Errors
/// When it is not granted (`chat = ["reply"]`) or over a limit.
pub fn reply_to<'a>(place: impl Into<Place<'a>>, message_id: &str, text: &str) -> Result<u32, String> {
    let place = place.into();
    host::chat::reply(place.platform, place.channel, message_id, text)
}

/// Writes to one person in private.
///
/// # Errors
/// When it is not granted (`chat = ["whisper"]`) or over a limit.
pub fn whisper<'a>(place: impl Into<Place<'a>>, user_id: &str, text: &str) -> Result<u32, String> {
    let place = place.into();
    host::chat::whisper(place.platform, place.channel, user_id, text)
}

/// Writes a highlighted message.
///
/// # Errors
/// When it is not granted (`chat = ["announce"]`) or over a limit.
pub fn announce<'a>(place: impl Into<Place<'a>>, text: &str) -> Result<u32, String> {
    let place = place.into();
    host::chat::announce(place.platform, place.channel, text)
}

/// Recommends another channel, by its user id.
///
/// # Errors
/// When it is not granted (`chat = ["shoutout"]`) or over a limit.
pub fn shoutout<'a>(place: impl Into<Place<'a>>, user_id: &str) -> Result<u32, String> {
    let place = place.into();
    host::chat::shoutout(place.platform, place.channel, user_id)
}
