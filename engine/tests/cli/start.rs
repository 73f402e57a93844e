//! Starting: what is written by `init` runs, and what can't run says why, where and what to do.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::lines::until;
use crate::place::{ANY_PORT, Place};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_init_writes_runs_as_it_is() {
    let place = Place::bare();
    let next = place.say(&["init"]).ok();
    assert!(next.contains("showrunner run --config ./showrunner.toml"), "{next}");
    assert!(place.say(&["init"]).refused(1).contains("is there already, and it is not overwritten"));
    // Nothing is changed but the port, which another test may have.
    let config = fs::read_to_string(place.config()).unwrap();
    let port = "#listen = \"127.0.0.1:7788\"";
    assert!(config.contains(port));
    place.configure(&config.replace(port, "listen = \"127.0.0.1:0\""));
    assert!(place.say(&["config", "check"]).ok().contains("showrunner.toml is right: 0 accounts, 1 plugin table."));

    let daemon = place.start();
    for part in [
        "simulator:demo: ready",
        "agent-queue 0.1.0: disabled",
        "instant-replies 0.1.0: running",
        "moderation 0.1.0: running",
        "tip-alerts 0.1.0: running",
        "store  well",
    ] {
        until(part, || place.say(&["status"]).ok().contains(part).then_some(()));
    }
    assert_eq!((mode(&place.data()), mode(&place.data().join("control.sock"))), (0o700, 0o600));
    assert_eq!(mode(&place.data().join("showrunner.db")), 0o600);
    for line in daemon.stop().all() {
        let line: Value = serde_json::from_str(&line).expect("logs are JSON where nobody looks");
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}

#[test]
fn a_data_folder_that_was_open_to_others_is_closed() {
    let place = Place::new(ANY_PORT);
    fs::set_permissions(place.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let _daemon = place.start();
    assert_eq!(mode(&place.data()), 0o700);
}

#[test]
fn a_second_daemon_on_the_same_data_is_refused() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let refusal = place.say(&["run"]).refused(1);
    assert!(refusal.contains("another showrunner runs on this data folder"), "{refusal}");
    assert!(refusal.contains("showrunner stop"), "{refusal}");
    // Also where the socket was taken away: the database has a lock of its own. The daemon soon puts another socket
    // there.
    until("a refusal of the database", || {
        fs::remove_file(place.data().join("control.sock")).ok()?;
        let refusal = place.say(&["run"]).refused(1);
        refusal.contains("showrunner.db").then_some(())
    });
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::new(&format!("[http]\nlisten = \"{address}\"\n"));
    let refusal = place.say(&["run"]).refused(1);
    assert!(refusal.contains(&format!("http.listen: the address {address} is taken")), "{refusal}");
    assert!(refusal.contains("help: "), "{refusal}");
    assert!(!place.data().join("control.sock").exists(), "what was opened before is closed again");
}

#[test]
fn without_a_plugin_folder_what_ships_runs_and_a_folder_that_comes_is_found() {
    let place = Place::bare();
    place.configure(ANY_PORT);
    let daemon = place.start();
    daemon.log.wait_for(&["The plugin folder can't be read; only what ships is started.", "No such file"]);
    place.drop_greeter();
    daemon.log.wait_for(&["The plugin waits", "greeter-rust"]);
}

#[test]
fn a_plugin_folder_that_can_not_be_read_stops_nothing_else() {
    let place = Place::bare();
    place.configure(ANY_PORT);
    fs::write(place.plugins(), "a file where a folder should be").unwrap();
    let daemon = place.start();
    daemon.log.wait_for(&["The plugin folder can't be read; only what ships is started."]);
    assert!(place.say(&["plugins", "list"]).ok().contains("instant-replies 0.1.0: running"));
}

#[test]
fn safe_mode_starts_only_what_ships() {
    let place = Place::new(ANY_PORT);
    place.drop_greeter();
    let daemon = crate::daemon::Daemon::spawn(place.command(&["run", "--safe-mode"]));
    daemon.wait_until_ready();
    assert!(place.say(&["status"]).ok().contains("in safe mode"));
    assert!(!place.say(&["plugins", "list"]).ok().contains("greeter-rust"));
}

#[test]
fn commands_that_need_a_daemon_say_that_none_runs() {
    let place = Place::new(ANY_PORT);
    for command in [&["status"][..], &["watch"], &["stop"], &["queue", "list"], &["simulate", "follow"]] {
        let refusal = place.say(command).refused(1);
        assert!(refusal.contains("no showrunner runs on this data folder"), "{command:?}: {refusal}");
        assert!(refusal.contains("help: `showrunner run` starts one"), "{command:?}: {refusal}");
    }
}
