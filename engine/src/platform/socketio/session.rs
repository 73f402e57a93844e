//! One connection to a Socket.IO server, from the handshake to its end.
//!
//! [`Session::next`] may be dropped at any await and called again; nothing is lost by it, so it fits a `select!`.

mod protocol;

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use url::Url;

use self::protocol::{Protocol, Read};
use super::SocketError;
use super::packet::{Body, EnginePacket, Open, Packet, PacketError};
use crate::platform::websocket::{self, DialError, WebSocket};

/// A chat message fits a kilobyte; what is far larger than the usual `maxPayload` of 1 MB is an attack.
const MAX_MESSAGE_BYTES: usize = 2 << 20;
/// The default of the reference client.
const HANDSHAKE: Duration = Duration::from_secs(20);

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
    socket: WebSocket,
    open: Open,
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
        let mut socket = WebSocket::dial(address.as_str(), options.max_message_bytes).await?;
        let open = read_open(&mut socket).await?;
        let mut session = Self {
            socket,
            deadline: Instant::now() + open.patience(),
            open,
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
            .map_err(|_| SocketError::PingTimeout(self.open.patience()))??;
        Ok(())
    }

    async fn read(&mut self) -> Result<Read, SocketError> {
        loop {
            // It stays due until it is written: a second pong does no harm, a missing one does.
            while let Some(frame) = self.protocol.due.front().cloned() {
                self.write(frame).await?;
                self.protocol.due.pop_front();
            }
            let message = timeout_at(self.deadline, self.socket.next())
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
async fn read_open(socket: &mut WebSocket) -> Result<Open, SocketError> {
    loop {
        match socket.next().await? {
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

fn address(url: &Url, query: &[(&str, &str)]) -> Result<Url, DialError> {
    let mut address = websocket::address(url)?;
    address.query_pairs_mut().append_pair("EIO", "4").append_pair("transport", "websocket").extend_pairs(query);
    Ok(address)
}

#[cfg(test)]
mod tests;
