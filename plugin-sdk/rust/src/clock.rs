//! The host's clock. It needs no grant.
//!
//! In a test it is the harness's, and in a replay that of the recorded stream. When an event happened is its envelope's
//! `at_ms`, which may be long ago where it was looked up after a gap.

use crate::host;

/// The time, in milliseconds since 1970. It may go back, as that of any computer.
pub fn now_ms() -> u64 {
    host::clock::now_ms()
}
