//! `showrunner run` as a process of its own, to see what it needs of the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::engine::Home;

/// Names a program to take instead of building one.
const PROGRAM: &str = "SHOWRUNNER_BIN";

pub struct DaemonProcess {
    /// Ends with this value, also when a test fails.
    process: Child,
    program: PathBuf,
    home: Home,
}

impl DaemonProcess {
    pub fn start(program: &Path, home: Home) -> Self {
        let process = showrunner(program, &home, "run")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be started: {error}", program.display()));
        Self { process, program: program.to_owned(), home }
    }

    /// Stops it in good order, and returns where it lived.
    pub async fn stop(mut self) -> Home {
        let asked = showrunner(&self.program, &self.home, "stop").status().await;
        assert!(asked.unwrap().success(), "the daemon can't be stopped");
        assert!(self.process.wait().await.unwrap().success(), "the daemon has failed");
        self.home
    }

    /// Its resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let process = self.process.id().expect("the daemon has ended; see its words above");
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }
}

fn showrunner(program: &Path, home: &Home, subcommand: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("--config").arg(home.config()).arg(subcommand);
    command
}

/// An optimised daemon: what `SHOWRUNNER_BIN` names, else what `cargo build --release` makes of this source.
pub async fn program() -> PathBuf {
    if let Some(program) = std::env::var_os(PROGRAM) {
        return program.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // <target>/<profile>/deps/<this test>
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--release", "--locked", "--bin", "showrunner", "--target-dir"]).arg(target);
    // What our own cargo tells of this package. Build scripts that look at it would find it changed, and half of the
    // dependencies would be built once more.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    let built = cargo.status().await;
    assert!(built.unwrap().success(), "the daemon can't be built; see cargo's words above, or set {PROGRAM}");
    target.join("release/showrunner")
}
