//! What a plugin's store holds: what it may do, what it did in the call under way, and how much time it has left.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::grants::{Denied, Grants};
use super::imports::kv::{Kv, Overlay};
use super::imports::log::LogBudget;
use super::imports::stdio::LogStream;
use super::instance::CallOutput;
use super::loader::Loaded;
use super::memory::MemoryLimit;
use super::services::Services;
use crate::config::settings::{Limits, PluginSettings};
use crate::effect::{Effect, NumberedEffect, PluginId};
use crate::event::Channel;
use crate::metric;
use crate::recording::Start;

/// Far longer than a store takes that is well.
const SOON: Duration = Duration::from_millis(500);

/// Random bytes in one call: enough to seed a generator.
const RANDOM_BYTES: u64 = 4096;

/// All that a plugin's instances share, over crashes and reloads of the same version.
pub(super) struct Context {
    pub(super) plugin: PluginId,
    pub(super) limits: Limits,
    /// May change while it runs: taking back a grant holds from the next call on.
    pub(super) grants: ArcSwap<Grants>,
    /// Channels it may speak in; empty for all.
    pub(super) channels: ArcSwap<BTreeSet<Channel>>,
    /// The operator's settings over the manifest's defaults.
    pub(super) settings: ArcSwap<Value>,
    pub(super) kv: Arc<Mutex<Kv>>,
    pub(super) log: Mutex<LogBudget>,
    pub(super) services: Services,
    /// What is recorded of its start.
    pub(super) start: Start,
}

impl Context {
    /// For a version with what the operator says of it.
    pub(super) fn new(
        plugin: PluginId,
        loaded: &Loaded,
        limits: &Limits,
        grants: Grants,
        settings: &PluginSettings,
        kv: Arc<Mutex<Kv>>,
        services: Services,
    ) -> Self {
        let memory_bytes = loaded.manifest.memory_bytes.unwrap_or(usize::MAX).min(limits.memory_bytes);
        let table = merge(loaded.manifest.defaults.clone(), &settings.settings);
        let start = Start {
            plugin: plugin.clone(),
            version: loaded.manifest.version.clone(),
            hash: loaded.hash.clone(),
            reviewer: loaded.blueprint.reviews() && grants.check_review().is_ok(),
            fallback: loaded.manifest.fallback,
            record: settings.record,
            grant: settings.grant.clone(),
            channels: settings.channels.clone(),
            on_failure: settings.on_failure,
            settings: settings.settings.clone(),
        };
        Self {
            plugin,
            limits: Limits { memory_bytes, ..limits.clone() },
            grants: ArcSwap::from_pointee(grants),
            channels: ArcSwap::from_pointee(settings.channels.iter().cloned().collect()),
            settings: ArcSwap::from_pointee(Value::Object(table)),
            kv,
            log: Mutex::new(LogBudget::default()),
            services,
            start,
        }
    }

    pub(super) fn kv(&self) -> MutexGuard<'_, Kv> {
        // Nothing that panics runs under this lock.
        self.kv.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kv_version(&self) -> u64 {
        self.kv().version()
    }
}

