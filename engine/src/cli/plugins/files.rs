//! Plugins as they lie in their folders, when no daemon can be asked. Nothing of them is run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::config::{self, settings::Settings};
use crate::gateway::view::PluginStatus;
use crate::plugin::inspect::{self, Inspection};

/// A folder or a file rather than an id.
pub(super) fn is_path(plugin: &Path) -> bool {
    plugin.components().count() > 1
        || plugin.extension().is_some_and(|extension| extension == "wasm")
        || plugin.is_dir()
}

/// Reads one plugin. It is shown as it would be without any config.
pub(super) fn inspect(path: &Path) -> anyhow::Result<PluginStatus> {
    Ok(status(inspect::inspect(path)?))
}

/// Every folder of the plugin folder, in the order of their names. One that can't be read is listed with the reason.
pub(super) fn all(config: &Path) -> anyhow::Result<Vec<PluginStatus>> {
    let settings = config::load_without_secrets(config)?;
    let mut folders = folders(&settings.host.plugins_dir)?;
    folders.sort();
    Ok(folders.iter().map(|folder| decided(&settings, read(folder))).collect())
}

pub(super) fn find(config: &Path, id: &str) -> anyhow::Result<PluginStatus> {
    let settings = config::load_without_secrets(config)?;
    let folder = settings.host.plugins_dir.join(id);
    if !folder.is_dir() {
        let message = format!("there is no plugin {id} in {}", settings.host.plugins_dir.display());
        return Err(Failure::new(message, "`showrunner plugins list` shows those there are").into());
    }
    Ok(decided(&settings, inspect(&folder)?))
}

fn folders(plugins_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = |error| {
        let message = format!("can't read the plugin folder {}: {error}", plugins_dir.display());
        Failure::new(message, "make it, or let host.plugins-dir name another one")
    };
    let entries = fs::read_dir(plugins_dir).map_err(failed)?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(paths.filter(|path| path.is_dir()).collect())
}

fn read(folder: &Path) -> PluginStatus {
    inspect(folder).unwrap_or_else(|error| PluginStatus {
        id: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        state: "broken".to_owned(),
        detail: error.to_string(),
        ..PluginStatus::default()
    })
}

/// Adds what the config says of it.
fn decided(settings: &Settings, plugin: PluginStatus) -> PluginStatus {
    let decided = settings.plugins.get(plugin.id.as_str());
    let granted = decided.and_then(|decided| decided.grant.clone());
    let state = match (&granted, decided.and_then(|decided| decided.enabled)) {
        _ if plugin.state == "broken" => plugin.state,
        (_, Some(false)) => "disabled".to_owned(),
        (None, _) if !plugin.asked.is_empty() => "waiting-for-grant".to_owned(),
        _ => "not-running".to_owned(),
    };
    PluginStatus { state, granted: granted.unwrap_or_default(), ..plugin }
}

fn status(found: Inspection) -> PluginStatus {
    let Inspection { id, name, version, hash, wit, events, imports, asked } = found;
    let state = "not-running".to_owned();
    PluginStatus { id, name, version, hash, wit, events, imports, asked, state, ..PluginStatus::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_a_path() {
        for path in ["greeter.wasm", "plugins/greeter", "./greeter", "/plugins/greeter"] {
            assert!(is_path(Path::new(path)), "{path}");
        }
        assert!(!is_path(Path::new("some-greeter")));
    }

    #[test]
    fn the_config_decides_the_state() {
        let folder = tempfile::TempDir::new().unwrap();
        let config = folder.path().join("showrunner.toml");
        fs::write(&config, "[plugins.off]\nenabled = false\n[plugins.on]\ngrant = { chat = [\"say\"] }\n").unwrap();
        let settings = config::load(&config).unwrap();
        let asked = || [("chat".to_owned(), vec!["say".to_owned()])].into();
        let state = |id: &str| {
            let plugin = PluginStatus { id: id.into(), asked: asked(), ..PluginStatus::default() };
            decided(&settings, plugin).state
        };
        assert_eq!((state("off").as_str(), state("on").as_str()), ("disabled", "not-running"));
        assert_eq!(state("unknown"), "waiting-for-grant");
        assert!(all(&config).unwrap_err().to_string().contains("can't read the plugin folder"));
    }
}
