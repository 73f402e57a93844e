//! Asking for all that can be compared. What one token may not see is left out.

use std::sync::Arc;

use crate::auth::Access;
use crate::platform::http::HttpError;
use crate::platform::joystick::rest::{People, Rest, Stream};

/// What was found. What could not be asked for is empty, or `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) channel_id: String,
    pub(super) stream: Stream,
    pub(super) followers: Option<People>,
    pub(super) subscribers: Option<People>,
}

pub(super) async fn look_up(rest: Arc<Rest>, access: Access) -> Found {
    let token = &access.token;
    let stream = told("stream", rest.stream(token).await).unwrap_or_default();
    let followers = told("followers", rest.followers(token).await);
    let subscribers = told("subscribers", rest.subscribers(token).await);
    Found { channel_id: stream.channel_id.clone().unwrap_or(access.user_id), followers, subscribers, stream }
}

/// The chat goes on without it, and a scope that was not granted is not missed.
fn told<T>(what: &str, asked: Result<T, HttpError>) -> Option<T> {
    asked.inspect_err(|error| tracing::debug!(what, %error, "What a gap has cost can't be looked up.")).ok()
}
