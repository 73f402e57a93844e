//! `showrunner watch`: what happens, as it happens.

use std::path::Path;

use super::terminal::Renderer;
use super::{daemon, output};
use crate::gateway::control::client::Watched;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// One JSON value a line, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) async fn execute(config: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let mut watch = daemon::connect(config).await?.watch().await?;
    let mut renderer = Renderer::for_stdout();
    while let Some(watched) = watch.next().await? {
        match watched {
            Watched::Observation(observation) if arguments.json => output::json(&observation)?,
            Watched::Observation(observation) => {
                renderer.render(&observation).map_or(Ok(()), output::line)?;
            }
            Watched::Missed(count) if arguments.json => output::json(&serde_json::json!({ "missed": count }))?,
            Watched::Missed(count) => output::line(renderer.missed(count))?,
        }
    }
    output::note("The daemon stops.");
    Ok(())
}
