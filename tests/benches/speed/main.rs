//! How fast it is, layer by layer, beside its peers: `cargo bench --profile dist --bench speed`. `tests/README.md` has
//! the recipe.
//!
//! Figures are printed and written down, never asserted: they belong to the machine that they were measured on, which
//! is why it is named beside them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may assume, and prints"
)]

mod actor;
mod arguments;
mod bare_listener;
mod component;
mod corpus;
mod home;
mod machine;
mod measure;
mod native;
mod pipeline;
mod report;
mod results;
mod rooms;
mod socket;

use std::path::PathBuf;

use arguments::{Arguments, Bench};
use report::Report;

fn main() {
    // A peer that this program plays itself, in a process of its own.
    if let Some(listener) = bare_listener::asked_for() {
        return listener.run();
    }
    let arguments = Arguments::read();
    showrunner_tests::bot::install_tls();
    // Whatever is to be built is built before anything is measured.
    let peers = Peers::build(&arguments);
    let mut report = Report::begin(&arguments);
    for bench in arguments.benches() {
        let busy = machine::Busy::begin();
        match bench {
            Bench::B0 => native::run(&arguments, &mut report),
            Bench::B1 => component::run(&arguments, peers.extism.as_deref(), &mut report),
            Bench::B2 => actor::run(&arguments, &mut report),
            Bench::B3 => pipeline::run(&arguments, &mut report),
            Bench::B4 => socket::load(&arguments, &mut report),
            Bench::Beside => socket::beside(&arguments, &mut report),
            Bench::Memory => socket::memory(&arguments, &mut report),
            Bench::Start => socket::start(&arguments, &mut report),
            Bench::Live => socket::live(&arguments, &mut report),
        }
        report.quiet(bench, &busy);
    }
    for missing in &peers.missing {
        println!("\nNot measured: {missing}");
    }
    report.end(&arguments);
}

/// Programs that stand beside ours, as far as they are here.
struct Peers {
    extism: Option<PathBuf>,
    /// Which are not, and why.
    missing: Vec<String>,
}

impl Peers {
    fn build(arguments: &Arguments) -> Self {
        let mut peers = Self { extism: None, missing: Vec::new() };
        if arguments.measures(Bench::B1) && arguments.with_extism() {
            match component::extism::build() {
                Ok(program) => peers.extism = Some(program),
                Err(why) => peers.missing.push(format!("Extism: {why}")),
            }
        }
        if arguments.benches().iter().any(|bench| *bench >= Bench::B4) {
            socket::build();
            peers.missing.extend(socket::missing_bots(arguments));
        }
        peers
    }
}
