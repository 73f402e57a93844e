//! What the engine knows of people. It needs `viewers = ["read"]`; without it, nobody is known.
//!
//! A [`Viewer`] is a `user` as they were seen last, when that was for the first and the last time (`first_seen_ms` and
//! `last_seen_ms`, in milliseconds since 1970), and how many `messages` they wrote, over all channels of the platform.
//! A [`Line`] is what they wrote: `message_id`, `at_ms`, `text`, and whether it was `removed` since.

pub use crate::bindings::showrunner::plugin::viewers::{Line, Viewer};

use crate::event::Place;
use crate::host;

/// Somebody by platform and user id.
pub fn get(platform: &str, user_id: &str) -> Option<Viewer> {
    host::viewers::get(platform, user_id)
}

/// Somebody by what people type after an @, in any letter case; [`commands::mention`](crate::commands::mention) takes
/// the @ off.
pub fn find(platform: &str, login: &str) -> Option<Viewer> {
    host::viewers::find(platform, login)
}

/// What somebody wrote in a channel lately, newest first: at most `limit` lines, of the 50 that the engine keeps.
pub fn recent_messages<'a>(place: impl Into<Place<'a>>, user_id: &str, limit: u32) -> Vec<Line> {
    let place = place.into();
    host::viewers::recent_messages(place.platform, place.channel, user_id, limit)
}
