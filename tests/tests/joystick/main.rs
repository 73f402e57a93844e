//! Joystick.tv: one account under its supervisor against a fake of the whole service, with all that it may do at its
//! worst.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

mod actions;
mod connection;
mod engine;
mod events;
mod gaps;
mod rest;
mod scene;
