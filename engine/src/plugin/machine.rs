//! The machinery that all plugins share: the compiler with its cache, and the clock that interrupts them.

use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use wasmtime::component::Linker;
use wasmtime::{Cache, CacheConfig, Config, Engine, OptLevel};

use super::clock::Clock;
use super::guest::Guest;
use super::wit::v0_1;

pub(super) struct Machine {
    pub(super) engine: Engine,
    pub(super) v0_1: Linker<Guest>,
    pub(super) clock: Arc<Clock>,
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
        Self::with(&config(cache))
    }

    /// For those who only read a component.
    pub(super) fn for_reading() -> Result<Self, MachineError> {
        let mut config = config(None);
        // Nothing of it will run.
        config.cranelift_opt_level(OptLevel::None);
        Self::with(&config)
    }

    fn with(config: &Config) -> Result<Self, MachineError> {
        let broken = |error: wasmtime::Error| MachineError::Engine(format!("{error:#}"));
        let engine = Engine::new(config).map_err(broken)?;
        let v0_1 = v0_1::linker(&engine).map_err(broken)?;
        let ticked = engine.clone();
        let clock = Arc::new(Clock::start(move || ticked.increment_epoch())?);
        Ok(Self { engine, v0_1, clock })
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

/// Shared by the host and all actors.
pub(super) type SharedMachine = Arc<Machine>;

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store, Trap};

    use super::*;

    /// `(module (func (export "spin") (loop (br 0))))`
    const SPINNER: &[u8] =
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x08\x01\x04spin\0\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";

    /// The clock has rested until then; where it did not wake, this would never end.
    #[test]
    fn what_spins_in_the_first_call_is_interrupted() {
        let machine = Machine::start(None).unwrap();
        let module = Module::new(&machine.engine, SPINNER).unwrap();
        let mut store = Store::new(&machine.engine, ());
        store.set_epoch_deadline(1);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        let _call = machine.clock.call();
        let error = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
    }
}
