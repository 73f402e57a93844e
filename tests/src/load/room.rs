//! The bot's socket: Engine.IO and Socket.IO over WebSocket, as far as a well-behaved bot goes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Shared;

type Socket = WebSocketStream<TcpStream>;

/// As the service's library does it by default.
const PING_EVERY: Duration = Duration::from_secs(25);

const OPEN: &str = r#"0{"sid":"load","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// The newest bot that is connected, and what is said to it.
#[derive(Default)]
pub(super) struct Room {
    writer: tokio::sync::Mutex<Option<SplitSink<Socket, Message>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    dialled: Option<Instant>,
    joined: bool,
    /// Counts the sockets, so that the end of an old one does not take a newer one's place away.
    sockets: u64,
}

impl Room {
    /// When the last bot dialled.
    pub(super) fn dialled(&self) -> Option<Instant> {
        self.state.lock().unwrap().dialled
    }

    pub(super) fn is_joined(&self) -> bool {
        self.state.lock().unwrap().joined
    }

    /// Sends a frame at once.
    pub(super) async fn say(&self, write: impl FnOnce(&mut String)) {
        self.feed(write).await;
        self.flush().await;
    }

    /// Sends a frame with the next flush. When nobody is there nobody hears it.
    pub(super) async fn feed(&self, write: impl FnOnce(&mut String)) {
        if let Some(writer) = self.writer.lock().await.as_mut() {
            let mut frame = String::with_capacity(320);
            write(&mut frame);
            // Whoever left does not answer, which is counted.
            let _ = writer.feed(Message::Text(frame.into())).await;
        }
    }

    pub(super) async fn flush(&self) {
        if let Some(writer) = self.writer.lock().await.as_mut() {
            let _ = writer.flush().await;
        }
    }

    async fn send(&self, frame: &'static str) {
        self.say(|text| text.push_str(frame)).await;
    }
}

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.room.state.lock().unwrap().dialled = Some(Instant::now());
        shared.changed.notify_waiters();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (writer, reader) = socket.split();
    *shared.room.writer.lock().await = Some(writer);
    let number = {
        let mut state = shared.room.state.lock().unwrap();
        state.sockets += 1;
        state.joined = false;
        state.sockets
    };
    shared.room.send(OPEN).await;
    listen(reader, &shared).await;
    if shared.room.state.lock().unwrap().sockets == number {
        *shared.room.writer.lock().await = None;
        shared.room.state.lock().unwrap().joined = false;
        shared.changed.notify_waiters();
    }
}

/// Until the bot leaves.
async fn listen(mut reader: SplitStream<Socket>, shared: &Shared) {
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.reset();
    loop {
        let frame = tokio::select! {
            frame = reader.next() => frame,
            _ = ping.tick() => {
                shared.room.send("2").await;
                continue;
            }
        };
        match frame {
            Some(Ok(Message::Text(text))) if text.starts_with("40") => shared.room.send(r#"40{"sid":"room"}"#).await,
            Some(Ok(Message::Text(text))) if text.starts_with(r#"42["joinRoom""#) => {
                shared.room.state.lock().unwrap().joined = true;
                shared.changed.notify_waiters();
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => {}
        }
    }
}
