//! The bots that are measured, each a process.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use showrunner::gateway::control::client::Client;
use showrunner::gateway::control::{Request, Response};
use showrunner_tests::load::process;
use tokio::process::{Child, Command};

use super::Stage;
use crate::bare_listener;
use crate::home::{Home, repository};

/// A bot has come to rest when it needs less than this of its core.
const REST: Duration = Duration::from_millis(10);
const LOOK: Duration = Duration::from_millis(300);
const LOOKS: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Showrunner,
    Node,
    Bare,
}

impl Who {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Showrunner => "showrunner",
            Self::Node => "Node listener",
            Self::Bare => "bare Rust loop",
        }
    }

    /// Why it can't be measured here.
    pub(super) fn is_missing(self) -> Option<String> {
        let folder = node_listener();
        match self {
            Self::Node if !folder.join("node_modules/socket.io-client/package.json").is_file() => {
                Some(format!("it is not installed; run: npm ci --prefix {}", folder.display()))
            }
            Self::Node | Self::Showrunner | Self::Bare => None,
        }
    }
}

pub(super) struct Bot {
    /// Ends with this value.
    child: Child,
    /// A daemon's.
    home: Option<Home>,
}

impl Bot {
    pub(super) fn start(who: Who, stage: &Stage<'_>) -> Self {
        let (socket, rest) = (stage.server.socket_url(), stage.server.rest_base());
        match who {
            Who::Showrunner => Self::of_home(Home::of_a_bot(&stage.server), stage),
            Who::Node => {
                let mut command = stage.cores.bot("node");
                command.arg("listener.mjs").args([socket, rest]).current_dir(node_listener());
                command.env("NODE_ENV", "production");
                Self::spawn(command, None)
            }
            Who::Bare => {
                let mut command = stage.cores.bot(std::env::current_exe().unwrap());
                command.arg(bare_listener::NAME).args([socket, rest]);
                Self::spawn(command, None)
            }
        }
    }

    /// A daemon with all that is there.
    pub(super) fn of_home(home: Home, stage: &Stage<'_>) -> Self {
        home.write();
        let mut command = stage.cores.bot(stage.program);
        command.arg("--config").arg(home.config()).arg("run");
        // Its log goes where a service's goes: not onto a terminal.
        command.stderr(File::create(home.path().join("log")).unwrap());
        Self::spawn(command, Some(home))
    }

    fn spawn(mut command: Command, home: Option<Home>) -> Self {
        let child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("can't start {command:?}: {error}")), home }
    }

    pub(super) fn home(&self) -> &Home {
        self.home.as_ref().expect("only a daemon has a home")
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id().unwrap_or_else(|| panic!("the bot has ended{}", self.last_words()))
    }

    /// Waits until it has nothing to do, such as to write what it did.
    pub(super) async fn rest(&self) {
        let mut before = process::processor_time(self.process());
        for _ in 0..LOOKS {
            tokio::time::sleep(LOOK).await;
            let now = process::processor_time(self.process());
            if now - before <= REST {
                return;
            }
            before = now;
        }
    }

    /// Ends it in good order; returns a daemon's home.
    pub(super) async fn stop(mut self, stage: &Stage<'_>) -> Option<Home> {
        if let Some(home) = &self.home {
            let mut stop = Command::new(stage.program);
            let stopped = stop.arg("--config").arg(home.config()).arg("stop").stdout(Stdio::null()).status().await;
            assert!(stopped.unwrap().success(), "the daemon can't be stopped{}", self.last_words());
        }
        // The others end with their standard input.
        drop(self.child.stdin.take());
        let ended = self.child.wait().await.unwrap();
        assert!(ended.success(), "the bot has failed: {ended}{}", self.last_words());
        stage.server.until_left().await;
        self.home
    }

    /// Writes that are missing in a daemon's journal: it would be quick because it left out what takes the time.
    pub(super) async fn unwritten(&self) -> Option<u64> {
        let mut control = Client::connect(&self.home.as_ref()?.data_dir()).await.unwrap();
        match control.ask(&Request::Status).await.unwrap() {
            Response::Status(status) => Some(status.store.lost),
            other => panic!("{other:?}"),
        }
    }

    /// The end of a daemon's log.
    fn last_words(&self) -> String {
        let log = self.home.as_ref().and_then(|home| fs::read_to_string(home.path().join("log")).ok());
        let log = log.unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().fold(String::new(), |words, line| format!("{words}\n{line}"))
    }
}

fn node_listener() -> PathBuf {
    repository().join("tests/peers/node-listener")
}
