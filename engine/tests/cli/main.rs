//! Showrunner as its operator meets it: the real binary, its words, its exit codes, its files and its signals.
//!
//! Every test has a folder, a daemon and a port of its own, waits for what it expects to read, and ends what it
//! started.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may assume"
)]

mod auth;
mod backup;
mod config;
mod daemon;
mod demo;
#[cfg(target_os = "linux")]
mod disk;
mod http;
mod life;
mod lines;
mod place;
mod plugins;
mod queue;
mod replay;
mod secrets;
mod service;
mod simulate;
mod start;
mod viewers;
