//! A retake.tv that only asks, counts and times: the load generator of the benchmarks, with their clock in it.
//!
//! It speaks just enough of the second generation: a WebSocket that says what viewers write, and REST that takes the
//! bot's answers. Everything runs on the one thread of the runtime that it is started on, and it must never be what
//! limits the bot, so it is written close to the sockets. It misbehaves in no way: that is the business of
//! [`retake`](crate::retake).

mod board;
pub mod clock;
pub mod process;
mod rest;
mod room;
mod wire;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use self::board::Board;
pub use self::board::{Timing, Words, percentile};
use self::room::Room;

/// How long is waited for the last answers of a phase, and for a bot to join. Only one that has died meets it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer of the bot to `!ask NUMBER …`, with the number behind it.
pub const ANSWER: &str = "answer to ";
/// The name of the command that viewers use.
pub const COMMAND: &str = "ask";

/// A running server with room for one bot.
pub struct Server {
    shared: Arc<Shared>,
    socket_port: u16,
    rest_port: u16,
}

struct Shared {
    board: Mutex<Board>,
    room: Room,
    connections: Connections,
    /// Told with every answer, and with every change of the room.
    changed: Notify,
    /// Whether the bot hears its own lines, as the service does it.
    echoes: bool,
}

/// The bot's connections for REST.
#[derive(Debug, Default)]
struct Connections {
    open: AtomicUsize,
    most: AtomicUsize,
    opened: AtomicU64,
}

impl Server {
    /// `echoes`: whether the bot's own lines come back to it in the room, as on the real service.
    pub async fn start(echoes: bool) -> Self {
        let shared = Arc::new(Shared {
            board: Mutex::default(),
            room: Room::default(),
            connections: Connections::default(),
            changed: Notify::new(),
            echoes,
        });
        let (socket, rest) = (listen().await, listen().await);
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let (socket_port, rest_port) = (port(&socket), port(&rest));
        tokio::spawn(room::accept(socket, Arc::clone(&shared)));
        tokio::spawn(rest::accept(rest, Arc::clone(&shared)));
        Self { shared, socket_port, rest_port }
    }

    /// For `socket-url` in the bot's config.
    pub fn socket_url(&self) -> String {
        format!("ws://127.0.0.1:{}/socket.io/", self.socket_port)
    }

    /// For `rest-base`.
    pub fn rest_base(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/", self.rest_port)
    }

    /// When a bot dialled the socket for the first time after `since`.
    pub async fn dialled_after(&self, since: Instant) -> Instant {
        self.until("a bot that dials", || self.shared.room.dialled().filter(|at| *at >= since)).await
    }

    /// Waits until a bot is in the room.
    pub async fn until_joined(&self) {
        self.until("a bot in the room", || self.shared.room.is_joined().then_some(())).await;
    }

    /// Waits until a bot is in the room and has answered.
    pub async fn until_answering(&self) {
        self.until_joined().await;
        // What is said before the bot has seen to the gap in its history waits with it; so this one may take a while.
        let timing = self.burst(1).await;
        assert_eq!(timing.answered, 1, "the bot is in the room and does not answer");
    }

    /// Waits until nobody is in the room any more.
    pub async fn until_left(&self) {
        self.until("the bot to leave", || (!self.shared.room.is_joined()).then_some(())).await;
    }

    /// Asks so often a second, on a clock that waits for nobody. Latencies count from when a question was due, also
    /// when it was asked late.
    pub async fn open_loop(&self, per_second: u32, time: Duration) -> Timing {
        let count = (f64::from(per_second) * time.as_secs_f64()).round() as usize;
        self.open_loop_while(per_second, |asked| asked < count).await
    }

