//! Extism takes core modules; the linker of wasm32-wasip2 would make a component of it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=--skip-wit-component");
}
