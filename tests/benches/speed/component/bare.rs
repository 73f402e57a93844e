//! Wasmtime as somebody would use it who has one plugin, trusts it and needs nothing but the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use showrunner::plugin::bench::types::Envelope;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod blocking {
    #![allow(clippy::all, unreachable_pub, missing_debug_implementations, reason = "generated")]
    // The contract's namespace has the name of the crate.
    use ::showrunner as engine;

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        with: { "showrunner:plugin/types": engine::plugin::bench::types },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

mod asynchronous {
    #![allow(clippy::all, unreachable_pub, missing_debug_implementations, reason = "generated")]
    // The contract's namespace has the name of the crate.
    use ::showrunner as engine;

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        exports: { default: async },
        with: {
            "showrunner:plugin/types": engine::plugin::bench::types,
            "showrunner:plugin/kv": super::blocking::showrunner::plugin::kv,
            "showrunner:plugin/chat": super::blocking::showrunner::plugin::chat,
        },
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

use blocking::showrunner::plugin::{chat, kv};

/// As often as the host's own clock.
const TICK: Duration = Duration::from_millis(5);

/// Takes what the greeter asks for, and forgets it with the next call.
struct Host {
    said: Vec<String>,
    hellos: i32,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl Host {
    fn new() -> Self {
        Self { said: Vec::new(), hellos: 0, wasi: WasiCtx::builder().build(), table: ResourceTable::new() }
    }

    fn say(&mut self, text: String) -> Result<u32, String> {
        self.said.push(text);
        Ok(0)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl kv::Host for Host {
    fn get(&mut self, _key: String) -> Option<Vec<u8>> {
        None
    }

    fn set(&mut self, _key: String, _value: Vec<u8>) -> Result<(), String> {
        Ok(())
    }

    fn remove(&mut self, _key: String) -> Result<(), String> {
        Ok(())
    }

    fn increment(&mut self, _key: String, by: i32) -> Result<i32, String> {
        self.hellos += by;
        Ok(self.hellos)
    }

    fn keys(&mut self, _prefix: String, _limit: u32) -> Vec<String> {
        Vec::new()
    }
}

impl chat::Host for Host {
    fn say(&mut self, _platform: String, _channel: String, text: String) -> Result<u32, String> {
        Self::say(self, text)
    }

    fn reply(&mut self, _platform: String, _channel: String, _message: String, text: String) -> Result<u32, String> {
        Self::say(self, text)
    }

    fn whisper(&mut self, _platform: String, _channel: String, _user: String, text: String) -> Result<u32, String> {
        Self::say(self, text)
    }

    fn announce(&mut self, _platform: String, _channel: String, text: String) -> Result<u32, String> {
        Self::say(self, text)
    }

    fn shoutout(&mut self, _platform: String, _channel: String, user: String) -> Result<u32, String> {
        Self::say(self, user)
    }
}

fn link(linker: &mut Linker<Host>) {
    kv::add_to_linker::<_, HasSelf<Host>>(linker, |host| host).unwrap();
    chat::add_to_linker::<_, HasSelf<Host>>(linker, |host| host).unwrap();
}

/// Nothing around the call at all.
pub(super) struct BareSync {
    store: Store<Host>,
    plugin: blocking::Plugin,
}

impl BareSync {
    pub(super) fn start(component: &[u8]) -> Self {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        link(&mut linker);
        let mut store = Store::new(&engine, Host::new());
        let component = Component::from_binary(&engine, component).unwrap();
        let plugin = blocking::Plugin::instantiate(&mut store, &component, &linker).unwrap();
        plugin.showrunner_plugin_handler().call_init(&mut store).unwrap().unwrap();
        Self { store, plugin }
    }

    pub(super) fn handle(&mut self, envelope: Envelope<'_>) {
        self.store.data_mut().said.clear();
        self.plugin.showrunner_plugin_handler().call_handle(&mut self.store, envelope).unwrap().unwrap();
    }
}

/// An engine whose guests can be interrupted, with the thread that counts its epochs.
pub(super) struct Clock {
    engine: Engine,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let (ticking, until) = (engine.clone(), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                ticking.increment_epoch();
                #[expect(clippy::disallowed_methods, reason = "this thread does nothing else")]
                std::thread::sleep(TICK);
            }
        });
        Self { engine, ended, thread: Some(thread) }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// As within a daemon: on a fiber, so that imports may wait, and with an end to what a guest may take.
pub(super) struct BareAsync {
    store: Store<Host>,
    plugin: asynchronous::Plugin,
}

impl BareAsync {
    pub(super) async fn start(clock: &Clock, component: &[u8]) -> Self {
        let engine = &clock.engine;
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        link(&mut linker);
        let mut store = Store::new(engine, Host::new());
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let component = Component::from_binary(engine, component).unwrap();
        let plugin = asynchronous::Plugin::instantiate_async(&mut store, &component, &linker).await.unwrap();
        plugin.showrunner_plugin_handler().call_init(&mut store).await.unwrap().unwrap();
        Self { store, plugin }
    }

    pub(super) async fn handle(&mut self, envelope: Envelope<'_>) {
        self.store.data_mut().said.clear();
        self.store.set_epoch_deadline(1);
        self.plugin.showrunner_plugin_handler().call_handle(&mut self.store, envelope).await.unwrap().unwrap();
    }
}
