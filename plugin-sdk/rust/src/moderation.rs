//! Effects: what the bot does as a moderator. They overtake chat on their way to the platform.
//!
//! Each function returns the effect's number, counted from 0 within the event; a later `outcome` event carries it.
//! [`Refused`] says why it was refused on the spot. Where a platform has no such thing, the outcome is "unsupported".
//! People are named by their user id, messages by the id that the event of theirs has.

use crate::Refused;
use crate::event::Place;
use crate::host;

/// Deletes a message. The reason is for the record, and for the platform where it takes one.
///
/// # Errors
/// When it is not granted (`moderation = ["remove-message"]`) or over a limit.
pub fn remove_message<'a>(
    place: impl Into<Place<'a>>,
    message_id: &str,
    reason: impl AsRef<str>,
) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::remove_message(place.platform, place.channel, message_id, reason.as_ref()).map_err(Refused::new)
}

/// Silences somebody for `seconds`, or for good without them. Where the platform decides how long it lasts, as on
/// Joystick.tv, it does, also without seconds.
///
/// # Errors
/// When it is not granted (`moderation = ["suspend"]`) or over a limit.
pub fn suspend<'a>(
    place: impl Into<Place<'a>>,
    user_id: &str,
    seconds: Option<u32>,
    reason: impl AsRef<str>,
) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::suspend(place.platform, place.channel, user_id, seconds, reason.as_ref()).map_err(Refused::new)
}

/// Bans somebody for good and reports them to the staff of the platform. For what is worse than rude.
///
/// # Errors
/// When it is not granted (`moderation = ["block"]`) or over a limit.
pub fn block<'a>(place: impl Into<Place<'a>>, user_id: &str, reason: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::block(place.platform, place.channel, user_id, reason.as_ref()).map_err(Refused::new)
}

/// Ends a suspension.
///
/// # Errors
/// When it is not granted (`moderation = ["lift"]`) or over a limit.
pub fn lift<'a>(place: impl Into<Place<'a>>, user_id: &str) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::lift(place.platform, place.channel, user_id).map_err(Refused::new)
}

/// Warns somebody, where the platform has such a thing.
///
/// # Errors
/// When it is not granted (`moderation = ["warn"]`) or over a limit.
pub fn warn<'a>(place: impl Into<Place<'a>>, user_id: &str, reason: impl AsRef<str>) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::warn(place.platform, place.channel, user_id, reason.as_ref()).map_err(Refused::new)
}

/// Lets a held message through with `allow`, or removes it for good; held by the platform, or by this engine's review.
///
/// # Errors
/// When it is not granted (`moderation = ["resolve-held"]`) or over a limit.
pub fn resolve_held<'a>(place: impl Into<Place<'a>>, message_id: &str, allow: bool) -> Result<u32, Refused> {
    let place = place.into();
    host::moderation::resolve_held(place.platform, place.channel, message_id, allow).map_err(Refused::new)
}
