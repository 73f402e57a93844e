//! The host's clock.

use crate::host;

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    host::clock::now_ms()
}
