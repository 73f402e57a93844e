//! A gateway of Joystick on the real Action Cable of Rails, in a Ruby process: `tests/peers/actioncable`.
//!
//! One JSON request a line to its standard input, one JSON answer a line from its standard output.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use showrunner::config::settings::{JoystickKeys, JoystickSettings, JoystickToken, JoystickVersion};
use showrunner::platform::Pace;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

/// How long is waited for what the bot should do.
const PATIENCE: Duration = Duration::from_secs(60);
const INSTALL: &str = "apt-get install -y --no-install-recommends ruby-actioncable puma ruby-railties";

pub const TOKEN: &str = "a+token/of=this-test";
pub const CHANNEL: &str = "3f9a";
pub const BOT: &str = "pixel";

pub struct ActionCablePeer {
    pub port: u16,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Ends with this value, also when a test fails.
    _process: Child,
}

impl ActionCablePeer {
    pub async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/actioncable");
        let mut process = Command::new("ruby")
            .args(["server.rb", TOKEN, CHANNEL, BOT])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("Ruby can't be started ({error}); on Debian run: {INSTALL}"));
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Self { port: 0, requests, answers, _process: process };
        let hello = peer.answer().await;
        peer.port = hello["port"].as_u64().unwrap().try_into().unwrap();
        peer
    }

    pub fn url(&self) -> Url {
        Url::parse(&format!("ws://127.0.0.1:{}/cable", self.port)).unwrap()
    }

    pub fn settings(&self) -> JoystickSettings {
        // Nobody listens there: REST is not what is looked at here.
        let nowhere = Url::parse("http://127.0.0.1:1/api/v1/").unwrap();
        JoystickSettings {
            client_id: "bot".to_owned(),
            client_secret: Some("secret".into()),
            redirect: "http://localhost:3000/oauth".to_owned(),
            scopes: None,
            channels: vec![CHANNEL.to_owned()],
            bot: BOT.to_owned(),
            version: JoystickVersion::V2,
            gateway_token: JoystickToken::Access,
            command_keys: JoystickKeys::Snake,
            gateway_url: self.url(),
            consent_url: nowhere.clone(),
            oauth_base: nowhere.clone(),
            rest_base: nowhere,
            pace: Pace { messages: None, in_flight: 4, expiry: PATIENCE },
            echo: Duration::from_secs(5),
        }
    }

    /// Viewers say this many lines as fast as it goes: "0", "1", "2", …
    pub async fn say(&mut self, count: usize) {
        self.ask(json!({"do": "say", "count": count})).await;
    }

    pub async fn reject(&mut self, rejects: bool) {
        self.ask(json!({"do": "reject", "rejects": rejects})).await;
    }

    /// Sends all clients away, as Rails does when it restarts; it is there again at once.
    pub async fn restart(&mut self) {
        self.ask(json!({"do": "restart"})).await;
    }

    /// Puts out whoever has the token.
    pub async fn kick(&mut self) {
        self.ask(json!({"do": "kick"})).await;
    }

    /// Waits until so many subscriptions were ever confirmed.
    pub async fn until_subscribed(&mut self, count: usize) {
        self.wait("subscribed", count).await;
    }

    /// What the bot has sent since this was last asked.
    pub async fn sent(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask(json!({"do": "sent"})).await["sent"].clone()).unwrap()
    }

    /// Waits until there are so many connections.
    pub async fn until_connections(&mut self, count: usize) {
        self.wait("connections", count).await;
    }

    async fn wait(&mut self, what: &str, count: usize) {
        let request = json!({"do": what, "count": count, "seconds": PATIENCE.as_secs()});
        assert_eq!(self.ask(request).await["reached"], true, "waited in vain for {count} {what}");
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.requests.write_all(format!("{request}\n").as_bytes()).await.expect("the Action Cable server has ended");
        self.answer().await
    }

    async fn answer(&mut self) -> Value {
        let line = self.answers.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| {
            panic!("the Action Cable server has ended; see its words above. If something is missing: {INSTALL}")
        });
        serde_json::from_str(&line).unwrap()
    }
}
