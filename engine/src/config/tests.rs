//! Loading a config as a whole: what a person gets to read when it is wrong.

mod accounts;
mod errors;
mod explained;

use std::path::Path;

use secrecy::ExposeSecret;

use super::secret::{Reference, Secret, SecretError};
use super::settings::{LogFormat, OnFailure, RetakeGeneration, Settings, Watch};
use super::*;
use crate::event::Channel;

pub(super) const FILE: &str = "/etc/showrunner/showrunner.toml";

/// What `env:NAME` leads to in these tests; `env:MISSING` leads nowhere.
pub(super) const SECRET: &str = "s3cr3t-of-24-characters!";

pub(super) fn fake_secret(reference: &Reference, _: &Path) -> Result<Secret, SecretError> {
    match reference {
        Reference::Environment(name) if name == "MISSING" => Err(SecretError::NotSet(name.clone())),
        Reference::Environment(name) if name == "SHORT" => Ok(Secret::from("short")),
        Reference::Environment(name) if name == "SHOWRUNNER_KEY" => Ok(Secret::from("0a".repeat(32))),
        _ => Ok(Secret::from(SECRET)),
    }
}

pub(super) fn settings(text: &str) -> Settings {
    parse(Path::new(FILE), text, fake_secret).map_err(|error| error.to_string()).unwrap().1
}

#[test]
fn an_empty_config_is_whole() {
    let settings = settings("");
    assert_eq!(settings.data_dir, Path::new("/etc/showrunner/showrunner-data"));
    assert_eq!(settings.host.plugins_dir, Path::new("/etc/showrunner/plugins"));
    assert_eq!(settings.http.listen, Some("127.0.0.1:7788".parse().unwrap()));
    assert_eq!(settings.log.format, LogFormat::Auto);
    assert_eq!(settings.host.watch, Watch::Native);
    assert_eq!(settings.host.limits, settings::Limits::default());
    assert!(settings.retake.is_empty() && settings.plugins.is_empty());
}

#[test]
fn what_is_written_is_what_holds() {
    let settings = settings(
        r#"
        data-dir = "/var/lib/showrunner"
        [http]
        listen = "[::1]:9000"
        token = "env:TOKEN"
        [host]
        watch = "poll"
        poll-every = "5s"
        limits = { memory = "128MiB", handle = "1s", http-concurrent = 8 }
        [agent]
        wake = ["notify-agent", "--now"]
        queue-file = "queue.jsonl"
        [plugins.greeter]
        enabled = true
        grant = { chat = ["say"] }
        on-failure = "hold"
        secrets = { key = "file:key" }
        settings = { text = "Hi", since = 2026-01-02, nested = { list = [1, 2.5, true] } }
        [[retake]]
        generation = "v1"
        room = "r"
        user-id = "u"
        token = "cmd:pass show retake"
        rest-base = "http://127.0.0.1:8080/api"
        socket-url = "ws://localhost:8080/socket.io"
        pace = { messages-per-second = 0 }
        "#,
    );
    assert_eq!(settings.data_dir, Path::new("/var/lib/showrunner"));
    assert_eq!(settings.http.token.as_ref().unwrap().expose_secret(), SECRET);
    assert_eq!(settings.host.watch, Watch::Poll(Duration::from_secs(5)));
    assert_eq!(settings.host.limits.memory_bytes, 128 << 20);
    assert_eq!(settings.host.limits.http_concurrent, 8);
    assert_eq!(settings.agent.wake, ["notify-agent", "--now"]);
    assert_eq!(settings.agent.queue_file.as_deref(), Some(Path::new("/etc/showrunner/queue.jsonl")));
    let greeter = &settings.plugins["greeter"];
    assert_eq!(greeter.on_failure, OnFailure::Hold);
    assert_eq!(greeter.grant.as_ref().unwrap().to_table()["chat"], ["say"]);
    let table = r#"{"nested":{"list":[1,2.5,true]},"since":"2026-01-02","text":"Hi"}"#;
    assert_eq!(serde_json::to_string(&greeter.settings).unwrap(), table);
    let [retake] = settings.retake.as_slice() else { panic!("one account") };
    assert_eq!(retake.generation, RetakeGeneration::V1);
    assert_eq!(retake.rest_base.as_str(), "http://127.0.0.1:8080/api/");
    assert_eq!(retake.socket_url.as_str(), "ws://localhost:8080/socket.io/");
    assert_eq!(retake.pace.messages, None);
}

#[test]
fn the_service_of_each_generation_is_known() {
    let account = |generation: &str| {
        format!("[[retake]]\ngeneration = \"{generation}\"\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"env:T\"\n")
    };
    let urls = |generation: &str| {
        let settings = settings(&account(generation));
        (settings.retake[0].rest_base.to_string(), settings.retake[0].socket_url.to_string())
    };
    assert_eq!(urls("v1"), ("https://chat.retake.tv/".into(), "wss://chat.retake.tv/socket.io/".into()));
    assert_eq!(urls("v2"), ("https://retake.tv/api/v1/".into(), "wss://retake.tv/socket.io/".into()));
}

#[test]
fn no_secret_is_in_what_is_shown_or_debugged() {
    let text = "[http]\ntoken = \"env:T\"\n[plugins.a]\nsecrets = { k = \"env:K\" }\n[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"env:T\"\n";
    let (raw, settings) = parse(Path::new(FILE), text, fake_secret).map_err(|error| error.to_string()).unwrap();
    assert!(!format!("{settings:?}").contains(SECRET));
    for depth in [Depth::Written, Depth::Resolved] {
        let shown = show::render(raw.clone(), &settings, depth);
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("token = \"env:T\"") && shown.contains("k = \"env:K\""), "{shown}");
    }
}

#[test]
fn what_is_shown_can_be_loaded_and_means_the_same() {
    let text = "[host]\nwatch = \"off\"\n[plugins.a]\ngrant = {}\nsettings = { rules = [{ a = 1 }, { a = 2 }] }\n[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"env:T\"\n[simulator]\nscript = \"demo\"\n";
    let (raw, before) = parse(Path::new(FILE), text, fake_secret).map_err(|error| error.to_string()).unwrap();
    for depth in [Depth::Written, Depth::Resolved] {
        let shown = show::render(raw.clone(), &before, depth);
        let changes = reload::compare(&before, &settings(&shown));
        assert_eq!(changes, reload::Changes::default(), "{shown}");
    }
}

#[test]
fn the_folders_are_found_while_the_rest_is_wrong() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("showrunner.toml");
    std::fs::write(&path, "data-dir = \"here\"\n[http]\nlisten = 3\nnonsense = true\n").unwrap();
    let paths = paths(&path).unwrap();
    assert_eq!(paths.data_dir, folder.path().join("here"));
    assert_eq!(paths.plugins_dir, folder.path().join("plugins"));
    assert!(load(&path).is_err());
}

#[test]
fn a_missing_config_says_what_writes_one() {
    let error = load(Path::new("/no/such/showrunner.toml")).unwrap_err();
    assert!(error.to_string().starts_with("can't read the config /no/such/showrunner.toml: "), "{error}");
    assert!(error.help().unwrap().contains("showrunner init"));
}

#[test]
fn channels_are_shown_as_they_are_configured() {
    // `channels` of a plugin are compared with this form by the host.
    assert_eq!(Channel::new("retake", "5b7c").to_string(), "retake:5b7c");
}
