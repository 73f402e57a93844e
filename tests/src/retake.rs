//! A retake.tv of our own, on a loopback port, in both generations, that can be told to misbehave.
//!
//! It speaks Engine.IO 4 and Socket.IO 5 over WebSocket, keeps a history, takes lines over REST and tells the room
//! of them, as the service does. It runs on a runtime of its own, so that going away really closes
//! everything, as a killed server would.

mod rest;
mod socket;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};
use showrunner::config::settings::{RetakeGeneration, RetakeSettings};
use showrunner::platform::Pace;

use self::state::State;
pub use self::state::{Asked, Handshake, Pings, Push, Refusal, SendAnswer};
use crate::line::BadLine;
use crate::service::Server;

/// The streamer, whose room it is.
pub const ROOM: &str = "5b7c";
/// The bot's user id there.
pub const BOT_ID: &str = "u-bot";
pub const BOT_NAME: &str = "showrunner";
/// Looks like nothing real, and is easy to find where it must not be.
pub const TOKEN: &str = "swordfish-not-a-real-token";

pub struct FakeRetake {
    state: Arc<State>,
    server: Server,
}

impl FakeRetake {
    pub async fn start(generation: RetakeGeneration) -> Self {
        let state = Arc::new(State::new(generation));
        let server = Server::start(router(state.clone()), "127.0.0.1:0".parse().unwrap()).await;
        Self { state, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A line to it, and what a bot needs to connect over it.
    pub async fn line(&self) -> (BadLine, RetakeSettings) {
        let line = BadLine::to(self.address()).await;
        let mut settings = self.settings();
        for url in [&mut settings.rest_base, &mut settings.socket_url] {
            url.set_port(Some(line.port())).unwrap();
        }
        (line, settings)
    }

    /// What a bot needs to connect to it.
    pub fn settings(&self) -> RetakeSettings {
        let (rest, socket) = match self.state.generation {
            RetakeGeneration::V1 => ("/", "/socket.io/"),
            RetakeGeneration::V2 => ("/api/v1", "/socket.io/"),
        };
        RetakeSettings {
            generation: self.state.generation,
            room: ROOM.to_owned(),
            user_id: BOT_ID.to_owned(),
            token: TOKEN.into(),
            rest_base: self.server.url("http", rest),
            socket_url: self.server.url("ws", socket),
            pace: Pace { messages: None, in_flight: 4, expiry: Duration::from_secs(30) },
            poll: Duration::from_millis(200),
        }
    }

    // ---- the chat --------------------------------------------------------------------------------------------

    /// Somebody writes: it is in the history, and the room is told. Returns the id.
    pub fn say(&self, name: &str, text: &str) -> String {
        self.state.say(&format!("u-{name}"), name, text, true)
    }

    /// The same, but no socket is told: as if it happened while there was none.
    pub fn say_unheard(&self, name: &str, text: &str) -> String {
        self.state.say(&format!("u-{name}"), name, text, false)
    }

    /// The same, and the room is told so many times.
    pub fn say_often(&self, name: &str, text: &str, times: usize) {
        let (_, frame) = self.state.write_down(&format!("u-{name}"), name, text);
        for _ in 0..times {
            self.state.tell_room(frame.clone());
        }
    }

    /// Several lines, of which the room is told in the wrong order: the last first.
    pub fn say_backwards(&self, name: &str, texts: &[String]) {
        let lines = texts.iter().map(|text| self.state.write_down(&format!("u-{name}"), name, text));
        let frames: Vec<String> = lines.map(|(_, frame)| frame).collect();
        for frame in frames.into_iter().rev() {
            self.state.tell_room(frame);
        }
    }

    /// Puts something into the history as it is.
    pub fn remember(&self, comment: Value) {
        self.state.remember(comment);
    }

    /// Sends an event to those in the room.
    pub fn emit(&self, name: &str, payload: &Value) {
        let frame = format!("42{}", json!([name, payload]));
        self.state.push(Push::Room { room: ROOM.to_owned(), frame });
    }

    /// Does something to every socket.
    pub fn push(&self, push: Push) {
        self.state.push(push);
    }

    // ---- misbehaviour ----------------------------------------------------------------------------------------

    /// Closes every socket without a word.
    pub fn drop_sockets(&self) {
        self.state.push(Push::Drop);
    }

    pub fn refuse_sockets(&self, refusal: Option<Refusal>) {
        self.state.settings().refusal = refusal;
    }

    pub fn answer_sends(&self, answer: SendAnswer) {
        self.state.settings().send_answer = answer;
    }

    /// Answers the next sends like this, one by one, and those after them as before.
    pub fn answer_next_sends(&self, answers: impl IntoIterator<Item = SendAnswer>) {
        self.state.settings().next_sends.extend(answers);
    }

    /// Answers every question for the history with this status, or properly again.
    pub fn refuse_history(&self, status: Option<u16>) {
        self.answer_history(match status {
            Some(code) => SendAnswer::Status { code, retry_after: None },
            None => SendAnswer::Properly,
        });
    }

    pub fn answer_history(&self, answer: SendAnswer) {
        self.state.settings().history_answer = answer;
    }

    /// For connections from now on.
    pub fn set_handshake(&self, handshake: Handshake) {
        self.state.settings().handshake = handshake;
    }

    /// For connections from now on.
    pub fn set_ping(&self, interval: Duration, timeout: Duration, does_ping: bool) {
        let mut settings = self.state.settings();
        settings.ping_interval = interval;
        settings.ping_timeout = timeout;
        settings.does_ping = does_ping;
    }

    /// Closes the port and everything that is open on it, as if killed.
    pub fn go_away(&mut self) {
        self.server.go_away();
    }

    /// Is back on the same port, with its history.
    pub async fn come_back(&mut self) {
        self.server.come_back().await;
    }

    // ---- what it saw -----------------------------------------------------------------------------------------

    pub fn sockets_in_room(&self) -> usize {
        *self.state.room_size.borrow()
    }

    /// Resolves when so many sockets are in the room.
    pub async fn room_has(&self, count: usize) {
        self.state.room_size.subscribe().wait_for(|size| *size == count).await.unwrap();
    }

    /// How often a socket ever joined the room.
    pub fn joins(&self) -> usize {
        self.state.joins()
    }

    /// How many sockets there ever were at one time.
    pub fn most_sockets(&self) -> usize {
        self.state.most_sockets()
    }

    /// The lines that were sent over REST, in their order.
    pub fn sent(&self) -> Vec<String> {
        self.state.sent()
    }

    /// Resolves when so many lines were sent.
    pub async fn has_sent(&self, count: usize) {
        self.state.sent_count.subscribe().wait_for(|sent| *sent >= count).await.unwrap();
    }

    /// Every request of any kind.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked()
    }

    pub fn pings(&self) -> Pings {
        self.state.pings()
    }

    /// Resolves when `is_enough` of what it saw until then: requests, lines, answered pings.
    pub async fn saw(&self, is_enough: impl Fn(&Self) -> bool) {
        self.state.activity.subscribe().wait_for(|()| is_enough(self)).await.unwrap();
    }
}

fn router(state: Arc<State>) -> Router {
    let routes = match state.generation {
        RetakeGeneration::V1 => Router::new()
            .route("/api/agent/chat/send", post(rest::send))
            .route("/api/agent/stream/comments", get(rest::history)),
        RetakeGeneration::V2 => Router::new()
            .route("/api/v1/agent/stream/chat/send", post(rest::send))
            .route("/api/v1/chat/", get(rest::history)),
    };
    routes.route("/socket.io/", get(socket::connect)).with_state(state)
}
