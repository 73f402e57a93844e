//! A socket that stalls, breaks off, drips, repeats itself and talks nonsense: what can be kept is told once, the state
//! says what is wrong, and it works again when the line does.

use std::time::Duration;

use axum::extract::ws::Message;
use serde_json::json;
use showrunner::config::settings::RetakeGeneration::{self, V1, V2};
use showrunner::observation::ConnectionState;
use showrunner_tests::bot::Bot;
use showrunner_tests::line::{BadLine, Fault};
use showrunner_tests::retake::{FakeRetake, Handshake, Push, Refusal};

const ACCOUNT: &str = "retake:5b7c";

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A bot and its server, with a line between them.
struct Scene {
    server: FakeRetake,
    line: BadLine,
    bot: Bot,
    /// How often the bot has joined the room.
    joined: usize,
}

impl Scene {
    async fn start(generation: RetakeGeneration, prepare: impl FnOnce(&FakeRetake, &BadLine)) -> Self {
        let server = FakeRetake::start(generation).await;
        let (line, settings) = server.line().await;
        prepare(&server, &line);
        Self { bot: Bot::start(&settings), server, line, joined: 0 }
    }

    /// A bot that has heard something.
    async fn at_work(generation: RetakeGeneration, prepare: impl FnOnce(&FakeRetake, &BadLine)) -> Self {
        let mut scene = Self::start(generation, prepare).await;
        scene.works(&[]).await;
        scene
    }

    async fn backs_off(&mut self) -> String {
        self.bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await.to_string()
    }

    /// The same, when the bot waits for what will not come: the test's clock runs ahead to the end of its patience.
    async fn gives_up(&mut self) -> String {
        tokio::time::pause();
        let state = self.backs_off().await;
        tokio::time::resume();
        state
    }

    /// The bot finds back, and has missed nothing.
    async fn finds_back(&mut self, missed: &[&str]) {
        self.line.set(Fault::None);
        self.bot.statuses.restart(ACCOUNT);
        self.works(missed).await;
    }

    /// A new connection joins, and the bot hears what it missed and what comes.
    async fn works(&mut self, missed: &[&str]) {
        self.bot.until_ready().await;
        // Being ready is not a word of the server's, and what is left of an earlier socket counts for nothing.
        self.server.saw(|server| server.joins() > self.joined).await;
        self.joined = self.server.joins();
        let live = format!("live {}", self.joined);
        self.server.say("alice", &live);
        assert_eq!(self.bot.chat_until(&live).await, [missed, &[&live]].concat());
    }
}

#[tokio::test]
async fn a_server_that_takes_the_connection_and_says_nothing_is_left() {
    for (generation, patience) in [(V1, "10s"), (V2, "20s")] {
        // A byte a second is as good as nothing.
        for fault in [Fault::Stalled, Fault::Drips(Duration::from_secs(1))] {
            let mut scene = Scene::start(generation, |_, line| line.set(fault)).await;
            scene.line.has_taken(1).await;
            let state = scene.gives_up().await;
            assert!(state.contains(&format!("the handshake took longer than {patience}")), "{state}");
            scene.finds_back(&[]).await;
        }
    }
}

#[tokio::test]
async fn a_handshake_that_stops_half_way_is_left() {
    for handshake in [Handshake::UpgradeOnly, Handshake::NotConnected] {
        let mut scene = Scene::start(V2, |server, _| server.set_handshake(handshake)).await;
        scene.server.saw(|server| server.asked().len() == 1).await;
        let state = scene.gives_up().await;
        assert!(state.contains("the handshake took longer than 20s"), "{state}");
        scene.server.set_handshake(Handshake::Whole);
        scene.finds_back(&[]).await;
    }
}

#[tokio::test]
async fn a_line_that_stalls_is_left_and_what_was_said_meanwhile_is_told_once() {
    for generation in [V1, V2] {
        let ping = |server: &FakeRetake, _: &BadLine| server.set_ping(seconds(2), seconds(2), true);
        let mut scene = Scene::at_work(generation, ping).await;
        scene.line.set(Fault::Stalled);
        scene.server.say("bob", "while it stalls");
        let state = scene.gives_up().await;
        assert!(state.contains("no ping for 4s: the connection is dead"), "{state}");
        scene.finds_back(&["while it stalls"]).await;
    }
}

#[tokio::test]
async fn a_slow_line_is_no_dead_line() {
    let mut scene = Scene::at_work(V2, |_, _| {}).await;
    scene.line.set(Fault::Drips(Duration::from_millis(1)));
    scene.server.say("alice", "byte by byte");
    assert_eq!(scene.bot.chat_until("byte by byte").await, ["byte by byte"]);
    assert_eq!(scene.bot.statuses.all()[0].reconnects, 0);
}

#[tokio::test]
async fn a_frame_that_takes_for_ever_does_not_stand_for_a_ping() {
    let mut scene = Scene::at_work(V1, |server, _| server.set_ping(seconds(1), seconds(1), true)).await;
    scene.line.set(Fault::Drips(Duration::from_millis(50)));
    let long = "long ".repeat(100);
    scene.server.say("bob", &long);
    let state = scene.backs_off().await;
    assert!(state.contains("no ping for 2s"), "{state}");
    scene.finds_back(&[&long]).await;
}

