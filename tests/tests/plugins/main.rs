//! Plugins in a real engine: what comes of them, what they may do, how they are limited and replaced.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

mod effects;
mod fixtures;
mod grants;
mod http;
mod limits;
mod reload;
mod review;
