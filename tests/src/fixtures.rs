//! The compiled plugins under `tests/fixtures/`, for the tests that load them. What they do, and how they are built,
//! says `tests/fixtures/README.md`.

use std::path::PathBuf;

/// A plugin as it lies in a plugin folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixture<'a> {
    /// Its id, and so the name of its folder.
    pub id: &'a str,
    pub manifest: &'a str,
    pub component: &'a [u8],
}

/// Plugins that were compiled against contract 0.1.0, by three toolchains. They answer `!hello` and count `hellos`.
pub const V0_1_0: [Fixture<'static>; 3] = [
    Fixture {
        id: "greeter-rust",
        manifest: include_str!("../fixtures/v0_1_0/greeter-rust/plugin.toml"),
        component: include_bytes!("../fixtures/v0_1_0/greeter-rust/plugin.wasm"),
    },
    Fixture {
        id: "greeter-js",
        manifest: include_str!("../fixtures/v0_1_0/greeter-js/plugin.toml"),
        component: include_bytes!("../fixtures/v0_1_0/greeter-js/plugin.wasm"),
    },
    Fixture {
        id: "greeter-c",
        manifest: include_str!("../fixtures/v0_1_0/greeter-c/plugin.toml"),
        component: include_bytes!("../fixtures/v0_1_0/greeter-c/plugin.wasm"),
    },
];

const PROBE_MANIFEST: &str = include_str!("../fixtures/probe/plugin.toml");

/// The port in the manifests of the probe and the beast, which stands for that of a test's server.
const PROBE_PORT: &str = ":8080/";

/// The plugin that does what it is told in chat.
pub fn probe() -> &'static [u8] {
    include_bytes!("../fixtures/probe/plugin.wasm")
}

/// The same, but it answers "version" with 2.
pub fn probe_v2() -> &'static [u8] {
    include_bytes!("../fixtures/probe/plugin-v2.wasm")
}

/// The probe's `plugin.toml`, with a test server's port in the addresses that it asks for.
pub fn probe_manifest(port: u16) -> String {
    PROBE_MANIFEST.replace(PROBE_PORT, &format!(":{port}/"))
}

/// The plugin that does what no plugin should, when it is told to in chat.
pub fn beast() -> &'static [u8] {
    include_bytes!("../fixtures/beast/plugin.wasm")
}

/// The same, and a reviewer: every line of chat waits for it.
pub fn beast_reviewer() -> &'static [u8] {
    include_bytes!("../fixtures/beast/reviewer.wasm")
}

/// The beast's `plugin.toml`, with a test server's port in the address that it asks for.
pub fn beast_manifest(port: u16) -> String {
    include_str!("../fixtures/beast/plugin.toml").replace(PROBE_PORT, &format!(":{port}/"))
}

/// WebAssembly, but no component: what a toolchain makes when its last step was forgotten.
pub fn core_module() -> &'static [u8] {
    include_bytes!("../fixtures/probe/core-module.wasm")
}

/// `tests/fixtures/`.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The folder of the probe's source, manifest and components.
pub fn probe_folder() -> PathBuf {
    folder().join("probe")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight bytes that every WebAssembly file begins with; the last two tell components from core modules.
    #[test]
    fn the_files_are_what_they_are_called() {
        let component = b"\0asm\x0d\0\x01\0";
        for fixture in V0_1_0 {
            assert!(fixture.component.starts_with(component), "{}", fixture.id);
            assert!(fixture.manifest.contains(&format!("id = \"{}\"", fixture.id)));
        }
        for made_here in [probe(), probe_v2(), beast(), beast_reviewer()] {
            assert!(made_here.starts_with(component));
        }
        assert_ne!(probe(), probe_v2());
        assert_eq!(core_module(), b"\0asm\x01\0\0\0");
        assert!(probe_folder().join("plugin.toml").is_file());
    }

    #[test]
    fn the_probe_asks_for_the_test_servers_port() {
        let manifest = probe_manifest(4711);
        assert!(manifest.contains("\"http://127.0.0.1:4711/ private\"") && !manifest.contains(PROBE_PORT));
    }
}
