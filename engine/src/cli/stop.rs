//! `showrunner stop`.

use std::path::Path;

use super::{daemon, output};
use crate::gateway::control::Request;

/// Returns when the daemon has begun to stop; it still sends what is queued.
pub(super) async fn execute(config: &Path) -> anyhow::Result<()> {
    daemon::ask(config, &Request::Stop).await?;
    output::line("The daemon stops when what is queued is sent.")
}
