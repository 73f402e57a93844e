//! A retake.tv on the real Socket.IO server, in a Node process: `tests/peers/socketio`.
//!
//! One JSON request a line to its standard input, one JSON answer a line from its standard output.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use showrunner::config::settings::RetakeGeneration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::answers;

/// How long is waited for what the bot should do. Longer than its longest wait before it connects again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sockets of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sockets {
    /// In the streamer's room.
    pub room: u64,
    pub open: u64,
    /// How many there ever were at one time.
    pub most: u64,
}

pub struct SocketIoPeer {
    pub generation: RetakeGeneration,
    pub port: u16,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Ends with this value, also when a test fails.
    _process: Child,
}

impl SocketIoPeer {
    pub async fn start(generation: RetakeGeneration) -> Self {
        let folder = folder();
        let mut process = Command::new("node")
            .arg("server.mjs")
            .arg(generation_name(generation))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("Node can't be started ({error}); this test needs `node` 20 or newer"));
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Self { generation, port: 0, requests, answers, _process: process };
        let hello = peer.answer().await;
        peer.port = hello["port"].as_u64().unwrap().try_into().unwrap();
        peer
    }

    /// Viewers say this many lines; `has_id` is whether those who hear them live are told their ids. Returns how
    /// many lines they have said by now.
    pub async fn say(&mut self, count: usize, has_id: bool) -> usize {
        let answer = self.ask(json!({"do": "say", "count": count, "id": has_id})).await;
        answer["said"].as_u64().unwrap().try_into().unwrap()
    }

    /// The same, but with at most `window` lines that wait for their answer; ends when the last is answered, or is
    /// not for too long. Returns how many were answered a second.
    pub async fn flood(&mut self, count: usize, window: usize) -> f64 {
        let answer = self.wait(json!({"do": "flood", "count": count, "window": window})).await;
        count as f64 * 1000.0 / answer["milliseconds"].as_f64().unwrap().max(1.0)
    }

    /// Waits until the bot has sent this many lines, or has not for too long: what is missing, the answers tell.
    pub async fn until_answered(&mut self, count: usize) {
        self.wait(json!({"do": "answered", "count": count})).await;
    }

    /// Waits until the bot has answered this question.
    pub async fn until_answered_to(&mut self, number: usize) {
        let answer = self.wait(json!({"do": "answer", "text": answers::to(number)})).await;
        assert_eq!(answer["reached"], true, "no answer to {number}");
    }

    /// Waits until somebody is in the room.
    pub async fn until_joined(&mut self) {
        let answer = self.wait(json!({"do": "joined", "count": 1})).await;
        assert_eq!(answer["reached"], true, "nobody has joined");
    }

    /// Waits until nobody is in the room any more.
    pub async fn until_left(&mut self) {
        let answer = self.wait(json!({"do": "joined", "count": 0})).await;
        assert_eq!(answer["reached"], true, "somebody is still there");
    }

    /// Everything that the bot sent.
    pub async fn answers(&mut self) -> Vec<String> {
        let answer = self.ask(json!({"do": "answers"})).await;
        serde_json::from_value(answer["answers"].clone()).unwrap()
    }

    pub async fn sockets(&mut self) -> Sockets {
        let answer = self.ask(json!({"do": "sockets"})).await;
        let count = |name: &str| answer[name].as_u64().unwrap();
        Sockets { room: count("room"), open: count("open"), most: count("most") }
    }

    /// Closes the port and every connection: in good order, or as if the machine had died.
    pub async fn go_away(&mut self, how: GoingAway) {
        self.ask(json!({"do": "leave", "abruptly": how == GoingAway::Abruptly})).await;
    }

    /// Is back on the same port, with the history of what was said meanwhile.
    pub async fn come_back(&mut self) {
        self.ask(json!({"do": "return"})).await;
    }

    async fn wait(&mut self, mut request: Value) -> Value {
        request["seconds"] = json!(PATIENCE.as_secs());
        self.ask(request).await
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.requests.write_all(format!("{request}\n").as_bytes()).await.expect("the Socket.IO server has ended");
        self.answer().await
    }

    async fn answer(&mut self) -> Value {
        let line =
            self.answers.next_line().await.unwrap().expect("the Socket.IO server has ended; see its words above");
        serde_json::from_str(&line).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoingAway {
    InGoodOrder,
    Abruptly,
}

/// As the config spells it.
pub fn generation_name(generation: RetakeGeneration) -> &'static str {
    match generation {
        RetakeGeneration::V1 => "v1",
        RetakeGeneration::V2 => "v2",
    }
}

/// The folder of the server, with what it needs.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/socketio");
    assert!(
        folder.join("node_modules/socket.io/package.json").is_file(),
        "the Socket.IO server is not installed; run: npm ci --prefix {}",
        folder.display()
    );
    folder
}
