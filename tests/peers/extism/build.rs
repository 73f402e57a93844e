//! Builds the plugin, which is a crate of its own for another target.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

fn main() {
    println!("cargo::rerun-if-changed=guest/src");
    println!("cargo::rerun-if-changed=guest/Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("guest");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap());
    cargo
        .current_dir("guest")
        .args(["build", "--release", "--locked", "--target", TARGET, "--target-dir"])
        .arg(&target);
    // What is meant for the host.
    for variable in ["RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    assert!(cargo.status().unwrap().success(), "the plugin can't be built");
    println!("cargo::rustc-env=GUEST={}", target.join(TARGET).join("release/extism_guest.wasm").display());
}
