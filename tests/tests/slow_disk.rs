//! A database that another program holds: what a disk does that takes seconds for each write.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may assume")]

use std::time::Duration;

use rusqlite::Connection;
use showrunner::config::settings::RetakeGeneration;
use showrunner::event::{Envelope, Event, OutcomeStatus};
use showrunner::observation::Observation;
use showrunner_tests::daemon::{Daemon, Stage};
use showrunner_tests::retake::{BOT_NAME, FakeRetake};

const ANSWERS: i64 = 10;

/// Lets nobody else write until it is dropped.
fn hold(stage: &Stage) -> Connection {
    let connection = Connection::open(stage.data_dir().join("showrunner.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// The bot was heard to say this in the room.
fn says(envelope: &Envelope, text: &str) -> bool {
    matches!(&envelope.event, Event::Chat(message) if message.text == text && message.author.display_name == BOT_NAME)
}

fn asks(envelope: &Envelope) -> bool {
    matches!(&envelope.event, Event::Chat(message) if message.text.starts_with("task "))
}

fn task_outcomes(daemon: &mut Daemon) -> Vec<OutcomeStatus> {
    let ended = |seen: &Observation| match seen {
        Observation::Outcome { effect, result, .. } if effect == "enqueue" => Some(result.status),
        _ => None,
    };
    daemon.so_far().iter().filter_map(|seen| ended(seen)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_keep_coming_moderation_is_carried_out_and_tasks_wait_and_are_then_done() {
    let retake = FakeRetake::start(RetakeGeneration::V1).await;
    let mut stage = Stage::with_probe();
    stage.connect(&retake.settings());
    let mut daemon = stage.start().await;
    retake.room_has(1).await;
    retake.say("alice", "echo before");
    daemon.event("the answer", |envelope| says(envelope, "before")).await;

    let held = hold(&daemon.stage);
    retake.say("alice", "task what is the airspeed of a swallow?");
    let asked = daemon.event("the question", asks).await;
    daemon.decision(&asked.id, "probe").await;
    // Nobody knows yet that the disk stalls.
    let event = daemon.chat("ban mallory").await;
    assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
    assert_eq!(task_outcomes(&mut daemon), [], "the task waits for the disk");
    for number in 0..ANSWERS {
        retake.say("bob", &format!("echo answer {number}"));
    }
    for number in 0..ANSWERS {
        let text = format!("answer {number}");
        daemon.event(&text, |envelope| says(envelope, &text)).await;
    }
    // Also one that the database would be asked for first.
    retake.say("carol", "viewer u-alice");
    daemon.event("an answer without the database", |envelope| says(envelope, "unknown")).await;

    let problem = daemon.store_problem("the disk has not answered for").await;
    assert!(problem.contains("chat is answered from memory"), "{problem}");
    let event = daemon.chat("ban trudy").await;
    assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
    assert_eq!(task_outcomes(&mut daemon), [], "it still waits");

    held.execute_batch("ROLLBACK").unwrap();
    let waited = daemon.until("the task", |seen| match seen {
        Observation::Outcome { effect, result, .. } if effect == "enqueue" => Some(result.clone()),
        _ => None,
    });
    let task = waited.await;
    assert_eq!(task.status, OutcomeStatus::Done, "{task:?}");
    daemon.store_well().await;
    assert_eq!(daemon.answer_task("African?").await.prompt, "what is the airspeed of a swallow?");
    let stage = daemon.stop().await;

    let connection = Connection::open(stage.data_dir().join("showrunner.db")).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM events WHERE own = 0 AND envelope LIKE '%echo answer%'"), ANSWERS);
    assert_eq!(count("SELECT count(*) FROM effects WHERE state = 'pending'"), 0);
    assert_eq!(retake.sent().iter().filter(|line| line.starts_with("answer ")).count() as i64, ANSWERS, "once each");
}
