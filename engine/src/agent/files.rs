//! The two files of the older protocol, for agents that know nothing else: a queue file with one JSON object a line,
//! which the agent empties when it has read it, and a health file. Both are off unless they are configured.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::effect::Task;

/// Lines that may wait for a slow disk.
const LINES: usize = 1024;

/// How long to leave a file alone that could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// An agent that never empties its file does not get more than this.
const FILE_BYTES: u64 = 8 << 20;

/// Who asked, when the task does not say.
const NOBODY: &str = "anon";

/// How often the health file is written, as its readers expect.
const HEALTH_EVERY: Duration = Duration::from_secs(5);

/// Only the owner may read and write them.
const MODE: u32 = 0o600;

/// A line of the queue file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLine {
    pub author: String,
    pub text: String,
    /// Milliseconds since 1970.
    pub ts: u64,
}

impl QueueLine {
    /// Author and text as the task's context tells them, in fields of these names; else the prompt, by nobody.
    fn new(task: &Task, ts: u64) -> Self {
        #[derive(Default, Deserialize)]
        struct Context {
            author: Option<String>,
            text: Option<String>,
        }
        // A context may be any JSON; one of another shape says nothing about the author.
        let context: Context =
            task.context_json.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        Self {
            author: context.author.unwrap_or_else(|| NOBODY.to_owned()),
            text: context.text.unwrap_or_else(|| task.prompt.clone()),
            ts,
        }
    }
}

/// Hands lines to the queue file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueueFileHandle {
    lines: mpsc::Sender<QueueLine>,
}

impl QueueFileHandle {
    /// Never waits. The task stands in the database in any case, so a line that finds no room is only logged.
    pub fn append(&self, task: &Task, now_ms: u64) {
        if self.lines.try_send(QueueLine::new(task, now_ms)).is_err() {
            tracing::debug!("A line for the agent's queue file was dropped, as too many wait for the disk.");
        }
    }
}

/// Writes the queue file.
pub struct QueueFile {
    path: PathBuf,
    lines: mpsc::Receiver<QueueLine>,
    is_failing: bool,
}

impl QueueFile {
    pub fn new(path: PathBuf) -> (QueueFileHandle, Self) {
        let (sender, lines) = mpsc::channel(LINES);
        (QueueFileHandle { lines: sender }, Self { path, lines, is_failing: false })
    }

    /// Runs until `shutdown`, and writes what has come until then. What can't be written is tried again, as an agent
    /// that reads nothing else would not hear of it; meanwhile others wait behind it.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut lines = Vec::new();
        loop {
            tokio::select! {
                biased;
                count = self.lines.recv_many(&mut lines, LINES), if lines.is_empty() => if count == 0 { return },
                () = shutdown.cancelled() => {
                    self.lines.close();
                    self.lines.recv_many(&mut lines, LINES).await;
                    return self.write(&mut lines).await;
                }
                () = tokio::time::sleep(RETRY), if !lines.is_empty() => {}
            }
            self.write(&mut lines).await;
        }
    }

    /// Takes away what is written.
    async fn write(&mut self, lines: &mut Vec<QueueLine>) {
        if lines.is_empty() {
            return;
        }
        let written = append(&self.path, lines).await;
        self.note(written.as_ref().err());
        if written.is_ok() {
            lines.clear();
        }
    }

    /// One line in the log a change, not one a task.
    fn note(&mut self, error: Option<&io::Error>) {
        match error {
            Some(error) if !self.is_failing => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "The agent's queue file can't be written; tasks wait in the queue.");
            }
            None if self.is_failing => tracing::info!("The agent's queue file can be written again."),
            _ => {}
        }
        self.is_failing = error.is_some();
    }
}

/// Opens the file anew each time, as the agent may have put another in its place, and writes at its end in one go, so
/// that no reader sees half a line.
async fn append(path: &Path, lines: &[QueueLine]) -> io::Result<()> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(MODE).open(path).await?;
    let before = file.metadata().await?.len();
    if before > FILE_BYTES {
        return Err(io::Error::other("the agent does not empty it, and it has grown to its bound"));
    }
    let written = write(&mut file, &bytes).await;
    if written.is_err() && file.metadata().await?.len() > before {
        // A disk that is full takes a part: it would be half a line, and then the beginning of another one.
        file.set_len(before).await?;
    }
    written
}

async fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).await?;
    file.flush().await
}

/// What the health file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// "connected", "disconnected" or "error".
    pub status: String,
    /// When the last chat line came, in milliseconds since 1970.
    pub last_message: u64,
    pub reconnects: u64,
    /// Milliseconds since the start.
    pub uptime: u64,
}

/// Writes the health file every five seconds.
pub struct HealthFile {
    path: PathBuf,
}

impl HealthFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Runs until `shutdown`; the last thing it writes is then what `health` says.
    pub async fn run(self, health: impl Fn() -> Health + Send, shutdown: CancellationToken) {
        let mut is_failing = false;
        loop {
            let written = replace(&self.path, &health()).await;
            match &written {
                Err(error) if !is_failing => {
                    tracing::warn!(path = %self.path.display(), %error, "The health file can't be written.");
                }
                Ok(()) if is_failing => tracing::info!("The health file can be written again."),
                _ => {}
            }
            is_failing = written.is_err();
            if shutdown.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(HEALTH_EVERY) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }
}

/// Beside the file first, then in its place: a reader sees the old or the new, never a part.
async fn replace(path: &Path, health: &Health) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&new).await?;
    let written = write(&mut file, &serde_json::to_vec(health)?).await;
    drop(file);
    let replaced = match written {
        Ok(()) => fs::rename(&new, path).await,
        Err(error) => Err(error),
    };
    if replaced.is_err() {
        // It is tried again soon, and till then nothing lies about.
        let _ = fs::remove_file(&new).await;
    }
    replaced
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
