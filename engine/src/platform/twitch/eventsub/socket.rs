//! One WebSocket to `EventSub`: its handshake, its welcome, and a watchdog on every frame after that.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, UrlError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::close::Close;
use super::frame::{Body, Frame};
use super::{End, MAX_MESSAGE_BYTES};
use crate::web::one_line;

const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the handshake to the welcome.
const WELCOME: Duration = Duration::from_secs(10);
/// One connection reads small frames; the default of 128 KiB would be the largest thing it owns.
const READ_BUFFER_BYTES: usize = 16 << 10;

/// What Twitch says when a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Welcome {
    pub(in super::super) session_id: String,
    /// By Twitch's clock.
    pub(in super::super) at_ms: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// How long silence may last.
    patience: Duration,
    /// When the server counts as dead, unless anything comes before.
    deadline: Instant,
}

impl Socket {
    /// Dials `address`, which is used as it is, and waits for the welcome.
    pub(super) async fn connect(address: &str) -> Result<(Self, Welcome), End> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES))
            .read_buffer_size(READ_BUFFER_BYTES);
        let (stream, _) = timeout(HANDSHAKE, connect_async_with_config(address, Some(config), true))
            .await
            .map_err(|_| End::HandshakeTimeout(HANDSHAKE))?
            .map_err(connect_error)?;
        let mut socket = Self { stream, patience: WELCOME, deadline: Instant::now() + WELCOME };
        let welcome = timeout(WELCOME, socket.welcome()).await.unwrap_or(Err(End::NoWelcome(WELCOME)))?;
        Ok((socket, welcome))
    }

    async fn welcome(&mut self) -> Result<Welcome, End> {
        loop {
            let frame = self.next().await?;
            if let Body::Welcome { session_id, keepalive } = frame.body {
                // Twitch sends something in each such time, if only that it lives.
                self.patience = keepalive.mul_f64(1.2);
                self.deadline = Instant::now() + self.patience;
                return Ok(Welcome { session_id, at_ms: frame.at_ms });
            }
        }
    }

    /// The next frame. May be dropped at any await and called again. Pings are answered on the way.
    pub(super) async fn next(&mut self) -> Result<Frame, End> {
        loop {
            let message = timeout_at(self.deadline, self.stream.next()).await;
            let message = message.map_err(|_| End::Silent(self.patience))?;
            self.deadline = Instant::now() + self.patience;
            match message {
                Some(Ok(Message::Text(text))) => match Frame::parse(&text) {
                    Ok(frame) => return Ok(frame),
                    Err(problem) => tracing::debug!(%problem, "A frame of Twitch is not understood."),
                },
                Some(Ok(Message::Close(frame))) => {
                    return Err(closed(frame.map(|frame| (frame.code.into(), frame.reason))));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(read_error(error)),
                None => return Err(End::Lost("the stream ended".to_owned())),
            }
        }
    }

    /// What is under way can still be read afterwards.
    pub(super) async fn say_goodbye(&mut self) {
        // It is over either way.
        let _ = self.stream.close(None).await;
    }
}

fn closed(frame: Option<(u16, impl AsRef<str>)>) -> End {
    let close = match &frame {
        Some((code, reason)) => Close::new(Some(*code), reason.as_ref()),
        None => Close::new(None, ""),
    };
    if close.blames_us() {
        tracing::error!("Twitch closed the connection because something was sent on it, which is a bug in Showrunner.");
    }
    End::Closed(close)
}

fn connect_error(error: Error) -> End {
    match error {
        Error::Io(error) => End::Unreachable(error.to_string()),
        Error::Tls(error) => End::Unreachable(format!("TLS: {error}")),
        Error::Url(UrlError::UnableToConnect(_)) => End::Unreachable("no connection".to_owned()),
        Error::Url(error) => End::Address(error.to_string()),
        Error::HttpFormat(error) => End::Address(error.to_string()),
        Error::Http(response) => End::Refused(response.status().as_u16()),
        other => End::Unreachable(one_line(&other.to_string())),
    }
}

fn read_error(error: Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::TooLarge(MAX_MESSAGE_BYTES),
        other => End::Lost(one_line(&other.to_string())),
    }
}
