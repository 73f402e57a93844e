//! One connection to a Socket.IO server, from the handshake to its end.
//!
//! [`Session::next`] may be dropped at any await and called again; nothing is lost by it, so it fits a `select!`.

mod protocol;

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use self::protocol::{Protocol, Read};
use super::packet::{Body, EnginePacket, Open, Packet, PacketError};
use super::{Refusal, SocketError};
use crate::web::one_line;

/// A chat message fits a kilobyte; what is far larger than the usual `maxPayload` of 1 MB is an attack.
const MAX_MESSAGE_BYTES: usize = 2 << 20;
/// The default of the reference client.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// One connection reads small packets; the default of 128 KiB would be the largest thing it owns.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// Room for what a server that has stopped reading leaves unwritten.
const WRITE_BUFFER_BYTES: usize = 4 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// From dialling to the answer to CONNECT.
    pub handshake: Duration,
    /// The largest message that is taken from the server; before the answer to CONNECT, all of them together.
    pub max_message_bytes: usize,
    /// The payload of CONNECT, where the server asks for one.
    pub auth: Option<Value>,
}

impl Default for Options {
    fn default() -> Self {
        Self { handshake: HANDSHAKE, max_message_bytes: MAX_MESSAGE_BYTES, auth: None }
    }
}

/// An event of the server. Binary attachments are dropped; their placeholders stand in the arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub name: String,
    pub args: Vec<Value>,
}

/// A session that the server has accepted.
pub struct Session {
    socket: Socket,
    open: Open,
    max_message_bytes: usize,
    /// When the server counts as dead, unless it pings before.
    deadline: Instant,
    protocol: Protocol,
}

impl Session {
    /// Connects to `url` (ws, wss, http or https, with the path of the server) with `query` added to it.
    pub async fn connect(url: &Url, query: &[(&str, &str)], options: &Options) -> Result<Self, SocketError> {
        let address = address(url, query)?;
        timeout(options.handshake, Self::shake_hands(address, options))
            .await
            .unwrap_or(Err(SocketError::HandshakeTimeout(options.handshake)))
    }

    async fn shake_hands(address: Url, options: &Options) -> Result<Self, SocketError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(options.max_message_bytes))
            .max_frame_size(Some(options.max_message_bytes))
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES);
        let (mut socket, _) =
            connect_async_with_config(address.as_str(), Some(config), true).await.map_err(connect_error)?;
        let open = read_open(&mut socket, options.max_message_bytes).await?;
        let mut session = Self {
            socket,
            deadline: Instant::now() + open.patience(),
            open,
            max_message_bytes: options.max_message_bytes,
            protocol: Protocol::new(options.max_message_bytes),
        };
        session.send(&Packet::main(Body::Connect { data: options.auth.clone() })).await?;
        while !session.protocol.is_connected() {
            session.read().await?;
        }
        Ok(session)
    }

    /// The next event. Answers pings and acknowledgements on the way.
    pub async fn next(&mut self) -> Result<Incoming, SocketError> {
        if let Some(event) = self.protocol.take_early() {
            return Ok(event);
        }
        loop {
            if let Read::Event(event) = self.read().await? {
                return Ok(event);
            }
        }
    }

    pub async fn emit(&mut self, name: &str, args: Vec<Value>) -> Result<(), SocketError> {
        self.send(&Packet::main(Body::Event { name: name.to_owned(), args, ack: None, attachments: 0 })).await
    }

    async fn send(&mut self, packet: &Packet) -> Result<(), SocketError> {
        let frame = packet.encode();
        if u64::try_from(frame.len()).is_ok_and(|size| size > self.open.max_payload) {
            return Err(SocketError::OverPayload { size: frame.len(), limit: self.open.max_payload });
        }
        self.write(frame.into()).await
    }

    /// A server that reads nothing is as dead as one that says nothing.
    async fn write(&mut self, frame: Utf8Bytes) -> Result<(), SocketError> {
        timeout_at(self.deadline, self.socket.send(Message::Text(frame)))
            .await
            .map_err(|_| SocketError::PingTimeout(self.open.patience()))?
            .map_err(|error| read_error(error, self.max_message_bytes))
    }

    async fn read(&mut self) -> Result<Read, SocketError> {
        loop {
            // It stays due until it is written: a second pong does no harm, a missing one does.
            while let Some(frame) = self.protocol.due.front().cloned() {
                self.write(frame).await?;
                self.protocol.due.pop_front();
            }
            let message = timeout_at(self.deadline, next_message(&mut self.socket, self.max_message_bytes))
                .await
                .map_err(|_| SocketError::PingTimeout(self.open.patience()))??;
            let read = match message {
                Message::Text(text) => self.protocol.take_text(&text)?,
                Message::Binary(_) => self.protocol.take_attachment()?,
                _ => None,
            };
            match read {
                Some(Read::Ping) => self.deadline = Instant::now() + self.open.patience(),
                Some(read) => return Ok(read),
                None => {}
            }
        }
    }
}

/// The first frame must be the open packet.
async fn read_open(socket: &mut Socket, limit: usize) -> Result<Open, SocketError> {
    loop {
        match next_message(socket, limit).await? {
            Message::Text(text) => match EnginePacket::parse(&text) {
                Ok(EnginePacket::Open(open)) => return Ok(open),
                Ok(EnginePacket::Close) => return Err(SocketError::Closed),
                Ok(_) => return Err(SocketError::Unsupported("its first packet opens no session".to_owned())),
                Err(problem) => return Err(SocketError::Unsupported(problem.to_string())),
            },
            Message::Binary(_) => return Err(PacketError::StrayAttachment.into()),
            _ => {}
        }
    }
}

/// A data frame, or the end.
async fn next_message(socket: &mut Socket, limit: usize) -> Result<Message, SocketError> {
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => {
            let reason = one_line(&frame.reason);
            Err(SocketError::Lost(format!("closed with code {} {reason}", frame.code).trim_end().to_owned()))
        }
        Some(Ok(Message::Close(None))) => Err(SocketError::Lost("closed without a reason".to_owned())),
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(read_error(error, limit)),
        None => Err(SocketError::Lost("the stream ended".to_owned())),
    }
}

fn address(url: &Url, query: &[(&str, &str)]) -> Result<Url, SocketError> {
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        other => return Err(SocketError::Address(format!("\"{other}:\" is none of wss, ws, https and http"))),
    };
    let mut address = url.clone();
    // Fails only between kinds of schemes, and all four are of one kind.
    let _ = address.set_scheme(scheme);
    address.set_fragment(None);
    address.query_pairs_mut().append_pair("EIO", "4").append_pair("transport", "websocket").extend_pairs(query);
    Ok(address)
}

fn connect_error(error: Error) -> SocketError {
    match error {
        // Whether a closed connection shows as its end or as a reset depends on what was still under way.
        Error::Io(error) if was_closed(error.kind()) => SocketError::HungUp,
        Error::Io(error) => SocketError::Unreachable(error.to_string()),
        Error::Tls(error) => SocketError::Unreachable(format!("TLS: {error}")),
        Error::Url(UrlError::UnableToConnect(_)) => SocketError::Unreachable("no connection".to_owned()),
        Error::Url(error) => SocketError::Address(error.to_string()),
        Error::HttpFormat(error) => SocketError::Address(error.to_string()),
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            SocketError::Refused(Refusal::new(response.status().as_u16(), body))
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => SocketError::HungUp,
        other => SocketError::Unsupported(other.to_string()),
    }
}

const fn was_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

fn read_error(error: Error, limit: usize) -> SocketError {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => SocketError::TooLarge { limit },
        other => SocketError::Lost(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
