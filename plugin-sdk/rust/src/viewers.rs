//! What the engine knows of people. It needs `viewers = ["read"]`; without it, nobody is known.

pub use crate::bindings::showrunner::plugin::viewers::{Line, Viewer};

use crate::event::Place;
use crate::host;

/// Somebody by platform and user id.
pub fn get(platform: &str, user_id: &str) -> Option<Viewer> {
    host::viewers::get(platform, user_id)
}

/// Somebody by what people type after an @.
pub fn find(platform: &str, login: &str) -> Option<Viewer> {
    host::viewers::find(platform, login)
}

/// What somebody wrote in a channel lately, newest first.
pub fn recent_messages<'a>(place: impl Into<Place<'a>>, user_id: &str, limit: u32) -> Vec<Line> {
    let place = place.into();
    host::viewers::recent_messages(place.platform, place.channel, user_id, limit)
}
