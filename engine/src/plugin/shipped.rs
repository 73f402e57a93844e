//! The plugins that come with the engine, compiled by the build script and carried inside the binary.

/// One of them.
pub struct Shipped {
    pub id: &'static str,
    pub manifest: &'static str,
    pub component: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
