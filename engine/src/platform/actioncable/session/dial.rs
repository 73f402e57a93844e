//! Opening the socket: the upgrade, the protocol that both sides must agree on, and what an answer means that is none.

use std::io::ErrorKind;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{CONTENT_TYPE, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use super::Options;
use crate::platform::actioncable::CableError;
use crate::web::one_line;

const PROTOCOL: &str = "actioncable-v1-json";
/// One connection reads small frames; the default of 128 KiB would be the largest thing it owns.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// Room for what a server that has stopped reading leaves unwritten.
const WRITE_BUFFER_BYTES: usize = 1 << 20;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn dial(url: &Url, options: &Options) -> Result<Socket, CableError> {
    let request = request(url)?;
    let (socket, _) = connect_async_with_config(request, Some(config(options)), true).await.map_err(connect_error)?;
    Ok(socket)
}

pub(super) fn config(options: &Options) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(options.max_message_bytes))
        .max_frame_size(Some(options.max_message_bytes))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES)
}

/// Offers one protocol, so a server that does not agree to it is noticed. The origin is that of a page of the same host,
/// as Rails asks for by default.
fn request(url: &Url) -> Result<Request, CableError> {
    let (scheme, origin) = match url.scheme() {
        "ws" | "http" => ("ws", "http"),
        "wss" | "https" => ("wss", "https"),
        other => return Err(CableError::Address(format!("\"{other}:\" is none of wss, ws, https and http"))),
    };
    let mut address = url.clone();
    // Fails only between kinds of schemes, and all four are of one kind.
    let _ = address.set_scheme(scheme);
    address.set_fragment(None);
    let mut request = address.as_str().into_client_request().map_err(connect_error)?;
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let host = address.host_str().unwrap_or_default();
    let origin = match address.port() {
        Some(port) => format!("{origin}://{host}:{port}"),
        None => format!("{origin}://{host}"),
    };
    if let Ok(origin) = HeaderValue::from_str(&origin) {
        headers.insert(ORIGIN, origin);
    }
    Ok(request)
}

fn connect_error(error: Error) -> CableError {
    match error {
        // Whether a closed connection shows as its end or as a reset depends on what was still under way.
        Error::Io(error) if was_closed(error.kind()) => CableError::HungUp,
        Error::Io(error) => CableError::Unreachable(error.to_string()),
        Error::Tls(error) => CableError::Unreachable(format!("TLS: {error}")),
        Error::Url(UrlError::UnableToConnect(_)) => CableError::Unreachable("no connection".to_owned()),
        Error::Url(error) => CableError::Address(error.to_string()),
        Error::HttpFormat(error) => CableError::Address(error.to_string()),
        Error::Http(response) => refused(&response),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => CableError::HungUp,
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            CableError::Unsupported(format!("it does not speak {PROTOCOL}"))
        }
        other => CableError::Unsupported(other.to_string()),
    }
}

const fn was_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

/// A page is made for people with a browser; Action Cable itself refuses with one line of text. Of the body only what came
/// along with the headers is there, so they are asked too.
fn refused(response: &Response) -> CableError {
    let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default());
    let body = body.trim();
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_page = body.contains('<') || kind.to_ascii_lowercase().starts_with(b"text/html");
    let words = (!is_page && !body.is_empty()).then(|| one_line(body));
    CableError::Refused { status: response.status().as_u16(), words, is_page }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::http::StatusCode;

    use super::*;

    #[test]
    fn the_request_asks_for_the_protocol_as_a_page_of_that_host() {
        for (given, address, origin) in [
            ("wss://x/cable?token=a%2Bb", "wss://x/cable?token=a%2Bb", "https://x"),
            ("http://x:81/cable#f", "ws://x:81/cable", "http://x:81"),
            ("ws://[::1]:80/", "ws://[::1]/", "http://[::1]"),
        ] {
            let request = request(&Url::parse(given).unwrap()).unwrap();
            assert_eq!(request.uri().to_string(), address);
            assert_eq!(request.headers()[ORIGIN], origin);
            assert_eq!(request.headers()[SEC_WEBSOCKET_PROTOCOL], PROTOCOL);
        }
        assert!(matches!(request(&Url::parse("ftp://x/").unwrap()), Err(CableError::Address(_))));
    }

    #[test]
    fn a_refusal_keeps_what_explains_it_and_no_page() {
        for (kind, body, words, is_page) in [
            ("text/plain", "Page not found", Some("Page not found"), false),
            ("text/plain", "<html>Attention required</html>", None, true),
            ("Text/HTML; charset=utf-8", "", None, true),
            ("text/plain", "", None, false),
            ("", "two\r\nlines", Some("twolines"), false),
        ] {
            let mut response = Response::new(Some(body.as_bytes().to_vec()));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            let words = words.map(str::to_owned);
            assert_eq!(refused(&response), CableError::Refused { status: 404, words, is_page });
        }
    }
}
