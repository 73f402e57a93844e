//! The engine: makes all rooms, connects them, and takes them down in good order.
//!
//! Nothing is decided here. What runs is started in the order in which it is needed, and stopped in the order in
//! which it feeds the next: platforms, plugins, outboxes, store.

mod accounts;
mod control;
mod gauges;
mod process;
mod reload;
mod service;
mod viewers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::accounts::Accounts;
use self::gauges::Gauges;
pub use self::viewers::viewers_called;
use crate::agent::TaskQueue;
use crate::agent::files::{Health as HealthNote, HealthFile};
use crate::auth::Grants;
use crate::config::settings::Settings;
use crate::config::watch::{ConfigWatcher, WatchError};
use crate::config::{self, ConfigErrors};
use crate::event::{Channel, Draft, Event, System, now_ms};
use crate::gateway::control::{ControlError, ControlSocket};
use crate::gateway::http::{HttpError, HttpServer};
use crate::gateway::service::Service;
use crate::gateway::{self, metrics};
use crate::observation::{ConnectionState, Observer};
use crate::pipeline::Pipeline;
use crate::platform::simulator::SimulatorError;
use crate::platform::supervisor::{ConnectionStatus, Statuses};
use crate::plugin::{Host, HostError, HostOptions, Roster, Threads};
use crate::store::{self, Store, StoreError};

/// However long the plugins took to end, what they have said gets this long to leave.
const LEAST_DRAIN: Duration = Duration::from_secs(1);

/// How long an end waits for a disk.
const LAST_CALL: Duration = Duration::from_secs(10);

/// How a run differs from what the config says.
pub struct RunOptions {
    pub safe_mode: bool,
    /// Given from outside, so that who starts the engine sees the first event.
    pub observer: Observer,
    pub service: Service,
    /// Replaces the log filter when the config changed.
    pub set_log_filter: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for RunOptions {
    fn default() -> Self {
        let set_log_filter = Arc::new(|_: &str| {});
        Self { safe_mode: false, observer: Observer::default(), service: Service::from_environment(), set_log_filter }
    }
}

/// Why the engine can't start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the threads for plugins can't be started: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    #[error("signing in can't be prepared: {0}")]
    Auth(reqwest::Error),
    #[error("{account}: the connection can't be prepared: {source}")]
    Account { account: String, source: reqwest::Error },
}

impl EngineError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.help().map(str::to_owned),
            Self::Control(error) => Some(error.help().to_owned()),
            Self::Http(error) => Some(error.help().to_owned()),
            Self::Store(error) => error.help().map(str::to_owned),
            Self::Host(_) | Self::Threads(_) | Self::Simulator(_) | Self::Auth(_) | Self::Account { .. } => None,
        }
    }

    /// Whether the config is to blame, which makes the exit code 2.
    pub const fn is_config(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Simulator(_))
    }
}

/// Runs until `shutdown`, then sends what is queued and closes everything. Returns early only when it can't start.
pub async fn run(config: PathBuf, options: RunOptions, shutdown: CancellationToken) -> Result<(), EngineError> {
    // From before it is read, so that no change falls between.
    let watcher = ConfigWatcher::new(&config);
    let settings = Arc::new(load(&config, options.safe_mode).await?);
    process::prepare();
    // Whatever can be taken by another program is taken before anything is connected.
    let control = ControlSocket::bind(&settings.data_dir)?;
    let http = HttpServer::bind(&settings.http).await?;
    let engine = Arc::new(Engine::start(config, settings, options, shutdown.clone()).await?);

    let servers = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(control.run(Arc::clone(&engine) as _, servers.clone()));
    if let Some(http) = http {
        tasks.spawn(http.run(Arc::new(gateway_state(&engine)), servers.clone()));
    }
    if let Some(handle) = process::recorder() {
        tasks.spawn(metrics::upkeep(handle.clone(), servers.clone()));
    }
    tasks.spawn(Arc::clone(&engine).check_periodically(servers.clone()));
    tasks.spawn(Arc::clone(&engine).write_health_file(servers.clone()));
    tasks.spawn(Arc::clone(&engine).follow_config(watcher, shutdown.clone()));
    tasks.spawn(Arc::clone(&engine).keep_alive(servers.clone()));

    engine.options.service.ready();
    engine.announce("started", env!("CARGO_PKG_VERSION"));
    engine.say_ready();
    let ended = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        // What is not on the disk would be done twice, or never; the next start puts it right.
        broken = engine.store.broken() => Err(broken.into()),
    };
    shutdown.cancel();
    engine.options.service.stopping();
    engine.stop().await;
    servers.cancel();
    while tasks.join_next().await.is_some() {}
    close(&engine.store).await;
    ended
}

