//! Being built.
pub struct Backoff;
