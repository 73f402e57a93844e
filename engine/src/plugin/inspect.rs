//! What can be known of a plugin without running any of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::loader::{self, Files, LoadError};
use super::machine::{Machine, MachineError};
use super::manifest::Manifest;
use super::shipped::SHIPPED;
use crate::config::settings::Settings;
use crate::effect::PluginId;

/// Inspecting is the operator's own wish, so the limit only keeps out what is no plugin at all.
const MOST_BYTES: u64 = 256 << 20;

/// What a plugin is, and what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub id: String,
    pub name: String,
    pub version: String,
    /// "sha256:<hex>" of the component.
    pub hash: String,
    pub wit: String,
    /// The very files that come with the engine.
    pub ships: bool,
    pub events: Vec<String>,
    pub imports: Vec<String>,
    pub asked: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error(transparent)]
    Read(LoadError),
    #[error("{}: {source}", path.display())]
    Load { path: PathBuf, source: LoadError },
    #[error("there is no {} beside {}", loader::MANIFEST_FILE, path.display())]
    NoManifest { path: PathBuf },
    #[error(transparent)]
    Machine(#[from] MachineError),
}

/// Those tables of plugins in a config that belong to no plugin: most likely their ids are misspelt.
pub fn unknown_plugin_tables(settings: &Settings) -> Vec<&PluginId> {
    let is_here =
        |id: &str| SHIPPED.iter().any(|shipped| shipped.id == id) || settings.host.plugins_dir.join(id).is_dir();
    settings.plugins.keys().filter(|id| !is_here(id)).collect()
}

/// Reads a plugin's folder, or a component with or without a `plugin.toml` beside it. Blocks.
pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
    let files = read(path)?;
    let has_manifest = !files.manifest.is_empty();
    let files = if has_manifest { files } else { Files { manifest: unnamed(path), ..files } };
    let inspection = look_into(path, files)?;
    // The stand-in for a manifest has to name some event.
    let events = if has_manifest { inspection.events } else { Vec::new() };
    Ok(Inspection { events, ..inspection })
}

/// The plugins that come with the engine, in the order of their ids. Blocks.
pub fn inspect_shipped() -> Result<Vec<Inspection>, InspectError> {
    SHIPPED.iter().map(|shipped| look_into(Path::new(shipped.id), Files::shipped(shipped))).collect()
}

/// The files of a folder, or a component with the manifest beside it, which is empty where there is none.
pub(super) fn read(path: &Path) -> Result<Files, InspectError> {
    let files = if path.is_dir() { Files::read(path, MOST_BYTES) } else { component_file(path) };
    files.map_err(InspectError::Read)
}

fn look_into(path: &Path, files: Files) -> Result<Inspection, InspectError> {
    let machine = Machine::for_reading()?;
    let ships = SHIPPED.iter().any(|shipped| Files::shipped(shipped).identity() == files.identity());
    let failed = |source| InspectError::Load { path: path.to_owned(), source };
    let loaded = loader::load(&machine, files).map_err(failed)?;
    let Manifest { id, name, version, events, permissions, .. } = loaded.manifest;
    let (hash, wit, imports, asked) = (loaded.hash, loaded.wit, loaded.imports, permissions.to_table());
    Ok(Inspection { id, name, version, hash, wit, ships, events, imports, asked })
}

fn component_file(path: &Path) -> Result<Files, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let component = std::fs::read(path).map_err(failed)?;
    let manifest = match std::fs::read_to_string(path.with_file_name(loader::MANIFEST_FILE)) {
        Ok(manifest) => manifest,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    Ok(Files::new(manifest, component))
}

/// Stands in for a manifest that is not there, so that the component can be looked into all the same.
fn unnamed(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase().replace('_', "-");
    let id = if super::manifest::is_id(&stem) { stem.as_str() } else { "unnamed" };
    format!("id = \"{id}\"\nversion = \"unknown\"\nwit = \"0.1\"\nevents = [\"system\"]\n")
}
