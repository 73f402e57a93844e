//! The accounts of the config: each has an outbox from the start, and a supervisor while it is connected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::EngineError;
use crate::auth::{GrantId, Grants, Role};
use crate::config::settings::{JoystickSettings, RetakeSettings, Settings, TwitchSettings};
use crate::event::Channel;
use crate::observation::Observer;
use crate::pipeline::Pipeline;
use crate::platform::supervisor::{Statuses, Supervision, supervise};
use crate::platform::{Account, Listener, joystick, retake, simulator, twitch};

pub(super) struct Accounts {
    pipeline: Pipeline,
    observer: Observer,
    statuses: Statuses,
    /// Who is signed in, for the platforms where one does: `grants.tokens(&GrantId::bot("twitch"))`.
    grants: Grants,
    /// By the name of the account.
    running: Mutex<BTreeMap<String, Running>>,
}

struct Running {
    /// Until they are connected.
    sources: Vec<Listener>,
    connections: Vec<Connection>,
}

struct Connection {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Accounts {
    pub(super) fn new(pipeline: Pipeline, observer: Observer, statuses: Statuses, grants: Grants) -> Self {
        Self { pipeline, observer, statuses, grants, running: Mutex::default() }
    }

    pub(super) const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Somebody has signed in: every connection of the platform that waits tries again at once; one that is up stays.
    pub(super) fn retry(&self, platform: &str) {
        for status in self.statuses.all() {
            if status.name.split(':').next() == Some(platform) {
                self.statuses.restart(&status.name);
            }
        }
    }

    /// Gives every configured account its outbox.
    pub(super) fn attach_all(&self, settings: &Settings) -> Result<(), EngineError> {
        let (simulator, _) = simulator::account(&settings.simulator)?;
        self.attach(simulator);
        for room in &settings.retake {
            let missed_since = self.pipeline.missed_since(&Channel::new(retake::PLATFORM, room.room.as_str()));
            self.attach(retake_account(room, missed_since)?);
        }
        if let Some(settings) = &settings.twitch {
            self.attach_twitch(settings, |channel| self.pipeline.missed_events_since(channel))?;
        }
        if let Some(joystick) = &settings.joystick
            && let Some(account) = self.joystick_account(joystick)?
        {
            self.attach(account);
        }
        Ok(())
    }

    fn attach_twitch(
        &self,
        settings: &TwitchSettings,
        missed_since: impl Fn(&Channel) -> Option<u64>,
    ) -> Result<(), EngineError> {
        if settings.channels.is_empty() {
            tracing::warn!("[twitch] has no channels yet; run `showrunner auth twitch`.");
        }
        let account = || twitch::PLATFORM.to_owned();
        let http = twitch::client(settings).map_err(|source| EngineError::Account { account: account(), source })?;
        let tokens = |role, channel: &str| {
            self.grants.tokens(&match role {
                Role::Bot => GrantId::bot(twitch::PLATFORM),
                Role::Broadcaster => GrantId::broadcaster(twitch::PLATFORM, channel),
            })
        };
        twitch::accounts(settings, tokens, &http, missed_since).into_iter().for_each(|account| self.attach(account));
        Ok(())
    }

    fn attach(&self, account: Account) {
        let Account { name, channels, sources, sink, pace } = account;
        self.pipeline.attach(&name, &channels, sink, pace);
        self.running().insert(name, Running { sources, connections: Vec::new() });
    }

    /// Connects all that are not connected yet.
    pub(super) fn connect_all(&self) {
        for running in self.running().values_mut() {
            let fresh = std::mem::take(&mut running.sources);
            running.connections.extend(fresh.into_iter().map(|listener| self.connect(listener)));
        }
    }

    fn connect(&self, listener: Listener) -> Connection {
        let Listener { name, channels, source } = listener;
        let pipeline = self.pipeline.clone();
        let supervision = Supervision {
            name,
            channels,
            accept: Arc::new(move |draft| {
                pipeline.accept(draft);
            }),
            observer: self.observer.clone(),
            statuses: self.statuses.clone(),
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(supervise(source, supervision, shutdown.clone()));
        Connection { shutdown, task }
    }

    /// Closes every connection; what waits in the outboxes can still be sent.
    pub(super) async fn disconnect_all(&self) {
        let connections: Vec<Connection> =
            self.running().values_mut().flat_map(|running| std::mem::take(&mut running.connections)).collect();
        for connection in connections {
            connection.close().await;
        }
    }

    /// Puts a room's account in the place of the one there was, if any.
    pub(super) async fn replace_retake(&self, settings: &RetakeSettings) -> Result<(), EngineError> {
        let account = retake_account(settings, None)?;
        // Never two sockets of one account.
        self.remove(&account.name).await;
        self.attach(account);
        self.connect_all();
        Ok(())
    }

    pub(super) async fn remove_retake(&self, room: &str) {
        self.remove(&Channel::new(retake::PLATFORM, room).to_string()).await;
    }

    /// Puts the accounts of these settings in the place of those there were; without settings there are none.
    pub(super) async fn replace_twitch(&self, settings: Option<&TwitchSettings>) -> Result<(), EngineError> {
        let is_twitch = |name: &&String| name.split(':').next() == Some(twitch::PLATFORM);
        let old: Vec<String> = self.running().keys().filter(is_twitch).cloned().collect();
        for name in old {
            self.remove(&name).await;
        }
        if let Some(settings) = settings {
            self.attach_twitch(settings, |_| None)?;
            self.connect_all();
        }
        Ok(())
    }

    /// The same for Joystick, which has one account at most. Says whether there is one now.
    pub(super) async fn replace_joystick(&self, settings: Option<&JoystickSettings>) -> Result<bool, EngineError> {
        let account = settings.map(|settings| self.joystick_account(settings)).transpose()?.flatten();
        let prefix = format!("{}:", joystick::PLATFORM);
        let old = self.running().keys().find(|name| name.starts_with(&prefix)).cloned();
        if let Some(old) = old {
            self.remove(&old).await;
        }
        let is_there = account.is_some();
        if let Some(account) = account {
            self.attach(account);
            self.connect_all();
        }
        Ok(is_there)
    }

    /// `None` as long as no channel is known: signing in finds one out.
    fn joystick_account(&self, settings: &JoystickSettings) -> Result<Option<Account>, EngineError> {
        let Some(channel) = settings.channels.first() else {
            tracing::warn!("[joystick] has no channels, so nothing is connected; run `showrunner auth joystick`.");
            return Ok(None);
        };
        let failed = |source| EngineError::Account { account: joystick::account_name(settings), source };
        let client = joystick::client().map_err(failed)?;
        // One socket hears all channels, so the token of one opens it.
        let tokens = self.grants.tokens(&GrantId::broadcaster(joystick::PLATFORM, channel));
        Ok(Some(joystick::account(settings, tokens, client)))
    }

    async fn remove(&self, name: &str) {
        let removed = self.running().remove(name);
        for connection in removed.into_iter().flat_map(|running| running.connections) {
            connection.close().await;
        }
        self.pipeline.detach(name);
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        // Every change under this lock is whole before anything can fail.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    async fn close(mut self) {
        self.shutdown.cancel();
        // A panic was logged by the supervisor; there is nothing left to close.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Connection {
    /// Nobody holds it any more: it must not go on unseen.
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn retake_account(settings: &RetakeSettings, missed_since: Option<u64>) -> Result<Account, EngineError> {
    let failed = |source| EngineError::Account { account: format!("{}:{}", retake::PLATFORM, settings.room), source };
    let client = retake::client(settings).map_err(failed)?;
    Ok(retake::account(settings, client, missed_since))
}
