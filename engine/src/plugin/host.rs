//! The host: knows every plugin, starts and replaces them, and says how they are.
//!
//! Each plugin has a task of its own that changes it (the [`supervisor`]), so no two loads of it ever overlap and no
//! plugin waits for another; one task (the [`dispatcher`]) tells them what to look at. What is known of the plugins is
//! copied where it can be read at any time.

mod admitted;
mod dispatcher;
mod errand;
mod load;
mod serving;
mod shared;
mod start;
mod supervisor;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use self::dispatcher::Dispatcher;
use self::shared::Shared;
use super::handle::Roster;
use super::imports::http::HttpWays;
use super::machine::{Machine, MachineError};
use super::status::PluginState;
use crate::agent::TaskQueue;
use crate::config::settings::Settings;
use crate::effect::{EffectSink, PluginId};
use crate::event::System;
use crate::observation::Observer;
use crate::store::{Store, StoreError};

/// Orders of the operator that wait; the command line gives one at a time.
const COMMANDS: usize = 64;

/// What the host is made of.
pub struct HostOptions {
    pub settings: Arc<Settings>,
    /// Where compiled plugins are kept; `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
    pub store: Store,
    pub tasks: TaskQueue,
    /// Takes what plugins want done.
    pub sink: Arc<dyn EffectSink>,
    pub observer: Observer,
    /// Where plugins run: those of a [`Threads`](super::Threads).
    pub threads: Handle,
    /// Filled and kept up to date by the host, read by the pipeline.
    pub roster: Roster,
    /// Tells everybody what happened to a plugin.
    pub announce: Arc<dyn Fn(System) + Send + Sync>,
}

#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error("plugins can't be given a way to the network: {0}")]
    Http(#[from] reqwest::Error),
    #[error("what is kept of the plugins can't be read: {0}")]
    Store(#[from] StoreError),
}

/// Why an order could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    #[error("there is no plugin {0}")]
    Unknown(String),
    #[error("the engine is stopping")]
    Stopping,
}

/// A way to the host. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    commands: mpsc::Sender<Command>,
    table: Table,
    roster: Roster,
}

enum Command {
    Reload { id: String, done: oneshot::Sender<Result<PluginState, OrderError>> },
    Apply { settings: Arc<Settings>, done: oneshot::Sender<()> },
    Stop { deadline: Duration, done: oneshot::Sender<()> },
}

/// What is known of all plugins, for readers.
#[derive(Clone, Default)]
struct Table {
    states: Arc<Mutex<BTreeMap<PluginId, PluginState>>>,
}

impl Table {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<PluginId, PluginState>) -> T) -> T {
        look(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Host {
    /// Starts every plugin that may run, all at the same time; returns when all have been tried. One that fails holds
    /// up nobody, and one that takes its time not for long: it comes later.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let machine = Arc::new(Machine::start(options.cache_dir.as_deref())?);
        let flags = options.store.plugin_flags().await?;
        let (commands, orders) = mpsc::channel(COMMANDS);
        let table = Table::default();
        let roster = Arc::clone(&options.roster);
        let shared = Shared::new(machine, HttpWays::new()?, options, table.clone());
        let mut dispatcher = Dispatcher::new(Arc::new(shared), flags);
        let watch = dispatcher.watch().await;
        dispatcher.start_all().await;
        tokio::spawn(dispatcher.run(orders, watch));
        Ok(Self { commands, table, roster })
    }

    /// Every plugin, in the order of the ids.
    pub fn list(&self) -> Vec<PluginState> {
        let handles = self.roster.load();
        let mut states: Vec<PluginState> = self.table.with(|states| states.values().cloned().collect());
        for state in &mut states {
            if let Some(handle) = handles.iter().find(|handle| **handle.id() == *state.id) {
                state.queued = handle.waiting() as u64;
                state.dropped = handle.dropped();
            }
        }
        states
    }

    /// Loads a plugin again, also when its files are the same, and ends its quarantine.
    pub async fn reload(&self, id: &str) -> Result<PluginState, OrderError> {
        let (done, answer) = oneshot::channel();
        let command = Command::Reload { id: id.to_owned(), done };
        self.commands.send(command).await.map_err(|_| OrderError::Stopping)?;
        answer.await.map_err(|_| OrderError::Stopping)?
    }

    /// Takes over new settings: grants at once, the rest by a reload of those plugins that it concerns.
    pub async fn apply(&self, settings: Arc<Settings>) -> Result<(), OrderError> {
        let (done, answer) = oneshot::channel();
        self.commands.send(Command::Apply { settings, done }).await.map_err(|_| OrderError::Stopping)?;
        answer.await.map_err(|_| OrderError::Stopping)
    }

    /// Lets the plugins finish what they have in hand and in their queues, for at most `deadline`.
    pub async fn stop(&self, deadline: Duration) {
        let (done, stopped) = oneshot::channel();
        if self.commands.send(Command::Stop { deadline, done }).await.is_ok() {
            // An error only says that it has already ended.
            let _ = stopped.await;
        }
    }
}
