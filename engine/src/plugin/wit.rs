//! The plugin contract, one file a WIT version. Each makes the engine's events from and for its own shapes.

pub(super) mod v0_1;
