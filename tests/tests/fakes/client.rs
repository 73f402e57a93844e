//! Plain clients: a WebSocket that reads JSON, and HTTP with a token. They know nothing of our adapters.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use showrunner_tests::bot::install_tls;
use showrunner_tests::twitch::{CLIENT_ID, FakeTwitch};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Only a hung test waits for so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Code(u16),
    /// Without a close frame.
    Cut,
}

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub(super) async fn open(url: &str, protocol: Option<&str>) -> Self {
        let mut request = url.into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        let (stream, _) = timeout(PATIENCE, connect_async(request)).await.unwrap().unwrap();
        Self { stream }
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    async fn read(&mut self) -> Result<Value, End> {
        timeout(PATIENCE, self.read_any()).await.expect("something comes")
    }

    async fn read_any(&mut self) -> Result<Value, End> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(End::Code(frame.code.into())),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(End::Cut),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame, whatever it is.
    pub(super) async fn next(&mut self) -> Value {
        self.read().await.unwrap()
    }

    /// The next frame that fits; those before it are gone.
    pub(super) async fn next_where(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let frame = self.read_any().await.unwrap();
                if fits(&frame) {
                    return frame;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("one that fits comes")
    }

    /// How it ends, whatever comes before.
    pub(super) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.read().await {
                return end;
            }
        }
    }

    // ---- EventSub ---------------------------------------------------------------------------------------------

    pub(super) async fn next_of(&mut self, message_type: &str) -> Value {
        self.next_where(|frame| frame["metadata"]["message_type"] == message_type).await
    }

    /// The event of the next notification.
    pub(super) async fn event(&mut self) -> Value {
        self.next_of("notification").await["payload"]["event"].take()
    }

    /// A session, and its id.
    pub(super) async fn welcomed(twitch: &FakeTwitch) -> (Self, String) {
        let mut socket = Self::open(twitch.eventsub_url().as_str(), None).await;
        let welcome = socket.next().await;
        assert_eq!(welcome["metadata"]["message_type"], "session_welcome");
        (socket, welcome["payload"]["session"]["id"].as_str().unwrap().to_owned())
    }
}

/// A client of HTTP, which says where it is sent and does not go there.
pub(super) fn http() -> Client {
    install_tls();
    Client::builder().redirect(Policy::none()).build().unwrap()
}

pub(super) struct Helix<'a> {
    twitch: &'a FakeTwitch,
    pub(super) token: String,
    client: Client,
}

impl<'a> Helix<'a> {
    pub(super) fn new(twitch: &'a FakeTwitch, token: &str) -> Self {
        Self { twitch, token: token.to_owned(), client: http() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.twitch.helix_base().join(path).unwrap();
        self.client.request(method, url).bearer_auth(&self.token).header("Client-Id", CLIENT_ID)
    }

    /// Status, and body if it has one.
    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method.parse().unwrap(), path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    pub(super) async fn subscribe(&self, session: &str, name: &str, version: &str, condition: Value) -> (u16, Value) {
        let body = json!({
            "type": name, "version": version, "condition": condition,
            "transport": { "method": "websocket", "session_id": session },
        });
        self.call("POST", "eventsub/subscriptions", body).await
    }
}

/// A form to any address: status and body.
pub(super) async fn post_form(url: &str, fields: &[(&str, &str)], basic: Option<&str>) -> (u16, Value) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = http().post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    if let Some(basic) = basic {
        request = request.header("authorization", format!("Basic {basic}"));
    }
    let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

/// Where the browser is sent, and with what.
pub(super) async fn browse(url: &str, query: &[(&str, &str)]) -> Result<Vec<(String, String)>, u16> {
    let url = url::Url::parse_with_params(url, query).unwrap();
    let response = timeout(PATIENCE, http().get(url).send()).await.unwrap().unwrap();
    let Some(location) = response.headers().get("location") else { return Err(response.status().as_u16()) };
    let target = url::Url::parse(location.to_str().unwrap()).unwrap();
    Ok(target.query_pairs().into_owned().collect())
}

pub(super) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}
