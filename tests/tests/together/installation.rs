//! The daemon, as a process of its own, on a folder of its own: config, sign-ins, log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use showrunner::config::settings::JoystickVersion;
use showrunner_tests::answers;
use showrunner_tests::joystick::{self, FakeJoystick};
use showrunner_tests::retake;
use showrunner_tests::twitch::{self, FakeTwitch};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::load::{Load, VIEWER};
use super::streams::{Retake, SPAM};

const PATIENCE: Duration = Duration::from_secs(60);

/// Who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// At Twitch.
    Broadcaster,
    Bot,
    /// At Joystick.
    Streamer,
}

pub(super) struct Installation {
    folder: TempDir,
}

pub(super) struct Daemon {
    /// Ends with this value, also when a test fails.
    process: Child,
    log: PathBuf,
}

impl Installation {
    pub(super) fn build(twitch: &FakeTwitch, joystick: &FakeJoystick, retake: &Retake) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installation = Self { folder };
        fs::create_dir(installation.path().join("plugins")).unwrap();
        let secrets = [
            ("twitch-secret", twitch::CLIENT_SECRET),
            ("joystick-secret", joystick::CLIENT_SECRET),
            ("retake-token", retake::TOKEN),
        ];
        for (name, secret) in secrets {
            let path = installation.path().join(name);
            fs::write(&path, secret).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        let redirect = format!("http://127.0.0.1:{}/oauth", free_port());
        twitch.register_redirect(&redirect);
        fs::write(installation.config(), config(twitch, joystick, retake, &redirect)).unwrap();
        installation
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("showrunner.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_showrunner-daemon"));
        command.arg("--config").arg(self.config()).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        for variable in ["RUST_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(variable);
        }
        command
    }

    /// As a person does, but that nobody has to click: the fakes' page comes back at once.
    pub(super) async fn sign_in(&self, who: Who, twitch: &FakeTwitch, joystick: &FakeJoystick) {
        match who {
            Who::Broadcaster => twitch.signs_in(twitch::STREAMER),
            Who::Bot => twitch.signs_in(twitch::BOT),
            Who::Streamer => joystick.signs_in(joystick::STREAMER),
        }
        self.sign_in_as(who).await;
    }

    /// As whoever the platform's page knows.
    pub(super) async fn sign_in_as(&self, who: Who) {
        self.run_sign_in(match who {
            Who::Broadcaster => &["auth", "twitch"],
            Who::Bot => &["auth", "twitch", "--bot"],
            Who::Streamer => &["auth", "joystick"],
        })
        .await;
    }

    async fn run_sign_in(&self, arguments: &[&str]) {
        let mut process = self.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let page = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("it printed no address");
            if let Some(page) = line.trim().strip_prefix("http://").filter(|page| page.contains("authorize")) {
                break format!("http://{page}");
            }
        };
        let answer = reqwest::get(page).await.unwrap();
        assert!(answer.status().is_success(), "{arguments:?}: {}", answer.status());
        assert!(timeout(PATIENCE, process.wait()).await.unwrap().unwrap().success(), "{arguments:?}");
    }

    pub(super) fn open(&self) -> Daemon {
        let log = self.path().join("log");
        let process = self.command(&["run"]).stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Daemon { process, log }
    }

    /// People who are called the same on several platforms are several people.
    pub(super) async fn tells_viewers_of_one_name_apart(&self, load: &Load, platforms: BTreeSet<&str>) {
        let shown = self.command(&["viewers", "show", VIEWER, "--json"]).output().await.unwrap();
        let text = String::from_utf8(shown.stdout).unwrap();
        let viewers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let by_platform: BTreeMap<&str, u64> = viewers
            .iter()
            .map(|viewer| (viewer["platform"].as_str().unwrap(), viewer["messages"].as_u64().unwrap()))
            .collect();
        assert_eq!(by_platform.keys().copied().collect::<BTreeSet<_>>(), platforms);
        for (platform, messages) in by_platform {
            let (least, most) = load.of(platform).bounds();
            assert!((least..=most).contains(&messages), "{platform}: {messages} lines are known of {least} to {most}");
        }
    }

    /// Neither in the log nor, as it is, in any file but those that were given to it.
    pub(super) fn has_kept_its_secrets(&self, log: &str) {
        let key = fs::read_to_string(self.path().join("data/auth.key")).unwrap();
        // All tokens and codes of the fakes have these words in them.
        let secrets = ["not-real", "not-a-real", key.trim()];
        for secret in secrets {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "a secret is in the log: {line:?}");
        }
        let mut looked_at = 0;
        for entry in fs::read_dir(self.path().join("data")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("auth.key") {
                let bytes = fs::read(&path).unwrap();
                for secret in secrets {
                    let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!is_there, "a secret is in {}", path.display());
                }
                looked_at += 1;
            }
        }
        assert!(looked_at > 0 && log.contains("The connection is ready"), "there is nothing to look at");
    }
}

