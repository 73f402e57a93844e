//! Who is meant: finds plugins by file, folder or id, and says which of two versions plays whose part.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::plugins;
use crate::config::{self, settings::Settings};
use crate::plugin::player::{Players, Version};
use crate::replay::{Member, Setup};

/// Where plugins are found and compiled ones are kept, as far as there is a config.
pub(in crate::cli) struct Places {
    plugins_dir: Option<PathBuf>,
    compiled: Option<PathBuf>,
}

impl Places {
    /// Without a config that was named, that of this folder, if there is one.
    pub(in crate::cli) fn of(config: Option<&Path>) -> anyhow::Result<Self> {
        let paths = match config {
            Some(config) => Some(config::paths(config)?),
            None => config::paths(Path::new(crate::cli::CONFIG)).ok(),
        };
        let Some(paths) = paths else { return Ok(Self { plugins_dir: None, compiled: None }) };
        // Only a daemon makes its data folder.
        let compiled = Some(paths.data_dir.join("compiled")).filter(|_| paths.data_dir.is_dir());
        Ok(Self { plugins_dir: Some(paths.plugins_dir), compiled })
    }
}

/// The settings of a config, if one was named. Secrets are of no use here.
pub(in crate::cli) fn settings(config: Option<&Path>) -> anyhow::Result<Option<Settings>> {
    Ok(config.map(config::load_without_secrets).transpose()?)
}

/// The versions that are played, and the one that takes the place of one of them.
pub(in crate::cli) struct Selection {
    versions: Vec<Version>,
    /// Whose place it takes, and the version.
    against: Option<(String, Version)>,
}

impl Selection {
    pub(in crate::cli) fn gather(places: &Places, plugins: &[PathBuf], against: Option<&Path>) -> anyhow::Result<Self> {
        let players = Players::new(places.compiled.as_deref())?;
        let mut versions: Vec<Version> = Vec::new();
        for plugin in plugins {
            let version = find(&players, places, plugin, None)?;
            if versions.iter().any(|known| known.id() == version.id()) {
                let message = format!("{} is given twice", version.id());
                return Err(Failure::usage(message, "--against names the version to compare with").into());
            }
            versions.push(version);
        }
        let against = against.map(|against| other_version(&players, places, &versions, against)).transpose()?;
        Ok(Self { versions, against })
    }

    pub(in crate::cli) const fn compares(&self) -> bool {
        self.against.is_some()
    }

    pub(in crate::cli) fn members(&self, setup: Setup<'_>) -> Vec<Member> {
        self.versions.iter().map(|version| setup.member(version.id(), version.clone())).collect()
    }

    /// The same with the other version in its place.
    pub(in crate::cli) fn members_against(&self, setup: Setup<'_>) -> Vec<Member> {
        let play = |version: &Version| match &self.against {
            Some((id, against)) if id == version.id() => setup.member(id, against.clone()),
            _ => setup.member(version.id(), version.clone()),
        };
        self.versions.iter().map(play).collect()
    }
}

/// A single plugin can be compared with one of any name; of several, the one of the same id is meant.
fn other_version(
    players: &Players,
    places: &Places,
    versions: &[Version],
    against: &Path,
) -> anyhow::Result<(String, Version)> {
    if let [only] = versions {
        return Ok((only.id().to_owned(), find(players, places, against, Some(only))?));
    }
    let version = find(players, places, against, None)?;
    if versions.iter().any(|known| known.id() == version.id()) {
        return Ok((version.id().to_owned(), version));
    }
    let message = format!("--against {}: its id is {}, and no such plugin is played", against.display(), version.id());
    Err(Failure::usage(message, "name the version that it is compared with by --plugin").into())
}

/// `otherwise` lends its manifest to a component that has none beside it.
fn find(players: &Players, places: &Places, plugin: &Path, otherwise: Option<&Version>) -> anyhow::Result<Version> {
    if plugins::is_path(plugin) {
        return players.read(plugin, otherwise).map_err(explained);
    }
    let id = plugin.to_string_lossy();
    let folder = places.plugins_dir.as_ref().map(|plugins_dir| plugins_dir.join(&*id));
    if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
        return players.read(&folder, None).map_err(explained);
    }
    players.shipped(&id)?.ok_or_else(|| {
        let help = "`showrunner plugins list` shows those there are; a file is named as ./FILE.wasm";
        Failure::usage(format!("there is no plugin {id}"), help).into()
    })
}

fn explained(error: crate::plugin::inspect::InspectError) -> anyhow::Error {
    use crate::plugin::inspect::InspectError;
    match error {
        InspectError::NoManifest { .. } => {
            Failure::usage(error.to_string(), "a plugin is a component and its plugin.toml; put both into one folder")
                .into()
        }
        other => other.into(),
    }
}
