//! The plugins that come with the engine, compiled by the build script and carried inside the binary.

use std::path::Path;
use std::{fs, io};

use super::loader::{COMPONENT_FILE, MANIFEST_FILE};

/// One of them.
pub(super) struct Shipped {
    pub(super) id: &'static str,
    pub(super) manifest: &'static str,
    pub(super) component: &'static [u8],
}

/// Writes each into a folder of its own, for whoever wants to change it. A file that is there already is kept. Blocks.
pub fn unpack(plugins_dir: &Path) -> io::Result<()> {
    for Shipped { id, manifest, component } in SHIPPED {
        let folder = plugins_dir.join(id);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in [(MANIFEST_FILE, manifest.as_bytes()), (COMPONENT_FILE, component)] {
            let path = folder.join(name);
            if !path.exists() {
                fs::write(path, bytes)?;
            }
        }
    }
    Ok(())
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
