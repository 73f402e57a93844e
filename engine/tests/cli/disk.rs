//! A disk that is full, gone or read-only under a running daemon, and at its start. A limit on the size of files stands
//! for the full disk: it can be set and lifted from outside, and nobody needs to be root for it.

use std::fs;
use std::process::Stdio;

use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::daemon::Daemon;
use crate::http::{HOST, get};
use crate::lines::until;
use crate::place::{ANY_PORT, Place};

/// Lets the files of a running daemon grow no further, or again.
fn limit_files(daemon: &Daemon, most: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    let old = prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    prlimit(pid, Resource::Fsize, Rlimit { current: most, maximum: old.maximum }).unwrap();
}

fn status(place: &Place) -> String {
    place.say(&["status"]).ok()
}

fn count(place: &Place, sql: &str) -> i64 {
    let connection = Connection::open(place.data().join("showrunner.db")).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn metric(daemon: &Daemon, name: &str) -> f64 {
    let (_, page) = get(daemon, "/metrics", &[HOST]);
    page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
}

#[test]
fn on_a_full_disk_chat_goes_on_tasks_are_refused_and_what_waited_is_written_when_there_is_room() {
    let files = "[agent]\nqueue-file = \"queue.jsonl\"\nhealth-file = \"health.json\"\n";
    let place = Place::new(&format!("{ANY_PORT}{files}"));
    let daemon = place.start();
    let watch = place.watch(&[]);
    assert_eq!(metric(&daemon, "showrunner_store_failing "), 0.0);

    limit_files(&daemon, Some(0));
    for number in 0..40 {
        place.chat(&format!("early{number}"), "hello");
    }
    for number in 0..40 {
        watch.out.wait_for(&["(own)", &format!("Hello early{number}!")]);
    }
    until("the trouble", || status(&place).contains("can't be relied on").then_some(()));
    assert!(status(&place).contains("chat is answered from memory, see to the disk"));
    let (code, body) = get(&daemon, "/readyz", &[HOST]);
    assert!(code == 503 && body.contains("\"store\":{\"ready\":false,\"why\":"), "{code} {body}");
    assert_eq!(get(&daemon, "/healthz", &[HOST]).0, 200, "it lives");
    until("the metric", || (metric(&daemon, "showrunner_store_failing ") > 0.0).then_some(()));

    // The viewer is not told that somebody works on it, and nobody does.
    place.chat("alice", "what is the airspeed of a swallow?");
    watch.out.wait_for(&["agent-queue", "The agent's queue took no task: unavailable: the database can't be written"]);
    assert_eq!(place.say(&["queue", "list"]).ok(), "There are no tasks.\n");
    place.chat("bob", "hello");
    watch.out.wait_for(&["(own)", "Hello bob!"]);
    daemon.log.wait_for(&["The health file can't be written."]);
    assert_eq!(daemon.log.count("The database can't be written"), 1, "and not for each event:\n{}", daemon.log.text());

    limit_files(&daemon, None);
    daemon.log.wait_for(&["The database can be written again."]);
    daemon.log.wait_for(&["The health file can be written again."]);
    assert!(status(&place).contains("store  well"));
    assert_eq!(get(&daemon, "/readyz", &[HOST]).0, 200);
    until("the metric", || (metric(&daemon, "showrunner_store_failing ") < 1.0).then_some(()));
    assert_eq!(metric(&daemon, "showrunner_store_lost_writes_total "), 0.0);
    place.chat("carol", "and of a coconut?");
    until("the task", || place.say(&["queue", "list"]).ok().contains("coconut").then_some(()));
    until("the queue file", || {
        fs::read_to_string(place.path().join("queue.jsonl")).ok()?.contains("coconut").then_some(())
    });
    daemon.stop();
    assert_eq!(count(&place, "SELECT count(*) FROM events WHERE envelope LIKE '%\"early%' AND own = 0"), 40);
    assert_eq!(count(&place, "SELECT count(*) FROM effects WHERE state = 'done' AND effect LIKE '%Hello early%'"), 40);
}

#[test]
fn a_data_folder_that_is_deleted_is_told_and_all_of_it_can_be_saved() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    let watch = place.watch(&[]);
    place.chat("alice", "what is the airspeed of a swallow?");
    until("the task", || place.say(&["queue", "list"]).ok().contains("swallow").then_some(()));

    // The daemon may put its socket there again while it is deleted.
    let away = place.path().join("away");
    fs::rename(place.data(), &away).unwrap();
    fs::remove_dir_all(away).unwrap();
    daemon.log.wait_for(&["The database can't be written.", "deleted or replaced"]);
    daemon.log.wait_for(&["The control socket was removed, and is there again."]);
    let status = until("the way back in", || Some(place.say(&["status"])).filter(|said| said.code == 0)).ok();
    assert!(status.contains("showrunner.db was deleted or replaced while it is in use"), "{status}");
    assert!(status.contains("`showrunner backup FILE`"), "{status}");
    assert_eq!(get(&daemon, "/readyz", &[HOST]).0, 503);
    place.chat("bob", "hello");
    watch.out.wait_for(&["Hello bob!"]);
    place.chat("carol", "and of a coconut?");
    watch.out.wait_for(&["agent-queue", "took no task: unavailable"]);

    let said = place.say(&["backup", "saved.db"]);
    assert!(said.err.contains("warning: the copy is whole, but"), "{said:?}");
    assert!(said.ok().contains("1 task"));
    daemon.stop().wait_for(&["The file of the database is gone"]);
    place.say(&["restore", "saved.db"]).ok();
    let daemon = place.start();
    let listed = place.say(&["queue", "list"]).ok();
    assert!(listed.contains("swallow") && !listed.contains("coconut"), "{listed}");
    daemon.stop();
    assert!(count(&place, "SELECT count(*) FROM events WHERE envelope LIKE '%\"bob\"%'") > 0, "what came after, too");
}

