//! `showrunner journal`: what was recorded of a stream, as a file of its own.

use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::recorded::{Kv, Stretch};
use super::{daemon, output};
use crate::gateway::control::Request;
use crate::replay::{Exported, Journal, MemoryChoice, export};
use crate::{config, store};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the journal of this config's data folder into a file for `showrunner replay`, also while the daemon runs.
    ///
    /// One JSON value a line: a header, the plugins with their settings and memory, then the events. It holds what
    /// people wrote, so only you can read it.
    Export {
        /// A new file; `-` for the standard output.
        file: PathBuf,
        #[command(flatten)]
        stretch: Stretch,
        /// The memory (kv) of the plugins: as recorded when the stream began; the latest, which knows the stream
        /// already; or none. Without this it is as recorded where a plugin is set to `record`, and the latest else.
        #[arg(long, value_enum)]
        kv: Option<Kv>,
    },
}

pub(super) async fn execute(config: &Path, command: Command) -> anyhow::Result<()> {
    let Command::Export { file, stretch, kv } = command;
    let database = store::path(&config::paths(config)?.data_dir);
    if !database.exists() {
        let help = "a daemon makes one when it starts; `--config FILE` says which is meant";
        return Err(Failure::new(format!("there is no database {}", database.display()), help).into());
    }
    if let Some(mut client) = daemon::connect_if_running(config).await? {
        // Its answer waits for all that was written before, so that what has happened by now is in the file.
        client.ask(&Request::Status).await?;
    }
    let memory = kv.map(MemoryChoice::from).unwrap_or_default();
    let mut journal = Journal::open_database(&database, &stretch.window()?, memory)?;
    if file == Path::new("-") {
        return written(export(&mut journal, BufWriter::new(io::stdout().lock()))).map(drop);
    }
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
    let target = target.map_err(|error| unwritable(&file, &error))?;
    match written(export(&mut journal, BufWriter::new(target))) {
        Ok(Exported { events, plugins }) => {
            output::line(format_args!("{}: {events} events, {plugins} plugins.", file.display()))
        }
        Err(error) => {
            // Half a journal helps nobody; the error is what there is to tell.
            let _ = std::fs::remove_file(&file);
            Err(error)
        }
    }
}

fn written(exported: Result<Exported, crate::replay::ExportError>) -> anyhow::Result<Exported> {
    use crate::replay::ExportError;
    exported.map_err(|error| match error {
        ExportError::Journal(error) => error.into(),
        ExportError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => output::Closed.into(),
        ExportError::Write(error) => anyhow::anyhow!("can't write the journal: {error}"),
    })
}

fn unwritable(file: &Path, error: &io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::AlreadyExists => "name another file, or take that one away",
        _ => "name a file in a folder that you may write",
    };
    Failure::new(format!("can't make {}: {error}", file.display()), help)
}
