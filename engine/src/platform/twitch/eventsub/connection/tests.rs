//! Against a server that says exactly what each test tells it to.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{advance, pause, resume};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::super::MAX_MESSAGE_BYTES;
use super::*;
use crate::platform::websocket::Loss;

type Peer = WebSocketStream<TcpStream>;

struct Server(TcpListener);

impl Server {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn address(&self) -> String {
        format!("ws://{}/ws", self.0.local_addr().unwrap())
    }

    async fn accept(&self) -> Peer {
        accept_async(self.0.accept().await.unwrap().0).await.unwrap()
    }

    /// A connection that was welcomed, and its other end.
    async fn connected(&self) -> (Connection, Peer) {
        let address = self.address();
        let (opened, peer) = tokio::join!(Connection::open(&address), async {
            let mut peer = self.accept().await;
            welcome(&mut peer, "s1").await;
            peer
        });
        let (connection, welcome) = opened.unwrap();
        assert_eq!(welcome.session_id, "s1");
        (connection, peer)
    }
}

async fn say(peer: &mut Peer, kind: &str, id: &str, payload: serde_json::Value) {
    let metadata = json!({ "message_id": id, "message_type": kind, "message_timestamp": "2026-01-05T10:11:12.1Z" });
    peer.send(Message::text(json!({ "metadata": metadata, "payload": payload }).to_string())).await.unwrap();
}

async fn welcome(peer: &mut Peer, session_id: &str) {
    say(peer, "session_welcome", "w", json!({ "session": { "id": session_id, "keepalive_timeout_seconds": 10 } }))
        .await;
}

async fn keepalive(peer: &mut Peer, id: &str) {
    say(peer, "session_keepalive", id, json!({})).await;
}

async fn move_to(peer: &mut Peer, address: &str) {
    say(peer, "session_reconnect", "r", json!({ "session": { "id": "s1", "reconnect_url": address } })).await;
}

async fn close(peer: &mut Peer, code: u16) {
    peer.close(Some(CloseFrame { code: code.into(), reason: "irrelevant".into() })).await.unwrap();
}

/// The id of the next message.
async fn heard(connection: &mut Connection) -> String {
    match connection.next().await.unwrap() {
        Heard::Frame(frame) => frame.message_id,
        other => panic!("{other:?}"),
    }
}

async fn end(connection: &mut Connection) -> End {
    loop {
        if let Err(end) = connection.next().await {
            return end;
        }
    }
}

