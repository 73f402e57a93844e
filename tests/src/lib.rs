//! Fake platforms, compiled plugins, and what else the end-to-end tests share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it"
)]

pub mod bot;
pub mod daemon;
pub mod fixtures;
pub mod joystick;
pub mod kill;
pub mod line;
pub mod load;
#[cfg(feature = "real-peers")]
pub mod real_peers;
pub mod retake;
pub mod service;
pub mod twitch;
pub mod web;
pub mod zoo;
