//! Plugins as they lie in their folders, when no daemon can be asked. Nothing of them is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::cli::failure::Failure;
use crate::config::{self, settings::Settings};
use crate::gateway::view::PluginStatus;
use crate::permission::Permissions;
use crate::plugin::inspect::{self, Inspection};
use crate::plugin::manifest::ManifestError;

/// The state of a folder that holds no plugin that could be started.
const BROKEN: &str = "broken";

/// A folder or a file rather than an id.
pub(in crate::cli) fn is_path(plugin: &Path) -> bool {
    plugin.components().count() > 1
        || plugin.extension().is_some_and(|extension| extension == "wasm")
        || plugin.is_dir()
}

/// Reads one plugin. It is shown as it would be without any config.
pub(super) fn inspect(path: &Path) -> anyhow::Result<PluginStatus> {
    Ok(status(inspect::inspect(path)?))
}

/// What ships and every folder of the plugin folder, in the order of their names. One that can't be read is listed with
/// the reason.
pub(super) fn all(config: &Path) -> anyhow::Result<Vec<PluginStatus>> {
    let settings = config::load_without_secrets(config)?;
    let mut plugins: BTreeMap<String, PluginStatus> =
        inspect::inspect_shipped()?.into_iter().map(|found| (found.id.clone(), status(found))).collect();
    // A folder stands in for what ships under its name.
    plugins.extend(folders(&settings.host.plugins_dir)?.into_iter().map(|(name, folder)| {
        let plugin = read(&name, &folder);
        (name, plugin)
    }));
    Ok(plugins.into_values().map(|plugin| decided(&settings, plugin)).collect())
}

pub(super) fn find(config: &Path, id: &str) -> anyhow::Result<PluginStatus> {
    let settings = config::load_without_secrets(config)?;
    let folder = settings.host.plugins_dir.join(id);
    if folder.is_dir() {
        return Ok(decided(&settings, inspect(&folder)?));
    }
    let shipped = inspect::inspect_shipped()?.into_iter().find(|found| found.id == id);
    let Some(shipped) = shipped else {
        let message = format!("there is no plugin {id} in {}", settings.host.plugins_dir.display());
        return Err(Failure::new(message, "`showrunner plugins list` shows those there are").into());
    };
    Ok(decided(&settings, status(shipped)))
}

/// As the daemon sees them: without those that are hidden, and none where there is no plugin folder yet.
fn folders(plugins_dir: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(plugins_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let message = format!("can't read the plugin folder {}: {error}", plugins_dir.display());
            return Err(Failure::new(message, "ask as its owner, or let host.plugins-dir name another one").into());
        }
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| path.is_dir());
    let named = paths.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)));
    Ok(named.filter(|(name, _)| !name.starts_with('.')).collect())
}

fn read(name: &str, folder: &Path) -> PluginStatus {
    let problem = match inspect(folder) {
        Ok(plugin) if plugin.id == name => return plugin,
        Ok(plugin) => ManifestError::Folder { id: plugin.id, folder: name.to_owned() }.to_string(),
        Err(error) => error.to_string(),
    };
    PluginStatus { id: name.to_owned(), state: BROKEN.to_owned(), detail: problem, ..PluginStatus::default() }
}

/// Adds what the config says of it, as the daemon would decide.
fn decided(settings: &Settings, plugin: PluginStatus) -> PluginStatus {
    if plugin.state == BROKEN {
        return plugin;
    }
    let decided = settings.plugins.get(plugin.id.as_str());
    let granted = match decided.and_then(|decided| decided.grant.as_ref()) {
        None if plugin.ships => Some(plugin.asked.clone()),
        granted => granted.map(Permissions::to_table),
    };
    let is_off = decided.is_some_and(|decided| decided.enabled == Some(false));
    let is_another =
        !plugin.ships && decided.and_then(|decided| decided.pin.as_ref()).is_some_and(|pin| *pin != plugin.hash);
    let (state, detail) = if is_off {
        ("disabled", format!("run `showrunner plugins enable {}` to start it", plugin.id))
    } else if granted.is_none() || is_another {
        ("waiting-for-grant", format!("run `showrunner plugins grant {}` to allow it", plugin.id))
    } else {
        ("not-running", String::new())
    };
    PluginStatus { state: state.to_owned(), detail, granted: granted.unwrap_or_default(), ..plugin }
}

fn status(found: Inspection) -> PluginStatus {
    let Inspection { id, name, version, hash, wit, ships, events, imports, asked } = found;
    let state = "not-running".to_owned();
    PluginStatus { id, name, version, hash, wit, ships, events, imports, asked, state, ..PluginStatus::default() }
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
    }

    #[test]
    fn what_ships_is_listed_and_a_folder_of_its_name_stands_in_for_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let config = folder.path().join("showrunner.toml");
        fs::write(&config, "[plugins.agent-queue]\nenabled = false\n").unwrap();
        let states = || all(&config).unwrap().into_iter().map(|plugin| format!("{}: {}", plugin.id, plugin.state));
        let shipped = find(&config, "instant-replies").unwrap();
        assert_eq!((shipped.state.as_str(), &shipped.granted), ("not-running", &shipped.asked));
        let plugins = folder.path().join("plugins");
        fs::create_dir_all(plugins.join("instant-replies")).unwrap();
        fs::create_dir_all(plugins.join(".git")).unwrap();
        let expected =
            ["agent-queue: disabled", "instant-replies: broken", "moderation: not-running", "tip-alerts: not-running"];
        assert_eq!(states().collect::<Vec<_>>(), expected);
        fs::remove_dir_all(&plugins).unwrap();
        fs::write(&plugins, "a file").unwrap();
        assert!(all(&config).unwrap_err().to_string().contains("can't read the plugin folder"));
    }
}
