//! The agent's work from a shell.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::lines::until;
use crate::place::{ANY_PORT, Place};

/// The tasks of a command with `--json`.
fn tasks(place: &Place, command: &[&str]) -> Vec<Value> {
    let out = place.say(command).ok();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until this many tasks wait.
fn waiting(place: &Place, count: usize) -> Vec<Value> {
    until("the tasks", || Some(tasks(place, &["queue", "list", "--json"])).filter(|tasks| tasks.len() == count))
}

fn text<'a>(task: &'a Value, field: &str) -> &'a str {
    task[field].as_str().unwrap()
}

#[test]
fn what_nobody_answers_is_a_task_and_the_answer_is_said_in_chat() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let watch = place.watch(&[]);
    place.chat("alice", "what is the airspeed of a swallow?");
    let listed = waiting(&place, 1);
    assert_eq!((text(&listed[0], "state"), text(&listed[0], "queue")), ("waiting", "main"));
    let context: Value = serde_json::from_str(text(&listed[0], "context_json")).unwrap();
    assert_eq!(context["author"], "alice");

    let leased = tasks(&place, &["queue", "lease", "main", "--limit", "5", "--json"]);
    let (id, lease) = (text(&leased[0], "id"), text(&leased[0], "lease"));
    assert_eq!((text(&leased[0], "state"), &leased[0]["attempts"]), ("leased", &Value::from(1)));
    assert!(tasks(&place, &["queue", "lease", "main", "--json"]).is_empty(), "it is leased already");
    let shown = place.say(&["queue", "list"]).ok();
    assert!(shown.contains("main leased, from agent-queue") && shown.contains("swallow"), "{shown}");

    assert_eq!(place.say(&["queue", "reply", id, "African", "or European?"]).ok(), "Answered.\n");
    watch.out.wait_for(&["(own)", "Showrunner: African or European?"]);
    assert_eq!(place.say(&["queue", "list"]).ok(), "There are no tasks.\n");
    assert!(place.say(&["queue", "ack", id, lease]).refused(1).contains("is done already"));
}

#[test]
fn a_task_is_acknowledged_given_back_dead_and_brought_to_life() {
    let place = Place::new(&format!("{ANY_PORT}[agent]\nattempts = 2\n"));
    let _daemon = place.start();
    place.chat("alice", "first");
    waiting(&place, 1);
    place.chat("bob", "second");
    waiting(&place, 2);
    let lease = || tasks(&place, &["queue", "lease", "main", "--json"]).remove(0);

    let first = lease();
    assert!(place.say(&["queue", "ack", text(&first, "id"), "another"]).refused(1).contains("leased to somebody else"));
    assert_eq!(place.say(&["queue", "ack", text(&first, "id"), text(&first, "lease")]).ok(), "Acknowledged.\n");
    let left = tasks(&place, &["queue", "list", "main", "--limit", "1", "--json"]);
    assert_eq!(text(&left[0], "prompt"), "second", "what is done is in nobody's way");

    for _ in 0..2 {
        let second = lease();
        assert_eq!(place.say(&["queue", "nack", text(&second, "id"), text(&second, "lease")]).ok(), "Given back.\n");
    }
    let dead = tasks(&place, &["queue", "dead", "--json"]);
    assert_eq!((text(&dead[0], "prompt"), text(&dead[0], "state")), ("second", "dead"));
    until("the count", || place.say(&["status"]).ok().contains("main: 0 waiting, 0 leased, 1 dead").then_some(()));
    let id = text(&dead[0], "id");
    assert_eq!(place.say(&["queue", "requeue", id]).ok(), "Waiting again.\n");
    assert!(place.say(&["queue", "requeue", id]).refused(1).contains("only a dead one can be put back"));
    let third = lease();
    let delayed = place.say(&["queue", "nack", text(&third, "id"), text(&third, "lease"), "--delay", "1h"]);
    assert_eq!(delayed.ok(), "Given back.\n");
    assert_eq!(place.say(&["queue", "lease", "main"]).ok(), "There are no tasks.\n");
    assert!(place.say(&["queue", "reply", "nobody", "x"]).refused(1).contains("there is no task"));
}

#[test]
fn agents_that_read_files_are_served_and_woken_without_a_word_of_a_viewer() {
    let place = Place::new("");
    let (script, runs) = (place.path().join("wake.sh"), place.path().join("runs"));
    fs::write(&script, format!("#!/bin/sh\n(printf '%s|' \"$@\"; env; echo) >> '{}'\n", runs.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let wake = format!("wake = [\"{}\", \"two words\", \"$(touch pwned)\"]", script.display());
    let files = "queue-file = \"queue.jsonl\"\nhealth-file = \"health.json\"";
    place.configure(&format!("{ANY_PORT}[agent]\n{wake}\nwake-debounce = \"1m\"\n{files}\n"));
    let daemon = place.start();
    for number in 0..5 {
        place.chat(&format!("viewer{number}"), &format!("EVIL {number}; touch pwned; `touch pwned`"));
    }
    waiting(&place, 5);

    let queue = place.path().join("queue.jsonl");
    let lines = until("the queue file", || {
        let lines: Vec<Value> =
            fs::read_to_string(&queue).ok()?.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines.len() == 5).then_some(lines)
    });
    assert_eq!((text(&lines[0], "author"), lines[0]["ts"].is_u64()), ("viewer0", true));
    assert_eq!(text(&lines[4], "text"), "EVIL 4; touch pwned; `touch pwned`");
    let health = until("the health file", || fs::read_to_string(place.path().join("health.json")).ok());
    let health: Value = serde_json::from_str(&health).unwrap();
    assert!(health["status"].is_string() && health["uptime"].is_u64() && health["reconnects"].is_u64(), "{health}");

    // One at once; one more would come when the minute is over.
    let woken = || fs::read_to_string(&runs).unwrap_or_default().matches("two words|$(touch pwned)|").count();
    until("the wake", || (woken() > 0).then_some(()));
    daemon.stop();
    assert_eq!(woken(), 1, "one run for a burst");
    assert!(!fs::read_to_string(&runs).unwrap().contains("EVIL"), "no text of a viewer");
    assert!(!place.path().join("pwned").exists());
}
