//! A process that runs until it is told to stop, with what it writes.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::lines::{Lines, PATIENCE};

pub(crate) struct Daemon {
    child: Child,
    pub(crate) out: Lines,
    /// The log of `run`, one JSON object a line.
    pub(crate) log: Lines,
}

impl Daemon {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, log) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, out: Lines::of(out), log: Lines::of(log) }
    }

    pub(crate) fn wait_until_ready(&self) {
        self.log.wait_for(&["Showrunner is ready."]);
    }

    /// The address of the health routes.
    pub(crate) fn address(&self) -> String {
        let line = self.log.wait_for(&["Health and metrics are served."]);
        let line: Value = serde_json::from_str(&line).unwrap();
        line["address"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// As a service manager does it.
    pub(crate) fn stop(mut self) -> Lines {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}\n{}", self.log.text());
        self.log.clone()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Until it has ended and all that it wrote is there.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        let status = crate::lines::until("the end of the process", || {
            assert!(started.elapsed() < PATIENCE, "it goes on\n{}", self.log.text());
            self.child.try_wait().unwrap()
        });
        self.out.wait_for_end();
        self.log.wait_for_end();
        status
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
