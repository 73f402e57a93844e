//! The plugins that come with the engine, compiled by the build script and carried inside the binary.

/// One of them.
pub(super) struct Shipped {
    pub(super) id: &'static str,
    pub(super) manifest: &'static str,
    pub(super) component: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
