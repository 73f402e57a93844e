//! A door for the benchmarks, which want to know what the host adds to a call: one instance without its actor, and the
//! types of the contract. No part of the library's interface; nothing but `tests/benches` uses it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub use bumpalo::Bump as Arena;

use super::delivery::Delivery;
use super::grants::Grants;
use super::guest::Context;
use super::imports::http::{HttpClient, HttpWays};
use super::imports::kv::Kv;
use super::instance::Instance;
use super::loader::{self, Files};
use super::machine::Machine;
use super::services::{Live, Services};
pub use super::wit::v0_1::bindings::showrunner::plugin::types;
use super::wit::v0_1::convert;
use crate::agent::TaskQueue;
use crate::config::settings::{Limits, PluginSettings};
use crate::event::Envelope;
use crate::observation::Observer;
use crate::store::Store;

/// The event as plugins of WIT 0.1 get it.
pub fn typed<'a>(envelope: &'a Envelope, arena: &'a Arena) -> types::Envelope<'a> {
    convert::envelope(envelope, arena)
}

/// A plugin's only instance, initialised, with all that it asks for granted and the default limits. Whoever holds it
/// calls it; nothing it asks for is done.
pub struct LoneInstance {
    instance: Instance,
}

impl LoneInstance {
    pub async fn start(
        manifest: &str,
        component: &[u8],
        store: Store,
        tasks: TaskQueue,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let files = Files::new(manifest.to_owned(), component.to_vec());
        let loaded = loader::load(&Machine::start(None)?, files)?;
        let limits = Limits::default();
        let asked = loaded.manifest.permissions.clone();
        let services = Services::Live(Live {
            http: HttpClient::new(HttpWays::new()?, BTreeMap::new(), &limits),
            store,
            tasks,
            observer: Observer::default(),
            recorder: None,
        });
        let grants = Grants { given: asked.clone(), asked };
        let kv = Arc::new(Mutex::new(Kv::new(BTreeMap::new())));
        let plugin = loaded.manifest.id.as_str().into();
        let context = Context::new(plugin, &loaded, &limits, grants, &PluginSettings::default(), kv, services);
        let mut instance = loaded.blueprint.instantiate(Arc::new(context)).await?;
        instance.init().await??;
        Ok(Self { instance })
    }

    /// Returns how many effects the plugin asked for.
    pub async fn handle(&mut self, delivery: &Delivery) -> Result<usize, String> {
        let (_, output) = self.instance.handle(delivery).await.map_err(|crash| crash.to_string())??;
        Ok(output.effects.len())
    }
}
