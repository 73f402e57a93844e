//! What fuzz targets have in common: their corpus, the mutations, the bound on memory.
//!
//! A target is a test beside the parser that it is for, so that no parser is public for its sake. `cargo test` gives it
//! its corpus and a bounded number of mutations of that, `FUZZ_SECONDS` lets it go on. `tests/README.md` has the
//! commands and tells how to write one.
//!
//! The runner and the mutations are our own, and small, because targets must run with stable Rust, in the tests of
//! every build. The fuzzers that look for new code (libFuzzer, AFL, and bolero, which drives them) need nightly flags
//! and all crates built once more, and what bolero does without them draws bytes from nothing, which no parser of text
//! takes for more than garbage. What a mutation without that guidance needs is in the corpus: a seed for all that a
//! parser takes.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "only tests use it, and it prints figures"
)]

mod corpus;
mod mutate;
mod run;

pub use self::run::{assert_one_short_line, run, run_text};

/// Runs a target on bytes; the test function that calls it gives it its name, and with that its corpus.
///
/// `fuzz_bytes!(most, |bytes| ...)`: at its peak, reading an input may need `most` bytes for each of its bytes.
#[macro_export]
macro_rules! fuzz_bytes {
    ($most:expr, $target:expr) => {{
        fn here() {}
        $crate::run(::core::any::type_name_of_val(&here), $most, $target)
    }};
}

/// The same for text.
#[macro_export]
macro_rules! fuzz_text {
    ($most:expr, $target:expr) => {{
        fn here() {}
        $crate::run_text(::core::any::type_name_of_val(&here), $most, $target)
    }};
}
