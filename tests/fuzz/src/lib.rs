//! What fuzz targets have in common: their corpus, the mutations, the bound on memory.
//!
//! A target is a test beside the parser that it is for, so that no parser is public for its sake. `cargo test` gives it
//! its corpus and a bounded number of mutations of that; `tests/fuzz/long` gives it to libFuzzer, through bolero, which
//! looks for inputs that reach new code. `tests/README.md` has the commands and tells how to write one.
//!
//! The bounded run has mutations of its own, in `mutate`, because what fuzzers of crates.io have needs their build of the
//! target: nightly Rust, or all crates once more with the coverage of LLVM. Bolero's run without that draws bytes from
//! nothing, which no parser of text takes for more than garbage, and not the same ones twice.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "only tests use it, and it prints figures"
)]

mod corpus;
mod mutate;
mod run;

#[cfg(fuzzing)]
pub use bolero;

pub use self::run::{assert_one_short_line, check, check_text, run, run_text};

/// Runs a target on bytes; the test function that calls it gives it its name, and with that its corpus.
///
/// `fuzz_bytes!(most, |bytes| ...)`: at its peak, reading an input may need `most` bytes for each of its bytes.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! fuzz_bytes {
    ($most:expr, $target:expr) => {{
        fn here() {}
        $crate::run(::core::any::type_name_of_val(&here), $most, $target)
    }};
}

/// The same for text.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! fuzz_text {
    ($most:expr, $target:expr) => {{
        fn here() {}
        $crate::run_text(::core::any::type_name_of_val(&here), $most, $target)
    }};
}

/// The same with the bytes of libFuzzer.
#[cfg(fuzzing)]
#[macro_export]
macro_rules! fuzz_bytes {
    ($most:expr, $target:expr) => {
        $crate::bolero::check!().for_each(|bytes: &[u8]| $crate::check(bytes, $most, $target))
    };
}

/// The same with the bytes of libFuzzer, as text.
#[cfg(fuzzing)]
#[macro_export]
macro_rules! fuzz_text {
    ($most:expr, $target:expr) => {
        $crate::bolero::check!().for_each(|bytes: &[u8]| $crate::check_text(bytes, $most, $target))
    };
}
