//! What the two sides of a connection owe each other, frame by frame. Pure: the session around it has the socket and
//! the clock.

use std::collections::VecDeque;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Incoming;
use crate::platform::socketio::SocketError;
use crate::platform::socketio::packet::{Body, EnginePacket, Packet, PacketError};

/// Events that arrive before the answer to CONNECT are held back, but not without end.
const MAX_EARLY_EVENTS: usize = 256;

/// What a frame leaves to do.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// Of a session that was accepted.
    Event(Incoming),
    /// The server accepts the session.
    Connected,
    /// The server lives.
    Ping,
}

#[derive(Debug)]
pub(super) struct Protocol {
    is_connected: bool,
    /// Events from before that, and what may still come until then, in bytes.
    early: VecDeque<Incoming>,
    early_bytes_left: usize,
    /// What the protocol makes us answer, not yet sent. The session empties it before it reads the next frame.
    pub(super) due: VecDeque<Utf8Bytes>,
    /// An event whose attachments are still to come, and how many.
    incomplete: Option<(Option<Incoming>, usize)>,
}

impl Protocol {
    /// Before the server accepts the session, it may send `early_bytes` and no more.
    pub(super) fn new(early_bytes: usize) -> Self {
        Self {
            is_connected: false,
            early: VecDeque::new(),
            early_bytes_left: early_bytes,
            due: VecDeque::new(),
            incomplete: None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// An event from before the server accepted the session; none once all were told.
    pub(super) fn take_early(&mut self) -> Option<Incoming> {
        self.early.pop_front()
    }

    pub(super) fn take_text(&mut self, text: &str) -> Result<Option<Read>, SocketError> {
        if !self.is_connected {
            self.early_bytes_left = self.early_bytes_left.checked_sub(text.len()).ok_or(SocketError::TooEarly)?;
        }
        match EnginePacket::parse(text)? {
            EnginePacket::Ping => {
                self.due.push_back("3".into());
                Ok(Some(Read::Ping))
            }
            EnginePacket::Message(_) if self.incomplete.is_some() => Err(PacketError::AttachmentDue.into()),
            EnginePacket::Message(packet) => self.take_packet(Packet::parse(packet)?),
            EnginePacket::Close => Err(SocketError::Closed),
            EnginePacket::Noop => Ok(None),
            EnginePacket::Open(_) => Err(PacketError::Unexpected("a second open").into()),
        }
    }

    fn take_packet(&mut self, packet: Packet) -> Result<Option<Read>, SocketError> {
        let is_ours = packet.namespace.is_empty();
        let attachments = packet.attachments();
        let event = match packet.body {
            _ if !is_ours => None,
            Body::Connect { data } => return self.take_connect(data.as_ref()),
            Body::Disconnect => return Err(SocketError::Disconnected),
            Body::ConnectError { message, data } => return Err(SocketError::ConnectError { message, data }),
            Body::Ack { .. } => None,
            Body::Event { name, args, ack, .. } => {
                if let Some(id) = ack {
                    let answer = Packet::main(Body::Ack { id, args: Vec::new(), attachments: 0 });
                    self.due.push_back(answer.encode().into());
                }
                Some(Incoming { name, args })
            }
        };
        if attachments > 0 {
            self.incomplete = Some((event, attachments));
            return Ok(None);
        }
        event.map_or(Ok(None), |event| self.take_event(event))
    }

    /// A second CONNECT says nothing new.
    fn take_connect(&mut self, data: Option<&Value>) -> Result<Option<Read>, SocketError> {
        let has_id = data.is_some_and(|data| data.get("sid").is_some_and(Value::is_string));
        if !self.is_connected && !has_id {
            // It answers CONNECT, or sends it unasked, in the form of the protocol before.
            return Err(SocketError::Unsupported("it speaks Socket.IO 2, protocol 4".to_owned()));
        }
        self.is_connected = true;
        Ok(Some(Read::Connected))
    }

    fn take_event(&mut self, event: Incoming) -> Result<Option<Read>, SocketError> {
        if self.is_connected {
            return Ok(Some(Read::Event(event)));
        }
        if self.early.len() >= MAX_EARLY_EVENTS {
            return Err(SocketError::TooEarly);
        }
        self.early.push_back(event);
        Ok(None)
    }

    pub(super) fn take_attachment(&mut self) -> Result<Option<Read>, SocketError> {
        match self.incomplete.take() {
            Some((event, 1)) => event.map_or(Ok(None), |event| self.take_event(event)),
            Some((event, attachments)) => {
                self.incomplete = Some((event, attachments - 1));
                Ok(None)
            }
            None => Err(PacketError::StrayAttachment.into()),
        }
    }
}

#[cfg(test)]
mod fuzz;
