//! How long Extism takes for the events of the benchmarks: one line of JSON for each.
//!
//!     cargo run --release -- CORPUS_FOLDER [--quick]
//!
//! It is what `cargo bench --bench speed -- b1` runs.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use extism::{Manifest, Plugin, Wasm};
use serde_json::{Value, json};

/// The plugin, as `build.rs` built it.
const GUEST: &[u8] = include_bytes!(env!("GUEST"));

/// As the host limits its own plugins.
const TIME_LIMIT: Duration = Duration::from_millis(250);

/// The names that the other contestants have, and the files.
const EVENTS: [(&str, &str); 5] = [
    ("short chat", "short-chat.json"),
    ("long chat", "long-chat.json"),
    ("command", "command.json"),
    ("gift of 20", "gift.json"),
    ("raid", "raid.json"),
];

const SAMPLES: usize = 15;
const WARM_UP: usize = 2;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("the folder of the events"));
    let sample = Duration::from_millis(if arguments.next().is_some() { 5 } else { 50 });
    let manifest = Manifest::new([Wasm::data(GUEST)]).with_timeout(TIME_LIMIT);
    let mut plugin = Plugin::new(&manifest, [], false).unwrap();

    measure(&mut plugin, "an empty call", "extism", sample, |plugin| {
        plugin.call::<&str, &[u8]>("nothing", "").unwrap();
    });
    for (what, file) in EVENTS {
        let event: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
        let text = event.to_string();
        measure(&mut plugin, what, "extism, JSON", sample, |plugin| {
            let answer = plugin.call::<&str, &[u8]>("handle", &text).unwrap();
            let answer: Value = serde_json::from_slice(answer).unwrap();
            assert_eq!(answer["disposition"] == "handled", what == "command");
        });
    }
}

/// The event is written once for all plugins, so that is no part of it; reading the answer is.
fn measure(plugin: &mut Plugin, what: &str, who: &str, sample: Duration, mut call: impl FnMut(&mut Plugin)) {
    let mut time = |calls: u64| {
        let begun = Instant::now();
        for _ in 0..calls {
            call(plugin);
        }
        begun.elapsed()
    };
    let mut calls = 1;
    while time(calls) < sample {
        calls *= 2;
    }
    let mut each: Vec<f64> = (0..WARM_UP + SAMPLES).map(|_| time(calls).as_nanos() as f64 / calls as f64).collect();
    each.drain(..WARM_UP);
    each.sort_unstable_by(f64::total_cmp);
    println!(
        "{}",
        json!({ "what": what, "who": who, "median": each[SAMPLES / 2], "least": each[0], "most": each[SAMPLES - 1] })
    );
}
