//! Fake platforms and what the end-to-end tests share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it"
)]

pub mod bot;
pub mod fixtures;
pub mod retake;
