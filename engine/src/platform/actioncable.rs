//! A small client for Action Cable servers (`actioncable-v1-json`), as Rails has them.
//!
//! Owns the frames ([`frame`]) and one connection from its handshake to its end ([`Session`]). It never connects again,
//! knows no channel and no token: both belong to the platform that uses it and to the supervisor.
//!
//! What a server can make it do is bounded: the size of a message, what it says before a subscription is confirmed, the
//! time until it welcomes us and until it confirms, its silence after that.

pub mod frame;
mod session;

use std::time::Duration;

pub use self::session::{Incoming, Options, Session};
use crate::platform::websocket::{DialError, Loss, quoted};

/// Why there is no connection, or not any more. No variant ever shows an address with its query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CableError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("no welcome within {0:?}")]
    NoWelcome(Duration),
    /// The server knows us and does not let us hear this channel.
    #[error("the server rejected the subscription")]
    Rejected,
    #[error("the subscription was not confirmed within {0:?}")]
    Unconfirmed(Duration),
    #[error("nothing was heard for {0:?}: the connection is dead")]
    Silent(Duration),
    /// A frame of the protocol that announces the end, with the server's wish whether we come back.
    #[error("the server disconnected this client{}", quoted(reason.as_deref()))]
    Disconnected { reason: Option<String>, reconnect: bool },
    /// The end of the socket without such a frame.
    #[error(transparent)]
    Lost(#[from] Loss),
    #[error("the server sent more than it may before the subscription was confirmed")]
    TooEarly,
}
