//! `showrunner stop`.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::{daemon, output};
use crate::gateway::control::Request;
use crate::{config, store};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Return at once, while the daemon still sends what is queued.
    #[arg(long)]
    no_wait: bool,
}

/// Returns when the daemon has let go of its database, so that it can be restored, or another one started.
pub(super) async fn execute(config: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let database = store::path(&config::paths(config)?.data_dir);
    daemon::ask(config, &Request::Stop).await?;
    if arguments.no_wait {
        return output::line("The daemon stops when what is queued is sent.");
    }
    while store::is_in_use(&database) {
        sleep(Duration::from_millis(20)).await;
    }
    output::line("Stopped.")
}
