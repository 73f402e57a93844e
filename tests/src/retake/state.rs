//! What the fake knows and how it is told to behave.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::ws::Message;
use serde_json::{Value, json};
use showrunner::config::settings::RetakeGeneration;
use tokio::sync::{broadcast, watch};

use super::ROOM;

/// What the server answers to a socket instead of taking it.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    pub body: String,
    /// Where a redirect leads.
    pub location: Option<String>,
}

impl Refusal {
    pub fn json(status: u16, code: u32, message: &str) -> Self {
        Self { status, body: json!({ "code": code, "message": message }).to_string(), location: None }
    }

    pub fn html(status: u16) -> Self {
        let body = "<!DOCTYPE html><html><body>Attention required</body></html>".to_owned();
        Self { status, body, location: None }
    }
}

/// How sends, and questions for the history, are answered.
#[derive(Debug, Clone)]
pub enum SendAnswer {
    Properly,
    /// What was asked is done, and an error is answered all the same.
    DoneBut(u16),
    Status {
        code: u16,
        retry_after: Option<String>,
    },
    Redirect(String),
    /// 200, and a page.
    Html,
    /// 200, and so many bytes of JSON that say nothing.
    Large(usize),
    Never,
}

/// How far a socket's handshake goes, before the server falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    Whole,
    /// The upgrade, and then nothing.
    UpgradeOnly,
    /// CONNECT is never answered.
    NotConnected,
}

/// What became of the pings.
#[derive(Debug, Clone, Default)]
pub struct Pings {
    /// How long each answer took, in the order in which they came.
    pub answered: Vec<Duration>,
    /// Those that were not answered in the time that the server had named; each cost its socket.
    pub missed: usize,
}

/// What is done to the sockets.
#[derive(Debug, Clone)]
pub enum Push {
    /// Frames as they are, to every socket.
    Frames(Vec<Message>),
    /// A text frame to those in a room.
    Room {
        room: String,
        frame: String,
    },
    Drop,
}

/// A request that was made.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub query: HashMap<String, String>,
    pub authorization: Option<String>,
}

pub(super) struct Behaviour {
    pub(super) refusal: Option<Refusal>,
    pub(super) handshake: Handshake,
    /// For the next sends, one by one, before `send_answer` counts again.
    pub(super) next_sends: VecDeque<SendAnswer>,
    pub(super) send_answer: SendAnswer,
    pub(super) history_answer: SendAnswer,
    pub(super) ping_interval: Duration,
    pub(super) ping_timeout: Duration,
    pub(super) does_ping: bool,
}

#[derive(Default)]
struct Record {
    /// Oldest first.
    history: Vec<Value>,
    sent: Vec<String>,
    asked: Vec<Asked>,
    pings: Pings,
    sockets: HashMap<u64, BTreeSet<String>>,
    most_sockets: usize,
    joins: usize,
    count: u64,
}

pub(super) struct State {
    pub(super) generation: RetakeGeneration,
    pub(super) room_size: watch::Sender<usize>,
    /// Requests of any kind, and answered pings, until now.
    pub(super) activity: watch::Sender<()>,
    pub(super) sent_count: watch::Sender<usize>,
    pub(super) pushes: broadcast::Sender<Push>,
    behaviour: Mutex<Behaviour>,
    record: Mutex<Record>,
}

impl State {
    pub(super) fn new(generation: RetakeGeneration) -> Self {
        Self {
            generation,
            room_size: watch::Sender::new(0),
            activity: watch::Sender::new(()),
            sent_count: watch::Sender::new(0),
            pushes: broadcast::Sender::new(4096),
            behaviour: Mutex::new(Behaviour {
                refusal: None,
                handshake: Handshake::Whole,
                next_sends: VecDeque::new(),
                send_answer: SendAnswer::Properly,
                history_answer: SendAnswer::Properly,
                ping_interval: Duration::from_secs(25),
                ping_timeout: Duration::from_secs(20),
                does_ping: true,
            }),
            record: Mutex::default(),
        }
    }

