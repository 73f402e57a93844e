//! The threads that plugins run on, with the reviews of the pipeline beside them. Threads of their own, because a
//! plugin that spins must never keep a platform's heartbeat waiting.

use tokio::runtime::{Builder, Handle, Runtime};

/// However few cores there are: beside a plugin that spins until its limit another one must get its turn.
const FEWEST: usize = 2;

/// More would only help plugins that compute for long, which the time limits forbid.
const MOST: usize = 4;

/// Whoever has them sees to their end by dropping them.
pub struct Threads {
    handle: Handle,
    /// Taken when they end.
    runtime: Option<Runtime>,
}

impl Threads {
    pub fn start() -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .thread_name("plugin")
            .worker_threads(cores.clamp(FEWEST, MOST))
            // After every yield of a plugin the runtime looks at timers and sockets; by default it would do so only
            // after 61 of them, a third of a second.
            .event_interval(1)
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for plugins here would hold up the thread that drops this; they have been stopped before.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
