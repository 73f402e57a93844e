//! The whole engine on a bad network: each line of a viewer is answered once or not at all, and what is not known is
//! said.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use showrunner::config::settings::RetakeGeneration::V2;
use showrunner::event::{Event, OutcomeStatus};
use showrunner::gateway::control::Request;
use showrunner::observation::{ConnectionState, Observation};
use showrunner_tests::daemon::{Daemon, Stage};
use showrunner_tests::line::{BadLine, Fault};
use showrunner_tests::retake::{FakeRetake, SendAnswer};

/// A probe that answers a chat over a line that may go bad.
async fn start() -> (FakeRetake, BadLine, Daemon) {
    let server = FakeRetake::start(V2).await;
    let (line, settings) = server.line().await;
    let mut stage = Stage::with_probe();
    stage.connect(&settings);
    let mut daemon = stage.start().await;
    until_ready(&mut daemon).await;
    server.saw(|server| server.joins() == 1).await;
    (server, line, daemon)
}

async fn until_ready(daemon: &mut Daemon) {
    let ready = |seen: &Observation| match seen {
        Observation::Connection { name, state: ConnectionState::Ready { degraded: None } } if name == "retake:5b7c" => {
            Some(())
        }
        _ => None,
    };
    daemon.until("a connection that is ready", ready).await;
}

fn answered(server: &FakeRetake) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for text in server.sent() {
        *counts.entry(text).or_default() += 1;
    }
    counts
}

fn each_once(texts: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    texts.into_iter().map(|text| (text, 1)).collect()
}

/// How the answers have ended so far.
fn ended(daemon: &mut Daemon) -> Vec<OutcomeStatus> {
    let status = |seen: &Observation| match seen {
        Observation::Outcome { result, .. } => Some(result.status),
        _ => None,
    };
    daemon.so_far().iter().filter_map(|seen| status(seen)).collect()
}

#[tokio::test]
async fn a_service_that_asks_to_wait_gets_each_line_once() {
    let (server, _line, daemon) = start().await;
    let wait = |seconds: &str| SendAnswer::Status { code: 429, retry_after: Some(seconds.into()) };
    let busy = SendAnswer::Status { code: 429, retry_after: None };
    server.answer_next_sends([wait("0.2"), SendAnswer::Properly, busy.clone(), busy, wait("0"), SendAnswer::Properly]);
    let texts: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    for text in &texts {
        server.say("alice", &format!("echo {text}"));
    }
    server.saw(|server| server.sent().len() >= texts.len()).await;
    daemon.stop().await;
    assert_eq!(answered(&server), each_once(texts));
}

#[tokio::test]
async fn a_service_that_fails_gets_no_line_twice_and_nobody_is_told_that_it_arrived() {
    let (server, _line, mut daemon) = start().await;
    let failed = SendAnswer::Status { code: 500, retry_after: None };
    // Some fail before the line is out, some after.
    server.answer_next_sends([failed.clone(), SendAnswer::DoneBut(502), failed, SendAnswer::DoneBut(503)]);
    for number in 0..10 {
        server.say("alice", &format!("echo {number}"));
    }
    server.saw(|server| server.asked().iter().filter(|asked| asked.path.ends_with("/send")).count() == 10).await;
    let ends = outcomes(&mut daemon, 10).await;
    let uncertain = ends.iter().filter(|status| **status == OutcomeStatus::Uncertain).count();
    assert_eq!((uncertain, ends.len()), (4, 10), "{ends:?}");
    daemon.stop().await;
    let answered = answered(&server);
    assert_eq!(answered.len(), 8);
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
}

/// The ends of so many answers.
async fn outcomes(daemon: &mut Daemon, count: usize) -> Vec<OutcomeStatus> {
    let mut seen = ended(daemon);
    while seen.len() < count {
        daemon.next_observation().await;
        seen = ended(daemon);
    }
    seen
}

#[tokio::test]
async fn what_is_told_again_and_in_the_wrong_order_is_answered_once() {
    let (server, _line, daemon) = start().await;
    let often: Vec<String> = (0..5).map(|number| format!("often {number}")).collect();
    for text in &often {
        server.say_often("alice", &format!("echo {text}"), 3);
    }
    let backwards: Vec<String> = (0..5).map(|number| format!("backwards {number}")).collect();
    server.say_backwards("bob", &backwards.iter().map(|text| format!("echo {text}")).collect::<Vec<_>>());
    server.drop_sockets();
    server.room_has(0).await;
    server.say_unheard("carol", "echo missed");
    server.saw(|server| server.sent().iter().any(|text| text == "missed")).await;
    daemon.stop().await;
    let all = often.into_iter().chain(backwards).chain(["missed".to_owned()]);
    assert_eq!(answered(&server), each_once(all));
}

