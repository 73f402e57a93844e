//! TOML to types: reads, checks and resolves the config.

pub mod settings;
