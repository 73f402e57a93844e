//! A small client for Socket.IO servers (Engine.IO 4, Socket.IO 5), over WebSocket only.
//!
//! Owns the wire format ([`packet`]) and one connection from its handshake to its end ([`Session`]). It never
//! connects again and joins no rooms: both belong to the platform that uses it and to the supervisor. That is why
//! the crate `rust_socketio` is not used: it reconnects by itself.
//!
//! Everything that a server can send is bounded: the size of a frame, the number of attachments, the time of the
//! handshake, the silence between two pings.

pub mod packet;
mod session;

use std::time::Duration;

use serde_json::Value;

pub use self::session::{Incoming, Options, Session};
use crate::platform::websocket::{DialError, Loss};

/// Why there is no connection, or not any more. No variant ever shows an address with its query.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SocketError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the handshake took longer than {0:?}")]
    HandshakeTimeout(Duration),
    #[error("this is no Socket.IO server of protocol 5: {0}")]
    Unsupported(String),
    /// CONNECT_ERROR: the server knows us and does not want us.
    #[error("the server refused to connect the session: {message}")]
    ConnectError { message: String, data: Option<Value> },
    #[error("no ping for {0:?}: the connection is dead")]
    PingTimeout(Duration),
    /// Engine.IO close: the server ends the transport, usually because it restarts.
    #[error("the server closed the connection")]
    Closed,
    /// DISCONNECT: the server put out this client on purpose.
    #[error("the server disconnected this client")]
    Disconnected,
    #[error(transparent)]
    Lost(#[from] Loss),
    #[error("the server sent more than it may before the session was made")]
    TooEarly,
    #[error("the server sent what is no Socket.IO: {0}")]
    Protocol(#[from] packet::PacketError),
    /// Ours is larger than what the server takes; the connection goes on.
    #[error("a packet of {size} bytes is more than the {limit} that the server takes")]
    OverPayload { size: usize, limit: u64 },
}
