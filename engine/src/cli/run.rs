//! `showrunner run`: the daemon, until it is told to stop.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::logging;
use crate::config;
use crate::engine::{self, RunOptions};
use crate::gateway::service::Service;

/// Work on blocking threads that is still under way after the engine has stopped, such as a compilation, is given up.
const LAST_WORK: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Start no plugin but those that ship.
    #[arg(long)]
    safe_mode: bool,
}

pub(super) fn execute(config: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    // Only for the logs: the engine reads the secrets, once.
    let settings = config::load_without_secrets(config)?;
    let set_log_filter = logging::start(&settings.log)?;
    let options = RunOptions {
        safe_mode: arguments.safe_mode,
        service: Service::from_environment(),
        set_log_filter,
        ..RunOptions::default()
    };
    block_on(async {
        let shutdown = CancellationToken::new();
        let signals = tokio::spawn(stop_on_signal(shutdown.clone()));
        let ended = engine::run(settings.source, options, shutdown).await;
        signals.abort();
        Ok(ended?)
    })
}

/// Runs an engine on every core.
pub(super) fn block_on(engine: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the asynchronous runtime can't be started")?;
    let ended = runtime.block_on(engine);
    runtime.shutdown_timeout(LAST_WORK);
    ended
}

/// The first signal stops in good order, the second one at once.
pub(super) async fn stop_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be waited for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be waited for")?;
    for asked_before in [false, true] {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if asked_before {
            warn!(signal = name, "Asked to stop again; what is queued is lost.");
            std::process::exit(1);
        }
        info!(signal = name, "Asked to stop; sending what is queued.");
        shutdown.cancel();
    }
    Ok(())
}
