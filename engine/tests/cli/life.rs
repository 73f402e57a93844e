//! Stopping, being killed, and coming back.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;

use crate::place::{ANY_PORT, Place};

/// A chat that takes one message at once and then so many a second.
fn slow_chat(per_second: &str, drain: &str) -> Place {
    let pace =
        format!("[simulator.pace]\nmessages-per-second = {per_second}\nburst = 1\nin-flight = 1\nexpiry = \"1h\"\n");
    Place::new(&format!("{ANY_PORT}[pipeline]\ndrain = \"{drain}\"\n{pace}"))
}

fn assert_clean(place: &Place) {
    let database = place.data().join("showrunner.db");
    let connection = Connection::open(&database).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_stop_sends_what_is_queued_and_leaves_the_database_clean() {
    let place = slow_chat("5", "20s");
    let daemon = place.start();
    let watch = place.watch(&[]);
    for number in 0..6 {
        place.chat(&format!("viewer{number}"), "hello");
    }
    watch.out.wait_for_many(6, &["→ say \"Hello viewer"]);
    let log = daemon.stop();
    watch.out.wait_for_many(6, &["instant-replies say in simulator:demo done"]);
    log.wait_for(&["Asked to stop", "SIGTERM"]);
    log.wait_for(&["Stopped."]);
    assert!(!place.data().join("control.sock").exists());
    assert!(!place.data().join("showrunner.db-wal").exists(), "the journal was folded into the database");
    assert_clean(&place);
}

#[test]
fn a_stop_ends_in_time_and_says_what_it_could_not_send() {
    let place = slow_chat("0.001", "300ms");
    let daemon = place.start();
    let watch = place.watch(&[]);
    for number in 0..8 {
        place.chat(&format!("viewer{number}"), "hello");
    }
    watch.out.wait_for_many(8, &["→ say \"Hello viewer"]);
    daemon.stop().wait_for(&["The time to stop was up before everything was sent.", "\"left\":"]);
    assert_clean(&place);
}

#[test]
fn a_second_signal_stops_at_once() {
    let place = slow_chat("0.001", "80s");
    let mut daemon = place.start();
    let watch = place.watch(&[]);
    for number in 0..12 {
        place.chat(&format!("viewer{number}"), "hello");
    }
    watch.out.wait_for_many(12, &["→ say \"Hello viewer"]);
    daemon.signal("TERM");
    daemon.log.wait_for(&["Asked to stop; sending what is queued."]);
    daemon.signal("INT");
    let status = daemon.wait();
    assert_eq!(status.code(), Some(1), "{status}");
    daemon.log.wait_for(&["Asked to stop again; what is queued is lost.", "SIGINT"]);
}

#[test]
fn the_command_stops_as_the_signal_does() {
    let place = Place::new(ANY_PORT);
    let mut daemon = place.start();
    let mut watch = place.watch(&[]);
    assert_eq!(place.say(&["stop"]).ok(), "Stopped.\n");
    // It is over, so that whoever comes next finds nobody there.
    let _next = place.start();
    assert!(daemon.wait().success());
    daemon.log.wait_for(&["Stopped."]);
    watch.log.wait_for(&["The daemon stops."]);
    assert!(watch.wait().success());
}

#[test]
fn whoever_watches_a_daemon_that_is_killed_is_told() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    let mut watch = place.watch(&[]);
    daemon.kill();
    watch.log.wait_for(&["the daemon ended the connection"]);
    assert_eq!(watch.wait().code(), Some(1));
}

/// The ids and the numbers of the events that a watcher saw.
fn identities(watched: &[String]) -> Vec<(String, String, u64)> {
    let values = watched.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    values
        .filter(|value| value["observed"] == "event")
        .map(|value| {
            let envelope = &value["envelope"];
            let channel = format!("{}", envelope["channel"]);
            (channel, envelope["id"].as_str().unwrap().to_owned(), envelope["sequence"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn a_daemon_that_was_killed_comes_back_and_repeats_no_number() {
    let place = Place::new(ANY_PORT);
    let mut seen = Vec::new();
    for round in 0..3 {
        let daemon = place.start();
        let watch = place.watch(&["--json"]);
        for number in 0..4 {
            place.chat(&format!("viewer{number}"), &format!("question {number} of round {round}"));
        }
        watch.out.wait_for(&["\"observed\":\"event\"", &format!("question 3 of round {round}")]);
        daemon.kill();
        seen.extend(identities(&watch.out.all()));
    }
    let ids: BTreeSet<_> = seen.iter().map(|(_, id, _)| id).collect();
    let numbers: BTreeSet<_> = seen.iter().map(|(channel, _, sequence)| (channel, sequence)).collect();
    assert_eq!((ids.len(), numbers.len()), (seen.len(), seen.len()), "{seen:#?}");

    // What was acknowledged as durable is there.
    let daemon = place.start();
    assert!(place.say(&["status"]).ok().contains("store  well"));
    let listed = place.say(&["queue", "list"]).ok();
    assert!(listed.contains("question 0 of round 0"), "{listed}");
    daemon.stop();
    assert_clean(&place);
}
