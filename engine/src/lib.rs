//! Showrunner: a bot engine for live streams.
//!
//! Platforms turn what happens into one vocabulary of events, the pipeline orders them and hands them to
//! WebAssembly plugins, and carries out what the plugins decide. `ARCHITECTURE.md` is the map.
//!
//! A module imports only from modules above it in this list.

pub mod event;

pub mod effect;

pub mod observation;

pub mod metric;

pub mod permission;

mod web;

pub mod config;

pub mod recording;

pub mod store;

pub mod agent;

pub mod auth;

pub mod platform;

pub mod plugin;

pub mod pipeline;

pub mod replay;

pub mod gateway;

pub mod engine;

pub mod cli;