/// The operator's table over the manifest's defaults: tables are merged, everything else is replaced.
fn merge(mut defaults: Map<String, Value>, settings: &Map<String, Value>) -> Map<String, Value> {
    for (key, value) in settings {
        let merged = match (defaults.remove(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => Value::Object(merge(below, above)),
            (_, value) => value.clone(),
        };
        defaults.insert(key.clone(), merged);
    }
    defaults
}

/// The data of a store.
pub(super) struct Guest {
    pub(super) context: Arc<Context>,
    pub(super) memory: MemoryLimit,
    /// What the call under way has asked for so far. Dropped with it when it does not end well.
    pub(super) output: CallOutput,
    pub(super) overlay: Overlay,
    effect_bytes: usize,
    reviewing: bool,
    deadline: Instant,
    wasi: WasiCtx,
    resources: ResourceTable,
}

impl Guest {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self {
            memory: MemoryLimit::new(context.limits.memory_bytes),
            wasi: empty_wasi(&context),
            context,
            output: CallOutput::default(),
            overlay: Overlay::default(),
            effect_bytes: 0,
            reviewing: false,
            deadline: Instant::now(),
            resources: ResourceTable::new(),
        }
    }

    /// A call begins: nothing asked for yet, the whole time ahead.
    pub(super) fn begin(&mut self, limit: Duration) {
        self.output = CallOutput::default();
        self.overlay = Overlay::default();
        self.effect_bytes = 0;
        self.reviewing = false;
        self.memory.begin();
        self.deadline = Instant::now() + limit;
    }

    /// A review only judges: effects are refused in it.
    pub(super) fn begin_review(&mut self, limit: Duration) {
        self.begin(limit);
        self.reviewing = true;
    }

    /// The call ended well.
    pub(super) fn finish(&mut self) -> CallOutput {
        let overlay = std::mem::take(&mut self.overlay);
        self.output.used_kv = overlay.is_used();
        self.output.kv = overlay.into_writes();
        std::mem::take(&mut self.output)
    }

    pub(super) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Asks the store for what a plugin can do without. `None` when that takes too long: no answer in chat waits for a
    /// disk.
    pub(super) async fn soon<T>(&mut self, question: impl Future<Output = T>) -> Option<T> {
        if self.context.services.is_slow() {
            return None;
        }
        self.waiting(tokio::time::timeout(SOON, question)).await.ok()
    }

    /// Gives back the time that the host, not the guest, has spent waiting.
    pub(super) async fn waiting<T>(&mut self, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let value = work.await;
        self.deadline += started.elapsed();
        value
    }

    pub(super) fn check(&self, permission: &'static str, item: &str) -> Result<(), Denied> {
        self.context.grants.load().check(permission, item).inspect_err(|denied| self.refused(denied))
    }

    /// A refusal is counted and shown, because it is most often a forgotten grant.
    pub(super) fn refused(&self, denied: &Denied) {
        metrics::counter!(metric::PLUGIN_DENIED, "plugin" => self.context.plugin.to_string()).increment(1);
        tracing::debug!(plugin = %self.context.plugin, %denied, "A call was refused.");
    }

    /// Writes an effect down and returns its number within the event.
    pub(super) fn push_effect(&mut self, effect: Effect) -> Result<u32, String> {
        let bytes = effect.bytes();
        self.check_effect(bytes)?;
        let number = u32::try_from(self.output.effects.len()).unwrap_or(u32::MAX);
        self.effect_bytes += bytes;
        self.output.effects.push(NumberedEffect { number, effect });
        Ok(number)
    }

    fn check_effect(&self, bytes: usize) -> Result<(), String> {
        let limits = &self.context.limits;
        if self.reviewing {
            return Err("refused: a review gives a verdict and has no effects; act on the event in the handler".into());
        }
        if self.output.effects.len() >= usize::try_from(limits.effects).unwrap_or(usize::MAX) {
            return Err(format!("limit: at most {} effects for one event", limits.effects));
        }
        if self.effect_bytes.saturating_add(bytes) > limits.effect_bytes {
            return Err(format!("limit: the effects of one event may hold at most {} bytes", limits.effect_bytes));
        }
        Ok(())
    }
}

/// WASI without a world: no files, no environment, no arguments, no sockets. What is printed goes to the log.
fn empty_wasi(context: &Arc<Context>) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.stdout(LogStream::new(Arc::clone(context)))
        .stderr(LogStream::new(Arc::clone(context)))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(RANDOM_BYTES);
    context.services.furnish(&mut wasi);
    wasi.build()
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_operators_settings_go_over_the_defaults() {
        let table = |value: Value| value.as_object().unwrap().clone();
        let defaults =
            table(json!({ "greeting": "Hi", "rules": { "gm": { "reply": "gm" }, "hi": {} }, "list": [1, 2] }));
        let settings = table(json!({ "rules": { "gm": { "reply": "GM!" } }, "list": [3] }));
        let merged = merge(defaults, &settings);
        assert_eq!(
            Value::Object(merged),
            json!({ "greeting": "Hi", "rules": { "gm": { "reply": "GM!" }, "hi": {} }, "list": [3] })
        );
    }
}