    pub(super) fn settings(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    pub(super) fn push(&self, push: Push) {
        // An error says that nobody is connected.
        let _ = self.pushes.send(push);
    }

    fn next_number(&self) -> u64 {
        let mut record = self.record();
        record.count += 1;
        record.count
    }

    /// Writes a line down, and tells the room if it `is_heard`.
    pub(super) fn say(&self, user_id: &str, name: &str, text: &str, is_heard: bool) -> String {
        let (id, frame) = self.write_down(user_id, name, text);
        if is_heard {
            self.tell_room(frame);
        }
        id
    }

    pub(super) fn tell_room(&self, frame: String) {
        self.push(Push::Room { room: ROOM.to_owned(), frame });
    }

    /// Writes a line down. Returns its id, and the frame that tells the room, each in the shape of the generation.
    pub(super) fn write_down(&self, user_id: &str, name: &str, text: &str) -> (String, String) {
        let number = self.next_number();
        let id = format!("m{number}");
        let at_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let (comment, live) = match self.generation {
            RetakeGeneration::V1 => (
                json!({ "id": number, "username": name, "message": text, "timestamp": at_ms }),
                json!({ "author": { "fusername": name, "walletAddress": format!("0x{name}") }, "text": text }),
            ),
            RetakeGeneration::V2 => {
                let message = json!({
                    "_id": id, "type": "message", "text": text, "sender_username": name, "sender_user_id": user_id,
                    "streamer_id": ROOM, "session_id": "s1", "timestamp": at_ms.to_string(),
                });
                (message.clone(), message)
            }
        };
        self.remember(comment);
        let id = match self.generation {
            RetakeGeneration::V1 => number.to_string(),
            RetakeGeneration::V2 => id,
        };
        (id, format!("42{}", json!(["message", live])))
    }

    pub(super) fn remember(&self, comment: Value) {
        self.record().history.push(comment);
    }

    /// A page of the history, newest first, before the message of an id.
    pub(super) fn history(&self, before: Option<&str>, limit: usize) -> Vec<Value> {
        let record = self.record();
        let is_of = |comment: &Value, id: &str| match comment.get("_id").or_else(|| comment.get("id")) {
            Some(Value::String(own)) => own == id,
            Some(own) => own.as_u64() == id.parse().ok(),
            None => false,
        };
        let end = before
            .and_then(|id| record.history.iter().position(|comment| is_of(comment, id)))
            .unwrap_or(record.history.len());
        record.history[..end].iter().rev().take(limit).cloned().collect()
    }

    pub(super) fn note_sent(&self, text: &str) {
        self.record().sent.push(text.to_owned());
        self.activity.send_replace(());
        self.sent_count.send_modify(|count| *count += 1);
    }

    pub(super) fn sent(&self) -> Vec<String> {
        self.record().sent.clone()
    }

    pub(super) fn note_asked(&self, asked: Asked) {
        self.record().asked.push(asked);
        self.activity.send_replace(());
    }

    pub(super) fn note_pong(&self, took: Duration) {
        self.record().pings.answered.push(took);
        self.activity.send_replace(());
    }

    pub(super) fn note_missed_pong(&self) {
        self.record().pings.missed += 1;
    }

    pub(super) fn pings(&self) -> Pings {
        self.record().pings.clone()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.record().asked.clone()
    }

    pub(super) fn open_socket(&self) -> u64 {
        let number = self.next_number();
        let mut record = self.record();
        record.sockets.insert(number, BTreeSet::new());
        record.most_sockets = record.most_sockets.max(record.sockets.len());
        number
    }

    pub(super) fn join(&self, socket: u64, room: &str) {
        if let Some(rooms) = self.record().sockets.get_mut(&socket) {
            rooms.insert(room.to_owned());
        }
        self.record().joins += usize::from(room == ROOM);
        self.count_room();
        self.activity.send_replace(());
    }

    pub(super) fn joins(&self) -> usize {
        self.record().joins
    }

    pub(super) fn is_in(&self, socket: u64, room: &str) -> bool {
        self.record().sockets.get(&socket).is_some_and(|rooms| rooms.contains(room))
    }

    pub(super) fn close_socket(&self, socket: u64) {
        self.record().sockets.remove(&socket);
        self.count_room();
    }

    fn count_room(&self) {
        let size = self.record().sockets.values().filter(|rooms| rooms.contains(ROOM)).count();
        self.room_size.send_replace(size);
    }

    pub(super) fn most_sockets(&self) -> usize {
        self.record().most_sockets
    }
}
