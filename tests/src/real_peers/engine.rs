//! The whole engine against a peer, in this process: its config, its run, and what it says of itself.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use showrunner::engine::{self, EngineError, RunOptions};
use showrunner::event::{Event, OutcomeStatus};
use showrunner::observation::{Observation, Observer};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::socketio::{SocketIoPeer, generation_name};
use crate::answers;
use crate::retake::{BOT_ID, ROOM, TOKEN};

/// A folder with the config of a bot that listens to the peer, answers each question, and has no limit on its rate.
pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new(peer: &SocketIoPeer) -> Self {
        let folder = TempDir::new().unwrap();
        let home = Self { folder };
        let token = home.folder.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(home.folder.path().join("plugins")).unwrap();
        fs::write(home.config(), config(peer)).unwrap();
        home
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("showrunner.toml")
    }
}

fn config(peer: &SocketIoPeer) -> String {
    let port = peer.port;
    let generation = generation_name(peer.generation);
    let base = if generation == "v1" { "/" } else { "/api/v1/" };
    let (command, answer) = (answers::COMMAND, answers::template());
    format!(
        r#"
        [log]
        filter = "warn"

        [http]
        listen = "off"

        # It would acknowledge what nobody answers; here every line has its answer.
        [plugins.agent-queue]
        enabled = false

        # Few viewers say thousands of lines here, which is spam anywhere else.
        [plugins.moderation.settings.rules.rate]
        enabled = false

        [plugins.instant-replies.settings.commands.{command}]
        answers = ["{answer}"]

        [[retake]]
        generation = "{generation}"
        room = "{ROOM}"
        user-id = "{BOT_ID}"
        token = "file:token"
        rest-base = "http://127.0.0.1:{port}{base}"
        socket-url = "ws://127.0.0.1:{port}/socket.io/"

        [retake.pace]
        messages-per-second = 0
        "#
    )
}

/// What the engine reported while it ran.
#[derive(Debug, Default)]
pub struct Reported {
    /// The texts of those lines of viewers whose answer did not surely arrive, with the reason.
    pub unsure: HashMap<String, String>,
    /// How often it was heard that a line was its own.
    pub own_lines: usize,
    /// How many lines of viewers it heard.
    pub heard: usize,
    /// Reports that were missed because too many came at once.
    pub missed: u64,
    /// What happened to plugins.
    pub plugins: Vec<String>,
}

/// Short: there may be thousands.
impl fmt::Display for Reported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unsure, own_lines, heard, missed, plugins } = self;
        let first: Vec<_> = unsure.iter().take(3).collect();
        write!(
            formatter,
            "the engine heard {heard} lines and {own_lines} of its own, reported {} answers as not surely sent {first:?}; \
             {missed} of its reports were missed; plugins: {plugins:?}",
            unsure.len()
        )
    }
}

/// An engine that runs in this process.
pub struct RunningEngine {
    shutdown: CancellationToken,
    engine: JoinHandle<Result<(), EngineError>>,
    reported: Arc<Mutex<Reported>>,
    collector: JoinHandle<()>,
    _home: Home,
}

impl RunningEngine {
    pub fn start(peer: &SocketIoPeer) -> Self {
        let home = Home::new(peer);
        let (observer, shutdown) = (Observer::default(), CancellationToken::new());
        let reported = Arc::<Mutex<Reported>>::default();
        let collector = tokio::spawn(collect(observer.watch(), Arc::clone(&reported)));
        let options = RunOptions { observer, ..RunOptions::default() };
        let engine = tokio::spawn(engine::run(home.config(), options, shutdown.clone()));
        Self { shutdown, engine, reported, collector, _home: home }
    }

    /// Stops it in good order, so that nothing is still on its way.
    pub async fn stop(self) -> Reported {
        self.shutdown.cancel();
        self.engine.await.unwrap().unwrap();
        // It ends when the last part of the engine that could report anything is gone.
        self.collector.await.unwrap();
        std::mem::take(&mut *self.reported.lock().unwrap())
    }
}

async fn collect(mut observations: Receiver<Arc<Observation>>, reported: Arc<Mutex<Reported>>) {
    let mut texts = HashMap::new();
    loop {
        let observation = match observations.recv().await {
            Ok(observation) => observation,
            Err(RecvError::Lagged(count)) => {
                reported.lock().unwrap().missed += count;
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let mut reported = reported.lock().unwrap();
        match &*observation {
            Observation::Event { own: true, .. } => reported.own_lines += 1,
            Observation::Event { envelope, .. } => {
                if let Event::Chat(chat) = &envelope.event {
                    reported.heard += 1;
                    texts.insert(Arc::clone(&envelope.id), chat.text.clone());
                }
            }
            Observation::Outcome { result, .. } if result.status != OutcomeStatus::Done => {
                let text = texts.get(&result.key.event_id).cloned().unwrap_or_default();
                reported.unsure.insert(text, format!("{}: {}", result.status.as_str(), result.detail));
            }
            Observation::Plugin { plugin, change, detail } => {
                reported.plugins.push(format!("{plugin} {} {detail}", change.as_str()));
            }
            _ => {}
        }
    }
}