    /// The same for as long as `goes_on` says so, which is told how many were asked.
    pub async fn open_loop_while(&self, per_second: u32, goes_on: impl Fn(usize) -> bool) -> Timing {
        self.begin();
        let begun = Instant::now();
        let mut asked = 0;
        while goes_on(asked) {
            let due = begun + Duration::from_secs_f64(asked as f64 / f64::from(per_second));
            clock::until(due).await;
            self.shared.ask(due).await;
            asked += 1;
        }
        self.end().await
    }

    /// Keeps so many questions open for this long: each answer brings the next one.
    pub async fn closed_loop(&self, in_flight: usize, time: Duration) -> Timing {
        self.begin();
        self.shared.board().feed_until(Instant::now() + time);
        self.first(in_flight).await;
        tokio::time::sleep(time).await;
        self.end().await
    }

    /// Asks so many questions, with so many open at a time.
    pub async fn flood(&self, count: usize, in_flight: usize) -> Timing {
        self.begin();
        let first = in_flight.min(count);
        self.shared.board().feed_more(count - first);
        self.first(first).await;
        self.end().await
    }

    /// Asks so many questions at once.
    pub async fn burst(&self, count: usize) -> Timing {
        self.flood(count, count).await
    }

    /// Says a line that nobody counts.
    pub async fn say(&self, text: &str) {
        let number = self.shared.board().number_aside();
        self.shared.room.say(|frame| wire::aside(frame, number, text)).await;
    }

    /// What stood before the number in each answer of the last phase, with the number and the moment.
    pub fn words(&self) -> Vec<Words> {
        std::mem::take(&mut self.shared.board().words)
    }

    /// Those of the newest answer.
    pub fn newest_words(&self) -> Option<String> {
        self.shared.board().words.last().map(|newest| newest.words.clone())
    }

    /// Whether words are kept.
    pub fn keep_words(&self, keep: bool) {
        self.shared.board().keeps_words = keep;
    }

    fn begin(&self) {
        self.shared.connections.opened.store(0, Ordering::Relaxed);
        self.shared.connections.most.store(self.shared.connections.open.load(Ordering::Relaxed), Ordering::Relaxed);
        self.shared.board().begin();
    }

    async fn first(&self, count: usize) {
        for _ in 0..count {
            self.shared.ask_unflushed(Instant::now()).await;
        }
        self.shared.room.flush().await;
    }

    /// Waits for the answers that are missing; what is still missing when none has come for a long while is lost.
    async fn end(&self) -> Timing {
        let is_complete = || self.shared.board().is_complete().then_some(());
        while timeout(PATIENCE, self.reached(is_complete)).await.is_err() {
            if !self.shared.board().has_heard_within(PATIENCE) {
                break;
            }
        }
        let connections = &self.shared.connections;
        let mut timing = self.shared.board().finish();
        timing.connections = connections.most.load(Ordering::Relaxed);
        timing.connections_opened = connections.opened.load(Ordering::Relaxed);
        timing
    }

    async fn until<T>(&self, what: &str, reached: impl Fn() -> Option<T>) -> T {
        timeout(PATIENCE, self.reached(reached)).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    async fn reached<T>(&self, reached: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(value) = reached() {
                return value;
            }
            changed.await;
        }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap()
    }

    async fn ask(&self, due: Instant) {
        let number = self.board().ask(due);
        self.room.say(|frame| wire::question(frame, number)).await;
    }

    async fn ask_unflushed(&self, due: Instant) {
        let number = self.board().ask(due);
        self.room.feed(|frame| wire::question(frame, number)).await;
    }

    /// The bot said something at `at`. The room hears it, and in a closed loop the next question.
    async fn take_answer(&self, text: &str, at: Instant) {
        let next = self.board().take_answer(text, at);
        if self.echoes {
            let number = self.board().number_aside();
            self.room.feed(|frame| wire::echo(frame, number, text)).await;
        }
        if next {
            self.ask_unflushed(at).await;
        }
        self.room.flush().await;
        self.changed.notify_waiters();
    }
}

impl Connections {
    fn open(&self) {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(open, Ordering::Relaxed);
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn close(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}
