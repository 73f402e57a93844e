//! From files to a plugin that could be started: reads, checks, compiles. Starts nothing.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::machine::Machine;
use super::manifest::{Manifest, ManifestError};
use super::shipped::Shipped;
use super::wit::v0_1::Blueprint;

pub(super) const MANIFEST_FILE: &str = "plugin.toml";
pub(super) const COMPONENT_FILE: &str = "plugin.wasm";

/// A manifest is a page of text.
const MANIFEST_BYTES: u64 = 1 << 20;

/// The first bytes of every component, and of a core module, which compilers make when they are not told otherwise.
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";
const MODULE_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";
/// Of a component that wasmtime has compiled ahead of time, an ELF file whatever the system.
const NATIVE_HEADER: &[u8] = b"\x7fELF";

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

/// What makes two loads the same: a hash over both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity(String);

impl Identity {
    pub(super) fn as_str(&self) -> &str {
        &self.0
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
    #[error("{} is still being written", folder.display())]
    Unsteady { folder: PathBuf },
    #[error("{COMPONENT_FILE} is larger than the {limit} bytes that are loaded at most (host.limits.component-size)")]
    TooLarge { limit: u64 },
    #[error("{MANIFEST_FILE} is larger than {MANIFEST_BYTES} bytes; it may be another file by mistake")]
    LongManifest,
    #[error(
        "{COMPONENT_FILE} is a core module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    #[error(
        "{COMPONENT_FILE} was compiled for a processor, and native code is never loaded; put the component itself there"
    )]
    Native,
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
        let before = (Stamp::of(folder, MANIFEST_FILE)?, Stamp::of(folder, COMPONENT_FILE)?);
        let manifest = read(folder, MANIFEST_FILE, MANIFEST_BYTES)?;
        let component = read(folder, COMPONENT_FILE, limit)?;
        let after = (Stamp::of(folder, MANIFEST_FILE)?, Stamp::of(folder, COMPONENT_FILE)?);
        if before != after || after.1.bytes != component.len() as u64 {
            return Err(LoadError::Unsteady { folder: folder.to_owned() });
        }
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
        let hash = sha256(&[&component]);
        Self { manifest, component, hash }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity(sha256(&[self.hash.as_bytes(), self.manifest.as_bytes()]))
    }
}

/// As a pin spells it.
fn sha256(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let mut hash = String::from("sha256:");
    for byte in hasher.finalize() {
        // Writing to a String can't fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

/// What tells that a file has moved while it was read.
#[derive(PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(folder: &Path, file: &'static str) -> Result<Self, LoadError> {
        let metadata = std::fs::metadata(folder.join(file)).map_err(|source| unreadable(folder, file, source))?;
        if !metadata.is_file() {
            // A pipe would never end, a device might not either.
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no regular file");
            return Err(unreadable(folder, file, source));
        }
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// Reads a file whole, and not more than it may hold.
fn read(folder: &Path, file: &'static str, limit: u64) -> Result<Vec<u8>, LoadError> {
    let failed = |source| unreadable(folder, file, source);
    let opened = std::fs::File::open(folder.join(file)).map_err(failed)?;
    let mut bytes = Vec::new();
    opened.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(if file == MANIFEST_FILE { LoadError::LongManifest } else { LoadError::TooLarge { limit } });
    }
    Ok(bytes)
}

fn unreadable(folder: &Path, file: &'static str, source: std::io::Error) -> LoadError {
    match source.kind() {
        std::io::ErrorKind::NotFound => LoadError::Missing { file, folder: folder.to_owned() },
        _ => LoadError::Read { path: folder.join(file), source },
    }
}

/// Checks and compiles. Blocks, for seconds with a large component that is not in the cache.
pub(super) fn load(machine: &Machine, files: Files) -> Result<Loaded, LoadError> {
    let manifest = Manifest::parse(&files.manifest)?;
    match files.component.first_chunk() {
        Some(&COMPONENT_HEADER) => {}
        Some(&MODULE_HEADER) => return Err(LoadError::CoreModule),
        _ if files.component.starts_with(NATIVE_HEADER) => return Err(LoadError::Native),
        _ => return Err(LoadError::NotWasm),
    }
    let component = Component::from_binary(&machine.engine, &files.component)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    let interfaces = Interfaces::of(&machine.engine, &component);
    // A half-written file can be a valid component that exports nothing, so this is no formality.
    let Some(wit) = interfaces.handler_version() else {
        return Err(LoadError::NoHandler);
    };
    if !wit.starts_with("0.1.") {
        return Err(LoadError::Version { found: wit });
    }
    let blueprint = Blueprint::new(machine, &component).map_err(|error| LoadError::Misfit(format!("{error:#}")))?;
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
