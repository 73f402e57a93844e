//! Extism with the same logic: a crate of its own, built when it is asked for, as it brings another wasmtime along.

use std::process::Command;

use serde::Deserialize;

use crate::arguments::Arguments;
use crate::home::repository;
use crate::machine::profile_folder;
use crate::report::Section;

/// What `tests/peers/extism` prints, a line for each event.
#[derive(Deserialize)]
struct Line {
    what: String,
    who: String,
    median: f64,
    least: f64,
    most: f64,
}

pub(super) fn run(arguments: &Arguments, section: &mut Section) {
    let crate_folder = repository().join("tests/peers/extism");
    // Beside ours, not among them: nothing of it is shared.
    let target = profile_folder().parent().unwrap().join("extism");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&crate_folder).args(["run", "--release", "--locked", "--target-dir"]).arg(target);
    cargo.arg("--").arg(repository().join("tests/corpus/events"));
    if arguments.quick {
        cargo.arg("--quick");
    }
    let output = cargo.stderr(std::process::Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "tests/peers/extism can't be built or run; see above, or leave out --extism");
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Line { what, who, median, least, most } = serde_json::from_str(line).unwrap();
        let row = section.row(&what, &who);
        row.value("ns", median).value("least", least).value("most", most);
    }
}
