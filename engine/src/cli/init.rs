//! `showrunner init`: a config in which every key is explained, a folder for plugins, and the key that tokens are
//! sealed with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output;
use crate::auth::answer::AuthError;
use crate::auth::{key_file, make_key_file};
use crate::config;

const CONFIG: &str = include_str!("../../../config/showrunner.toml");

/// What is otherwise than by default. Without an agent nobody would ever answer whoever is told that an answer comes.
const NO_AGENT: &str = "
# ---- Yours --------------------------------------------------------------------------------------------------------
# Puts what no other plugin answered into a queue for an AI agent, and tells viewers so: \"On it!\". Off until you have
# an agent; then `showrunner plugins enable agent-queue`.
[plugins.agent-queue]
enabled = false
";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to; made where there is none.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<()> {
    let config = write(&arguments.folder)?;
    let data_dir = config::paths(&config)?.data_dir;
    make_key_file(&data_dir).map_err(AuthError::from)?;
    output::line(next_steps(&config, &key_file(&data_dir)))
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
    let written = file.write_all(CONFIG.as_bytes()).and_then(|()| file.write_all(NO_AGENT.as_bytes()));
    written.and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(config)
}

fn next_steps(config: &Path, key: &Path) -> String {
    let (path, folder) = (config.display(), config.parent().unwrap_or(config).join("plugins"));
    format!(
        "Wrote {path} and {folder}.\n\
         Tokens are sealed with the key in {key}: keep a copy of it, apart from the backups.\n\n\
         Next:\n  \
           1. Add the account of your bot in {path}: [twitch], [joystick] or [[retake]]. It also runs without one.\n     \
              For Twitch and Joystick then: showrunner auth twitch --config {path} (or auth joystick)\n  \
           2. showrunner config check --config {path}\n  \
           3. showrunner run --config {path}\n\n\
         While it runs, in other terminals:\n  \
           showrunner watch --config {path}\n  \
           showrunner simulate chat --user alice --text hello --config {path}\n\n\
         A plugin of your own goes into {folder}/<its id>/; then:\n  \
           showrunner plugins grant <its id> --config {path}\n\n\
         For an AI agent that answers what no plugin does:\n  \
           showrunner plugins enable agent-queue --config {path}",
        folder = folder.display(),
        key = key.display()
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
        let settings = config::load(&config).unwrap();
        assert_eq!(settings.plugins.get("agent-queue").and_then(|plugin| plugin.enabled), Some(false));
        assert!(config.with_file_name("plugins").is_dir());
        fs::write(&config, "# mine").unwrap();
        let error = write(config.parent().unwrap()).unwrap_err();
        assert!(error.to_string().contains("not overwritten"));
        assert_eq!(fs::read_to_string(&config).unwrap(), "# mine");
    }

    #[test]
    fn what_comes_next_is_said_with_the_paths_of_this_config() {
        let said = next_steps(Path::new("my/showrunner.toml"), Path::new("my/showrunner-data/auth.key"));
        for expected in [
            "the key in my/showrunner-data/auth.key",
            "1. Add the account of your bot in my/showrunner.toml: [twitch], [joystick] or [[retake]].",
            "\n     For Twitch and Joystick then: showrunner auth twitch --config my/showrunner.toml",
            "3. showrunner run --config my/showrunner.toml",
        ] {
            assert!(said.contains(expected), "{said}");
        }
    }
}
