//! Bad networks: nothing is lost that could be kept, nothing is done twice, and what is wrong is said.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

mod engine;
mod rest;
mod socket;
