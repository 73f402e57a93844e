//! From files to a plugin that could be started: reads, checks, compiles. Starts nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::guest::Guest;
use super::manifest::{Manifest, ManifestError};
use super::shipped::Shipped;
use super::wit::v0_1::Blueprint;

pub(super) const MANIFEST_FILE: &str = "plugin.toml";
pub(super) const COMPONENT_FILE: &str = "plugin.wasm";

/// The first bytes of every component, and of a core module, which compilers make when they are not told otherwise.
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";
const MODULE_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The two files of a plugin, read while they held still.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) manifest: String,
    pub(super) component: Vec<u8>,
    /// "sha256:<hex>" of the component, as a pin spells it.
    pub(super) hash: String,
}

/// A plugin that could be started.
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) hash: String,
    /// "0.1.0": the version of the contract that it was built against.
    pub(super) wit: String,
    pub(super) imports: Vec<String>,
    pub(super) blueprint: Blueprint,
    /// The same files as an earlier load: nothing to do.
    pub(super) identity: Identity,
}

/// What makes two loads the same: both files. A digest of them, so that it can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity(String);

impl Identity {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Why a plugin can't be loaded. What ran before goes on running.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no {} in {}", file, folder.display())]
    Missing { file: &'static str, folder: PathBuf },
    #[error("can't read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// Tried again by itself as soon as the file is whole.
    #[error("{} is still being written", path.display())]
    Unsteady { path: PathBuf },
    #[error("{COMPONENT_FILE} has {bytes} bytes; at most {limit} are loaded (host.limits.component-size)")]
    TooLarge { bytes: u64, limit: u64 },
    #[error(
        "{COMPONENT_FILE} is a core module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    #[error("{COMPONENT_FILE} is no WebAssembly component")]
    NotWasm,
    #[error("{COMPONENT_FILE} can't be compiled: {0}")]
    Compile(String),
    #[error(
        "{COMPONENT_FILE} exports no `showrunner:plugin/handler@0.1`; it may be half-written, or built for another world"
    )]
    NoHandler,
    #[error("{COMPONENT_FILE} was built against version {found} of the contract; this engine runs 0.1")]
    Version { found: String },
    #[error("{COMPONENT_FILE} does not fit this engine: {0}")]
    Misfit(String),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl Files {
    /// Reads both files of a plugin's folder. Blocks.
    pub(super) fn read(folder: &Path, limit: u64) -> Result<Self, LoadError> {
        let manifest = read_steady(folder, MANIFEST_FILE, u64::MAX)?;
        let component = read_steady(folder, COMPONENT_FILE, limit)?;
        let path = folder.join(MANIFEST_FILE);
        let manifest = String::from_utf8(manifest).map_err(|error| LoadError::Read {
            path,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error()),
        })?;
        Ok(Self::new(manifest, component))
    }

    pub(super) fn shipped(shipped: &Shipped) -> Self {
        Self::new(shipped.manifest.to_owned(), shipped.component.to_vec())
    }

    pub(super) fn new(manifest: String, component: Vec<u8>) -> Self {
        let hash = sha256(&component);
        Self { manifest, component, hash }
    }

    pub(super) fn identity(&self) -> Identity {
        // All hashes are equally long, so no manifest can pass for a part of one.
        Identity(sha256(format!("{}{}", self.hash, self.manifest).as_bytes()))
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut hash = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a string can't fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

/// Reads a file whole, unless it moves meanwhile.
fn read_steady(folder: &Path, file: &'static str, limit: u64) -> Result<Vec<u8>, LoadError> {
    let path = folder.join(file);
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => LoadError::Missing { file, folder: folder.to_owned() },
        _ => LoadError::Read { path: path.clone(), source },
    };
    let before = stamp(&path).map_err(failed)?;
    if before.0 > limit {
        return Err(LoadError::TooLarge { bytes: before.0, limit });
    }
    let bytes = std::fs::read(&path).map_err(failed)?;
    let after = stamp(&path).map_err(failed)?;
    if before != after || after.0 != bytes.len() as u64 {
        return Err(LoadError::Unsteady { path });
    }
    Ok(bytes)
}

fn stamp(path: &Path) -> std::io::Result<(u64, Option<SystemTime>)> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// Checks and compiles. Blocks, for seconds with a large component that is not in the cache.
pub(super) fn load(engine: &Engine, linker: &Linker<Guest>, files: Files) -> Result<Loaded, LoadError> {
    let manifest = Manifest::parse(&files.manifest)?;
    match files.component.first_chunk() {
        Some(&COMPONENT_HEADER) => {}
        Some(&MODULE_HEADER) => return Err(LoadError::CoreModule),
        _ => return Err(LoadError::NotWasm),
    }
    let component =
        Component::from_binary(engine, &files.component).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    let interfaces = Interfaces::of(engine, &component);
    // A half-written file can be a valid component that exports nothing, so this is no formality.
    let Some(wit) = interfaces.handler_version() else {
        return Err(LoadError::NoHandler);
    };
    if !wit.starts_with("0.1.") {
        return Err(LoadError::Version { found: wit });
    }
    let blueprint = Blueprint::new(linker, &component).map_err(|error| LoadError::Misfit(format!("{error:#}")))?;
    let identity = files.identity();
    Ok(Loaded { manifest, hash: files.hash, wit, imports: interfaces.imports, blueprint, identity })
}

/// The names in a component's type.
struct Interfaces {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Interfaces {
    fn of(engine: &Engine, component: &Component) -> Self {
        let shape = component.component_type();
        Self {
            imports: shape.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: shape.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        }
    }

    fn handler_version(&self) -> Option<String> {
        self.exports.iter().find_map(|name| name.strip_prefix("showrunner:plugin/handler@")).map(str::to_owned)
    }
}
