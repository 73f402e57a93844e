//! Against a server that says exactly what each test tells it to, over a pipe, with a clock that stands still.

use futures_util::future::pending;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::*;
use crate::platform::websocket::{Loss, Refusal};

const GATEWAY: &str = r#"{"channel":"GatewayChannel"}"#;
const SUBSCRIBE: &str = r#"{"command":"subscribe","identifier":"{\"channel\":\"GatewayChannel\"}"}"#;
const WELCOME: &str = r#"{"type":"welcome"}"#;
const PING: &str = r#"{"type":"ping","message":1767607872}"#;

struct Peer(WebSocketStream<DuplexStream>);

impl Peer {
    async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// The client may hang up in the middle of what it is told.
    async fn send(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    async fn answer(&mut self, kind: &str) {
        self.say(&json!({ "identifier": GATEWAY, "type": kind }).to_string()).await;
    }

    async fn hear(&mut self) -> String {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the client has hung up.
    async fn stay(&mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

/// A client at the other end of a pipe; `play` is the server.
async fn connect<F, P>(play: P) -> Result<Session<DuplexStream>, CableError>
where
    P: FnOnce(Peer) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        let socket = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        play(Peer(socket)).await;
    });
    let options = Options::default();
    let socket = websocket::testing::over(ours, options.max_message_bytes).await;
    let handshake = options.handshake;
    timeout(handshake, Session::over(socket, options)).await.unwrap_or(Err(CableError::NoWelcome(handshake)))
}

/// A client that was welcomed and has subscribed.
async fn subscribed<F, P>(play: P) -> Session<DuplexStream>
where
    P: FnOnce(Peer) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let mut session = connect(|mut peer| async move {
        peer.say(WELCOME).await;
        assert_eq!(peer.hear().await, SUBSCRIBE);
        peer.answer("confirm_subscription").await;
        play(peer).await;
    })
    .await
    .unwrap();
    session.subscribe(GATEWAY).await.unwrap();
    session
}

async fn error_of(session: &mut Session<DuplexStream>) -> CableError {
    loop {
        if let Err(error) = session.next().await {
            return error;
        }
    }
}

fn said(message: Value) -> String {
    json!({ "identifier": GATEWAY, "message": message }).to_string()
}