impl Daemon {
    /// In good order. Returns all that it has logged.
    pub(super) async fn close(mut self) -> String {
        let process = self.process.id().expect("the daemon has ended by itself");
        let asked = Command::new("kill").args(["-s", "TERM", &process.to_string()]).status().await.unwrap();
        assert!(asked.success());
        let ended = timeout(PATIENCE, self.process.wait()).await.expect("the daemon does not end").unwrap();
        let log = fs::read_to_string(&self.log).unwrap();
        assert!(ended.success(), "{log}");
        log
    }
}

/// Free a moment ago, which is all that can be said of a port that another process is to open.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(twitch: &FakeTwitch, joystick: &FakeJoystick, retake: &Retake, redirect: &str) -> String {
    let (command, answer) = (answers::COMMAND, answers::template());
    let joystick = joystick.settings(JoystickVersion::V2);
    format!(
        r#"
        data-dir = "data"

        [log]
        filter = "trace"
        format = "json"

        [http]
        listen = "off"

        # Other tests may keep the machine busy meanwhile.
        [pipeline]
        review = "5s"
        [host.limits]
        handle = "60s"
        review = "60s"
        init = "60s"

        # Few viewers say hundreds of lines here, which is spam anywhere else.
        [plugins.moderation.settings.rules.rate]
        enabled = false
        [plugins.moderation.settings.rules.terms.groups.mine]
        literal = ["{SPAM}"]
        steps = ["600s"]

        [plugins.instant-replies.settings.commands.{command}]
        answers = ["{answer}"]

        [twitch]
        client-id = "{}"
        client-secret = "file:twitch-secret"
        redirect = "{redirect}"
        channels = ["{}"]
        accounts = "both"
        eventsub-url = "{}"
        helix-base = "{}"
        oauth-base = "{}"
        pace = {{ messages-per-second = 0, expiry = "5m" }}

        [joystick]
        client-id = "{}"
        client-secret = "file:joystick-secret"
        redirect = "{redirect}"
        channels = ["{}"]
        bot = "{}"
        gateway-url = "{}"
        consent-url = "{}"
        oauth-base = "{}"
        rest-base = "{}"
        pace = {{ messages-per-second = 0, in-flight = 16, expiry = "5m" }}

        [[retake]]
        room = "{}"
        user-id = "{}"
        token = "file:retake-token"
        rest-base = "{}"
        socket-url = "{}"
        pace = {{ messages-per-second = 0, expiry = "5m" }}
        "#,
        twitch::CLIENT_ID,
        twitch::STREAMER_ID,
        twitch.eventsub_url(),
        twitch.helix_base(),
        twitch.oauth_base(),
        joystick.client_id,
        joystick::CHANNEL,
        joystick::BOT,
        joystick.gateway_url,
        joystick.consent_url,
        joystick.oauth_base,
        joystick.rest_base,
        retake::ROOM,
        retake::BOT_ID,
        retake.rest_base(),
        retake.socket_url(),
    )
}
