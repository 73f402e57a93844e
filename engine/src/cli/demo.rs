//! `showrunner demo`: a lively stream from the simulator, what each plugin decides on it, and why. No account, no
//! other program, nothing left behind.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::run::{block_on, stop_on_signal};
use super::terminal::Renderer;
use super::{logging, output};
use crate::config;
use crate::engine::{self, RunOptions};
use crate::observation::{Observation, Observer};
use crate::plugin::shipped;

const CONFIG: &str = include_str!("../../../config/demo.toml");

const LAST_LINES: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// End after this long; otherwise Ctrl-C ends it.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Keep config, plugins and database here; otherwise in a new folder that is removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn execute(arguments: Arguments) -> anyhow::Result<()> {
    let folder = Folder::prepare(arguments.dir)?;
    let settings = config::load(&folder.config())?;
    let set_log_filter = logging::start(&settings.log)?;
    let program = std::env::args().next().unwrap_or_else(|| "showrunner".to_owned());
    output::line(greeting(&program, &settings.source, &settings.host.plugins_dir))?;
    block_on(play(folder.config(), RunOptions { set_log_filter, ..RunOptions::default() }, arguments.seconds))
}

/// What there is to see, and how to take part.
fn greeting(program: &str, config: &Path, plugins: &Path) -> String {
    let (config, plugins) = (config.display(), plugins.display());
    format!(
        "A stream is simulated, and the plugins that ship with Showrunner answer it. Ctrl-C ends it.\n\n\
         Say something yourself, from another terminal:\n  \
           {program} simulate chat --user you --text hello --config {config}\n\
         Change a plugin while it runs; what you save holds from the next message on:\n  \
           its settings: {config} (the last lines are one to try)\n  \
           its code:     {plugins}/instant-replies/plugin.wasm; from the sources of Showrunner:\n    \
             cargo build --profile plugin --target wasm32-wasip2 --package instant-replies\n    \
             cp target/wasm32-wasip2/plugin/instant_replies.wasm {plugins}/instant-replies/plugin.wasm\n\
         Or put one of your own into {plugins}/<its id>/.\n"
    )
}

async fn play(config: PathBuf, options: RunOptions, seconds: Option<u64>) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone()));
    if let Some(seconds) = seconds {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(seconds)).await;
            shutdown.cancel();
        });
    }
    // From before the first event on.
    let observer: Observer = options.observer.clone();
    let printer = tokio::spawn(print(observer.watch(), shutdown.clone()));
    drop(observer);
    engine::run(config, options, shutdown).await?;
    // It ends by itself when the last part of the engine is gone; by now only what it holds is printed.
    timeout(LAST_LINES, printer).await.map_or(Ok(()), |ended| ended.context("printing ended early")?)
}

/// Until nobody is left who could observe anything. A reader that leaves ends the demo.
async fn print(mut observations: Receiver<Arc<Observation>>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut renderer = Renderer::for_stdout();
    loop {
        let text = match observations.recv().await {
            Ok(observation) => renderer.render(&observation),
            Err(RecvError::Lagged(count)) => Some(renderer.missed(count)),
            Err(RecvError::Closed) => return Ok(()),
        };
        if let Err(error) = text.map_or(Ok(()), output::line) {
            shutdown.cancel();
            return Err(error);
        }
    }
}

/// Where the demo lives.
struct Folder {
    path: PathBuf,
    is_ours: bool,
}

impl Folder {
    /// Makes the folder and writes the config and the plugins that ship into it; what is there already is kept.
    fn prepare(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let is_ours = given.is_none();
        let path = given.unwrap_or_else(own_path);
        let failed = || format!("can't prepare the demo's folder {}", path.display());
        DirBuilder::new().mode(0o700).recursive(!is_ours).create(&path).with_context(failed)?;
        let folder = Self { path: path.clone(), is_ours };
        shipped::unpack(&path.join("plugins")).with_context(failed)?;
        if !folder.config().exists() {
            fs::write(folder.config(), CONFIG).with_context(failed)?;
        }
        Ok(folder)
    }

    fn config(&self) -> PathBuf {
        self.path.join("showrunner.toml")
    }
}

/// A name that nobody can have prepared, in a place where everybody may write. Short, as the path of the control
/// socket inside of it may not be long.
fn own_path() -> PathBuf {
    let name = uuid::Uuid::new_v4().simple().to_string();
    std::env::temp_dir().join(format!("showrunner-{}", name.get(..12).unwrap_or(&name)))
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_ours {
            remove(&self.path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path) {
        tracing::warn!(%error, folder = %path.display(), "The demo's folder could not be removed.");
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_folder_of_its_own_is_removed_and_a_given_one_is_kept() {
        let own = Folder::prepare(None).unwrap();
        let path = own.path.clone();
        let settings = config::load(&own.config()).unwrap();
        assert!(settings.host.plugins_dir.join("instant-replies/plugin.wasm").is_file());
        drop(own);
        assert!(!path.exists());

        let parent = TempDir::new().unwrap();
        let given = parent.path().join("here");
        drop(Folder::prepare(Some(given.clone())).unwrap());
        fs::write(given.join("showrunner.toml"), "# mine").unwrap();
        drop(Folder::prepare(Some(given.clone())).unwrap());
        assert_eq!(fs::read_to_string(given.join("showrunner.toml")).unwrap(), "# mine");
    }
}
