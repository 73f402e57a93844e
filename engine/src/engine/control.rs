//! What the command line asks of a running engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{Engine, database, viewers_called};
use crate::agent::{Lease, QueueError};
use crate::auth::GrantView;
use crate::auth::answer::{AuthAnswer, AuthError, AuthRequest};
use crate::event::Channel;
use crate::gateway::control::{Control, QueueRequest, Refusal, Simulation};
use crate::gateway::view::{BackedUp, PluginStatus, QueueView, Reloaded, Status, StoreView, TaskView, ViewerView};
use crate::observation::Observation;
use crate::pipeline::Accepted;
use crate::platform::simulator::{self, Simulated, draft};
use crate::plugin::PluginState;
use crate::store::backup::BackupError;
use crate::store::{Store, StoreHealth, StoredTask, TaskState};

/// How long a backup waits for what is still to be written. A disk that takes longer does not answer.
const FLUSH: Duration = Duration::from_secs(15);

/// How long a page about the daemon waits for the queues on it.
const COUNT: Duration = Duration::from_secs(1);

#[async_trait]
impl Control for Engine {
    async fn status(&self) -> Status {
        let settings = self.settings.load_full();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_ms: self.started_ms,
            config: self.config.clone(),
            data_dir: settings.data_dir.clone(),
            safe_mode: settings.host.safe_mode,
            connections: self.statuses.all(),
            grants: self.troubled_grants().await,
            plugins: self.plugins().await,
            queues: self.queues().await,
            store: StoreView {
                problem: store_problem(&self.store),
                backlog: self.store.backlog(),
                lost: self.store.lost_writes(),
            },
        }
    }

    async fn plugins(&self) -> Vec<PluginStatus> {
        self.host.list().into_iter().map(plugin_status).collect()
    }

    async fn reload_plugin(&self, id: &str) -> Result<PluginStatus, Refusal> {
        let reloaded = self.host.reload(id).await;
        reloaded.map(plugin_status).map_err(|error| {
            Refusal::new(error.to_string()).with_help("`showrunner plugins list` shows those there are")
        })
    }

    async fn simulate(&self, simulation: Simulation) -> Result<String, Refusal> {
        let Simulation { kind, user, role, text, amount, months, count, channel } = simulation;
        if let Some(channel) = channel.as_deref().filter(|channel| channel.splitn(2, ':').any(str::is_empty)) {
            let refusal = Refusal::usage(format!("--channel \"{channel}\" is no channel"));
            return Err(refusal.with_help("as in retake:5b7c, or only an id for one of the simulator"));
        }
        // "retake:5b7c" names a channel of another platform; a plain id is the simulator's.
        let elsewhere = channel.as_deref().and_then(|channel| channel.split_once(':'));
        let elsewhere = elsewhere.map(|(platform, id)| Channel::new(platform, id));
        let own = if elsewhere.is_some() { None } else { channel };
        let simulated = Simulated { kind, user, role, text, amount, months, count, channel: own };
        let default = self.settings.load().simulator.channel.clone();
        let mut draft = draft(&simulated, &default).map_err(|error| Refusal::usage(error.to_string()))?;
        if let Some(channel) = elsewhere {
            draft.channel = channel;
        }
        // In other channels of the simulator plugins can be watched, though what they say goes nowhere.
        let channels = self.pipeline.channels();
        if &*draft.channel.platform != simulator::PLATFORM && !channels.contains(&draft.channel) {
            let there_are: Vec<String> = channels.iter().map(ToString::to_string).collect();
            let refusal = Refusal::usage(format!("no account is in the channel {}", draft.channel));
            return Err(refusal.with_help(format!("there are {}", there_are.join(", "))));
        }
        match self.pipeline.accept(draft) {
            Accepted::Queued { id, .. } => Ok(id.to_string()),
            Accepted::Repeat => Err(Refusal::new("an event of this id was there before")),
        }
    }

    async fn queue(&self, request: QueueRequest) -> Result<Vec<TaskView>, Refusal> {
        let refused = |error: QueueError| Refusal::new(error.to_string());
        let tasks = &self.tasks;
        match request {
            QueueRequest::List { name, limit } => {
                let listed = tasks.list(name.as_deref(), limit).await.map_err(refused)?;
                Ok(listed.into_iter().map(task_view).collect())
            }
            QueueRequest::Lease { name, limit } => {
                let leased = tasks.lease(&name, limit).await.map_err(refused)?;
                Ok(leased.into_iter().map(lease_view).collect())
            }
            QueueRequest::Ack { task, lease } => tasks.ack(&task, &lease).await.map(|()| Vec::new()).map_err(refused),
            QueueRequest::Nack { task, lease, delay_ms } => {
                let delay = Duration::from_millis(delay_ms);
                tasks.nack(&task, &lease, delay).await.map(|_| Vec::new()).map_err(refused)
            }
            QueueRequest::Reply { task, ok, text } => {
                tasks.reply(&task, ok, text).await.map(|()| Vec::new()).map_err(refused)
            }
            QueueRequest::Dead { name, limit } => {
                let dead = tasks.dead_letters(name.as_deref(), limit).await.map_err(refused)?;
                Ok(dead.into_iter().map(task_view).collect())
            }
            QueueRequest::Requeue { task } => tasks.requeue(&task).await.map(|()| Vec::new()).map_err(refused),
        }
    }

    async fn viewers(&self, name: &str, platform: Option<&str>, lines: u32) -> Result<Vec<ViewerView>, Refusal> {
        viewers_called(&self.store, name, platform, lines).await.map_err(|error| Refusal::new(error.to_string()))
    }

    async fn auth(&self, request: AuthRequest) -> Result<AuthAnswer, Refusal> {
        let revoked = match &request {
            AuthRequest::Revoke { id, .. } => Some(id.platform.clone()),
            _ => None,
        };
        let answer = self.accounts.grants().answer(request).await.map_err(|AuthError { message, help }| Refusal {
            message,
            help,
            is_usage: false,
        })?;
        match (&answer, revoked) {
            (AuthAnswer::SignedIn(grant), _) => self.take_up_sign_in(&grant.id.platform).await,
            (AuthAnswer::Revoked { .. }, Some(platform)) => self.reconnect(&platform).await,
            _ => {}
        }
        Ok(answer)
    }

    async fn reload_config(&self) -> Result<Reloaded, Refusal> {
        self.reload().await
    }

    async fn back_up(&self, file: &Path, overwrite: bool) -> Result<BackedUp, Refusal> {
        let flushed = tokio::time::timeout(FLUSH, self.store.flush()).await;
        if self.store.has_lost_its_file() {
            let database = database(&self.settings.load());
            let copied = self.store.back_up(&database, file, overwrite).await.map_err(refuse_backup)?;
            return Ok(BackedUp { copied: Some(copied), warning: store_problem(&self.store) });
        }
        let problem = store_problem(&self.store);
        let warning = match flushed {
            Ok(Ok(())) => problem,
            Ok(Err(error)) => Some(problem.unwrap_or_else(|| error.to_string())),
            Err(_) => Some(problem.unwrap_or_else(|| "the disk does not answer".to_owned())),
        };
        Ok(BackedUp { copied: None, warning })
    }

    fn watch(&self) -> broadcast::Receiver<Arc<Observation>> {
        self.options.observer.watch()
    }

    fn stop(&self) {
        self.shutdown.cancel();
    }
}

