//! The bot's requests: HTTP/1.1 with connections that are kept, read by hand to cost as little as possible.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Shared;

/// Where the second generation takes lines.
const SEND: &str = "/api/v1/agent/stream/chat/send";

/// More than a bot of a benchmark ever sends at once.
const LONGEST_REQUEST: usize = 64 << 10;

const SENT: &str = r#"{"message_id":"a1","sent_at":"2026-01-05T10:11:12.000Z"}"#;
const NO_HISTORY: &str = r#"{"chats":[]}"#;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// A whole request at the beginning of the buffer.
struct Request {
    is_send: bool,
    body: std::ops::Range<usize>,
}

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    shared.connections.open();
    // An error says that the bot has closed it.
    let _ = answer_all(&mut stream, &shared).await;
    shared.connections.close();
}

async fn answer_all(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (sent, no_history) = (response(SENT), response(NO_HISTORY));
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let Some(request) = parse(&buffer) else {
            assert!(buffer.len() < LONGEST_REQUEST, "a bot's request is no HTTP that is understood here");
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let at = Instant::now();
        if request.is_send {
            stream.write_all(sent.as_bytes()).await?;
            let line: Line<'_> = serde_json::from_slice(&buffer[request.body.clone()]).unwrap();
            shared.take_answer(&line.message, at).await;
        } else {
            stream.write_all(no_history.as_bytes()).await?;
        }
        buffer.drain(..request.body.end);
    }
}

/// `None` as long as it is not whole.
fn parse(buffer: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(buffer).ok()? else { return None };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Some(0), |length| std::str::from_utf8(length.value).ok()?.parse().ok())?;
    let body = head..head + length;
    (buffer.len() >= body.end).then_some(Request { is_send: request.path == Some(SEND), body })
}

fn response(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let whole =
            format!("POST {SEND} HTTP/1.1\r\nContent-Length: 16\r\n\r\n{{\"message\":\"gm\"}}GET / HTTP/1.1\r\n");
        let end = whole.find("GET").unwrap();
        for length in 0..end {
            assert!(parse(&whole.as_bytes()[..length]).is_none(), "{length}");
        }
        let request = parse(whole.as_bytes()).unwrap();
        assert!(request.is_send);
        assert_eq!(&whole[request.body], r#"{"message":"gm"}"#);
        assert!(!parse(b"GET /api/v1/chat/?limit=100 HTTP/1.1\r\n\r\n").unwrap().is_send);
    }
}