/// A disk that hangs must not keep a daemon from ending; what it did not take is lost, as by a loss of power.
async fn close(store: &Store) {
    if timeout(LAST_CALL, store.close()).await.is_err() {
        tracing::error!(
            "The disk does not answer, so the database can't be closed in order; it repairs itself at the next start."
        );
        store.abandon();
    }
}

async fn load(config: &Path, safe_mode: bool) -> Result<Settings, ConfigErrors> {
    let path = config.to_owned();
    // Reading secrets may run a command.
    let loaded = tokio::task::spawn_blocking(move || config::load(&path)).await;
    let mut settings = loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    settings.host.safe_mode |= safe_mode;
    Ok(settings)
}

/// All rooms of a running engine.
struct Engine {
    config: PathBuf,
    /// Replaced by a reload.
    settings: ArcSwap<Settings>,
    options: RunOptions,
    shutdown: CancellationToken,
    started_ms: u64,
    store: Store,
    pipeline: Pipeline,
    host: Host,
    /// Of the plugins; they end with the engine.
    _threads: Threads,
    tasks: TaskQueue,
    /// What is done for the agent beside the queue, and for the grants.
    background: TaskTracker,
    end_background: CancellationToken,
    statuses: Statuses,
    accounts: Accounts,
    /// One reload at a time: two would both replace what changed.
    reloading: tokio::sync::Mutex<()>,
}

impl Engine {
    async fn start(
        config: PathBuf,
        settings: Arc<Settings>,
        options: RunOptions,
        shutdown: CancellationToken,
    ) -> Result<Self, EngineError> {
        let observer = &options.observer;
        let store = open_store(&settings).await?;
        let roster = Roster::default();
        let threads = Threads::start().map_err(EngineError::Threads)?;
        let pipeline =
            Pipeline::open(&settings.pipeline, Arc::clone(&roster), store.clone(), observer.clone(), threads.handle())
                .await?;
        let (tasks, upkeep) =
            TaskQueue::new(store.clone(), &settings.agent, observer.clone(), pipeline.on_reply(), Arc::new(now_ms));
        pipeline.serve_tasks(tasks.clone());
        let (background, end_background) = (TaskTracker::new(), CancellationToken::new());
        background.spawn(upkeep.run(end_background.clone()));
        let statuses = Statuses::default();
        let grants = Grants::new(store.clone(), &settings).map_err(EngineError::Auth)?;
        background.spawn(grants.clone().look_after(end_background.clone()));
        let accounts = Accounts::new(pipeline.clone(), observer.clone(), statuses.clone(), grants);
        // Before the plugins, so that what their `init` says finds an outbox.
        accounts.attach_all(&settings)?;
        let host = Host::start(HostOptions {
            settings: Arc::clone(&settings),
            cache_dir: Some(settings.data_dir.join("compiled")),
            store: store.clone(),
            tasks: tasks.clone(),
            sink: Arc::new(pipeline.clone()),
            observer: observer.clone(),
            threads: threads.handle().clone(),
            roster,
            announce: announcer(pipeline.clone()),
        })
        .await?;
        // Before anything new comes, and when there are plugins to hear how it ended.
        pipeline.recover().await?;
        // After the plugins, so that they hear the first event.
        accounts.connect_all();
        Ok(Self {
            config,
            settings: ArcSwap::new(settings),
            options,
            shutdown,
            started_ms: now_ms(),
            store,
            pipeline,
            host,
            _threads: threads,
            tasks,
            background,
            end_background,
            statuses,
            accounts,
            reloading: tokio::sync::Mutex::default(),
        })
    }

