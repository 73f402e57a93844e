//! `showrunner init`: a config in which every key is explained, and a folder for plugins.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output;
use crate::auth::answer::AuthError;
use crate::auth::make_key_file;
use crate::config;

const CONFIG: &str = include_str!("../../../config/showrunner.toml");

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to; made where there is none.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let config = write(&arguments.folder)?;
    // What seals the tokens of those who will sign in.
    make_key_file(&config::paths(&config)?.data_dir).map_err(AuthError::from)?;
    output::line(next_steps(&config))
}

/// Returns the path of the config.
fn write(folder: &Path) -> Result<PathBuf, Failure> {
    let config = folder.join("showrunner.toml");
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            format!("{} is there already, and it is not overwritten", config.display()),
            "choose another folder, or move it away first",
        ),
        _ => Failure::new(format!("can't write {}: {error}", config.display()), "choose a folder that can be written"),
    };
    fs::create_dir_all(folder.join("plugins")).map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&config).map_err(failed)?;
    file.write_all(CONFIG.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(config)
}

fn next_steps(config: &Path) -> String {
    let (path, folder) = (config.display(), config.parent().unwrap_or(config).join("plugins"));
    format!(
        "Wrote {path} and {folder}.\n\n\
         Next:\n  \
           1. Add the account of your bot: [[retake]], [twitch] or [joystick] in {path}. It also runs without one.\n  \
           2. showrunner config check --config {path}\n  \
           3. showrunner run --config {path}\n\n\
         While it runs, in other terminals:\n  \
           showrunner watch --config {path}\n  \
           showrunner simulate chat --user alice --text hello --config {path}\n\n\
         A plugin of your own goes into {folder}/<its id>/; then:\n  \
           showrunner plugins grant <its id> --config {path}",
        folder = folder.display()
    )
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_is_written_can_be_loaded_and_is_never_overwritten() {
        let folder = TempDir::new().unwrap();
        let config = write(&folder.path().join("new/one")).unwrap();
        assert!(config::load(&config).is_ok());
        assert!(config.with_file_name("plugins").is_dir());
        fs::write(&config, "# mine").unwrap();
        let error = write(config.parent().unwrap()).unwrap_err();
        assert!(error.to_string().contains("not overwritten"));
        assert_eq!(fs::read_to_string(&config).unwrap(), "# mine");
        assert!(next_steps(&config).contains("showrunner run --config"));
    }
}
