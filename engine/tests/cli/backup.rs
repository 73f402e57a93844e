//! Copying the database of a running daemon, and going on from a copy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::lines::until;
use crate::place::{ANY_PORT, Place};

fn waits_for(place: &Place, question: &str) {
    until("the task", || place.say(&["queue", "list"]).ok().contains(question).then_some(()));
}

fn names(place: &Place) -> Vec<String> {
    let names = fs::read_dir(place.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_daemon_goes_on_from_the_copy_of_another_moment() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    place.chat("alice", "what is the airspeed of a swallow?");
    waits_for(&place, "swallow");
    let said = place.say(&["backup", "copy.db"]).ok();
    assert!(said.starts_with("Wrote and checked ") && said.contains("copy.db: "), "{said}");
    assert!(said.contains(", 1 task and 1 value of a plugin."), "{said}");
    assert_eq!(fs::metadata(place.path().join("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);

    // What is there is kept, unless it is meant.
    let refusal = place.say(&["backup", "copy.db"]).refused(1);
    assert!(refusal.contains("is there already") && refusal.contains("--force"), "{refusal}");
    let said = place.say(&["backup", "copy.db", "--force", "--json"]).ok();
    let copied: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&copied["tasks"], copied["bytes"].as_u64().unwrap() > 4096), (&Value::from(1), true));

    place.chat("bob", "and of a coconut?");
    waits_for(&place, "coconut");
    let refusal = place.say(&["restore", "copy.db"]).refused(1);
    assert!(refusal.contains("a daemon runs on this data folder (process ") && refusal.contains("showrunner stop"));
    daemon.stop();

    let said = place.say(&["restore", "copy.db"]).ok();
    assert!(said.contains("showrunner.db is now what copy.db holds: ") && said.contains("1 task"), "{said}");
    let aside = said.split("is kept as ").nth(1).unwrap().split(';').next().unwrap();
    assert!(fs::metadata(aside).unwrap().len() > 0, "{aside}");

    let daemon = place.start();
    let watch = place.watch(&[]);
    assert!(place.say(&["status"]).ok().contains("store  well"));
    let listed = place.say(&["queue", "list", "--json"]).ok();
    assert!(listed.contains("swallow") && !listed.contains("coconut"), "{listed}");
    // The plugin remembers who asked.
    let task: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    place.say(&["queue", "reply", task["id"].as_str().unwrap(), "African?"]).ok();
    watch.out.wait_for(&["(own)", "African?"]);
    daemon.stop();

    // Back to where it was, without a daemon.
    place.say(&["restore", aside]).ok();
    let said = place.say(&["backup", "at-rest.db"]).ok();
    assert!(said.contains(", 2 tasks and 2 values of plugins."), "{said}");
    assert_eq!(names(&place), ["at-rest.db", "copy.db", "plugins", "showrunner-data", "showrunner.toml"]);
}

#[test]
fn a_copy_that_finds_no_room_leaves_nothing_and_harms_nobody() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    place.chat("alice", "what is the airspeed of a swallow?");
    waits_for(&place, "swallow");
    let refusal = place.say_with_small_files(16, &["backup", "copy.db"]).refused(1);
    assert!(refusal.contains("copy.db"), "{refusal}");
    assert_eq!(names(&place), ["plugins", "showrunner-data", "showrunner.toml"]);
    assert!(place.say(&["status"]).ok().contains("store  well"));
    assert_eq!(daemon.log.count("\"level\":\"ERROR\""), 0);

    let place_of_copy = place.path().join("copies");
    fs::create_dir(&place_of_copy).unwrap();
    place.say(&["backup", "copies/copy.db"]).ok();
    daemon.stop();
    let refusal = place.say_with_small_files(16, &["restore", "copies/copy.db"]).refused(1);
    assert!(refusal.contains("showrunner.db"), "{refusal}");
    let mut data: Vec<_> = fs::read_dir(place.data()).unwrap().map(|file| file.unwrap().file_name()).collect();
    data.sort();
    assert_eq!(data, ["compiled", "showrunner.db", "showrunner.db.lock"]);
}

#[test]
fn what_cannot_be_restored_is_told_with_what_to_do() {
    let place = Place::new(ANY_PORT);
    let refusal = place.say(&["backup", "copy.db"]).refused(1);
    assert!(refusal.contains("there is no database") && refusal.contains("help: "), "{refusal}");
    let refusal = place.say(&["restore", "copy.db"]).refused(1);
    assert!(refusal.contains("can't read copy.db") && refusal.contains("help: check how the path"), "{refusal}");
    let refusal = place.say(&["restore", "plugins"]).refused(1);
    assert!(refusal.contains("plugins") && refusal.contains("help: name a file in it"), "{refusal}");
    fs::write(place.path().join("copy.db"), "Dear diary, ".repeat(1000)).unwrap();
    let refusal = place.say(&["restore", "copy.db"]).refused(1);
    assert!(refusal.contains("copy.db is not an SQLite database"), "{refusal}");
    assert!(refusal.contains("help: choose another backup; nothing was changed"), "{refusal}");
    assert!(!place.data().join("showrunner.db").exists());
}
