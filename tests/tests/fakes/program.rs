//! The fakes as a program: what it writes, and what it does when it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use futures_util::StreamExt as _;
use showrunner::config;
use showrunner_tests::{joystick, twitch};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::client::PATIENCE;

struct Program {
    dir: TempDir,
    // Ends when it is dropped.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    async fn start(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_fake-platforms"))
            .args(["--ports-free", "--dir"])
            .arg(dir.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut program = Self { dir, input: child.stdin.take().unwrap(), output, _child: child };
        program.prints("ready").await;
        program
    }

    async fn types(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next line that has this in it.
    async fn prints(&mut self, part: &str) -> String {
        let found = async {
            loop {
                let line = self.output.next_line().await.unwrap().unwrap();
                if line.contains(part) {
                    return line;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("it does not print {part:?}"))
    }
}

#[tokio::test]
async fn its_config_is_valid_and_its_secrets_are_for_the_owner_alone() {
    let program = Program::start(&["--quiet"]).await;
    let path = program.dir.path().join("showrunner.toml");
    let settings = config::load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    let (on_twitch, on_joystick) = (settings.twitch.unwrap(), settings.joystick.unwrap());
    assert_eq!(
        (on_twitch.client_id.as_str(), on_twitch.channels),
        (twitch::CLIENT_ID, vec![twitch::STREAMER_ID.to_owned()])
    );
    assert_eq!((on_joystick.bot.as_str(), on_joystick.channels), (joystick::BOT, vec![joystick::CHANNEL.to_owned()]));
    let text = fs::read_to_string(&path).unwrap();
    for (file, secret) in
        [("twitch-client-secret", twitch::CLIENT_SECRET), ("joystick-client-secret", joystick::CLIENT_SECRET)]
    {
        let path = program.dir.path().join(file);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), secret);
        assert!(!text.contains(secret));
    }
    assert_eq!(on_twitch.client_secret.is_some(), on_joystick.client_secret.is_some());
}

#[tokio::test]
async fn it_does_what_is_typed_and_prints_what_it_is_asked() {
    let mut program = Program::start(&["--quiet"]).await;
    let settings = config::load(&program.dir.path().join("showrunner.toml")).unwrap();
    let (mut socket, _) =
        tokio_tungstenite::connect_async(settings.twitch.unwrap().eventsub_url.as_str()).await.unwrap();
    program.prints("twitch   <- GET /ws").await;
    program.types("nonsense").await;
    program.prints("can't do \"nonsense\"").await;
    program.types("give alice 5 nice").await;
    program.prints("done on twitch and joystick").await;
    program.types("event Tipped").await;
    program.prints("done on joystick").await;
    program.types("twitch close 4000").await;
    program.prints("done on twitch").await;
    let closed = async {
        loop {
            if let Some(Ok(message)) = socket.next().await
                && let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = message
            {
                return u16::from(frame.code);
            }
        }
    };
    assert_eq!(timeout(PATIENCE, closed).await.unwrap(), 4000);
    program.types("help").await;
    program.prints("things that go wrong").await;
    program.types("restart").await;
    program.prints("both are back").await;
    program.types("quit").await;
    assert_eq!(timeout(PATIENCE, program.output.next_line()).await.unwrap().unwrap(), None);
}
