//! TOML to types: reads the config, checks it whole, fills in the defaults and reads the secrets.
//!
//! The steps are apart: [`read`] makes what was written ([`raw`]), [`resolve`] makes what it means
//! ([`settings`]). An error names file, line, column, key, value and what was expected, and all errors of a file are
//! reported at once. A literal secret is refused, and the value of one never appears in a message.
//!
//! Reading is blocking work (files, `cmd:` secrets): within the runtime, call it on a blocking thread.

pub(crate) mod defaults;
pub mod edit;
pub mod json;
mod locate;
mod problem;
mod raw;
mod read;
pub mod reload;
mod resolve;
mod secret;
pub mod settings;
mod show;
mod units;
pub mod watch;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::locate::Document;
pub(crate) use self::locate::Lines;
pub use self::problem::{ConfigErrors, KeyPath, Problem};
use self::raw::Raw;
use self::resolve::{ReadSecret, resolve};
pub use self::secret::Secret;
use self::settings::Settings;
pub use self::show::Depth;

/// No config of a person is larger; a larger file is the wrong file.
const MAX_BYTES: u64 = 1 << 20;

/// Reads, checks and resolves a config, secrets included.
pub fn load(path: &Path) -> Result<Settings, ConfigErrors> {
    Ok(load_with(path, secret::read)?.1)
}

/// The same without reading the secrets: for commands that look at a config and connect to nothing, which often run
/// where the daemon's environment is not. The settings hold empty secrets.
pub fn load_without_secrets(path: &Path) -> Result<Settings, ConfigErrors> {
    Ok(load_with(path, secret::leave)?.1)
}

/// The config as TOML that could be loaded again. Secrets appear as the references they are.
pub fn show(path: &Path, depth: Depth) -> Result<String, ConfigErrors> {
    let (raw, settings) = load_with(path, secret::leave)?;
    Ok(show::render(raw, &settings, depth))
}

/// Where a config keeps its things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub config: PathBuf,
    pub data_dir: PathBuf,
    pub plugins_dir: PathBuf,
}

/// Finds the folders, also where something else in the file is wrong, or the file is no TOML: a running daemon must be
/// reachable while its config is being mended.
pub fn paths(path: &Path) -> Result<Paths, ConfigErrors> {
    let path = absolute(path)?;
    let text = read_text(&path)?;
    let (raw, _) = read::read(&Document::recover(&path, &text));
    Ok(Paths { data_dir: resolve::data_dir(&path, &raw), plugins_dir: resolve::plugins_dir(&path, &raw), config: path })
}

/// Reads "250ms", "10s", "5m", "12h", "30d": what people type elsewhere is spelled as in the config.
pub fn parse_time(text: &str) -> Option<Duration> {
    units::Time::parse(text).map(|time| time.0)
}

fn load_with(path: &Path, read_secret: ReadSecret) -> Result<(Raw, Settings), ConfigErrors> {
    let path = absolute(path)?;
    let text = read_text(&path)?;
    parse(&path, &text, read_secret)
}

fn parse(path: &Path, text: &str, read_secret: ReadSecret) -> Result<(Raw, Settings), ConfigErrors> {
    let document = Document::parse(path, text)?;
    let (raw, findings) = read::read(&document);
    let (settings, findings) = resolve(path, &raw, findings, read_secret);
    if findings.is_empty() {
        return Ok((raw, settings));
    }
    Err(ConfigErrors::Invalid { problems: document.place(findings) })
}

fn absolute(path: &Path) -> Result<PathBuf, ConfigErrors> {
    std::path::absolute(path).map_err(|source| unreadable(path, source))
}

fn read_text(path: &Path) -> Result<String, ConfigErrors> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(_) if text.len() as u64 > MAX_BYTES => {
            Err(unreadable(path, io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB")))
        }
        Ok(_) => Ok(text),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn unreadable(path: &Path, source: io::Error) -> ConfigErrors {
    ConfigErrors::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
