//! `showrunner plugins`: what there is, what each may do, and changing that.
//!
//! What an operator decides stands in the config and nowhere else: `grant`, `revoke`, `enable` and `disable` change
//! the one key there, and ask a running daemon to take it over.

mod decide;
mod files;
mod show;

use std::path::{Path, PathBuf};

use super::{daemon, output};
use crate::gateway::control::{PluginRequest, Request, Response};
use crate::gateway::view::PluginStatus;

pub(super) use self::files::is_path;
pub(super) use self::show::summary;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show all plugins: those of the running daemon, or those in the folder.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show a plugin: what it imports, what it asks for and what it may do.
    Inspect {
        /// Its id, its folder, or a FILE.wasm that was never run.
        plugin: PathBuf,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Allow a plugin what it asks for, or only a part of it.
    Grant(decide::Grant),
    /// Take back what a plugin may do, or only a part of it.
    Revoke(decide::Revoke),
    /// Switch a plugin on.
    Enable { id: String },
    /// Switch a plugin off. It keeps what it is granted and what it remembers.
    Disable { id: String },
    /// Load a plugin again; ends a quarantine.
    Reload { id: String },
}

pub(super) async fn execute(config: &Path, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => list(config, json).await,
        Command::Inspect { plugin, json } => inspect(config, &plugin, json).await,
        Command::Grant(grant) => decide::grant(config, grant).await,
        Command::Revoke(revoke) => decide::revoke(config, revoke).await,
        Command::Enable { id } => decide::switch(config, &id, true).await,
        Command::Disable { id } => decide::switch(config, &id, false).await,
        Command::Reload { id } => reload(config, id).await,
    }
}

async fn list(config: &Path, json: bool) -> anyhow::Result<()> {
    let plugins = all(config).await?;
    if json {
        return output::json(&plugins);
    }
    if plugins.is_empty() {
        return output::line("There are no plugins.");
    }
    plugins.iter().try_for_each(|plugin| output::line(summary(plugin)))
}

async fn inspect(config: &Path, plugin: &Path, json: bool) -> anyhow::Result<()> {
    let status =
        if is_path(plugin) { files::inspect(plugin)? } else { find(config, &plugin.to_string_lossy()).await? };
    if json { output::json(&status) } else { output::line(show::page(&status)) }
}

async fn reload(config: &Path, id: String) -> anyhow::Result<()> {
    match daemon::ask(config, &Request::Plugins(PluginRequest::Reload { id })).await? {
        Response::Plugin(plugin) => output::line(summary(&plugin)),
        other => daemon::unexpected(&other),
    }
}

/// Of the running daemon, or from the folder.
async fn all(config: &Path) -> anyhow::Result<Vec<PluginStatus>> {
    let Some(mut client) = daemon::connect_if_running(config).await? else {
        return files::all(config);
    };
    match client.ask(&Request::Plugins(PluginRequest::List)).await? {
        Response::Plugins { plugins } => Ok(plugins),
        other => daemon::unexpected(&other),
    }
}

async fn find(config: &Path, id: &str) -> anyhow::Result<PluginStatus> {
    let Some(mut client) = daemon::connect_if_running(config).await? else {
        return files::find(config, id);
    };
    match client.ask(&Request::Plugins(PluginRequest::Inspect { id: id.to_owned() })).await? {
        Response::Plugin(plugin) => Ok(plugin),
        other => daemon::unexpected(&other),
    }
}