#[test]
fn a_start_that_finds_no_room_says_what_to_do_and_the_next_one_succeeds() {
    let place = Place::new(ANY_PORT);
    let refusal = place.say_with_small_files(16, &["run"]);
    assert_eq!((refusal.code, refusal.out.as_str()), (1, ""), "{refusal:?}");
    let error = refusal.err.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.contains("showrunner.db") && refusal.err.contains("help: "), "{refusal:?}");
    assert!(!place.data().join("control.sock").exists());
    place.start().stop();
}

#[test]
fn plugins_are_loaded_where_nothing_compiled_can_be_kept() {
    let place = Place::new(ANY_PORT);
    let compiled = place.data().join("compiled");
    fs::remove_file(&compiled).unwrap();
    fs::write(&compiled, "in the way").unwrap();
    let daemon = place.start();
    daemon.log.wait_for(&["Compiled plugins can't be kept; they are compiled at each start."]);
    until("the plugin", || status(&place).contains("instant-replies 0.1.0: running").then_some(()));
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let place = Place::new(ANY_PORT);
    let mut command = place.command(&["run"]);
    command.stdout(Stdio::null()).stderr(fs::File::options().write(true).open("/dev/full").unwrap());
    let mut daemon = command.spawn().unwrap();
    until("the daemon", || (place.say(&["status"]).code == 0).then_some(()));
    let watch = place.watch(&[]);
    place.chat("alice", "hello");
    watch.out.wait_for(&["Hello alice!"]);
    place.say(&["stop"]).ok();
    assert!(daemon.wait().unwrap().success());
}

#[test]
fn a_config_that_cannot_be_written_stays_as_it_was() {
    let place = Place::new(ANY_PORT);
    place.drop_greeter();
    let before = fs::read_to_string(place.config()).unwrap();
    let said = place.say_with_small_files(0, &["plugins", "disable", "greeter-rust"]);
    assert!(said.code == 1 && said.err.contains("can't write") && said.err.contains("showrunner.toml"), "{said:?}");
    assert!(said.err.contains("nothing was changed"), "{said:?}");
    assert_eq!(fs::read_to_string(place.config()).unwrap(), before);
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
