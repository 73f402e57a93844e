//! Reaching the daemon that a config belongs to.

use std::path::Path;

use anyhow::{Context, bail};

use super::output;
use crate::config;
use crate::gateway::control::client::{Client, ClientError};
use crate::gateway::control::{Request, Response};
use crate::gateway::view::Reloaded;

/// Runs a command that only talks to the daemon: one thread is enough.
pub(super) fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the asynchronous runtime can't be started")?.block_on(command)
}

pub(super) async fn connect(config: &Path) -> anyhow::Result<Client> {
    let paths = config::paths(config)?;
    Ok(Client::connect(&paths.data_dir).await?)
}

/// `None` where none runs, for commands that can do without.
pub(super) async fn connect_if_running(config: &Path) -> anyhow::Result<Option<Client>> {
    let paths = config::paths(config)?;
    match Client::connect(&paths.data_dir).await {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::NotRunning(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks once.
pub(super) async fn ask(config: &Path, request: &Request) -> anyhow::Result<Response> {
    Ok(connect(config).await?.ask(request).await?)
}

/// The daemon answered, but not to what it was asked.
pub(super) fn unexpected<T>(response: &Response) -> anyhow::Result<T> {
    bail!("the daemon gave an answer that does not fit the question, so it may be of another version: {response:?}")
}

/// Says what came of a reload of the config.
pub(super) fn print_reloaded(reloaded: &Reloaded) -> anyhow::Result<()> {
    let Reloaded { applied, failed, needs_restart } = reloaded;
    if *reloaded == Reloaded::default() {
        return output::line("The running daemon found nothing that changed.");
    }
    for applied in applied {
        output::line(format_args!("The running daemon took over: {applied}"))?;
    }
    for failed in failed {
        output::line(format_args!("The running daemon could not take over: {failed}"))?;
    }
    if !needs_restart.is_empty() {
        output::line(format_args!("These keys hold after a restart: {}", needs_restart.join(", ")))?;
    }
    Ok(())
}
