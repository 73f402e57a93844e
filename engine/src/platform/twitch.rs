//! Twitch: `EventSub` over WebSocket, actions through Helix.

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "the source that reads events is written beside it"))]
mod event;
#[expect(dead_code, reason = "the source that subscribes is written beside it")]
mod topics;

/// The name of the platform.
pub const PLATFORM: &str = "twitch";
