//! One WebSocket to `EventSub`: its handshake, its welcome, and a watchdog on every frame after that.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::close::Close;
use super::frame::{Body, Frame};
use super::{End, MAX_MESSAGE_BYTES};
use crate::platform::websocket::{Loss, WebSocket};

const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the handshake to the welcome.
const WELCOME: Duration = Duration::from_secs(10);

/// What Twitch says when a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Welcome {
    pub(in super::super) session_id: String,
    /// By Twitch's clock.
    pub(in super::super) at_ms: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocket,
    /// How long silence may last.
    patience: Duration,
    /// When the session counts as dead, unless a frame comes before.
    deadline: Instant,
}

impl Socket {
    /// Dials `address`, which is used as it is, and waits for the welcome.
    pub(super) async fn connect(address: &str) -> Result<(Self, Welcome), End> {
        let stream = timeout(HANDSHAKE, WebSocket::dial(address, MAX_MESSAGE_BYTES))
            .await
            .map_err(|_| End::HandshakeTimeout(HANDSHAKE))??;
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
            match message {
                Ok(Message::Text(text)) => match Frame::parse(&text) {
                    Ok(frame) => {
                        // Nothing else says that the session lives: what is in front of it at Twitch answers pings,
                        // too.
                        self.deadline = Instant::now() + self.patience;
                        return Ok(frame);
                    }
                    Err(problem) => tracing::debug!(%problem, "A frame of Twitch is not understood."),
                },
                Ok(_) => {}
                Err(Loss::Closed { code, reason }) => return Err(closed(code, reason)),
                Err(loss) => return Err(End::Lost(loss)),
            }
        }
    }

    /// What is under way can still be read afterwards.
    pub(super) async fn say_goodbye(&mut self) {
        self.stream.close().await;
    }
}

fn closed(code: Option<u16>, reason: Option<String>) -> End {
    let close = Close { code, reason };
    if close.blames_us() {
        tracing::error!("Twitch closed the connection because something was sent on it, which is a bug in Showrunner.");
    }
    End::Closed(close)
}
