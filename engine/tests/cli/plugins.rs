//! Plugins in the hands of the operator: with a daemon and without one, those that ship and a stranger.

use std::fs;

use serde_json::Value;

use crate::daemon::Daemon;
use crate::place::{ANY_PORT, Place, greeter};

#[test]
fn a_stranger_waits_until_it_is_granted_what_it_asks_for() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    place.drop_greeter();
    daemon.log.wait_for(&["WARN", "it asks for chat (reply), kv (use); run `showrunner plugins grant greeter-rust`"]);
    assert!(place.say(&["plugins", "list"]).ok().contains("greeter-rust 1.0.0: waiting-for-grant"));
    let page = place.say(&["plugins", "inspect", "greeter-rust"]).ok();
    assert!(page.contains("  asks for\n    chat: reply\n    kv: use\n  may\n    nothing"), "{page}");
    let dry = place.say(&["plugins", "grant", "greeter-rust", "--dry-run"]).ok();
    assert!(dry.contains("would be granted\n    chat: reply\n    kv: use"), "{dry}");
    let refusal = place.say(&["plugins", "grant", "greeter-rust", "moderation"]).refused(2);
    assert!(refusal.contains("does not ask for moderation"), "{refusal}");
    assert_eq!(fs::read_to_string(place.config()).unwrap(), ANY_PORT, "nothing was written yet");

    let watch = place.watch(&[]);
    place.chat("alice", "!hello");
    watch.out.wait_for(&["instant-replies passed"]);
    assert!(place.say(&["plugins", "grant", "greeter-rust"]).ok().contains("The running daemon took over: plugins"));
    place.chat("bob", "!hello");
    watch.out.wait_for(&["Showrunner: Hello bob!"]);
    assert_eq!(watch.out.count("Hello alice!"), 0, "what it was not granted for it does not get later");

    rights_are_taken_back(&place, &watch);
}

fn rights_are_taken_back(place: &Place, watch: &Daemon) {
    let rest = place.say(&["plugins", "revoke", "greeter-rust", "chat"]).ok();
    assert!(rest.contains("greeter-rust is left with\n    kv: use"), "{rest}");
    place.chat("carol", "!hello");
    watch.out.wait_for(&["greeter-rust failed", "chat.reply was not granted by the operator"]);
    place.say(&["plugins", "grant", "greeter-rust", "--pin"]).ok();
    assert!(fs::read_to_string(place.config()).unwrap().contains("pin = \"sha256:"));
    place.chat("dora", "!hello");
    watch.out.wait_for(&["Showrunner: Hello dora!"]);
    another_file_is_granted_by_the_same_command(place, watch);
    place.say(&["plugins", "revoke", "greeter-rust"]).ok();
    assert!(place.say(&["plugins", "list"]).ok().contains("greeter-rust 1.0.0: waiting-for-grant"));
    assert!(!fs::read_to_string(place.config()).unwrap().contains("pin"));
}

fn another_file_is_granted_by_the_same_command(place: &Place, watch: &Daemon) {
    let another = greeter().with_file_name("greeter-c").join("plugin.wasm");
    fs::copy(another, place.plugins().join("greeter-rust/plugin.wasm")).unwrap();
    watch.out.wait_for(&["greeter-rust waiting-for-grant", "the grant is pinned to sha256:"]);
    place.say(&["plugins", "grant", "greeter-rust"]).ok();
    watch.out.wait_for(&["greeter-rust reloaded"]);
}

#[test]
fn what_cant_be_read_is_not_granted_anything() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    place.drop_greeter();
    daemon.log.wait_for(&["showrunner plugins grant greeter-rust"]);
    let folder = place.plugins();
    fs::rename(folder.join("greeter-rust"), folder.join("another")).unwrap();
    daemon.log.wait_for(&["ERROR", "another", "rename one of them"]);
    let refusal = place.say(&["plugins", "grant", "another"]).refused(1);
    assert!(refusal.contains("nobody knows what another asks for: plugin.toml: id = \"greeter-rust\""), "{refusal}");
    assert_eq!(fs::read_to_string(place.config()).unwrap(), ANY_PORT);
}