#[tokio::test]
async fn a_service_that_never_answers_holds_up_no_moderation_of_the_engine_and_no_other_channel() {
    let (server, _line, mut daemon) = start().await;
    server.answer_sends(SendAnswer::Never);
    for number in 0..50 {
        server.say("alice", &format!("echo {number}"));
    }
    // As many as are let out at once, and no more.
    server.saw(|server| server.asked().iter().filter(|asked| asked.path.ends_with("/send")).count() == 4).await;
    assert_eq!(daemon.ask("probe", "echo here").await, ["here"]);
    let event = daemon.chat("echo and out").await;
    assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
    daemon.until_idle("probe").await;
    server.answer_sends(SendAnswer::Properly);
    daemon.stop().await;
    assert!(answered(&server).values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_line_that_breaks_off_again_and_again_loses_and_doubles_nothing() {
    let (server, line, daemon) = start().await;
    let mut texts = Vec::new();
    for (round, bytes) in [3, 60, 300].into_iter().enumerate() {
        for number in 0..5 {
            let text = format!("round {round}.{number}");
            server.say("alice", &format!("echo {text}"));
            texts.push(text);
        }
        server.saw(|server| server.sent().len() >= texts.len()).await;
        line.set(Fault::BreaksAfter(bytes));
        let text = format!("while it breaks {round}");
        server.say("bob", &format!("echo {text}"));
        texts.push(text.clone());
        server.room_has(0).await;
        let joins = server.joins();
        line.set(Fault::None);
        server.saw(|server| server.joins() > joins && server.sent().contains(&text)).await;
    }
    daemon.stop().await;
    assert_eq!(answered(&server), each_once(texts));
}

#[tokio::test]
async fn frames_as_large_as_are_taken_leave_little_behind() {
    let (server, _line, mut daemon) = start().await;
    let text = "x".repeat(1 << 20);
    for number in 0..50 {
        let id = format!("large{number}");
        server.emit("message", &serde_json::json!({ "_id": id, "text": text, "sender_username": "bob" }));
    }
    server.say("alice", "echo through");
    server.saw(|server| server.sent() == ["through"]).await;
    // The answer may have come from the history, and sooner.
    daemon.event("the last of them", |envelope| *envelope.id == *"retake:large49").await;
    let lengths: Vec<usize> = daemon.so_far().iter().filter_map(|seen| chat_length(seen)).collect();
    assert_eq!(lengths.iter().filter(|length| **length == 8 << 10).count(), 50);
    assert!(lengths.iter().all(|length| *length <= 8 << 10));
    assert_eq!(daemon.status("probe").await.dropped, 0);
    daemon.stop().await;
}

fn chat_length(seen: &Observation) -> Option<usize> {
    match seen {
        Observation::Event { envelope, .. } => match &envelope.event {
            Event::Chat(message) => Some(message.text.len()),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn a_stop_waits_for_a_service_that_never_answers_no_longer_than_it_may() {
    let server = FakeRetake::start(V2).await;
    let mut stage = Stage::with_probe();
    stage.connect(&server.settings()).set("pipeline", "drain", "\"1s\"");
    let mut daemon = stage.start().await;
    until_ready(&mut daemon).await;
    server.saw(|server| server.joins() == 1).await;
    server.answer_sends(SendAnswer::Never);
    server.say("alice", "echo never");
    server.saw(|server| server.asked().iter().any(|asked| asked.path.ends_with("/send"))).await;
    daemon.stop().await;
}

/// A secret that is there when somebody lets it: a program that says that it was asked, and waits.
fn set_slow_token(stage: &mut Stage) {
    let program = stage.path().join("token.sh");
    let folder = stage.path().display().to_string();
    let waits = format!("cd {folder}\n: > asked\nwhile [ ! -e answer ]; do sleep 0.02; done\ncat token\n");
    fs::write(&program, waits).unwrap();
    stage.set("[retake]", "token", &format!("\"cmd:sh {}\"", program.display()));
}

#[tokio::test]
async fn a_reload_that_a_stop_overtakes_connects_nothing() {
    let server = FakeRetake::start(V2).await;
    let mut stage = Stage::with_probe();
    stage.connect(&server.settings());
    let mut daemon = stage.start().await;
    until_ready(&mut daemon).await;
    set_slow_token(&mut daemon.stage);
    daemon.stage.set("retake.pace", "in-flight", "7").write_config();
    let (asked, answer) = (daemon.stage.path().join("asked"), daemon.stage.path().join("answer"));
    while !asked.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.request(&Request::Stop).await.unwrap();
    server.room_has(0).await;
    fs::write(answer, "").unwrap();
    daemon.ended().await;
    let is_connecting = |seen: &Observation| match seen {
        Observation::Connection { name, state } => name == "retake:5b7c" && *state == ConnectionState::Connecting,
        _ => false,
    };
    assert_eq!(daemon.so_far().iter().filter(|seen| is_connecting(seen)).count(), 1);
    assert_eq!((server.joins(), server.sockets_in_room()), (1, 0));
}
