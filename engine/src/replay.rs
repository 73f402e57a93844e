//! Playing a recorded stream again: to see what another build of a plugin, or other settings, would have made of it.
//!
//! A [`Journal`] is a stream with all that was recorded of it, from a database or from a file that was exported from
//! one. [`Lockstep`] plays it to plugins, strictly one event after the other, as the pipeline would: reviewers first,
//! then handlers, then fallbacks. Whoever is not played does what it did then. [`difference`] compares two such plays.
//!
//! Nothing in here is carried out, and nothing depends on the time or the machine: the same journal and the same
//! plugins give the same, byte for byte. The command line calls it.

pub mod difference;
mod error;
mod export;
mod journal;
mod lockstep;
pub mod rulings;
mod setup;

pub use self::error::JournalError;
pub use self::export::{ExportError, Exported, export};
pub use self::journal::{FORMAT, Header, Journal, KeptMemory, RecordedPlugin};
pub use self::lockstep::{Act, Decided, Lockstep, Review};
pub use self::setup::{Member, MemoryChoice, MemoryOf, Setup};
