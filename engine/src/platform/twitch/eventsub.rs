//! The session of `EventSub` over WebSocket: from its welcome to its end, moves to another address included.
//!
//! Owns the wire format ([`frame`]), one socket with its watchdog ([`socket`]), and the pair of sockets that there is
//! while Twitch moves us ([`connection`]). It subscribes to nothing and never dials again after an end: the first is
//! the source's, the second the supervisor's. It never sends anything but what answers a ping; Twitch closes a
//! socket that hears more.

mod close;
mod connection;
mod frame;
mod seen;
mod socket;

use std::time::Duration;

pub(super) use self::close::Close;
pub(super) use self::connection::{Connection, Heard};
pub(super) use self::frame::{Body, Frame, Notification, Subscription, read_time};
pub(super) use self::seen::Seen;
pub(super) use self::socket::Welcome;
use crate::platform::websocket::{DialError, Loss};

/// The largest message that is taken. A line of chat with all its emotes has a few kilobytes.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Why there is no session, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum End {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("Twitch took longer than {0:?} for the handshake")]
    HandshakeTimeout(Duration),
    #[error("no welcome came within {0:?}")]
    NoWelcome(Duration),
    #[error("nothing came for {0:?}: the connection is dead")]
    Silent(Duration),
    #[error("Twitch closed the connection: {0}")]
    Closed(Close),
    /// The end of the socket without a code of Twitch's.
    #[error(transparent)]
    Lost(Loss),
    /// Twitch asked to move elsewhere, and there it did not work.
    #[error("the move to another of Twitch's addresses failed: {0}")]
    NotMoved(String),
}
