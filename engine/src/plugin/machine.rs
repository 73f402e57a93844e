//! The machinery that all plugins share: the compiler with its cache, the clock that interrupts them, and the threads
//! they run on. Threads of their own, because a plugin that spins must never keep a platform's heartbeat waiting.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::component::Linker;
use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, OptLevel};

use super::guest::Guest;
use super::wit::v0_1;

/// How precisely a plugin's time is measured, and how long it may run without letting others.
const TICK: Duration = Duration::from_millis(5);

/// Threads for plugins: more would only help plugins that compute for long, which the time limits forbid.
const MOST_THREADS: usize = 4;

pub(super) struct Machine {
    pub(super) engine: Engine,
    pub(super) v0_1: Linker<Guest>,
    /// Gone once it is shut down, or where others run the plugins.
    runtime: Option<Runtime>,
}

#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error("the plugin compiler can't be set up: {0}")]
    Engine(String),
    #[error("the threads for plugins can't be started: {0}")]
    Threads(#[from] std::io::Error),
}

impl Machine {
    /// Without a cache folder every start compiles all plugins anew.
    pub(super) fn start(cache: Option<&Path>) -> Result<Self, MachineError> {
        let mut machine = Self::without_threads(cache)?;
        machine.runtime = Some(plugin_runtime()?);
        Ok(machine)
    }

    /// For whoever runs plugins on a thread of their own, one call at a time.
    pub(super) fn without_threads(cache: Option<&Path>) -> Result<Self, MachineError> {
        let broken = |error: wasmtime::Error| MachineError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config(cache)).map_err(broken)?;
        let v0_1 = v0_1::linker(&engine).map_err(broken)?;
        start_ticker(engine.weak())?;
        Ok(Self { engine, v0_1, runtime: None })
    }

    /// Where plugins run.
    pub(super) fn threads(&self) -> Option<&Handle> {
        self.runtime.as_ref().map(Runtime::handle)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Waiting for plugins here would hold up the thread that drops the machine; they have been stopped before.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn config(cache: Option<&Path>) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // No plugin of 0.1 uses it, and each call would pay for it.
    config.concurrency_support(false);
    config.cache(cache.and_then(open_cache));
    config
}

/// `None` where the folder can't be made, as on a full disk: a plugin that is compiled anew runs as well.
fn open_cache(folder: &Path) -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    // After this many uses the cache would compress an entry better, which takes ~170 MB for a while.
    config.with_optimized_compression_usage_counter_threshold(u64::MAX);
    Cache::new(config)
        .inspect_err(|error| {
            let (folder, error) = (folder.display(), format!("{error:#}"));
            tracing::warn!(%folder, error, "Compiled plugins can't be kept; they are compiled at each start.");
        })
        .ok()
}

/// A thread of its own, so that no busy runtime can hold the clock back. It ends with the engine.
fn start_ticker(engine: EngineWeak) -> std::io::Result<()> {
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            #[expect(clippy::disallowed_methods, reason = "this thread does nothing else")]
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new().name("plugin-clock".into()).spawn(tick).map(drop)
}

fn plugin_runtime() -> std::io::Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, MOST_THREADS);
    Builder::new_multi_thread()
        .thread_name("plugin")
        .worker_threads(threads)
        // After every yield of a plugin the runtime looks at timers and sockets; by default it would do so only
        // after 61 of them, a third of a second.
        .event_interval(1)
        .enable_all()
        .build()
}

/// For those who only read a component.
pub(super) fn compiler() -> Result<(Engine, Linker<Guest>), MachineError> {
    let broken = |error: wasmtime::Error| MachineError::Engine(format!("{error:#}"));
    let mut config = config(None);
    // Nothing of it will run.
    config.cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config).map_err(broken)?;
    let linker = v0_1::linker(&engine).map_err(broken)?;
    Ok((engine, linker))
}

/// Shared by the host and all actors.
pub(super) type SharedMachine = Arc<Machine>;
