//! Effects: what the bot does as a moderator. They overtake chat on their way to the platform.
//!
//! Each function returns the effect's number, which a later `outcome` event carries.

use crate::event::Place;
use crate::host;

/// Deletes a message.
///
/// # Errors
/// When it is not granted (`moderation = ["remove-message"]`) or over a limit.
pub fn remove_message<'a>(place: impl Into<Place<'a>>, message_id: &str, reason: &str) -> Result<u32, String> {
    let place = place.into();
    host::moderation::remove_message(place.platform, place.channel, message_id, reason)
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
    reason: &str,
) -> Result<u32, String> {
    let place = place.into();
    host::moderation::suspend(place.platform, place.channel, user_id, seconds, reason)
}

/// Bans somebody for good and reports them to the staff of the platform. For what is worse than rude.
///
/// # Errors
/// When it is not granted (`moderation = ["block"]`) or over a limit.
pub fn block<'a>(place: impl Into<Place<'a>>, user_id: &str, reason: &str) -> Result<u32, String> {
    let place = place.into();
    host::moderation::block(place.platform, place.channel, user_id, reason)
}

/// Ends a suspension.
///
/// # Errors
/// When it is not granted (`moderation = ["lift"]`) or over a limit.
pub fn lift<'a>(place: impl Into<Place<'a>>, user_id: &str) -> Result<u32, String> {
    let place = place.into();
    host::moderation::lift(place.platform, place.channel, user_id)
}

/// Warns somebody, where the platform has such a thing.
///
/// # Errors
/// When it is not granted (`moderation = ["warn"]`) or over a limit.
pub fn warn<'a>(place: impl Into<Place<'a>>, user_id: &str, reason: &str) -> Result<u32, String> {
    let place = place.into();
    host::moderation::warn(place.platform, place.channel, user_id, reason)
}

/// Lets a held message through, or removes it for good.
///
/// # Errors
/// When it is not granted (`moderation = ["resolve-held"]`) or over a limit.
pub fn resolve_held<'a>(place: impl Into<Place<'a>>, message_id: &str, allow: bool) -> Result<u32, String> {
    let place = place.into();
    host::moderation::resolve_held(place.platform, place.channel, message_id, allow)
}