#[tokio::test]
async fn a_server_that_does_not_read_puts_the_bot_out_and_takes_it_again() {
    let ping = |server: &FakeRetake, _: &BadLine| server.set_ping(Duration::from_millis(300), seconds(2), true);
    let mut scene = Scene::at_work(V2, ping).await;
    scene.line.set(Fault::Deaf);
    let state = scene.backs_off().await;
    assert!(state.contains("the connection was lost"), "{state}");
    assert_eq!(scene.server.pings().missed, 1);
    scene.finds_back(&[]).await;
}

#[tokio::test]
async fn a_frame_that_breaks_off_costs_a_connection_and_no_line() {
    for generation in [V1, V2] {
        let mut scene = Scene::at_work(generation, |_, _| {}).await;
        // In the header of the frame, behind it, in the midst of the text.
        for bytes in [1, 2, 3, 4, 40] {
            scene.line.set(Fault::BreaksAfter(bytes));
            let cut = format!("cut after {bytes}");
            scene.server.say("bob", &cut);
            let state = scene.backs_off().await;
            assert!(state.contains("the connection was lost"), "{state}");
            scene.finds_back(&[&cut]).await;
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_frames_cost_a_connection_and_no_more() {
    let mut scene = Scene::at_work(V2, |_, _| {}).await;
    let cases: [&[u8]; 7] = [
        // Invalid UTF-8 in a text, reserved bits, an unknown kind of frame, a masked one, one of eight exabytes, one
        // that goes on with what never began, and what was never a frame.
        b"\x81\x02\xff\xfe",
        b"\xf1\x01a",
        b"\x83\x00",
        b"\x81\x81\x00\x00\x00\x00a",
        b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\x01a",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n<html>Come back later.</html>",
    ];
    for bytes in cases {
        scene.line.say(bytes);
        let state = scene.backs_off().await;
        assert!(state.contains("the connection was lost") || state.contains("more than 2097152 bytes"), "{state}");
        scene.finds_back(&[]).await;
    }
    assert_eq!(scene.bot.statuses.all()[0].reconnects, 7);
}

#[tokio::test]
async fn what_is_told_again_and_again_is_told_once() {
    let mut scene = Scene::at_work(V2, |_, _| {}).await;
    for text in ["one", "two"] {
        scene.server.say_often("bob", text, 5);
    }
    scene.server.say("bob", "last");
    assert_eq!(scene.bot.chat_until("last").await, ["one", "two", "last"]);
    // Also over a new connection, which reads the history.
    scene.server.drop_sockets();
    scene.server.room_has(0).await;
    scene.server.say_unheard("bob", "missed");
    scene.works(&["missed"]).await;
    scene.server.say_often("bob", "again", 3);
    assert_eq!(scene.bot.chat_until("again").await, ["again"]);
}

#[tokio::test]
async fn what_comes_in_the_wrong_order_is_told_once_each() {
    let mut scene = Scene::at_work(V2, |_, _| {}).await;
    let texts: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    scene.server.say_backwards("bob", &texts);
    let backwards: Vec<String> = texts.iter().rev().cloned().collect();
    assert_eq!(scene.bot.chat_until("0").await, backwards, "nobody knows better than the platform");
    scene.server.drop_sockets();
    scene.server.room_has(0).await;
    scene.server.say_unheard("bob", "missed");
    scene.works(&["missed"]).await;
}

#[tokio::test]
async fn large_messages_are_cut_and_larger_ones_cost_a_connection() {
    let mut scene = Scene::at_work(V2, |_, _| {}).await;
    for number in 0..3 {
        // Just below what is taken at all.
        let (text, name) = ("ü".repeat(900_000), "é".repeat(100_000));
        let message = json!({ "_id": format!("large{number}"), "text": text, "sender_username": name });
        scene.server.emit("message", &message);
        let (chat, _) = scene.bot.chat().await;
        assert_eq!((chat.text.len(), chat.author.display_name.len()), (8 << 10, 256));
    }
    for _ in 0..3 {
        scene.server.push(Push::Frames(vec![Message::text("x".repeat(10 << 20))]));
        let state = scene.backs_off().await;
        assert!(state.contains("the server sent more than 2097152 bytes in one message"), "{state}");
        scene.finds_back(&[]).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_called_by_socket_and_by_history_once_for_each_try() {
    let mut scene = Scene::start(V2, |_, line| line.set(Fault::HangsUp)).await;
    for tries in 1..=10 {
        let state = scene.backs_off().await;
        assert!(state.contains("the server hung up in the midst of the handshake"), "{state}");
        // The history may be asked for once more, when it was slower than the first pause.
        assert!(scene.line.taken() >= 2 * tries, "{} connections", scene.line.taken());
        scene.bot.statuses.restart(ACCOUNT);
    }
    scene.finds_back(&[]).await;
    assert_eq!(scene.server.most_sockets(), 1);
}

#[tokio::test]
async fn a_server_that_is_busy_is_left_alone_and_its_history_too() {
    for status in [429, 500, 503] {
        let mut scene = Scene::start(V2, |server, _| server.refuse_sockets(Some(Refusal::html(status)))).await;
        let state = scene.backs_off().await;
        assert!(state.contains(&format!("the server refused the socket: HTTP {status}")), "{state}");
        let asked = scene.server.asked();
        assert!(asked.iter().all(|asked| asked.path == "/socket.io/"), "{asked:?}");
        scene.server.refuse_sockets(None);
        scene.finds_back(&[]).await;
    }
}
