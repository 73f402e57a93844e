//! Compiles the plugins that ship to WebAssembly components and puts them where `src/plugin/shipped.rs` finds them.
//!
//! They are built by a cargo of their own, in a target folder of their own, so that editing one rebuilds only that one.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for watched in ["plugins", "plugin-sdk/rust", "wit/plugin.wit", "Cargo.lock", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");

    let ids = plugin_ids(&root.join("plugins"))?;
    ensure_target()?;
    let built = build(&root, &out, &ids)?;

    let mut table = String::from("/// In the order of their ids.\npub(super) static SHIPPED: &[Shipped] = &[\n");
    for id in &ids {
        let manifest = root.join("plugins").join(id).join("plugin.toml");
        let component = built.join(format!("{}.wasm", id.replace('-', "_")));
        writeln!(
            table,
            "    Shipped {{ id: {id:?}, manifest: include_str!({manifest:?}), component: include_bytes!({component:?}) }},"
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("shipped.rs"), table)?;
    Ok(())
}

/// Every folder with a manifest.
fn plugin_ids(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.join("plugin.toml").is_file() {
            ids.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    ids.sort();
    Ok(ids)
}

/// Adds the target where it is missing, or says the one command that does.
fn ensure_target() -> Result<(), Box<dyn Error>> {
    if has_target()? {
        return Ok(());
    }
    // Where there is no rustup this fails, and the message below says what to do.
    let _ = Command::new("rustup").args(["target", "add", TARGET]).status();
    if has_target()? {
        return Ok(());
    }
    Err(format!("the plugins need Rust's target {TARGET}, and it could not be added; run: rustup target add {TARGET}")
        .into())
}

fn has_target() -> Result<bool, Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    Ok(output.status.success() && Path::new(String::from_utf8(output.stdout)?.trim()).is_dir())
}

/// Returns the folder with the components.
fn build(root: &Path, out: &Path, ids: &[String]) -> Result<PathBuf, Box<dyn Error>> {
    // <target>/<profile>/build/<package>/out: one folder for all profiles, beside them.
    let target = out.ancestors().nth(4).ok_or("OUT_DIR is not inside of a target folder")?.join("plugins");
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root).args(["build", "--locked", "--profile", PROFILE, "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target);
    for id in ids {
        cargo.args(["--package", id]);
    }
    // What is meant for the build of the engine: clippy's wrapper, flags for the host's processor.
    for variable in
        ["RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"]
    {
        cargo.env_remove(variable);
    }
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(format!("the plugins can't be built:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(target.join(TARGET).join(PROFILE))
}