#[test]
fn a_plugin_is_switched_off_and_on_and_loaded_again() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let watch = place.watch(&[]);
    place.say(&["plugins", "disable", "instant-replies"]).ok();
    assert!(place.say(&["plugins", "list"]).ok().contains("instant-replies 0.1.0: disabled"));
    place.chat("alice", "hello");
    // Nobody answers, so it is a task.
    watch.out.wait_for(&["→ task main: hello"]);
    place.say(&["plugins", "enable", "instant-replies"]).ok();
    place.chat("bob", "hello");
    watch.out.wait_for(&["Showrunner: Hello bob!"]);
    let reloaded = place.say(&["plugins", "reload", "instant-replies"]).ok();
    assert!(reloaded.contains("instant-replies 0.1.0: running, generation 3"), "{reloaded}");
    watch.out.wait_for(&["plugin instant-replies reloaded"]);
    place.chat("carol", "hello");
    watch.out.wait_for(&["Showrunner: Hello carol!"]);
    assert_eq!(watch.out.count("reloaded"), 1, "it is told once\n{}", watch.out.text());
    assert!(place.say(&["plugins", "reload", "nobody"]).refused(1).contains("there is no plugin nobody"));
    assert!(place.say(&["plugins", "inspect", "nobody"]).refused(1).contains("there is no plugin nobody"));
}

#[test]
fn without_a_daemon_plugins_are_read_from_their_files_and_decided_in_the_config() {
    let place = Place::new(ANY_PORT);
    place.drop_greeter();
    let list = place.say(&["plugins", "list"]).ok();
    for line in [
        "agent-queue 0.1.0: not-running",
        "greeter-rust 1.0.0: waiting-for-grant; run `showrunner plugins grant greeter-rust` to allow it",
        "instant-replies 0.1.0: not-running",
        "moderation 0.1.0: not-running",
        "tip-alerts 0.1.0: not-running",
    ] {
        assert!(list.lines().any(|listed| listed == line), "{line:?} is not in\n{list}");
    }
    let granted = place.say(&["plugins", "grant", "greeter-rust", "chat"]).ok();
    assert!(granted.contains("No daemon runs; it holds from the next start."), "{granted}");
    place.say(&["plugins", "disable", "agent-queue"]).ok();
    let list = place.say(&["plugins", "list", "--json"]).ok();
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let states: Vec<_> = list.iter().map(|plugin| plugin["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["disabled", "not-running", "not-running", "not-running", "not-running"]);
    assert_eq!(list[1]["granted"], serde_json::json!({ "chat": ["reply"] }));
    assert!(place.say(&["plugins", "revoke", "greeter-rust"]).ok().contains("is left with\n    nothing"));
    let refusal = place.say(&["plugins", "reload", "greeter-rust"]).refused(1);
    assert!(refusal.contains("no showrunner runs"), "{refusal}");
    let page = place.say(&["plugins", "inspect", "instant-replies"]).ok();
    assert!(page.contains("It ships with Showrunner"), "{page}");
}

#[test]
fn a_file_is_looked_into_before_it_is_ever_run() {
    let place = Place::bare();
    fs::copy(greeter().join("plugin.wasm"), place.path().join("alone.wasm")).unwrap();
    let beside_manifest = greeter().join("plugin.wasm");
    for (file, id) in [("alone.wasm", "alone"), (beside_manifest.to_str().unwrap(), "greeter-rust")] {
        let page = place.say(&["plugins", "inspect", file]).ok();
        for part in [id, "wit      0.1.0", "hash     sha256:"] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        let imports = page.lines().find_map(|line| line.strip_prefix("  imports  ")).unwrap();
        let imports: Vec<_> = imports.split(", ").collect();
        assert!(["chat", "kv", "and WASI"].iter().all(|name| imports.contains(name)), "{imports:?}");
    }
    fs::write(place.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(place.path().join("text.wasm"), "hello").unwrap();
    for (file, problem) in [("module.wasm", "is a core module"), ("text.wasm", "is no WebAssembly component")] {
        let refusal = place.say(&["plugins", "inspect", file]).refused(1);
        assert!(refusal.contains(file) && refusal.contains(problem), "{refusal}");
    }
    assert!(place.say(&["plugins", "inspect", "none.wasm"]).refused(1).contains("can't read none.wasm"));
}
