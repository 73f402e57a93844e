//! `showrunner backup`: copies the database, with or without a daemon.
//!
//! The copy is made here and not by the daemon, which is busy with other things, and which as a service may not write
//! to where a backup belongs. It is only asked to write what it has in memory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::clean::clean;
use super::failure::Failure;
use super::{daemon, output};
use crate::gateway::control::{Request, Response};
use crate::gateway::view::BackedUp;
use crate::store::backup::{BackupError, Copied, back_up, part_of};
use crate::{config, store};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to. Only its owner will be able to read it.
    file: PathBuf,
    /// Replace a file of this name.
    #[arg(long)]
    force: bool,
    /// Say what was copied as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) async fn execute(config: &Path, Arguments { file, force, json }: Arguments) -> anyhow::Result<()> {
    let database = store::path(&config::paths(config)?.data_dir);
    let file = std::path::absolute(&file).with_context(|| format!("{} can't be found", file.display()))?;
    let BackedUp { copied, warning } = ask_daemon(config, &file, force).await?;
    let copied = match copied {
        Some(copied) => copied,
        None => {
            let part = part_of(&file);
            unless_interrupted(&part, move || back_up(&database, &file, force)).await?
        }
    };
    if json {
        output::json(&copied)?
    } else {
        output::line(describe(&copied))?
    }
    if let Some(warning) = warning {
        output::warn(format_args!("the copy is whole, but {}", clean(&warning)));
    }
    Ok(())
}

async fn ask_daemon(config: &Path, file: &Path, overwrite: bool) -> anyhow::Result<BackedUp> {
    let Some(mut client) = daemon::connect_if_running(config).await? else { return Ok(BackedUp::default()) };
    match client.ask(&Request::Backup { file: file.to_owned(), overwrite }).await? {
        Response::BackedUp(answer) => Ok(answer),
        other => daemon::unexpected(&other),
    }
}

fn describe(copied: &Copied) -> String {
    format!("Wrote and checked {}: {}.", copied.file.display(), contents(copied))
}

/// "12.3 MiB with 4 events, 1 task and 7 values of plugins".
pub(super) fn contents(copied: &Copied) -> String {
    let counted = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "{} with {}, {} and {}",
        size(copied.bytes),
        counted(copied.events, "event", "events"),
        counted(copied.tasks, "task", "tasks"),
        counted(copied.kv, "value of a plugin", "values of plugins")
    )
}

fn size(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Does the work on a thread of its own. When the operator has enough, what it has written so far is removed, and the
/// thread ends with the process.
pub(super) async fn unless_interrupted<Work, Done>(half_done: &Path, work: Work) -> anyhow::Result<Done>
where
    Work: FnOnce() -> Result<Done, BackupError> + Send + 'static,
    Done: Send + 'static,
{
    let (sender, done) = oneshot::channel();
    std::thread::Builder::new()
        .name("copy".to_owned())
        .spawn(move || drop(sender.send(work())))
        .context("the copy can't be begun")?;
    tokio::select! {
        done = done => Ok(done.context("the copy ended without a word")??),
        interrupted = interrupted() => {
            interrupted?;
            // It may not have come so far.
            let _ = std::fs::remove_file(half_done);
            Err(Failure::new("interrupted; nothing was written", "begin anew when there is time for it").into())
        }
    }
}

async fn interrupted() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_copied_is_told_in_a_line() {
        let copied = Copied { file: "/b.db".into(), bytes: 1 << 20, version: 1, events: 1, tasks: 0, kv: 12 };
        let expected = "Wrote and checked /b.db: 1.0 MiB with 1 event, 0 tasks and 12 values of plugins.";
        assert_eq!(describe(&copied), expected);
        assert_eq!((size(1), size((5 << 20) - 1)), ("0.1 MiB".to_owned(), "5.0 MiB".to_owned()));
    }

    #[tokio::test]
    async fn an_error_of_the_work_is_the_error_of_all() {
        let failed = unless_interrupted(Path::new("/nowhere"), || -> Result<(), _> {
            Err(BackupError::NoDatabase { path: "/d.db".into() })
        });
        let error = failed.await.unwrap_err();
        assert!(error.is::<BackupError>(), "{error}");
    }
}
