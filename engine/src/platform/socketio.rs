//! A small client for Socket.IO servers (Engine.IO 4, Socket.IO 5), over WebSocket only.
//!
//! Owns the wire format ([`packet`]) and one connection from its handshake to its end ([`Session`]). It never
//! connects again and joins no rooms: both belong to the platform that uses it and to the supervisor. That is why
//! the crate `rust_socketio` is not used: it reconnects by itself.
//!
//! Everything that a server can send is bounded: the size of a frame, the number of attachments, the time of the
//! handshake, the silence between two pings.

pub mod packet;
mod refusal;
mod session;

use std::time::Duration;

use serde_json::Value;

pub use self::refusal::Refusal;
pub use self::session::{Incoming, Options, Session};

/// Why there is no connection, or not any more. No variant ever shows an address with its query.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SocketError {
    #[error("the address of the socket is of no use: {0}")]
    Address(String),
    /// Nobody answered at that address.
    #[error("can't reach the server: {0}")]
    Unreachable(String),
    /// An answer came, and it was no WebSocket.
    #[error("the server refused the socket: {0}")]
    Refused(Refusal),
    /// It, or something before it, does not want the socket and does not say so, or it is about to end.
    #[error("the server hung up in the midst of the handshake")]
    HungUp,
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
    /// The transport ended without a word, or with one of its own.
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("the server sent what is no Socket.IO: {0}")]
    Protocol(#[from] packet::PacketError),
    #[error("the server sent more than {limit} bytes in one message")]
    TooLarge { limit: usize },
    /// Ours is larger than what the server takes; the connection goes on.
    #[error("a packet of {size} bytes is more than the {limit} that the server takes")]
    OverPayload { size: usize, limit: u64 },
}
