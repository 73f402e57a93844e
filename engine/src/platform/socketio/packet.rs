//! The wire format: one Engine.IO packet a text frame, and inside of a message packet one Socket.IO packet.
//!
//! Pure functions from text to packets and back. Whatever the bytes are, reading them is an error at worst.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::web::one_line;

/// More attachments than this are refused, as the reference decoder does.
pub const MAX_ATTACHMENTS: usize = 10;
/// A shorter interval would be a server's mistake, and with a timeout of nothing every moment a ping timeout.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(100);
/// A longer one would never find a dead connection. The usual is 45 s.
const LONGEST_PATIENCE: Duration = Duration::from_secs(600);

/// What a text frame can be wrong in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    #[error("an empty packet")]
    Empty,
    #[error("a packet of the unknown type {0:?}")]
    UnknownType(char),
    #[error("an Engine.IO packet that a server never sends ({0})")]
    Unexpected(&'static str),
    #[error("an open packet that can't be read: {0}")]
    Open(String),
    #[error("a {packet} packet that can't be read: {problem}")]
    Body { packet: &'static str, problem: String },
    #[error("{0} attachments, more than {MAX_ATTACHMENTS}")]
    TooManyAttachments(usize),
    #[error("a text packet where an attachment was due")]
    AttachmentDue,
    #[error("a binary frame that belongs to no packet")]
    StrayAttachment,
}

/// An Engine.IO packet as a server sends it.
#[derive(Debug, Clone, PartialEq)]
pub enum EnginePacket<'text> {
    Open(Open),
    Close,
    Ping,
    /// Holds a Socket.IO packet.
    Message(&'text str),
    Noop,
}

/// The server's terms, in its first packet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    pub sid: String,
    ping_interval: u64,
    ping_timeout: u64,
    /// The largest packet that the server takes; it closes the connection on a larger one.
    #[serde(default = "no_limit")]
    pub max_payload: u64,
}

fn no_limit() -> u64 {
    u64::MAX
}

impl Open {
    /// The longest silence between two pings of a server that lives.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.ping_interval.saturating_add(self.ping_timeout))
            .clamp(SHORTEST_PATIENCE, LONGEST_PATIENCE)
    }
}

impl<'text> EnginePacket<'text> {
    pub fn parse(frame: &'text str) -> Result<Self, PacketError> {
        let mut characters = frame.chars();
        let kind = characters.next().ok_or(PacketError::Empty)?;
        let rest = characters.as_str();
        match kind {
            '0' => serde_json::from_str(rest)
                .map(Self::Open)
                .map_err(|error| PacketError::Open(one_line(&error.to_string()))),
            '1' => Ok(Self::Close),
            '2' => Ok(Self::Ping),
            '3' => Err(PacketError::Unexpected("pong")),
            '4' => Ok(Self::Message(rest)),
            '5' => Err(PacketError::Unexpected("upgrade")),
            '6' => Ok(Self::Noop),
            other => Err(PacketError::UnknownType(other)),
        }
    }
}

/// A Socket.IO packet. An empty `namespace` is the main one, "/".
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    pub namespace: String,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Connect { data: Option<Value> },
    Disconnect,
    Event { name: String, args: Vec<Value>, ack: Option<u64>, attachments: usize },
    Ack { id: u64, args: Vec<Value>, attachments: usize },
    ConnectError { message: String, data: Option<Value> },
}

impl Packet {
    pub fn main(body: Body) -> Self {
        Self { namespace: String::new(), body }
    }

    /// How many binary frames follow this packet.
    pub fn attachments(&self) -> usize {
        match self.body {
            Body::Event { attachments, .. } | Body::Ack { attachments, .. } => attachments,
            _ => 0,
        }
    }

    /// Reads `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.
    pub fn parse(text: &str) -> Result<Self, PacketError> {
        let mut characters = text.chars();
        let kind = characters.next().ok_or(PacketError::Empty)?;
        let rest = characters.as_str();
        let (attachments, rest) = match kind {
            '5' | '6' => read_attachments(rest)?,
            _ => (0, rest),
        };
        let (namespace, rest) = read_namespace(rest);
        let body = match kind {
            '0' => Body::Connect { data: read_json("CONNECT", rest)? },
            '1' => Body::Disconnect,
            '2' | '5' => read_event(rest, attachments)?,
            '3' | '6' => read_ack(rest, attachments)?,
            '4' => read_connect_error(rest)?,
            other => return Err(PacketError::UnknownType(other)),
        };
        Ok(Self { namespace: namespace.to_owned(), body })
    }

