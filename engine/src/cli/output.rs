//! The one place that writes what a command has to say.
//!
//! A reader that has seen enough, as `head` has, closes the pipe; that is a quiet end and no failure.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// The other end of the pipe is closed.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output left")]
pub(super) struct Closed;

/// Writes a line, or several that are one text, and makes it visible.
pub(super) fn line(text: impl Display) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Closed.into(),
        _ => anyhow::anyhow!("can't write to the standard output: {error}"),
    })
}

/// Says on the standard error what does not belong to the result.
pub(super) fn warn(text: impl Display) {
    // Nobody is left to be told when this fails.
    let _ = writeln!(io::stderr().lock(), "warning: {text}");
}

/// The same for what is no trouble.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes one JSON value as one line.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?)
}

/// Whether a person is likely to look, on a terminal that shows colors, and did not ask for none (no-color.org).
pub(super) fn has_colors() -> bool {
    io::stdout().is_terminal() && !no_color()
}

pub(super) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