#[tokio::test]
async fn silence_longer_than_was_promised_is_the_end_and_any_frame_breaks_it() {
    let server = Server::start().await;
    let (mut connection, mut peer) = server.connected().await;
    pause();
    advance(Duration::from_secs(11)).await;
    resume();
    keepalive(&mut peer, "k1").await;
    assert_eq!(heard(&mut connection).await, "k1");
    pause();
    let began = Instant::now();
    assert_eq!(end(&mut connection).await, End::Silent(Duration::from_secs(12)));
    assert!(began.elapsed() >= Duration::from_secs(11), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_no_frame_breaks_no_silence() {
    let server = Server::start().await;
    let (mut connection, mut peer) = server.connected().await;
    pause();
    advance(Duration::from_secs(5)).await;
    resume();
    peer.send(Message::text("{")).await.unwrap();
    peer.send(Message::Ping("alive?".into())).await.unwrap();
    // It was read, as it was answered.
    tokio::select! {
        heard = connection.next() => panic!("{heard:?}"),
        answer = peer.next() => assert_eq!(answer.unwrap().unwrap(), Message::Pong("alive?".into())),
    }
    pause();
    let began = Instant::now();
    assert_eq!(end(&mut connection).await, End::Silent(Duration::from_secs(12)));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_a_welcome_there_is_no_connection() {
    let server = Server::start().await;
    let address = server.address();
    let mut opening = std::pin::pin!(Connection::open(&address));
    let mut peer = tokio::select! {
        _ = &mut opening => panic!("there was no welcome"),
        peer = server.accept() => peer,
    };
    // It answers the handshake and shows that it lives, and no more.
    tokio::join!(keepalive(&mut peer, "k"), async {
        assert!(timeout(Duration::from_millis(50), &mut opening).await.is_err());
    });
    pause();
    let end = opening.await.err().unwrap();
    assert!(matches!(end, End::NoWelcome(_) | End::Silent(_)), "{end:?}");
}

#[tokio::test]
async fn a_ping_is_answered_and_nothing_else_is_ever_sent() {
    let server = Server::start().await;
    let (mut connection, mut peer) = server.connected().await;
    peer.send(Message::Ping("here".into())).await.unwrap();
    keepalive(&mut peer, "k1").await;
    assert_eq!(heard(&mut connection).await, "k1");
    keepalive(&mut peer, "k2").await;
    assert_eq!(heard(&mut connection).await, "k2");
    assert_eq!(peer.next().await.unwrap().unwrap(), Message::Pong("here".into()));
    connection.close().await;
    assert!(matches!(peer.next().await, Some(Ok(Message::Close(_)))));
}

#[tokio::test]
async fn a_move_loses_nothing_and_closes_the_old_socket_last() {
    let (old, new) = (Server::start().await, Server::start().await);
    let (mut connection, mut old_peer) = old.connected().await;
    move_to(&mut old_peer, &new.address()).await;
    keepalive(&mut old_peer, "while it dials").await;
    assert_eq!(heard(&mut connection).await, "while it dials");
    let mut new_peer = tokio::select! {
        heard = connection.next() => panic!("{heard:?}"),
        peer = new.accept() => peer,
    };
    keepalive(&mut old_peer, "before the welcome").await;
    assert_eq!(heard(&mut connection).await, "before the welcome");
    // The session may have another name there.
    welcome(&mut new_peer, "s2").await;
    let Heard::Moved(moved) = connection.next().await.unwrap() else { panic!() };
    assert_eq!(moved.session_id, "s2");
    keepalive(&mut old_peer, "under way").await;
    assert_eq!(heard(&mut connection).await, "under way");
    let closing = async {
        while let Some(Ok(message)) = old_peer.next().await {
            assert!(matches!(message, Message::Close(_)), "{message:?}");
        }
        keepalive(&mut new_peer, "on the new one").await;
    };
    let ((), id) = tokio::join!(closing, heard(&mut connection));
    assert_eq!(id, "on the new one");
}

#[tokio::test]
async fn an_old_socket_that_ends_while_it_moves_is_no_end() {
    let (old, new) = (Server::start().await, Server::start().await);
    let (mut connection, mut old_peer) = old.connected().await;
    move_to(&mut old_peer, &new.address()).await;
    close(&mut old_peer, 4004).await;
    let arriving = async {
        let mut peer = new.accept().await;
        welcome(&mut peer, "s1").await;
        peer
    };
    let (moved, _peer) = tokio::join!(connection.next(), arriving);
    assert!(matches!(moved, Ok(Heard::Moved(_))), "{moved:?}");
}

#[tokio::test]
async fn an_address_that_is_refused_ends_the_connection() {
    let (old, new) = (Server::start().await, Server::start().await);
    let (mut connection, mut old_peer) = old.connected().await;
    move_to(&mut old_peer, &new.address()).await;
    let refusing = async {
        let mut peer = new.accept().await;
        close(&mut peer, 4007).await;
    };
    let (end, ()) = tokio::join!(end(&mut connection), refusing);
    assert!(matches!(&end, End::NotMoved(why) if why.contains("4007")), "{end}");
}

#[tokio::test]
async fn an_address_where_nobody_answers_is_tried_for_half_a_minute() {
    let old = Server::start().await;
    // Connects, and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut connection, mut old_peer) = old.connected().await;
    move_to(&mut old_peer, &format!("ws://{}/ws", mute.local_addr().unwrap())).await;
    keepalive(&mut old_peer, "on").await;
    assert_eq!(heard(&mut connection).await, "on");
    let _accepted = tokio::select! {
        heard = connection.next() => panic!("{heard:?}"),
        accepted = mute.accept() => accepted.unwrap(),
    };
    // The old one lives on meanwhile.
    for step in 0..3 {
        pause();
        advance(Duration::from_secs(9)).await;
        resume();
        keepalive(&mut old_peer, &step.to_string()).await;
        assert_eq!(heard(&mut connection).await, step.to_string());
    }
    pause();
    advance(Duration::from_secs(3)).await;
    let end = end(&mut connection).await;
    assert!(matches!(&end, End::NotMoved(why) if why.contains("30")), "{end}");
}

#[tokio::test]
async fn a_move_without_an_address_or_without_encryption_is_not_made() {
    let server = Server::start().await;
    let (mut connection, mut peer) = server.connected().await;
    say(&mut peer, "session_reconnect", "r", json!({ "session": {} })).await;
    assert!(matches!(end(&mut connection).await, End::NotMoved(_)));
    let mut encrypted = Connection { live: None, moving: None, old: None, is_encrypted: true };
    assert!(encrypted.move_to(Some("ws://127.0.0.1:1/".into())).is_err());
    assert!(encrypted.move_to(Some("wss://127.0.0.1:1/".into())).is_ok());
}

#[tokio::test]
async fn each_close_code_is_told() {
    for code in 4000..=4007 {
        let server = Server::start().await;
        let (mut connection, mut peer) = server.connected().await;
        close(&mut peer, code).await;
        let end = end(&mut connection).await;
        assert!(matches!(&end, End::Closed(close) if close.code == Some(code)), "{end}");
    }
}

#[tokio::test]
async fn what_is_no_frame_is_passed_over_and_what_is_too_large_is_the_end() {
    let server = Server::start().await;
    let (mut connection, mut peer) = server.connected().await;
    peer.send(Message::text("{")).await.unwrap();
    peer.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    keepalive(&mut peer, "k").await;
    assert_eq!(heard(&mut connection).await, "k");
    let large = Message::text("x".repeat(MAX_MESSAGE_BYTES + 1));
    let (end, _) = tokio::join!(end(&mut connection), peer.send(large));
    assert_eq!(end, End::Lost(Loss::TooLarge { limit: MAX_MESSAGE_BYTES }));
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_no_is_named() {
    let gone = Server::start().await.address();
    assert!(matches!(Connection::open(&gone).await.err(), Some(End::Dial(DialError::Unreachable(_)))));
    assert!(matches!(
        Connection::open("nonsense").await.err(),
        Some(End::Dial(DialError::Address(_) | DialError::Unreachable(_)))
    ));
}
