//! Extism with the same logic: a crate of its own in `tests/peers/extism`, as it brings another wasmtime along. Where
//! it can't be built, everything else is measured all the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::home::repository;
use crate::machine::target_folder;
use crate::report::Section;

/// What the peer calls itself, with the way events take to it.
pub(crate) const NAME: &str = "extism, JSON";

/// What the peer prints, a line for each event.
#[derive(Deserialize)]
struct Line {
    what: String,
    who: String,
    median: f64,
    least: f64,
    most: f64,
}

/// The program, or why there is none.
pub(crate) fn build() -> Result<PathBuf, &'static str> {
    // Beside ours, not among them: nothing of it is shared.
    let target = target_folder().join("extism");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder()).args(["build", "--release", "--locked", "--target-dir"]).arg(&target);
    match cargo.status() {
        Ok(status) if status.success() => Ok(target.join("release/extism-peer")),
        _ => Err("tests/peers/extism can't be built; cargo says above why"),
    }
}

pub(super) fn run(program: &Path, arguments: &Arguments, section: &mut Section) {
    let mut peer = Command::new(program);
    peer.arg(repository().join("tests/corpus/events"));
    if arguments.quick {
        peer.arg("--quick");
    }
    let output = peer.stderr(Stdio::inherit()).output().unwrap();
    if !output.status.success() {
        println!("Extism is not measured: its peer has failed, see above.");
        return;
    }
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Line { what, who, median, least, most } = serde_json::from_str(line).unwrap();
        let row = section.row(&what, &who);
        row.value("ns", median).value("least", least).value("most", most);
    }
}

fn folder() -> PathBuf {
    repository().join("tests/peers/extism")
}
