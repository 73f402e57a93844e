//! What the READMEs show of the greeter is the greeter in `greeter/`, which compiles and passes its test.

#![allow(clippy::unwrap_used, reason = "a test may assume")]

const PLUGIN: &str = include_str!("greeter/src/lib.rs");
const MANIFEST: &str = include_str!("greeter/plugin.toml");

/// The README of the SDK, and that of the repository.
const TUTORIAL: &str = include_str!("../README.md");
const FIRST_LOOK: &str = include_str!("../../../README.md");

/// The blocks of code between fences of this language, without their white space: a README is denser than rustfmt.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|block| dense(block.split("```").next().unwrap())).collect()
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_greeter_of_the_readmes_is_the_one_that_is_tested() {
    let (plugin, test) = PLUGIN.split_once("#[cfg(test)]").unwrap();
    let plugin = dense(plugin.split_once("\n\n").unwrap().1);
    let test = format!("#[cfg(test)]{}", dense(test));
    assert_eq!(blocks(TUTORIAL, "rust"), [plugin.clone(), test]);
    assert_eq!(blocks(FIRST_LOOK, "rust"), [plugin]);
    assert!(
        blocks(TUTORIAL, "toml").contains(&dense(MANIFEST)),
        "the manifest of plugin-sdk/rust/README.md is another"
    );
}

/// The first look leaves the name and the comments out.
#[test]
fn the_manifest_of_the_first_look_asks_for_the_same() {
    let manifest = |text: &str| {
        let mut table: toml::Table = toml::from_str(text).unwrap();
        table.remove("name");
        table
    };
    let shown = FIRST_LOOK.split("```toml\n").filter(|block| block.starts_with("id = \"greeter\""));
    let shown: Vec<_> = shown.map(|block| manifest(block.split("```").next().unwrap())).collect();
    assert_eq!(shown, [manifest(MANIFEST)]);
}