    /// The text frame that holds this packet, the Engine.IO digit included. Attachments are never written.
    pub fn encode(&self) -> String {
        let mut frame = String::from("4");
        frame.push(match self.body {
            Body::Connect { .. } => '0',
            Body::Disconnect => '1',
            Body::Event { .. } => '2',
            Body::Ack { .. } => '3',
            Body::ConnectError { .. } => '4',
        });
        if !self.namespace.is_empty() {
            frame.push_str(&self.namespace);
            frame.push(',');
        }
        // Writing to a string can't fail.
        let _ = match &self.body {
            Body::Connect { data: None } | Body::Disconnect => Ok(()),
            Body::Connect { data: Some(data) } => write!(frame, "{data}"),
            Body::Event { name, args, ack, .. } => {
                ack.map_or(Ok(()), |ack| write!(frame, "{ack}")).and_then(|()| write_event(&mut frame, name, args))
            }
            Body::Ack { id, args, .. } => write!(frame, "{id}{}", Value::from(args.as_slice())),
            Body::ConnectError { message, data } => {
                write!(frame, "{}", serde_json::json!({ "message": message, "data": data }))
            }
        };
        frame
    }
}

/// `["name",arg,...]`, without copying the arguments into a new array first.
fn write_event(frame: &mut String, name: &str, args: &[Value]) -> std::fmt::Result {
    write!(frame, "[{}", Value::from(name))?;
    for arg in args {
        write!(frame, ",{arg}")?;
    }
    frame.write_char(']')
}

/// A count is followed by a dash; digits without one are an ack id and left alone.
fn read_attachments(text: &str) -> Result<(usize, &str), PacketError> {
    let problem = |problem: &str| PacketError::Body { packet: "binary", problem: problem.to_owned() };
    let (count, rest) = text.split_once('-').ok_or_else(|| problem("it has no number of attachments"))?;
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem("its number of attachments is none"));
    }
    match count.parse::<usize>() {
        Ok(count) if count <= MAX_ATTACHMENTS => Ok((count, rest)),
        Ok(count) => Err(PacketError::TooManyAttachments(count)),
        Err(_) => Err(PacketError::TooManyAttachments(usize::MAX)),
    }
}

/// A namespace begins with a slash and ends at a comma, or with the packet; its query is of no interest.
fn read_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("", text);
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    let path = namespace.split_once('?').map_or(namespace, |(path, _)| path);
    (if path == "/" { "" } else { path }, rest)
}

fn read_ack_id<'text>(packet: &'static str, text: &'text str) -> Result<(Option<u64>, &'text str), PacketError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (id, rest) = text.split_at(digits);
    if id.is_empty() {
        return Ok((None, rest));
    }
    id.parse()
        .map(|id| (Some(id), rest))
        .map_err(|_| PacketError::Body { packet, problem: "its ack id is too large".to_owned() })
}

fn read_json(packet: &'static str, text: &str) -> Result<Option<Value>, PacketError> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|error| unreadable(packet, &error))
}

fn read_array(packet: &'static str, text: &str) -> Result<Vec<Value>, PacketError> {
    serde_json::from_str(text).map_err(|error| unreadable(packet, &error))
}

fn unreadable(packet: &'static str, error: &serde_json::Error) -> PacketError {
    PacketError::Body { packet, problem: one_line(&error.to_string()) }
}

fn read_event(text: &str, attachments: usize) -> Result<Body, PacketError> {
    let (ack, rest) = read_ack_id("EVENT", text)?;
    let mut args = read_array("EVENT", rest)?.into_iter();
    let name = match args.next() {
        Some(Value::String(name)) => name,
        Some(Value::Number(name)) => name.to_string(),
        _ => {
            let problem = "its first item is no name".to_owned();
            return Err(PacketError::Body { packet: "EVENT", problem });
        }
    };
    Ok(Body::Event { name, args: args.collect(), ack, attachments })
}

fn read_ack(text: &str, attachments: usize) -> Result<Body, PacketError> {
    let (id, rest) = read_ack_id("ACK", text)?;
    let id = id.ok_or_else(|| PacketError::Body { packet: "ACK", problem: "it has no id".to_owned() })?;
    Ok(Body::Ack { id, args: read_array("ACK", rest)?, attachments })
}

/// `{"message":...,"data":...}`; servers of the protocol before sent a bare string.
fn read_connect_error(text: &str) -> Result<Body, PacketError> {
    let (message, data) = match read_json("CONNECT_ERROR", text)? {
        Some(Value::Object(mut fields)) => {
            let message = fields.remove("message").unwrap_or_default();
            (message.as_str().unwrap_or_default().to_owned(), fields.remove("data").filter(|data| !data.is_null()))
        }
        Some(Value::String(message)) => (message, None),
        _ => (String::new(), None),
    };
    let message = one_line(&message);
    let message = if message.is_empty() { "it did not say why".to_owned() } else { message };
    Ok(Body::ConnectError { message, data })
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
