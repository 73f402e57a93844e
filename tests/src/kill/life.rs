//! One daemon, from its start to its end, as a process of its own.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::PATIENCE;

pub(super) struct Life {
    /// Ends with this value, also when a test fails.
    process: Child,
    pub(super) began: Instant,
}

impl Life {
    /// What it says is added to the file `log`.
    pub(super) fn begin(program: &Path, config: &Path, log: &Path) -> Self {
        let log = File::options().append(true).create(true).open(log).unwrap();
        let mut command = Command::new(program);
        command.arg("--config").arg(config).arg("run");
        for variable in ["RUST_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let process = command.spawn().unwrap_or_else(|error| panic!("{} can't be started: {error}", program.display()));
        Self { process, began: Instant::now() }
    }

    /// SIGKILL, to this process alone.
    pub(super) async fn kill(mut self) {
        // An error says that it has ended already.
        let _ = self.process.start_kill();
        self.ended().await;
    }

    /// As a service manager asks it to stop.
    pub(super) async fn ask_to_stop(&self) {
        let process = self.process.id().expect("it was not waited for");
        let asked = Command::new("kill").args(["-s", "TERM", &process.to_string()]).status().await.unwrap();
        assert!(asked.success(), "the daemon has ended by itself");
    }

    pub(super) async fn stop(mut self) -> ExitStatus {
        self.ask_to_stop().await;
        self.ended().await
    }

    async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.wait()).await.expect("the daemon does not end").unwrap()
    }

    /// Panics when it ends by itself.
    pub(super) async fn must_go_on(&mut self) -> ! {
        let status = self.process.wait().await.unwrap();
        panic!("the daemon has ended by itself: {status}");
    }
}
