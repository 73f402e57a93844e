//! The least that a bot in Rust can be: a WebSocket, a table and an HTTP client in one loop. No plugins, no isolation,
//! no journal, no reconnecting. It shows how much of a bot's time is the network's, and that whoever asks is not the
//! limit.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use showrunner_tests::load::{ANSWER, COMMAND};
use showrunner_tests::retake::{BOT_ID, ROOM, TOKEN};
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use crate::home::IN_FLIGHT;

/// The first argument of a process that is to be one.
pub(crate) const NAME: &str = "bare-listener";

pub(crate) struct BareListener {
    socket: String,
    rest: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    sender_user_id: &'a str,
    text: &'a str,
}

/// Whether this process is one.
pub(crate) fn asked_for() -> Option<BareListener> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != NAME {
        return None;
    }
    Some(BareListener { socket: arguments.next()?, rest: arguments.next()? })
}

impl BareListener {
    /// Until standard input ends.
    pub(crate) fn run(&self) {
        showrunner_tests::bot::install_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut input = tokio::io::stdin();
            tokio::select! {
                () = self.listen() => panic!("the server has hung up"),
                _ = input.read_u8() => {}
            }
        });
        // The thread that reads standard input may still do so.
        runtime.shutdown_background();
    }

    async fn listen(&self) {
        let address = format!("{}?EIO=4&transport=websocket", self.socket);
        let (mut socket, _) = tokio_tungstenite::connect_async_with_config(address, None, true).await.unwrap();
        socket.send(Message::text("40")).await.unwrap();
        socket.send(Message::text(format!(r#"42["joinRoom",{{"roomId":"{ROOM}"}}]"#))).await.unwrap();
        let sender = Sender::new(&self.rest);
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            if text == "2" {
                socket.send(Message::text("3")).await.unwrap();
            }
            let Some(event) = text.strip_prefix("42") else { continue };
            let Ok(("message", line)) = serde_json::from_str::<(&str, Line<'_>)>(event) else { continue };
            if let Some(answer) = answer(&line) {
                tokio::spawn(Arc::clone(&sender).send(answer));
            }
        }
    }
}

fn answer(line: &Line<'_>) -> Option<String> {
    if line.sender_user_id == BOT_ID {
        return None;
    }
    let mut words = line.text.strip_prefix('!')?.split(' ');
    (words.next()? == COMMAND).then(|| format!("{ANSWER}{}", words.next().unwrap_or_default()))
}

struct Sender {
    http: reqwest::Client,
    address: String,
    authorization: String,
    places: Semaphore,
}

impl Sender {
    fn new(rest: &str) -> Arc<Self> {
        let http = reqwest::Client::builder().pool_max_idle_per_host(IN_FLIGHT).tcp_nodelay(true).build().unwrap();
        let address = format!("{rest}agent/stream/chat/send");
        Arc::new(Self { http, address, authorization: format!("Bearer {TOKEN}"), places: Semaphore::new(IN_FLIGHT) })
    }

    async fn send(self: Arc<Self>, text: String) {
        let _place = self.places.acquire().await.unwrap();
        let body = serde_json::json!({ "message": text, "destination_user_id": ROOM }).to_string();
        let request = self.http.post(&self.address).header(AUTHORIZATION, &self.authorization);
        let response = request.header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
        assert!(response.status().is_success());
        response.bytes().await.unwrap();
    }
}
