//! What the figures were measured on, and how quiet it was.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use showrunner_tests::load::process;

use crate::home::repository;

#[derive(Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    rustc: String,
    wasmtime: String,
    wasmtime_features: Vec<String>,
    /// "release", or another one, whose figures say nothing.
    pub(crate) profile: String,
    commit: String,
    node: Option<String>,
    pub(crate) load_before: String,
    pub(crate) load_after: String,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let (wasmtime, wasmtime_features) = wasmtime();
        let load_before = load_average();
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: field("/proc/meminfo", "MemTotal").map_or(0, |text| kib(&text) / 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            rustc: said("rustc", &["--version"]).unwrap_or_default(),
            wasmtime,
            wasmtime_features,
            profile: profile(),
            commit: commit(),
            node: said("node", &["--version"]),
            load_after: load_before.clone(),
            load_before,
        }
    }

    /// Without what only whoever doubts wants to know.
    pub(crate) fn in_one_line(&self) -> String {
        let Self { processor, cores, memory_mib, kernel, rustc, wasmtime, commit, .. } = self;
        let node = self.node.as_ref().map(|version| format!(", Node {version}")).unwrap_or_default();
        format!(
            "{processor} with {cores} cores and {} GiB, Linux {kernel}; {rustc}, wasmtime {wasmtime}{node}; commit {commit}",
            memory_mib.div_ceil(1024)
        )
    }

    pub(crate) fn look_again(&mut self) {
        self.load_after = load_average();
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_mib, kernel, rustc, wasmtime, profile, commit, .. } = self;
        writeln!(formatter, "{processor}, {cores} cores, {memory_mib} MiB, Linux {kernel}")?;
        write!(formatter, "{rustc}, wasmtime {wasmtime} [{}], commit {commit}", self.wasmtime_features.join(", "))?;
        if profile != "dist" {
            write!(
                formatter,
                "\nThis is the profile {profile}, not the one that is installed. Use `cargo bench --profile dist`."
            )?;
        }
        Ok(())
    }
}

/// The folder that this program was built into, and with it what cargo calls the profile.
pub(crate) fn profile_folder() -> std::path::PathBuf {
    // <target>/<profile>/deps/<this program>
    std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned()
}

pub(crate) fn target_folder() -> std::path::PathBuf {
    profile_folder().parent().unwrap().to_owned()
}

pub(crate) fn profile() -> String {
    profile_folder().file_name().unwrap().to_string_lossy().into_owned()
}

/// Its version, and the features that the workspace asks for.
fn wasmtime() -> (String, Vec<String>) {
    let read = |path: &str| -> toml::Table { fs::read_to_string(repository().join(path)).unwrap().parse().unwrap() };
    let lock = read("Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"].as_str() == Some("wasmtime"));
    let version = package.and_then(|package| package["version"].as_str()).unwrap_or("unknown").to_owned();
    let features = read("Cargo.toml")["workspace"]["dependencies"]["wasmtime"]["features"].as_array().cloned();
    let features = features.unwrap_or_default();
    (version, features.iter().filter_map(|feature| feature.as_str().map(str::to_owned)).collect())
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let repository = repository().to_string_lossy().into_owned();
        said("git", &[&["-C", &repository], arguments].concat())
    };
    let Some(commit) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let is_clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    if is_clean { commit } else { format!("{commit} with changes") }
}

/// What a program prints; `None` when it can't be run or fails.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

fn kib(text: &str) -> u64 {
    text.trim_end_matches("kB").trim().parse().unwrap_or(0)
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Watches what else runs while something is measured.
pub(crate) struct Busy {
    begun: Instant,
    /// Known from before: a benchmark may pin this program to one of them.
    cores: usize,
    machine: Duration,
    own: Duration,
}

impl Busy {
    pub(crate) fn begin() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { begun: Instant::now(), cores, machine: process::machine_time(), own: process::own_time() }
    }

    /// How much of all cores went to others than this program and those that it started and that have ended.
    pub(crate) fn others_percent(&self) -> f64 {
        let spent = process::machine_time().saturating_sub(self.machine);
        let own = process::own_time().saturating_sub(self.own);
        let all = self.begun.elapsed().as_secs_f64() * self.cores as f64;
        100.0 * spent.saturating_sub(own).as_secs_f64() / all.max(f64::EPSILON)
    }
}
