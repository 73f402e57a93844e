//! The fakes of Twitch and Joystick, looked at with plain clients: do they keep the rules of their protocols? And the
//! program that they are.
//!
//! What is tested against them is only as good as they are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may assume"
)]

mod client;
mod joystick_gateway;
mod joystick_oauth;
mod joystick_shapes;
mod program;
mod twitch_events;
mod twitch_helix;
mod twitch_identity;
mod twitch_limits;
mod twitch_reconnect;
mod twitch_session;
