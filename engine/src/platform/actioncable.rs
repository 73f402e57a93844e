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

/// Why there is no connection, or not any more. No variant ever shows an address with its query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CableError {
    #[error("the address of the socket is of no use: {0}")]
    Address(String),
    /// Nobody answered at that address.
    #[error("can't reach the server: {0}")]
    Unreachable(String),
    /// An answer came, and it was no WebSocket.
    #[error("the server refused the socket: HTTP {status}{}", told(words.as_deref()))]
    Refused {
        status: u16,
        /// What the server itself says; a page says nothing.
        words: Option<String>,
        /// A page for a browser: what stands before the service answered, not the service.
        is_page: bool,
    },
    #[error("the server hung up in the midst of the handshake")]
    HungUp,
    #[error("no welcome within {0:?}")]
    NoWelcome(Duration),
    #[error("this is no Action Cable server: {0}")]
    Unsupported(String),
    /// The server knows us and does not let us hear this channel.
    #[error("the server rejected the subscription")]
    Rejected,
    #[error("the subscription was not confirmed within {0:?}")]
    Unconfirmed(Duration),
    #[error("nothing was heard for {0:?}: the connection is dead")]
    Silent(Duration),
    /// A frame of the protocol that announces the end, with the server's wish whether we come back.
    #[error("the server disconnected this client{}", told(reason.as_deref()))]
    Disconnected { reason: Option<String>, reconnect: bool },
    /// A close without such a frame. Services have codes of their own.
    #[error("the server closed the connection{}{}", code.map_or_else(String::new, |code| format!(" with code {code}")), told(reason.as_deref()))]
    Closed { code: Option<u16>, reason: Option<String> },
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("the server sent more than {limit} bytes in one message")]
    TooLarge { limit: usize },
    #[error("the server sent more than it may before the subscription was confirmed")]
    TooEarly,
}

fn told(words: Option<&str>) -> String {
    words.map_or_else(String::new, |words| format!(", \"{words}\""))
}
