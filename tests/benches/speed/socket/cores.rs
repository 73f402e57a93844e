//! Which program runs on which core, by `taskset` where there is one.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

use crate::arguments::Arguments;

/// A core for the bot and one for whoever asks it; `None` where there are not two, or nothing to pin with.
#[derive(Debug, Clone)]
pub(super) struct Cores {
    pinned: Option<Pinned>,
}

#[derive(Debug, Clone)]
struct Pinned {
    asking: usize,
    bot: usize,
    /// As this program found them.
    all: String,
}

impl Cores {
    /// For a bot and whoever asks it, together.
    pub(super) fn all(_: &Arguments) -> Self {
        println!("\nThe bot and the load generator share all cores.");
        Self { pinned: None }
    }

    pub(super) fn choose(arguments: &Arguments) -> Self {
        let all = allowed();
        let cores = read_list(&all);
        let has_taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok();
        let pinned = match cores[..] {
            _ if arguments.unpinned => None,
            [asking, bot, ..] if has_taskset => Some(Pinned { asking, bot, all }),
            _ => None,
        };
        match &pinned {
            Some(Pinned { asking, bot, .. }) => println!("\nThe bot has core {bot}, the load generator core {asking}."),
            None => println!("\nNobody is pinned to a core: the bot and the load generator share what there is."),
        }
        Self { pinned }
    }

    /// A command for the bot, on its core.
    pub(super) fn bot(&self, program: impl AsRef<OsStr>) -> tokio::process::Command {
        let Some(Pinned { bot, .. }) = &self.pinned else { return tokio::process::Command::new(program) };
        let mut command = tokio::process::Command::new("taskset");
        command.args(["--cpu-list", &bot.to_string()]).arg(program);
        command
    }

    /// Keeps this thread on its core until the guard is dropped.
    pub(super) fn pin_this_program(&self) -> Option<Guard> {
        let Pinned { asking, all, .. } = self.pinned.as_ref()?;
        pin(&asking.to_string());
        Some(Guard { all: all.clone() })
    }
}

pub(super) struct Guard {
    all: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        pin(&self.all);
    }
}

/// The main thread has the number of the process; whatever is started by it later inherits its cores.
fn pin(list: &str) {
    let process = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["--cpu-list", "--pid", list, &process]).stdout(Stdio::null()).status();
    assert!(pinned.is_ok_and(|status| status.success()), "taskset can't pin to {list}; try --unpinned");
}

/// Such as "0-3,8".
fn allowed() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap_or_default().trim().to_owned()
}

fn read_list(list: &str) -> Vec<usize> {
    let ranges = list.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    });
    ranges.flatten().collect()
}