    /// Platforms first, so that nothing new comes; then each room until it is empty, all within one deadline.
    async fn stop(&self) {
        // What a reload connects is closed with all the rest, and none begins any more.
        let _no_reload = self.reloading.lock().await;
        let drain = self.settings.load().pipeline.drain;
        let began = Instant::now();
        self.accounts.disconnect_all().await;
        // Reviewers and handlers may use half of the time; the rest is for what they have said.
        self.pipeline.finish_reviews(began + drain / 2).await;
        self.host.stop((drain / 2).saturating_sub(began.elapsed())).await;
        let deadline = (began + drain).max(Instant::now() + LEAST_DRAIN);
        let drained = self.pipeline.drain(deadline).await;
        if drained.left > 0 {
            tracing::warn!(
                sent = drained.sent,
                left = drained.left,
                "The time to stop was up before everything was sent."
            );
        }
        self.pipeline.shut_down();
        self.end_background.cancel();
        self.background.close();
        // After all who ask for tokens, and before the database, which must know what became of them.
        self.accounts.grants().stop().await;
        // In vain only when its disk hangs; the tasks themselves stand in the database.
        let _ = timeout(LAST_CALL, self.background.wait()).await;
        tracing::info!(sent = drained.sent, "Stopped.");
    }

    fn say_ready(&self) {
        let (version, config) = (env!("CARGO_PKG_VERSION"), self.config.display());
        let data = self.settings.load().data_dir.clone();
        tracing::info!(version, %config, data = %data.display(), "Showrunner is ready.");
    }

    /// An event of the engine's own, for plugins that listen to it and for all who watch.
    fn announce(&self, kind: &str, detail: impl Into<String>) {
        announce(&self.pipeline, System { kind: kind.to_owned(), detail: detail.into() });
    }

    /// Follows the config file. A file that can't be watched is only read again when somebody says so.
    async fn follow_config(self: Arc<Self>, watcher: Result<ConfigWatcher, WatchError>, shutdown: CancellationToken) {
        let mut watcher = match watcher {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(%error, "The config is not followed; run `showrunner config reload` after a change.");
                return;
            }
        };
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = watcher.changed() => {
                    // The refusal has been logged; the old settings stay.
                    let _ = self.reload().await;
                }
            }
        }
    }

    async fn write_health_file(self: Arc<Self>, shutdown: CancellationToken) {
        let Some(path) = self.settings.load().agent.health_file.clone() else { return };
        let engine = Arc::clone(&self);
        HealthFile::new(path).run(move || engine.health_note(), shutdown).await;
    }

    /// In the words that agents of the older listener know.
    fn health_note(&self) -> HealthNote {
        let connections = self.statuses.all();
        let status = if connections.iter().all(ConnectionStatus::is_ready) {
            "connected"
        } else if connections.iter().any(|connection| matches!(connection.state, ConnectionState::Stopped { .. })) {
            "error"
        } else {
            "disconnected"
        };
        HealthNote {
            status: status.to_owned(),
            last_message: connections.iter().filter_map(|connection| connection.last_event_ms).max().unwrap_or(0),
            reconnects: connections.iter().map(|connection| u64::from(connection.reconnects)).sum(),
            uptime: now_ms().saturating_sub(self.started_ms),
        }
    }
}

fn gateway_state(engine: &Arc<Engine>) -> gateway::State {
    let (statuses, store) = (engine.statuses.clone(), engine.store.clone());
    let health =
        gateway::Health::new(move || statuses.all(), move || control::store_problem(&store).map_or(Ok(()), Err));
    let gauges = Arc::new(Gauges::new(Arc::clone(engine)));
    let set_gauges = move || {
        let gauges = Arc::clone(&gauges);
        async move { gauges.set().await }
    };
    gateway::State { health, metrics: process::recorder().map(|handle| metrics::Page::new(handle.clone(), set_gauges)) }
}

/// Where the database of a data folder is.
fn database(settings: &Settings) -> PathBuf {
    store::path(&settings.data_dir)
}

async fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    let (path, journal) = (database(settings), settings.journal.clone());
    let opened = tokio::task::spawn_blocking(move || Store::open(&path, &journal)).await;
    opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn announcer(pipeline: Pipeline) -> Arc<dyn Fn(System) + Send + Sync> {
    Arc::new(move |system| announce(&pipeline, system))
}

fn announce(pipeline: &Pipeline, system: System) {
    pipeline.accept(Draft::new(Channel::engine(), now_ms(), Event::System(system)));
}
