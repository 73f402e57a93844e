//! Twitch accounts under their supervisors against a Twitch that misbehaves in every way that its protocol allows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

mod acting;
mod engine;
mod gaps;
mod session;
mod subscribing;
