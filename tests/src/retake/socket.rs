//! The Socket.IO half of the fake: one WebSocket from its upgrade to its end.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, LOCATION};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use showrunner::config::settings::RetakeGeneration;
use tokio::time::{Instant, interval_at, sleep_until};

use super::state::{Asked, Handshake, Push, Refusal, State};

pub(super) async fn connect(
    Shared(state): Shared<Arc<State>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    state.note_asked(Asked { path: "/socket.io/".to_owned(), query: query.clone(), authorization });
    if let Some(refusal) = &state.settings().refusal {
        return refuse(refusal);
    }
    let has = |name: &str, value: &str| query.get(name).map(String::as_str) == Some(value);
    if !has("EIO", "4") {
        return refuse(&Refusal::json(400, 5, "Unsupported protocol version"));
    }
    if !has("transport", "websocket") {
        return refuse(&Refusal::json(400, 0, "Transport unknown"));
    }
    upgrade.on_upgrade(move |socket| Connection::open(socket, state).run()).into_response()
}

fn refuse(refusal: &Refusal) -> Response {
    let mut response = Response::builder().status(refusal.status);
    if let Some(location) = &refusal.location {
        response = response.header(LOCATION, location);
    }
    response.body(Body::from(refusal.body.clone())).unwrap()
}

/// Resolves when a ping has waited for its answer for too long.
async fn unanswered(pinged: Option<Instant>, timeout: Duration) {
    match pinged {
        Some(pinged) => sleep_until(pinged + timeout).await,
        None => pending().await,
    }
}

struct Connection {
    socket: WebSocket,
    state: Arc<State>,
    number: u64,
    /// When the first ping was sent that is not answered yet.
    pinged: Option<Instant>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.close_socket(self.number);
    }
}

impl Connection {
    fn open(socket: WebSocket, state: Arc<State>) -> Self {
        let number = state.open_socket();
        Self { socket, state, number, pinged: None }
    }

    async fn run(mut self) {
        // Whatever ends it, the socket is closed without a word.
        let _ = self.talk().await;
    }

    /// `None` when the socket is to be closed.
    async fn talk(&mut self) -> Option<()> {
        let mut pushes = self.state.pushes.subscribe();
        let (interval, timeout, does_ping, handshake) = {
            let settings = self.state.settings();
            (settings.ping_interval, settings.ping_timeout, settings.does_ping, settings.handshake)
        };
        if handshake == Handshake::UpgradeOnly {
            return self.listen_only().await;
        }
        let open = json!({
            "sid": format!("sid{}", self.number), "upgrades": [], "maxPayload": 1_000_000,
            "pingInterval": interval.as_millis() as u64, "pingTimeout": timeout.as_millis() as u64,
        });
        self.say(&format!("0{open}")).await?;
        if handshake == Handshake::NotConnected {
            return self.listen_only().await;
        }
        let mut ping = interval_at(Instant::now() + interval, interval);
        loop {
            tokio::select! {
                message = self.socket.recv() => match message?.ok()? {
                    Message::Text(text) => self.hear(&text).await?,
                    Message::Close(_) => return None,
                    _ => {}
                },
                push = pushes.recv() => match push.ok()? {
                    Push::Frames(frames) => {
                        for frame in frames {
                            self.socket.send(frame).await.ok()?;
                        }
                    }
                    Push::Room { room, frame } if self.state.is_in(self.number, &room) => self.say(&frame).await?,
                    Push::Room { .. } => {}
                    Push::Drop => return None,
                },
                _ = ping.tick(), if does_ping => {
                    self.pinged.get_or_insert_with(Instant::now);
                    self.say("2").await?;
                }
                () = unanswered(self.pinged, timeout) => {
                    self.state.note_missed_pong();
                    return None;
                }
            }
        }
    }

    /// Takes whatever comes, and says nothing.
    async fn listen_only(&mut self) -> Option<()> {
        loop {
            self.socket.recv().await?.ok()?;
        }
    }

    async fn hear(&mut self, text: &str) -> Option<()> {
        match text {
            "40" => self.say(&format!(r#"40{{"sid":"io{}"}}"#, self.number)).await,
            "3" => {
                // A second pong, to a ping that was sent before the first one came, does no harm.
                if let Some(pinged) = self.pinged.take() {
                    self.state.note_pong(pinged.elapsed());
                }
                Some(())
            }
            // An answer to what asked for one.
            _ if text.starts_with("43") => Some(()),
            _ => {
                let event: Value = serde_json::from_str(text.strip_prefix("42")?).ok()?;
                if event.get(0)?.as_str()? == "joinRoom" {
                    let room = event.get(1)?.get("roomId")?.as_str()?.to_owned();
                    self.state.join(self.number, &room);
                    if self.state.generation == RetakeGeneration::V1 {
                        self.say(&format!("42{}", json!(["joinedRoom", { "roomId": room }]))).await?;
                    }
                }
                Some(())
            }
        }
    }

    async fn say(&mut self, text: &str) -> Option<()> {
        self.socket.send(Message::text(text)).await.ok()
    }
}