#[tokio::test(start_paused = true)]
async fn the_exchange_of_the_protocol_works() {
    let mut session = subscribed(|mut peer| async move {
        peer.say(PING).await;
        for message in [json!("x"), json!(null), json!({"a": [1]})] {
            peer.say(&said(message)).await;
        }
        peer.send(Message::binary(vec![1, 2])).await;
        peer.say("no JSON").await;
        peer.say(r#"{"error":"no"}"#).await;
        let command: Value = serde_json::from_str(&peer.hear().await).unwrap();
        assert_eq!(command["identifier"], GATEWAY);
        peer.say(&said(command["data"].clone())).await;
        peer.stay().await;
    })
    .await;
    for message in [json!("x"), json!(null), json!({"a": [1]})] {
        assert_eq!(session.next().await.unwrap(), Incoming { identifier: Some(GATEWAY.into()), message });
    }
    assert_eq!(session.next().await.unwrap(), Incoming { identifier: None, message: json!({"error": "no"}) });
    session.perform(GATEWAY, &json!({"action": "send_message", "text": "hi"})).await.unwrap();
    let data = session.next().await.unwrap().message;
    assert_eq!(data, json!(r#"{"action":"send_message","text":"hi"}"#));
}

#[tokio::test(start_paused = true)]
async fn without_a_welcome_nothing_is_sent_and_it_ends() {
    let (heard, mut hears) = tokio::sync::oneshot::channel();
    let error = connect(|mut peer| async move {
        // That the server lives is not enough.
        for _ in 0..5 {
            peer.say(PING).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        let _ = heard.send(peer.0.next().await.is_some_and(|message| message.is_ok_and(|message| message.is_text())));
    })
    .await
    .err()
    .unwrap();
    assert_eq!(error, CableError::NoWelcome(HANDSHAKE));
    assert!(!(&mut hears).await.unwrap(), "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_asked_for_again_until_it_is_confirmed() {
    let mut session = connect(|mut peer| async move {
        peer.say(WELCOME).await;
        for _ in 0..4 {
            assert_eq!(peer.hear().await, SUBSCRIBE);
        }
        // Another channel's is no answer.
        peer.say(r#"{"identifier":"{\"channel\": \"GatewayChannel\"}","type":"confirm_subscription"}"#).await;
        assert_eq!(peer.hear().await, SUBSCRIBE);
        peer.answer("confirm_subscription").await;
        // A server that answers each of them changes nothing.
        peer.answer("confirm_subscription").await;
        peer.say(&said(json!(1))).await;
        peer.stay().await;
    })
    .await
    .unwrap();
    let begun = Instant::now();
    session.subscribe(GATEWAY).await.unwrap();
    assert_eq!(begun.elapsed(), RESEND * 4);
    assert_eq!(session.next().await.unwrap().message, json!(1));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_never_confirmed_ends_the_connection() {
    let mut session = connect(|mut peer| async move {
        peer.say(WELCOME).await;
        loop {
            peer.say(PING).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    })
    .await
    .unwrap();
    let begun = Instant::now();
    assert_eq!(session.subscribe(GATEWAY).await, Err(CableError::Unconfirmed(CONFIRMATION)));
    assert_eq!(begun.elapsed(), CONFIRMATION);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_ends_it_whenever_it_comes() {
    let mut session = connect(|mut peer| async move {
        peer.say(WELCOME).await;
        peer.answer("reject_subscription").await;
        peer.stay().await;
    })
    .await
    .unwrap();
    assert_eq!(session.subscribe(GATEWAY).await, Err(CableError::Rejected));
    let mut session = subscribed(|mut peer| async move {
        peer.answer("reject_subscription").await;
        peer.stay().await;
    })
    .await;
    assert_eq!(error_of(&mut session).await, CableError::Rejected);
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_confirmation_is_told_after_it_and_has_a_bound() {
    let early = |count: usize, length: usize| {
        connect(move |mut peer| async move {
            peer.say(WELCOME).await;
            for number in 0..count {
                peer.say(&said(json!([number, "x".repeat(length)]))).await;
            }
            peer.answer("confirm_subscription").await;
            peer.stay().await;
        })
    };
    let mut session = early(MAX_EARLY, 1).await.unwrap();
    session.subscribe(GATEWAY).await.unwrap();
    for number in 0..MAX_EARLY {
        assert_eq!(session.next().await.unwrap().message[0], number);
    }
    for (count, length) in [(MAX_EARLY + 1, 1), (3, MAX_MESSAGE_BYTES / 2)] {
        let mut session = early(count, length).await.unwrap();
        assert_eq!(session.subscribe(GATEWAY).await, Err(CableError::TooEarly));
    }
}

#[tokio::test(start_paused = true)]
async fn any_message_keeps_it_alive_and_six_seconds_of_silence_end_it() {
    let mut session = subscribed(|mut peer| async move {
        for message in [PING, "{}", "garbage", &said(json!(1))] {
            tokio::time::sleep(Duration::from_millis(5900)).await;
            peer.say(message).await;
        }
        // The transport's own pings come from whatever stands before the service.
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            peer.send(Message::Ping(Vec::new().into())).await;
        }
        pending::<()>().await;
    })
    .await;
    let begun = Instant::now();
    assert_eq!(error_of(&mut session).await, CableError::Silent(SILENCE));
    assert_eq!(begun.elapsed(), Duration::from_millis(4 * 5900 + 6000));
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_as_the_server_means_it() {
    let close =
        |code: u16, reason: &'static str| Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }));
    let disconnect = |reason: Value, reconnect: bool| {
        Message::text(json!({ "type": "disconnect", "reason": reason, "reconnect": reconnect }).to_string())
    };
    let disconnected =
        |reason: Option<&str>, reconnect| CableError::Disconnected { reason: reason.map(str::to_owned), reconnect };
    let closed =
        |code, reason: Option<&str>| CableError::Lost(Loss::Closed { code, reason: reason.map(str::to_owned) });
    let cases = [
        (disconnect(json!("unauthorized"), false), disconnected(Some("unauthorized"), false)),
        (disconnect(json!("server_restart"), true), disconnected(Some("server_restart"), true)),
        (disconnect(json!(null), true), disconnected(None, true)),
        (disconnect(json!("no\n".repeat(500)), true), disconnected(Some(&"no".repeat(100)), true)),
        (close(4401, ""), closed(Some(4401), None)),
        (close(1000, "bye\r\n"), closed(Some(1000), Some("bye"))),
        (Message::Close(None), closed(None, None)),
    ];
    for (last, end) in cases {
        let mut session = subscribed(|mut peer| async move {
            peer.send(last).await;
            peer.stay().await;
        })
        .await;
        assert_eq!(error_of(&mut session).await, end);
    }
    let mut session = subscribed(|peer| async move { drop(peer) }).await;
    assert!(matches!(error_of(&mut session).await, CableError::Lost(_)));
}

#[tokio::test(start_paused = true)]
async fn a_message_beyond_the_bound_ends_it() {
    let mut session = subscribed(|mut peer| async move {
        peer.say(&said(json!("x".repeat(MAX_MESSAGE_BYTES)))).await;
        peer.stay().await;
    })
    .await;
    assert_eq!(error_of(&mut session).await, CableError::Lost(Loss::TooLarge { limit: MAX_MESSAGE_BYTES }));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_is_dead() {
    let mut session = subscribed(|peer| async move {
        pending::<()>().await;
        drop(peer);
    })
    .await;
    let data = json!({ "text": "x".repeat(10_000) });
    let error = loop {
        if let Err(error) = session.perform(GATEWAY, &data).await {
            break error;
        }
    };
    assert_eq!(error, CableError::Silent(SILENCE));
}

/// A server that writes `answer` to whatever is asked and hangs up.
async fn http_server(answer: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    Url::parse(&format!("ws://127.0.0.1:{port}/cable?token=swordfish")).unwrap()
}

#[tokio::test]
async fn a_server_of_another_kind_is_named_and_the_token_is_not() {
    let refused = |status, message: Option<&str>, is_page| {
        DialError::Refused(Refusal { status, code: None, message: message.map(str::to_owned), is_page })
    };
    let cases = [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\nPage not found",
            refused(404, Some("Page not found"), false),
        ),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", refused(401, None, false)),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<html/>",
            refused(403, None, true),
        ),
        ("", DialError::HungUp),
    ];
    for (answer, end) in cases {
        let url = http_server(answer).await;
        let error = Session::open(&url, Options::default()).await.err().unwrap();
        assert_eq!(error, CableError::Dial(end));
        assert!(!error.to_string().contains("swordfish"));
    }
    let gone = Url::parse("ws://127.0.0.1:1/cable?token=swordfish").unwrap();
    let error = Session::open(&gone, Options::default()).await.err().unwrap();
    assert!(
        matches!(&error, CableError::Dial(DialError::Unreachable(_))) && !error.to_string().contains("swordfish"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_agrees_to_no_protocol_is_none_of_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let _ = socket.send(Message::text(WELCOME)).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    let url = Url::parse(&format!("ws://127.0.0.1:{port}/cable")).unwrap();
    let error = Session::open(&url, Options::default()).await.err().unwrap();
    assert!(matches!(error, CableError::Dial(DialError::Unsupported(_))), "{error}");
}

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
    assert!(matches!(request(&Url::parse("ftp://x/").unwrap()), Err(DialError::Address(_))));
}
