//! Programs that nobody here wrote, started as child processes, and the whole engine against them.
//!
//! Only with the feature `real-peers`: what is in here needs more than Rust. Everything listens on loopback, and every
//! child ends with the value that stands for it.

pub mod actioncable;
pub mod engine;
pub mod process;
pub mod socketio;
