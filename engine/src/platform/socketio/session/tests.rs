//! Against a server that says exactly what each test tells it to, down to the bytes.

use futures_util::future::pending;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::*;
use crate::platform::websocket::Loss;

const OPEN: &str = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#;
const CONNECTED: &str = r#"40{"sid":"b"}"#;

type Peer = WebSocketStream<TcpStream>;

/// A server for one socket; `play` gets it after the upgrade.
async fn server<F, P>(play: P) -> Url
where
    P: FnOnce(Peer) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        play(accept_async(stream).await.unwrap()).await;
    });
    Url::parse(&format!("ws://127.0.0.1:{port}/socket.io/")).unwrap()
}

/// A server that writes `answer` to whatever is asked and hangs up.
async fn http_server(answer: &'static [u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(answer).await.unwrap();
    });
    Url::parse(&format!("http://127.0.0.1:{port}/socket.io/?token=swordfish")).unwrap()
}

async fn say(peer: &mut Peer, text: &str) {
    // The client may hang up in the middle of what it is told.
    let _ = peer.send(Message::text(text)).await;
}

async fn hear(peer: &mut Peer) -> String {
    match peer.next().await {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn greet(peer: &mut Peer) {
    say(peer, OPEN).await;
    assert_eq!(hear(peer).await, "40");
    say(peer, CONNECTED).await;
}

/// What a session that was accepted ends with when it is told `frames`.
async fn end_after(frames: Vec<Message>) -> SocketError {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        for frame in frames {
            let _ = peer.send(frame).await;
        }
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    loop {
        if let Err(error) = session.next().await {
            return error;
        }
    }
}

async fn refused(url: &Url) -> SocketError {
    Session::connect(url, &[], &Options::default()).await.err().unwrap()
}

#[tokio::test]
async fn the_exchange_of_the_protocol_works() {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        assert_eq!(hear(&mut peer).await, r#"42["joinRoom",{"roomId":"u1"}]"#);
        say(&mut peer, r#"42["joinedRoom",{"roomId":"u1"}]"#).await;
        say(&mut peer, "2").await;
        assert_eq!(hear(&mut peer).await, "3");
        say(&mut peer, "6").await;
        say(&mut peer, r#"427["asks"]"#).await;
        assert_eq!(hear(&mut peer).await, "437[]");
        say(&mut peer, r#"4312["nobody asked"]"#).await;
        say(&mut peer, r#"42/admin,["elsewhere"]"#).await;
        say(&mut peer, r#"42["message",{"text":"hi"},null]"#).await;
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[("Client-Type", "streamer")], &Options::default()).await.unwrap();
    session.emit("joinRoom", vec![json!({"roomId": "u1"})]).await.unwrap();
    assert_eq!(session.next().await.unwrap().name, "joinedRoom");
    assert_eq!(session.next().await.unwrap().name, "asks");
    let message = session.next().await.unwrap();
    assert_eq!(message, Incoming { name: "message".into(), args: vec![json!({"text": "hi"}), Value::Null] });
}

#[test]
fn the_address_gets_what_the_protocol_asks_for() {
    for (given, made) in [
        ("https://x/socket.io/", "wss://x/socket.io/?EIO=4&transport=websocket&Client-ID=a+b"),
        ("http://x:81/s/?k=1", "ws://x:81/s/?k=1&EIO=4&transport=websocket&Client-ID=a+b"),
        ("wss://x/#f", "wss://x/?EIO=4&transport=websocket&Client-ID=a+b"),
    ] {
        let url = Url::parse(given).unwrap();
        assert_eq!(address(&url, &[("Client-ID", "a b")]).unwrap().as_str(), made);
    }
    assert!(matches!(address(&Url::parse("ftp://x/").unwrap(), &[]), Err(DialError::Address(_))));
}

#[tokio::test]
async fn events_before_the_answer_to_connect_are_held_back() {
    let url = server(|mut peer| async move {
        say(&mut peer, OPEN).await;
        say(&mut peer, r#"42["early",1]"#).await;
        say(&mut peer, CONNECTED).await;
        say(&mut peer, r#"42["late",2]"#).await;
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    assert_eq!(session.next().await.unwrap().name, "early");
    assert_eq!(session.next().await.unwrap().name, "late");
}

#[tokio::test]
async fn what_comes_before_the_answer_to_connect_has_a_bound() {
    let large = format!(r#"42["early","{}"]"#, "x".repeat(1 << 20));
    for event in [r#"42["early"]"#.to_owned(), large] {
        let url = server(move |mut peer| async move {
            say(&mut peer, OPEN).await;
            for _ in 0..1000 {
                say(&mut peer, &event).await;
            }
            pending::<()>().await;
        })
        .await;
        assert_eq!(refused(&url).await, SocketError::TooEarly);
    }
}

#[tokio::test]
async fn binary_events_are_passed_over_with_their_attachments() {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        say(&mut peer, r#"452-["file",{"_placeholder":true,"num":0}]"#).await;
        peer.send(Message::binary(vec![1])).await.unwrap();
        say(&mut peer, "2").await;
        peer.send(Message::binary(vec![2])).await.unwrap();
        say(&mut peer, "461-9[]").await;
        peer.send(Message::binary(vec![])).await.unwrap();
        say(&mut peer, r#"42["after"]"#).await;
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    assert_eq!(session.next().await.unwrap().name, "file");
    assert_eq!(session.next().await.unwrap().name, "after");
}

#[tokio::test]
async fn each_way_to_end_is_told_apart() {
    let text = |text: &str| vec![Message::text(text)];
    assert_eq!(end_after(text("1")).await, SocketError::Closed);
    assert_eq!(end_after(text("41")).await, SocketError::Disconnected);
    assert!(matches!(end_after(vec![Message::Close(None)]).await, SocketError::Lost(_)));
    assert!(matches!(end_after(text(r#"44{"message":"out"}"#)).await, SocketError::ConnectError { .. }));

    let url = server(|mut peer| async move { greet(&mut peer).await }).await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    assert!(matches!(session.next().await, Err(SocketError::Lost(_))));
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_session() {
    let cases = [
        (vec![Message::text("")], PacketError::Empty),
        (vec![Message::text("9")], PacketError::UnknownType('9')),
        (vec![Message::text("48")], PacketError::UnknownType('8')),
        (vec![Message::text("3")], PacketError::Unexpected("pong")),
        (vec![Message::text("5")], PacketError::Unexpected("upgrade")),
        (vec![Message::text(OPEN)], PacketError::Unexpected("a second open")),
        (vec![Message::binary(vec![1])], PacketError::StrayAttachment),
        (vec![Message::text(r#"451-["f"]"#), Message::text(r#"42["x"]"#)], PacketError::AttachmentDue),
        (vec![Message::text(r#"4511-["f"]"#)], PacketError::TooManyAttachments(11)),
    ];
    for (frames, problem) in cases {
        assert_eq!(end_after(frames).await, SocketError::Protocol(problem));
    }
    for text in ["42{", "42[]", "42[null]", "43[]", "0"] {
        assert!(matches!(end_after(vec![Message::text(text)]).await, SocketError::Protocol(_)), "{text}");
    }
}

#[tokio::test]
async fn a_message_of_ten_megabytes_is_not_taken() {
    let huge = Message::text(format!(r#"42["message","{}"]"#, "x".repeat(10 << 20)));
    assert_eq!(end_after(vec![huge]).await, SocketError::Lost(Loss::TooLarge { limit: MAX_MESSAGE_BYTES }));
}

#[tokio::test]
async fn a_message_in_pieces_that_never_ends_is_not_gathered() {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        // A text that goes on, in frames of a megabyte; none of them is the last.
        let mut opcode = 0x01;
        for _ in 0..8 {
            let mut frame = vec![opcode, 127];
            frame.extend_from_slice(&(1_u64 << 20).to_be_bytes());
            frame.resize(frame.len() + (1 << 20), b'x');
            let _ = peer.get_mut().write_all(&frame).await;
            opcode = 0x00;
        }
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    assert_eq!(session.next().await, Err(SocketError::Lost(Loss::TooLarge { limit: MAX_MESSAGE_BYTES })));
}

#[tokio::test]
async fn a_frame_that_claims_to_be_endless_is_not_waited_for() {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        peer.get_mut().write_all(b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff").await.unwrap();
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    assert_eq!(session.next().await, Err(SocketError::Lost(Loss::TooLarge { limit: MAX_MESSAGE_BYTES })));
}

/// The server wants an answer to each event and reads none of them: what is to be said to it must not pile up.
#[tokio::test]
async fn a_server_that_reads_nothing_is_left() {
    let url = server(|mut peer| async move {
        say(&mut peer, r#"0{"sid":"a","pingInterval":500,"pingTimeout":500}"#).await;
        assert_eq!(hear(&mut peer).await, "40");
        say(&mut peer, CONNECTED).await;
        // Two frames: the event, and a ping.
        let asks = [&b"\x81\x0b421[\"asks\"]"[..], b"\x81\x012"].concat().repeat(1000);
        while peer.get_mut().write_all(&asks).await.is_ok() {}
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    let end = loop {
        if let Err(error) = session.next().await {
            break error;
        }
        assert!(session.protocol.due.len() <= 2, "{} answers wait", session.protocol.due.len());
    };
    assert_eq!(end, SocketError::PingTimeout(Duration::from_secs(1)));
}

#[tokio::test]
async fn an_upgrade_that_never_ends_has_a_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n").await.unwrap();
        while stream.write_all(format!("x: {}\r\n", "y".repeat(1000)).as_bytes()).await.is_ok() {}
    });
    let error = refused(&url).await;
    assert!(matches!(error, SocketError::Dial(DialError::Unsupported(_)) | SocketError::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn bytes_that_are_no_websocket_end_the_session() {
    // Invalid UTF-8 in a text frame, reserved bits, an unknown opcode, a masked frame from a server.
    for bytes in [&b"\x81\x02\xff\xfe"[..], b"\xf1\x01a", b"\x83\x00", b"\x81\x81\x00\x00\x00\x00a"] {
        let url = server(move |mut peer| async move {
            greet(&mut peer).await;
            peer.get_mut().write_all(bytes).await.unwrap();
            pending::<()>().await;
        })
        .await;
        let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
        assert!(matches!(session.next().await, Err(SocketError::Lost(_))), "{bytes:?}");
    }
}

#[tokio::test]
async fn what_the_server_would_not_take_is_not_sent() {
    let url = server(|mut peer| async move {
        greet(&mut peer).await;
        assert_eq!(hear(&mut peer).await, r#"42["small"]"#);
        say(&mut peer, r#"42["thanks"]"#).await;
        pending::<()>().await;
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    let large = session.emit("large", vec!["x".repeat(2000).into()]).await;
    assert!(matches!(large, Err(SocketError::OverPayload { limit: 1000, .. })), "{large:?}");
    session.emit("small", vec![]).await.unwrap();
    assert_eq!(session.next().await.unwrap().name, "thanks");
}

#[tokio::test]
async fn silence_beyond_the_ping_time_of_the_server_is_death() {
    let url = server(|mut peer| async move {
        say(&mut peer, r#"0{"sid":"a","pingInterval":500,"pingTimeout":500}"#).await;
        assert_eq!(hear(&mut peer).await, "40");
        say(&mut peer, CONNECTED).await;
        // A chat that goes on does not replace the ping.
        loop {
            say(&mut peer, r#"42["message"]"#).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut session = Session::connect(&url, &[], &Options::default()).await.unwrap();
    let end = loop {
        if let Err(error) = session.next().await {
            break error;
        }
    };
    assert_eq!(end, SocketError::PingTimeout(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_server_of_the_protocol_before_is_named() {
    for greeting in ["40", "40{}"] {
        let url = server(move |mut peer| async move {
            say(&mut peer, OPEN).await;
            say(&mut peer, greeting).await;
            pending::<()>().await;
        })
        .await;
        let error = refused(&url).await;
        assert!(error.to_string().contains("Socket.IO 2"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_want_us_says_why() {
    let url = server(|mut peer| async move {
        say(&mut peer, OPEN).await;
        say(&mut peer, r#"44{"message":"Not authorized","data":{"code":7}}"#).await;
        pending::<()>().await;
    })
    .await;
    let expected = SocketError::ConnectError { message: "Not authorized".into(), data: Some(json!({"code": 7})) };
    assert_eq!(refused(&url).await, expected);
}

#[tokio::test]
async fn a_first_frame_that_opens_nothing_is_unsupported() {
    for first in ["2", "hello", "0{}", "40"] {
        let url = server(move |mut peer| async move {
            say(&mut peer, first).await;
            pending::<()>().await;
        })
        .await;
        assert!(matches!(refused(&url).await, SocketError::Unsupported(_)), "{first}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_ended() {
    let url = server(|mut peer| async move {
        say(&mut peer, OPEN).await;
        pending::<()>().await;
    })
    .await;
    let options = Options { handshake: Duration::from_millis(50), ..Options::default() };
    let error = Session::connect(&url, &[], &options).await.err();
    assert_eq!(error, Some(SocketError::HandshakeTimeout(options.handshake)));
}

#[tokio::test]
async fn a_refusal_over_http_is_told_without_the_query() {
    let cases: [(&[u8], &str); 4] = [
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 51\r\n\r\n{\"code\":5,\"message\":\"Unsupported protocol version\"}",
            "HTTP 400, code 5, \"Unsupported protocol version\"",
        ),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 13\r\n\r\n<html></html>", "HTTP 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/?token=swordfish\r\nContent-Length: 0\r\n\r\n", "a redirect"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP 200"),
    ];
    for (answer, shown) in cases {
        let error = refused(&http_server(answer).await).await;
        assert!(matches!(error, SocketError::Dial(DialError::Refused(_))), "{error:?}");
        assert!(error.to_string().contains(shown), "{error}");
        assert!(!format!("{error} {error:?}").contains("swordfish"), "{error:?}");
    }
    let error = refused(&http_server(b"SSH-2.0-OpenSSH\r\n").await).await;
    assert!(matches!(error, SocketError::Dial(DialError::Unsupported(_))), "{error:?}");
    for half in [&b""[..], b"HTTP/1.1 101 Swi"] {
        assert_eq!(refused(&http_server(half).await).await, SocketError::Dial(DialError::HungUp));
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert!(matches!(refused(&url).await, SocketError::Dial(DialError::Unreachable(_))));
}
