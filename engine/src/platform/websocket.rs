//! What the sockets of all platforms have in common: dialling, and why there is no socket, or not any more.
//!
//! It speaks no protocol: what a message means, how long silence may last and when to dial again is for whoever uses
//! it. No error ever shows an address, whose query may hold a secret, and none shows what a server tells back of that
//! query.

mod refusal;
mod secrets;

use std::io::ErrorKind;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

pub use self::refusal::Refusal;
use self::secrets::Secrets;

/// One connection reads small messages; the default of 128 KiB would be the largest thing it owns.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// Room for what a server that has stopped reading leaves unwritten.
const WRITE_BUFFER_BYTES: usize = 4 << 20;

/// Why there is no socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
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
    #[error("this is not the server that was to be here: {0}")]
    Unsupported(String),
}

/// Why a socket ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// By a close, which may have a code of the service's own.
    #[error("the server closed the connection{}{}", with_code(*code), quoted(reason.as_deref()))]
    Closed { code: Option<u16>, reason: Option<String> },
    #[error("the connection was lost: {0}")]
    Broken(String),
    #[error("the server sent more than {limit} bytes in one message")]
    TooLarge { limit: usize },
}

fn with_code(code: Option<u16>) -> String {
    code.map_or_else(String::new, |code| format!(" with code {code}"))
}

pub(super) fn quoted(words: Option<&str>) -> String {
    words.map_or_else(String::new, |words| format!(", \"{words}\""))
}

#[derive(Debug)]
pub(super) struct WebSocket<S = MaybeTlsStream<TcpStream>> {
    stream: WebSocketStream<S>,
    max_message_bytes: usize,
    secrets: Secrets,
}

impl WebSocket {
    /// Opens a socket, on which no message from the server may be larger than `max_message_bytes`.
    pub(super) async fn dial(
        request: impl IntoClientRequest + Unpin,
        max_message_bytes: usize,
    ) -> Result<Self, DialError> {
        let request = request.into_client_request().map_err(|error| dial_error(error, &Secrets::default()))?;
        let secrets = Secrets::of(request.uri());
        let config = Some(config(max_message_bytes));
        match connect_async_with_config(request, config, true).await {
            Ok((stream, _)) => Ok(Self { stream, max_message_bytes, secrets }),
            Err(error) => Err(dial_error(error, &secrets)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The next message; pings are answered on the way. May be dropped at any await and called again.
    pub(super) async fn next(&mut self) -> Result<Message, Loss> {
        match self.stream.next().await {
            Some(Ok(Message::Close(close))) => {
                let code = close.as_ref().map(|close| close.code.into());
                let reason = close.map(|close| self.told(&close.reason)).filter(|reason| !reason.is_empty());
                Err(Loss::Closed { code, reason })
            }
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(self.loss(error)),
            None => Err(Loss::Broken("the stream ended".to_owned())),
        }
    }

    pub(super) async fn send(&mut self, message: Message) -> Result<(), Loss> {
        self.stream.send(message).await.map_err(|error| self.loss(error))
    }

    /// Says that we go. What is under way can still be read afterwards.
    pub(super) async fn close(&mut self) {
        // It is over either way.
        let _ = self.stream.close(None).await;
    }

    /// What the server wrote, as it may stand in an error or a log: one short line, without what the address holds.
    pub(super) fn told(&self, text: &str) -> String {
        self.secrets.one_line(text)
    }

    fn loss(&self, error: Error) -> Loss {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Loss::TooLarge { limit: self.max_message_bytes },
            other => Loss::Broken(self.told(&other.to_string())),
        }
    }
}

fn config(max_message_bytes: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(max_message_bytes))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
}

/// The address of the socket at `url`, which may be one for a browser.
pub(super) fn address(url: &Url) -> Result<Url, DialError> {
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        other => return Err(DialError::Address(format!("\"{other}:\" is none of wss, ws, https and http"))),
    };
    let mut address = url.clone();
    // Fails only between kinds of schemes, and all four are of one kind.
    let _ = address.set_scheme(scheme);
    address.set_fragment(None);
    Ok(address)
}

fn dial_error(error: Error, secrets: &Secrets) -> DialError {
    match error {
        // Whether a closed connection shows as its end or as a reset depends on what was still under way.
        Error::Io(error) if was_closed(error.kind()) => DialError::HungUp,
        Error::Io(error) => DialError::Unreachable(error.to_string()),
        Error::Tls(error) => DialError::Unreachable(format!("TLS: {error}")),
        Error::Url(UrlError::UnableToConnect(_)) => DialError::Unreachable("no connection".to_owned()),
        Error::Url(error) => DialError::Address(error.to_string()),
        Error::HttpFormat(error) => DialError::Address(error.to_string()),
        Error::Http(response) => DialError::Refused(Refusal::new(&response, secrets)),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => DialError::HungUp,
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            DialError::Unsupported("it does not speak the protocol that was offered".to_owned())
        }
        other => DialError::Unsupported(secrets.one_line(&other.to_string())),
    }
}

const fn was_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

#[cfg(test)]
pub(super) mod testing {
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// The client's end of a pipe, as if it had been dialled.
    pub(in crate::platform) async fn over<S>(stream: S, max_message_bytes: usize) -> WebSocket<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Some(config(max_message_bytes));
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, config).await;
        WebSocket { stream, max_message_bytes, secrets: Secrets::default() }
    }
}
