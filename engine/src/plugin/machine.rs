//! The machinery that all plugins share: the compiler with its cache, and the clock that interrupts them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rayon::ThreadPoolBuilder;
use wasmtime::component::Linker;
use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, OptLevel};

use super::guest::Guest;
use super::wit::v0_1;

/// How precisely a plugin's time is measured, and how long it may run without letting others.
const TICK: Duration = Duration::from_millis(5);

pub(super) struct Machine {
    pub(super) engine: Engine,
    pub(super) v0_1: Linker<Guest>,
}

#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error("the plugin compiler can't be set up: {0}")]
    Engine(String),
    #[error("the clock of plugins can't be started: {0}")]
    Clock(#[from] std::io::Error),
}

impl Machine {
    /// Without a cache folder every start compiles all plugins anew.
    pub(super) fn start(cache: Option<&Path>) -> Result<Self, MachineError> {
        let broken = |error: wasmtime::Error| MachineError::Engine(format!("{error:#}"));
        let engine = Engine::new(&config(cache)).map_err(broken)?;
        let v0_1 = v0_1::linker(&engine).map_err(broken)?;
        start_ticker(engine.weak())?;
        Ok(Self { engine, v0_1 })
    }

    /// Compiling takes all cores, for seconds; on threads of its own, which let everybody else go first.
    pub(super) fn in_background<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        let pool =
            ThreadPoolBuilder::new().thread_name(|_| "compiler".to_owned()).start_handler(|_| give_way()).build();
        match pool {
            Ok(pool) => pool.install(work),
            // There is no room for more threads, which this needs least of all.
            Err(_) => work(),
        }
    }
}

/// Nice, as of a batch job. Elsewhere than on Linux it would be the whole process that steps back.
#[cfg(target_os = "linux")]
fn give_way() {
    // An error is of no consequence: it then competes as before.
    let _ = rustix::process::setpriority_process(None, 10);
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}

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
