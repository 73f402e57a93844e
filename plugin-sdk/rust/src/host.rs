//! Where the host's functions are: the imports of the component, or on any other target the harness's fake
//! host with the same signatures. Every capability module calls through here and nowhere else.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::showrunner::plugin::{
    agent, alerts, chat, clock, config, gateway, http, kv, log, moderation, timers, tools, viewers,
};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::functions::{
    agent, alerts, chat, clock, config, gateway, http, kv, log, moderation, timers, tools, viewers,
};
