//! B4: the whole daemon as it is installed, from the platform's socket to the HTTP reply, and what it needs for that.
//!
//! The bot has a core of its own, and this program, which asks and holds the clock, another one; only where compilers
//! and bad neighbours are at work it has the whole machine, as it is made to use it. All bots are measured by the same
//! code in the same run, in turn.

mod beside;
pub(crate) mod bots;
mod cores;
mod live;
mod load;
mod memory;
mod start;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use showrunner_tests::load::Server;
use tokio::runtime::Builder;

use self::bots::Who;
use self::cores::Cores;
use crate::arguments::Arguments;
use crate::home::repository;
use crate::machine;
use crate::report::Report;

/// Names a daemon to take instead of building one.
const PROGRAM: &str = "SHOWRUNNER_BIN";

/// What every benchmark in here has.
struct Stage<'a> {
    arguments: &'a Arguments,
    server: Server,
    cores: Cores,
    program: &'static Path,
}

pub(crate) fn load(arguments: &Arguments, report: &mut Report) {
    on_stage(arguments, Cores::choose, async |stage| load::run(stage, report).await);
}

pub(crate) fn beside(arguments: &Arguments, report: &mut Report) {
    on_stage(arguments, Cores::all, async |stage| beside::run(stage, report).await);
}

pub(crate) fn memory(arguments: &Arguments, report: &mut Report) {
    on_stage(arguments, Cores::choose, async |stage| memory::run(stage, report).await);
}

pub(crate) fn start(arguments: &Arguments, report: &mut Report) {
    on_stage(arguments, Cores::choose, async |stage| start::run(stage, report).await);
}

pub(crate) fn live(arguments: &Arguments, report: &mut Report) {
    on_stage(arguments, Cores::all, async |stage| live::run(stage, report).await);
}

fn on_stage(arguments: &Arguments, cores: impl FnOnce(&Arguments) -> Cores, bench: impl AsyncFnOnce(&Stage<'_>)) {
    // Before this program is pinned: whatever it starts would be, too.
    let program = program();
    let cores = cores(arguments);
    let pinned = cores.pin_this_program();
    // One thread, which is the one that was pinned.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Server::start(!arguments.no_echo).await;
        bench(&Stage { arguments, server, cores, program }).await;
    });
    drop(pinned);
}

impl Stage<'_> {
    /// All that can be measured here.
    fn bots(&self) -> Vec<Who> {
        if self.arguments.alone {
            return vec![Who::Showrunner];
        }
        let mut bots = vec![Who::Showrunner, Who::Node, Who::Bare];
        bots.retain(|who| who.is_missing().is_none());
        bots
    }
}

/// Makes sure that there is a daemon.
pub(crate) fn build() {
    program();
}

/// Bots that are to be measured and are not here, and why.
pub(crate) fn missing_bots(arguments: &Arguments) -> Option<String> {
    let why = Who::Node.is_missing().filter(|_| !arguments.alone)?;
    Some(format!("{}: {why}", Who::Node.name()))
}

/// The daemon: what [`PROGRAM`] names, else what cargo makes of this source, in the profile of this benchmark.
fn program() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| std::env::var_os(PROGRAM).map_or_else(by_cargo, PathBuf::from))
}

fn by_cargo() -> PathBuf {
    let folder = machine::profile_folder();
    let profile = match machine::profile().as_str() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    };
    // The whole workspace decides on the features of what is shared, so nothing is built twice.
    let built = Command::new(env!("CARGO"))
        .current_dir(repository())
        .args(["build", "--workspace", "--locked", "--bin", "showrunner", "--profile", &profile, "--target-dir"])
        .arg(folder.parent().unwrap())
        .status();
    assert!(built.unwrap().success(), "the daemon can't be built; see cargo's words above, or set {PROGRAM}");
    folder.join("showrunner")
}
