//! The versions of plugins that can be played: read and compiled, and nothing of them is run yet.

use std::path::Path;
use std::sync::Arc;

use crate::config::settings::PluginSettings;
use crate::plugin::inspect::{self, InspectError};
use crate::plugin::loader::{self, Files, Loaded};
use crate::plugin::machine::{Machine, MachineError};
use crate::plugin::shipped::SHIPPED;

/// Where plugins are compiled, and what interrupts those that never end.
pub struct Players {
    machine: Machine,
}

/// A version of a plugin. Cheap to clone.
#[derive(Clone)]
pub struct Version {
    pub(super) loaded: Arc<Loaded>,
    manifest: Arc<str>,
}

impl Players {
    /// With a cache, what a daemon compiled before is not compiled again.
    pub fn new(cache: Option<&Path>) -> Result<Self, MachineError> {
        Ok(Self { machine: Machine::start(cache)? })
    }

    /// Reads a plugin's folder, or a component with the `plugin.toml` beside it. Where there is none, that of
    /// `otherwise` holds, which the component is another build of. Blocks.
    pub fn read(&self, path: &Path, otherwise: Option<&Version>) -> Result<Version, InspectError> {
        let mut files = inspect::read(path)?;
        if files.manifest.is_empty() {
            let manifest = otherwise.ok_or_else(|| InspectError::NoManifest { path: path.to_owned() })?;
            files.manifest = manifest.manifest.to_string();
        }
        self.compile(path, files)
    }

    /// `None` for what does not come with the engine. Blocks.
    pub fn shipped(&self, id: &str) -> Result<Option<Version>, InspectError> {
        let shipped = SHIPPED.iter().find(|shipped| shipped.id == id);
        shipped.map(|shipped| self.compile(Path::new(id), Files::shipped(shipped))).transpose()
    }

    fn compile(&self, path: &Path, files: Files) -> Result<Version, InspectError> {
        let manifest = files.manifest.as_str().into();
        let loaded = loader::load(&self.machine, files);
        let loaded = loaded.map_err(|source| InspectError::Load { path: path.to_owned(), source })?;
        Ok(Version { loaded: Arc::new(loaded), manifest })
    }
}

impl Version {
    pub fn id(&self) -> &str {
        &self.loaded.manifest.id
    }

    /// As its manifest says.
    pub fn version(&self) -> &str {
        &self.loaded.manifest.version
    }

    /// "sha256:<hex>" of the component.
    pub fn hash(&self) -> &str {
        &self.loaded.hash
    }

    /// Whether it judges events.
    pub fn reviews(&self) -> bool {
        self.loaded.blueprint.reviews()
    }

    /// Whether it is asked for verdicts where the operator says this of it.
    pub fn may_review(&self, settings: &PluginSettings) -> bool {
        super::grants(self, settings).check_review().is_ok()
    }

    /// Whether it gets only what no other plugin handled.
    pub fn is_fallback(&self) -> bool {
        self.loaded.manifest.fallback
    }
}
