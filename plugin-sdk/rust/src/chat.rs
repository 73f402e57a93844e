//! Effects: what the bot writes in chat.
//!
//! Each function returns the effect's number, counted from 0 within the event; a later `outcome` event carries it. The
//! effect leaves when the handler returns `Ok`. [`Refused`] says why it was refused on the spot. The effects of one
//! event are at most 32, with 64 KiB of text in all.
//!
//! A text is whatever reads as one: `"hi"`, a `String`, `format!("Hello {name}!")`.

use crate::Refused;
use crate::event::{Envelope, Event, Place};
use crate::host;

/// Writes into a channel; an envelope stands for the channel that it came from.
///
/// # Errors
/// When it is not granted (`chat = ["say"]`) or over a limit.
pub fn say<'a>(place: impl Into<Place<'a>>, text: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::chat::say(place.platform, place.channel, text.as_ref()).map_err(Refused::new)
}

/// Answers the message of this envelope: a line of chat with a reply, a whisper with a whisper.
///
/// # Errors
/// When it is not granted (`chat = ["reply"]`, for whispers `chat = ["whisper"]`), over a limit, or when the
/// event is no message; [`say`] works for every event that belongs to a channel.
pub fn reply(envelope: &Envelope, text: impl AsRef<str>) -> Result<u32, Refused> {
    match &envelope.event {
        Event::Chat(message) => reply_to(envelope, &message.id, text),
        Event::Whisper(message) => whisper(envelope, &message.author.id, text),
        other => Err(Refused::new(format!("a `{}` event can't be replied to; use chat::say", other.name()))),
    }
}

/// Answers a message by its id, for an answer that comes later than its question. Where a platform has no threads, it
/// is a line like any other.
///
/// # Errors
/// When it is not granted (`chat = ["reply"]`) or over a limit.
pub fn reply_to<'a>(place: impl Into<Place<'a>>, message_id: &str, text: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::chat::reply(place.platform, place.channel, message_id, text.as_ref()).map_err(Refused::new)
}

/// Writes to one person in private, by their user id.
///
/// # Errors
/// When it is not granted (`chat = ["whisper"]`) or over a limit.
pub fn whisper<'a>(place: impl Into<Place<'a>>, user_id: &str, text: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::chat::whisper(place.platform, place.channel, user_id, text.as_ref()).map_err(Refused::new)
}

/// Writes a highlighted message. Where a platform has none, its `outcome` is "unsupported".
///
/// # Errors
/// When it is not granted (`chat = ["announce"]`) or over a limit.
pub fn announce<'a>(place: impl Into<Place<'a>>, text: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::chat::announce(place.platform, place.channel, text.as_ref()).map_err(Refused::new)
}

/// Recommends another channel, by the user id of whom it belongs to. Where a platform has no such thing, its `outcome`
/// is "unsupported".
///
/// # Errors
/// When it is not granted (`chat = ["shoutout"]`) or over a limit.
pub fn shoutout<'a>(place: impl Into<Place<'a>>, user_id: &str) -> Result<u32, Refused> {
    let place = place.into();
    host::chat::shoutout(place.platform, place.channel, user_id).map_err(Refused::new)
}