impl Engine {
    /// The grants that only a person can put right. A store that can't be read, or not soon, shows none.
    async fn troubled_grants(&self) -> Vec<GrantView> {
        let overview = tokio::time::timeout(COUNT, self.accounts.grants().overview()).await;
        let grants = overview.into_iter().flatten().flat_map(|overview| overview.grants);
        grants.filter(|grant| grant.is_used && grant.problem.is_some()).collect()
    }

    /// How full each queue is. A store that can't be read, or not soon, has no queues to show; its problem is shown
    /// beside.
    pub(super) async fn queues(&self) -> Vec<QueueView> {
        let mut queues = BTreeMap::<String, QueueView>::new();
        let counted = tokio::time::timeout(COUNT, self.store.count_tasks()).await;
        for (queue, state, count) in counted.into_iter().flatten().flatten() {
            let view =
                queues.entry(queue.clone()).or_insert_with(|| QueueView { queue, waiting: 0, leased: 0, dead: 0 });
            match state {
                TaskState::Ready => view.waiting = count,
                TaskState::Leased => view.leased = count,
                TaskState::Dead => view.dead = count,
                TaskState::Done => {}
            }
        }
        queues.into_values().collect()
    }
}

pub(super) fn store_problem(store: &Store) -> Option<String> {
    match store.health() {
        StoreHealth::Ok => None,
        StoreHealth::Failing { why, .. } => {
            Some(format!("the database can't be relied on: {why}; chat is answered from memory, see to the disk"))
        }
        StoreHealth::Broken { why } => Some(format!("the database was given up: {why}; the daemon ends")),
    }
}

fn refuse_backup(error: BackupError) -> Refusal {
    let refusal = Refusal::new(error.to_string());
    match error.help() {
        Some(help) => refusal.with_help(help),
        None => refusal,
    }
}

fn plugin_status(state: PluginState) -> PluginStatus {
    PluginStatus {
        id: state.id,
        name: state.name,
        version: state.version,
        hash: state.hash,
        generation: state.generation,
        wit: state.wit,
        state: state.phase.to_string(),
        ships: state.ships,
        events: state.events,
        imports: state.imports,
        asked: state.asked,
        granted: state.granted,
        detail: state.detail,
        queued: state.queued,
        dropped: state.dropped,
        crashes: state.crashes,
    }
}

fn task_view(stored: StoredTask) -> TaskView {
    let StoredTask { task_id, plugin, task, state, attempts, lease_until_ms, created_ms, .. } = stored;
    TaskView {
        id: task_id,
        queue: task.queue,
        plugin: plugin.to_string(),
        prompt: task.prompt,
        context_json: task.context_json,
        priority: task.priority,
        state: state.to_string(),
        attempts,
        created_ms,
        lease: None,
        lease_until_ms,
    }
}

fn lease_view(lease: Lease) -> TaskView {
    let Lease { task_id, lease_id, lease_until_ms, plugin, task, attempt, created_ms } = lease;
    TaskView {
        id: task_id,
        queue: task.queue,
        plugin: plugin.to_string(),
        prompt: task.prompt,
        context_json: task.context_json,
        priority: task.priority,
        state: TaskState::Leased.to_string(),
        attempts: attempt,
        created_ms,
        lease: Some(lease_id),
        lease_until_ms: Some(lease_until_ms),
    }
}
