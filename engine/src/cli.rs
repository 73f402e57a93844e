//! The command line: what is typed, one file a subcommand, and how failures are told.
//!
//! Commands that need a running daemon ask it over the control socket; the others read and write files. Only [`run`]
//! and [`demo`] start an engine.

mod auth;
mod backup;
mod clean;
mod config;
mod daemon;
mod demo;
mod failure;
mod init;
mod journal;
mod logging;
mod moderation;
mod output;
mod paint;
mod plugins;
mod queue;
mod recorded;
mod replay;
mod restore;
mod run;
mod simulate;
mod span;
mod status;
mod stop;
mod terminal;
mod viewers;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A bot engine for live streams: platforms in, WebAssembly plugins decide, effects out.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
struct CommandLine {
    /// The config, showrunner.toml where none is named; it also says which daemon is meant. Replays without it use the
    /// settings that were recorded.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the daemon, in the foreground.
    Run(run::Arguments),
    /// Show what it does: a simulated stream, answered by the plugins that ship. Needs no account.
    Demo(demo::Arguments),
    /// Write a config to start from, a folder for plugins, and the key that tokens are sealed with.
    Init(init::Arguments),
    /// Check, show or reload the config.
    #[command(subcommand)]
    Config(config::Command),
    /// Sign in where a platform wants it, show who is, and sign out.
    #[command(subcommand)]
    Auth(auth::Command),
    /// List, inspect, allow and switch plugins.
    #[command(subcommand)]
    Plugins(plugins::Command),
    /// Play an event into the running daemon, as a test.
    Simulate(simulate::Arguments),
    /// Work on the tasks that wait for an agent.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look somebody up.
    #[command(subcommand)]
    Viewers(viewers::Command),
    /// Export what was recorded of a stream.
    #[command(subcommand)]
    Journal(journal::Command),
    /// Play a recorded stream to plugins, and show what they would do, or what two versions do otherwise.
    Replay(replay::Arguments),
    /// Try other rules on a recorded stream.
    #[command(subcommand)]
    Moderation(moderation::Command),
    /// Show how the running daemon is.
    Status(status::Arguments),
    /// Show what happens, as it happens.
    Watch(watch::Arguments),
    /// Copy the database to a file, also while the daemon runs.
    Backup(backup::Arguments),
    /// Put a backup in the place of the database, which is kept aside. The daemon must not run.
    Restore(restore::Arguments),
    /// Stop the running daemon, as SIGTERM does.
    Stop(stop::Arguments),
}

/// What `--config` names by default.
const CONFIG: &str = "showrunner.toml";

/// Runs the command; 0 when it was done, 1 when it failed, 2 when it was asked for wrongly or the config is wrong. A
/// replay ends as `diff` does: 0 for the same, 1 for something else, 2 when it failed.
pub fn main() -> ExitCode {
    let CommandLine { config, command } = CommandLine::parse();
    let compares = matches!(command, Command::Replay(_) | Command::Moderation(_));
    match execute(config, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, compares),
    }
}

fn execute(given: Option<PathBuf>, command: Command) -> anyhow::Result<()> {
    if let (Some(_), Command::Init(_) | Command::Demo(_)) = (&given, &command) {
        let help = "`init DIR` and `demo --dir DIR` write one of their own";
        return Err(failure::Failure::usage("--config is of no use here", help).into());
    }
    let config = given.as_deref().unwrap_or(Path::new(CONFIG));
    match command {
        Command::Run(arguments) => run::execute(config, &arguments),
        Command::Demo(arguments) => demo::execute(arguments),
        Command::Init(arguments) => init::execute(&arguments),
        Command::Config(command) => config::execute(config, &command),
        Command::Auth(command) => daemon::block_on(auth::execute(config, command)),
        Command::Plugins(command) => daemon::block_on(plugins::execute(config, command)),
        Command::Simulate(arguments) => daemon::block_on(simulate::execute(config, arguments)),
        Command::Queue(command) => daemon::block_on(queue::execute(config, command)),
        Command::Viewers(command) => daemon::block_on(viewers::execute(config, command)),
        Command::Journal(command) => daemon::block_on(journal::execute(config, command)),
        Command::Replay(arguments) => daemon::block_on(replay::execute(given.as_deref(), arguments)),
        Command::Moderation(command) => daemon::block_on(moderation::execute(given.as_deref(), command)),
        Command::Status(arguments) => daemon::block_on(status::execute(config, &arguments)),
        Command::Backup(arguments) => daemon::block_on(backup::execute(config, arguments)),
        Command::Restore(arguments) => daemon::block_on(restore::execute(config, arguments)),
        Command::Watch(arguments) => daemon::block_on(watch::execute(config, &arguments)),
        Command::Stop(arguments) => daemon::block_on(stop::execute(config, &arguments)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn what_writes_a_config_is_given_none() {
        for command in ["init", "demo"] {
            let line = CommandLine::parse_from(["showrunner", command, "--config", "mine.toml"]);
            let refused = execute(line.config, line.command).unwrap_err();
            assert_eq!(refused.to_string(), "--config is of no use here");
        }
    }

    #[test]
    fn the_commands_of_the_documents_are_understood() {
        let lines = [
            "run --config a.toml --safe-mode",
            "demo --seconds 5 --dir d",
            "init here",
            "config show --resolved",
            "auth twitch --bot --device",
            "auth status --json",
            "auth revoke twitch --channel 141981764 --forget",
            "plugins grant greeter chat=say,reply --pin",
            "plugins inspect greeter.wasm",
            "simulate tip --user alice --amount 5 --text hi",
            "simulate gift --count 50 --channel demo",
            "queue lease chat --limit 3 --json",
            "queue nack ID LEASE --delay 30s",
            "queue reply ID 'all good'",
            "journal export stream.jsonl --from 2h --channel retake:5b7c --kv empty",
            "replay stream.jsonl --plugin greeter.wasm --against new/greeter.wasm",
            "replay showrunner.db --plugin instant-replies --plugin agent-queue --json",
            "moderation replay stream.jsonl --config other.toml",
            "viewers show @ada --platform twitch --lines 20",
            "status --json --config a.toml",
            "watch",
            "backup /backups/today.db --force --json",
            "restore /backups/today.db",
            "stop",
        ];
        for line in lines {
            let words = std::iter::once("showrunner").chain(line.split(' '));
            // "'all good'" is two words here, which a reply joins.
            assert!(CommandLine::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
