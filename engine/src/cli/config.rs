//! `showrunner config`.

use std::path::Path;

use super::{daemon, output};
use crate::config::{self, Depth};
use crate::gateway::control::{Request, Response};
use crate::plugin::inspect;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Say whether the config is right, its secrets included, and where it is not.
    ///
    /// Settings of plugins are checked by the plugins when they start: `showrunner plugins list`.
    Check,
    /// Show what the config sets. Secrets are shown as the references they are.
    Show {
        /// Every key, with the value that holds.
        #[arg(long)]
        resolved: bool,
    },
    /// Have the running daemon read its config again. It does so by itself when the file changes.
    Reload,
}

pub(super) fn execute(path: &Path, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Check => check(path),
        Command::Show { resolved } => {
            let depth = if *resolved { Depth::Resolved } else { Depth::Written };
            output::line(config::show(path, depth)?.trim_end())
        }
        Command::Reload => daemon::block_on(reload(path)),
    }
}

fn check(path: &Path) -> anyhow::Result<()> {
    let settings = config::load(path)?;
    let accounts =
        settings.retake.len() + usize::from(settings.twitch.is_some()) + usize::from(settings.joystick.is_some());
    let accounts = counted(accounts, "account", "accounts");
    let plugins = counted(settings.plugins.len(), "plugin table", "plugin tables");
    output::line(format_args!("{} is right: {accounts}, {plugins}.", settings.source.display()))?;
    for id in inspect::unknown_plugin_tables(&settings) {
        let folder = settings.host.plugins_dir.join(&**id);
        output::warn(format_args!(
            "[plugins.{id}] belongs to no plugin: none ships under this id, and there is no {}",
            folder.display()
        ));
    }
    output::line("Settings of plugins are checked by the plugins when they start: `showrunner plugins list`.")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

async fn reload(path: &Path) -> anyhow::Result<()> {
    match daemon::ask(path, &Request::ReloadConfig).await? {
        Response::Reloaded(reloaded) => daemon::print_reloaded(&reloaded),
        other => daemon::unexpected(&other),
    }
}
