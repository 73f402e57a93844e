//! Wakes the agent by a command of the operator's: an argv, never a shell, and never with anything in it that a viewer
//! wrote. However many tasks arrive, one run in a while is enough: the agent then asks for all there is.

use std::future::Future;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::settings::AgentSettings;

/// As much of what the command says is kept for the log; the rest is read and thrown away.
const OUTPUT_BYTES: usize = 4096;

/// A child of the command may hold its output open for ever; after its end nobody waits longer than this.
const OUTPUT_PATIENCE: Duration = Duration::from_millis(200);

/// Asks for a run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WakeHandle {
    requested: Arc<Notify>,
}

impl WakeHandle {
    /// Never waits. Requests that come before the next run are one.
    pub fn request(&self) {
        self.requested.notify_one();
    }
}

/// Runs the command: at once for the first request, then at most once in a window, and always once more after the last.
pub struct Waker {
    requested: Arc<Notify>,
    command: WakeCommand,
    window: Duration,
}

impl Waker {
    /// `None` when no command is configured.
    pub fn from_settings(settings: &AgentSettings) -> Option<(WakeHandle, Self)> {
        let command = WakeCommand::new(&settings.wake, settings.wake_timeout)?;
        let requested = Arc::new(Notify::new());
        let handle = WakeHandle { requested: Arc::clone(&requested) };
        Some((handle, Self { requested, command, window: settings.wake_debounce }))
    }

    /// Runs until `shutdown`, which also ends a command that is running.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { requested, command, window } = self;
        let running = debounce(&requested, window, || wake(&command));
        // The command is killed when its future is dropped.
        let _ = shutdown.run_until_cancelled(running).await;
    }
}

/// Runs `act` for requests, never twice at once and never twice in a window. A request that comes while it runs is
/// remembered: it may have come too late for this run to see what it was about.
async fn debounce<F, Run>(requested: &Notify, window: Duration, mut act: F)
where
    F: FnMut() -> Run,
    Run: Future<Output = ()>,
{
    loop {
        requested.notified().await;
        let next = Instant::now() + window;
        act().await;
        sleep_until(next).await;
    }
}

async fn wake(command: &WakeCommand) {
    match command.run().await {
        Ok(output) => tracing::debug!(program = command.program, output, "The agent was woken."),
        Err(error) => tracing::warn!(program = command.program, %error, "The agent could not be woken."),
    }
}

/// The command, ready to be run.
#[derive(Debug, Clone)]
struct WakeCommand {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
enum WakeError {
    #[error("it can't be started (agent.wake): {0}")]
    Start(std::io::Error),
    #[error("it can't be waited for: {0}")]
    Wait(std::io::Error),
    #[error("it ended with {status}: {output}")]
    Failed { status: std::process::ExitStatus, output: String },
    #[error("it was stopped as it took longer than {0:?} (agent.wake-timeout)")]
    TooLong(Duration),
}

impl WakeCommand {
    fn new(argv: &[String], timeout: Duration) -> Option<Self> {
        let (program, arguments) = argv.split_first()?;
        Some(Self { program: program.clone(), arguments: arguments.to_vec(), timeout })
    }

    /// Returns the beginning of what it wrote to its standard error.
    async fn run(&self) -> Result<String, WakeError> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(WakeError::Start)?;
        let stderr = child.stderr.take();
        let mut output = Vec::new();
        let ended = {
            let reading = read_beginning(stderr, &mut output);
            tokio::pin!(reading);
            let waiting = async {
                // Both at once, as a full pipe would stop the command. The reading may end first.
                let status = tokio::select! {
                    status = child.wait() => status,
                    () = &mut reading => return child.wait().await,
                };
                let _ = timeout(OUTPUT_PATIENCE, &mut reading).await;
                status
            };
            timeout(self.timeout, waiting).await
        };
        let Ok(status) = ended else {
            // Also reaps it. An error says that it has just ended by itself.
            let _ = child.kill().await;
            return Err(WakeError::TooLong(self.timeout));
        };
        let status = status.map_err(WakeError::Wait)?;
        let output = String::from_utf8_lossy(&output).trim().to_owned();
        if status.success() { Ok(output) } else { Err(WakeError::Failed { status, output }) }
    }
}

async fn read_beginning(source: Option<impl AsyncRead + Unpin>, output: &mut Vec<u8>) {
    let Some(mut source) = source else { return };
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = source.read(&mut chunk).await {
        let room = OUTPUT_BYTES.saturating_sub(output.len());
        output.extend(chunk.iter().take(length.min(room)));
    }
}

#[cfg(test)]
mod tests;
