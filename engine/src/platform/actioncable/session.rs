//! One connection to an Action Cable server, from the handshake to its end.
//!
//! [`Session::next`] may be dropped at any await and called again; nothing is lost by it, so it fits a `select!`.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use url::Url;

use super::CableError;
use super::frame::{self, Frame};
use crate::platform::websocket::{self, DialError, WebSocket};

const PROTOCOL: &str = "actioncable-v1-json";
/// An event fits some kilobytes.
const MAX_MESSAGE_BYTES: usize = 1 << 20;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Twice the beat of the server, as in the reference client.
const SILENCE: Duration = Duration::from_secs(6);
const CONFIRMATION: Duration = Duration::from_secs(10);
/// A subscribe is sent again after this long, as the reference client does: it, or its answer, may have been lost.
const RESEND: Duration = Duration::from_millis(500);
/// Order is not kept, so a channel may speak before its subscription is confirmed, but not without end.
const MAX_EARLY: usize = 256;

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// From dialling to the welcome.
    pub handshake: Duration,
    /// How long a server that lives may say nothing.
    pub silence: Duration,
    /// How long a subscription may stay unanswered.
    pub confirmation: Duration,
    /// The largest message that is taken from the server; before a subscription is confirmed, all of them together.
    pub max_message_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE,
            silence: SILENCE,
            confirmation: CONFIRMATION,
            max_message_bytes: MAX_MESSAGE_BYTES,
        }
    }
}

/// What a channel said, or the service in a frame of its own; that has no identifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub identifier: Option<String>,
    pub message: Value,
}

/// A connection that the server has welcomed.
pub struct Session<S = MaybeTlsStream<TcpStream>> {
    socket: WebSocket<S>,
    options: Options,
    /// When the server counts as dead, unless it says something before. By our clock: the server's may jump.
    deadline: Instant,
    /// What came before the subscription was confirmed, and how many bytes more may.
    early: VecDeque<Incoming>,
    early_bytes_left: usize,
}

impl Session {
    /// Connects to `url` (ws, wss, http or https) and waits for the welcome.
    pub async fn open(url: &Url, options: Options) -> Result<Self, CableError> {
        let handshake = options.handshake;
        let opening = async {
            let socket = WebSocket::dial(request(url)?, options.max_message_bytes).await?;
            Self::over(socket, options).await
        };
        timeout(handshake, opening).await.unwrap_or(Err(CableError::NoWelcome(handshake)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Nothing is sent before the welcome, even though servers would keep it.
    async fn over(socket: WebSocket<S>, options: Options) -> Result<Self, CableError> {
        let deadline = Instant::now() + options.handshake;
        let early_bytes_left = options.max_message_bytes;
        let mut session = Self { socket, options, deadline, early: VecDeque::new(), early_bytes_left };
        loop {
            match session.read().await {
                Ok((Frame::Welcome, _)) => return Ok(session),
                Ok(_) => {}
                // Both waits end at about the same time; it is one and the same lack.
                Err(CableError::Silent(_)) => return Err(CableError::NoWelcome(session.options.handshake)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks to hear a channel until the server confirms or rejects it. To be called before [`Self::next`], once for
    /// each channel: a server does not confirm what it has confirmed before.
    pub async fn subscribe(&mut self, identifier: &str) -> Result<(), CableError> {
        let until = Instant::now() + self.options.confirmation;
        while Instant::now() < until {
            self.write(frame::subscribe(identifier)).await?;
            let again_at = until.min(Instant::now() + RESEND);
            while let Ok(read) = timeout_at(again_at, self.read()).await {
                let (frame, bytes) = read?;
                match frame {
                    Frame::Confirmed { identifier: confirmed } if confirmed == identifier => return Ok(()),
                    other => self.keep(other, bytes, identifier)?,
                }
            }
        }
        Err(CableError::Unconfirmed(self.options.confirmation))
    }

    /// Keeps what a channel said before its subscription was confirmed.
    fn keep(&mut self, frame: Frame, bytes: usize, identifier: &str) -> Result<(), CableError> {
        if matches!(&frame, Frame::Rejected { identifier: rejected } if rejected == identifier) {
            return Err(CableError::Rejected);
        }
        if let Some(incoming) = incoming(frame) {
            let left = self.early_bytes_left.checked_sub(bytes).filter(|_| self.early.len() < MAX_EARLY);
            self.early_bytes_left = left.ok_or(CableError::TooEarly)?;
            self.early.push_back(incoming);
        }
        Ok(())
    }

    /// The next that a channel says.
    pub async fn next(&mut self) -> Result<Incoming, CableError> {
        if let Some(early) = self.early.pop_front() {
            return Ok(early);
        }
        loop {
            let (frame, _) = self.read().await?;
            // The server has taken back what it confirmed, and forgets us there.
            if matches!(frame, Frame::Rejected { .. }) {
                return Err(CableError::Rejected);
            }
            if let Some(incoming) = incoming(frame) {
                return Ok(incoming);
            }
        }
    }

    /// Asks a channel to do something. Nothing confirms it.
    pub async fn perform(&mut self, identifier: &str, data: &Value) -> Result<(), CableError> {
        self.write(frame::perform(identifier, data)).await
    }

    /// A server that reads nothing is as dead as one that says nothing.
    async fn write(&mut self, text: String) -> Result<(), CableError> {
        timeout_at(self.deadline, self.socket.send(Message::text(text)))
            .await
            .map_err(|_| CableError::Silent(self.options.silence))??;
        Ok(())
    }

    /// The next frame, and how long it was. Whatever came shows that the server lives.
    async fn read(&mut self) -> Result<(Frame, usize), CableError> {
        loop {
            let message = timeout_at(self.deadline, self.socket.next())
                .await
                .map_err(|_| CableError::Silent(self.options.silence))??;
            // The protocol has no others, and those of the transport say nothing of the service.
            let Message::Text(text) = message else { continue };
            self.deadline = Instant::now() + self.options.silence;
            match Frame::parse(&text) {
                Ok(Frame::Disconnect { reason, reconnect }) => {
                    let reason = reason.map(|reason| self.socket.told(&reason));
                    return Err(CableError::Disconnected { reason, reconnect });
                }
                Ok(frame) => return Ok((frame, text.len())),
                Err(error) => tracing::debug!(%error, "A frame that is not understood was skipped."),
            }
        }
    }
}

/// Offers one protocol, so a server that does not agree to it is noticed. The origin is that of a page of the same
/// host, as Rails asks for by default.
fn request(url: &Url) -> Result<Request, DialError> {
    let address = websocket::address(url)?;
    let unusable = |problem: String| DialError::Address(problem);
    let mut request = address.as_str().into_client_request().map_err(|error| unusable(error.to_string()))?;
    // wss becomes https, and ws http.
    let origin = address.origin().ascii_serialization().replacen("ws", "http", 1);
    let origin = HeaderValue::from_str(&origin).map_err(|error| unusable(error.to_string()))?;
    request.headers_mut().insert(ORIGIN, origin);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    Ok(request)
}

fn incoming(frame: Frame) -> Option<Incoming> {
    match frame {
        Frame::Message { identifier, message } => Some(Incoming { identifier, message }),
        Frame::Foreign(message) => Some(Incoming { identifier: None, message }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
