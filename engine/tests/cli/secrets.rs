//! No secret is ever written anywhere: not into a log, an answer, a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::daemon::Daemon;
use crate::place::Place;

/// What all of them have in common.
const SECRET: &str = "do-not-tell";

const CONFIG: &str = r#"
[http]
listen = "127.0.0.1:0"
token = "env:TEST_HTTP_TOKEN"

[[retake]]
room = "r"
user-id = "u"
token = "file:token"
rest-base = "http://127.0.0.1:9/"
socket-url = "ws://127.0.0.1:9/socket.io/"

[plugins.greeter-rust]
grant = { chat = ["reply"], kv = ["use"] }
secrets = { key = "cmd:cat token" }
"#;

#[test]
fn no_secret_is_ever_written() {
    let place = Place::new(CONFIG);
    place.drop_greeter();
    let token = place.path().join("token");
    fs::write(&token, format!("file-{SECRET}-0123456789\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = place.command(&["run"]);
    command.env("TEST_HTTP_TOKEN", format!("env-{SECRET}-0123456789")).env("RUST_LOG", "trace");
    let daemon = Daemon::spawn(command);
    daemon.wait_until_ready();
    let watch = place.watch(&["--json"]);
    place.chat("alice", "!hello");
    watch.out.wait_for(&["Hello alice!", "\"own\":true"]);
    // The account fails to connect, in words.
    watch.out.wait_for(&["backing-off", "retake:r"]);
    place.configure(&format!("{CONFIG}\nwrong = 1\n"));
    daemon.log.wait_for(&["The new config is wrong"]);
    let mut said = String::new();
    place.configure(CONFIG);
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["plugins", "inspect", "greeter-rust", "--json"],
        &["config", "show"],
        &["config", "show", "--resolved"],
        &["config", "reload"],
        &["config", "check"],
    ] {
        let answer = place.say(command);
        said.push_str(&answer.out);
        said.push_str(&answer.err);
    }
    let log = daemon.stop().text();
    for text in [&said, &log, &watch.out.text(), &watch.log.text()] {
        assert!(!text.contains(SECRET), "{}", text.lines().find(|line| line.contains(SECRET)).unwrap());
    }
    assert!(said.contains("file:token") && log.contains("retake"), "what was looked at was the right thing");
    for entry in fs::read_dir(place.data()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!path.is_file() || !holds(&path, SECRET), "{}", path.display());
    }
}

fn holds(path: &Path, text: &str) -> bool {
    fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}
