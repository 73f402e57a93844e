//! The accounts of the config: each has an outbox from the start, and a supervisor while it is connected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::EngineError;
use crate::auth::{GrantId, Grants, Role};
use crate::config::settings::{JoystickSettings, RetakeSettings, Settings, TwitchSettings};
use crate::event::Channel;
use crate::observation::{ConnectionState, Observer};
use crate::pipeline::Pipeline;
use crate::platform::supervisor::{ConnectionStatus, Statuses, Supervision, supervise};
use crate::platform::{Account, Listener, joystick, retake, simulator, twitch};

pub(super) struct Accounts {
    pipeline: Pipeline,
    observer: Observer,
    statuses: Statuses,
    /// Who is signed in, for the platforms where one does: `grants.tokens(&GrantId::bot("twitch"))`.
    grants: Grants,
    /// What Twitch's accounts know and have missed, which those that take their place take up.
    twitch_memory: Arc<twitch::Memory>,
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
        Self { pipeline, observer, statuses, grants, twitch_memory: Arc::default(), running: Mutex::default() }
    }

    pub(super) const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Every connection of the platform that waits tries again at once; one that is up stays.
    pub(super) fn retry(&self, platform: &str) {
        for status in self.statuses_of(platform) {
            self.statuses.restart(&status.name);
        }
    }

    /// Whether one of its connections is up, or about to be.
    pub(super) fn is_connected(&self, platform: &str) -> bool {
        use ConnectionState::{BackingOff, Stopped};
        self.statuses_of(platform).any(|status| !matches!(status.state, BackingOff { .. } | Stopped { .. }))
    }

    fn statuses_of(&self, platform: &str) -> impl Iterator<Item = ConnectionStatus> {
        self.statuses.all().into_iter().filter(move |status| is_of(platform, &status.name))
    }

    /// Gives every configured account its outbox.
    pub(super) fn attach_all(&self, settings: &Settings) -> Result<(), EngineError> {
        let (simulator, _) = simulator::account(&settings.simulator)?;
        self.attach(simulator);
        for room in &settings.retake {
            let missed_since = self.pipeline.missed_since(&Channel::new(retake::PLATFORM, room.room.as_str()));
            self.attach(retake_account(room, missed_since)?);
        }
        for id in settings.twitch.iter().flat_map(|settings| &settings.channels) {
            let channel = Channel::new(twitch::PLATFORM, id.as_str());
            if let Some(since_ms) = self.pipeline.missed_events_since(&channel) {
                self.twitch_memory.missed_since(&channel, since_ms);
            }
        }
        for platform in [twitch::PLATFORM, joystick::PLATFORM] {
            self.made(platform, settings)?.into_iter().for_each(|account| self.attach(account));
        }
        Ok(())
    }

    /// The accounts of a platform where one signs in, as these settings describe them.
    fn made(&self, platform: &str, settings: &Settings) -> Result<Vec<Account>, EngineError> {
        match platform {
            twitch::PLATFORM => settings.twitch.as_ref().map_or(Ok(Vec::new()), |settings| self.twitch(settings)),
            joystick::PLATFORM => settings.joystick.as_ref().map_or(Ok(Vec::new()), |settings| self.joystick(settings)),
            _ => Ok(Vec::new()),
        }
    }

    fn twitch(&self, settings: &TwitchSettings) -> Result<Vec<Account>, EngineError> {
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
        Ok(twitch::accounts(settings, tokens, &http, &self.twitch_memory))
    }

    /// None as long as no channel is known: signing in finds one out.
    fn joystick(&self, settings: &JoystickSettings) -> Result<Vec<Account>, EngineError> {
        let Some(channel) = settings.channels.first() else {
            tracing::warn!("[joystick] has no channels, so nothing is connected; run `showrunner auth joystick`.");
            return Ok(Vec::new());
        };
        let failed = |source| EngineError::Account { account: joystick::account_name(settings), source };
        let client = joystick::client().map_err(failed)?;
        // One socket hears all channels, so the token of one opens it.
        let tokens = self.grants.tokens(&GrantId::broadcaster(joystick::PLATFORM, channel));
        Ok(vec![joystick::account(settings, tokens, client)])
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

    /// Makes the accounts of a platform where one signs in anew. Says what became of them, or why they stay.
    pub(super) async fn renew(&self, platform: &str, settings: &Settings) -> Result<String, String> {
        let old = self.running().keys().filter(|name| is_of(platform, name)).cloned().collect();
        let became = self.replace(platform, old, self.made(platform, settings)).await?;
        if platform == twitch::PLATFORM {
            let (channels, types) = match &settings.twitch {
                Some(settings) => (settings.channels.as_slice(), settings.subscriptions.as_deref()),
                None => (&[][..], None),
            };
            self.twitch_memory.keep_to(channels, types);
        }
        Ok(became)
    }

    /// The same of the account of a room; without settings there is none any more.
    pub(super) async fn renew_room(&self, room: &str, settings: Option<&RetakeSettings>) -> Result<String, String> {
        let name = Channel::new(retake::PLATFORM, room).to_string();
        let made = settings.map(|settings| retake_account(settings, None)).into_iter().collect();
        self.replace(&name, vec![name.clone()], made).await
    }

    /// Puts the accounts that were made in the place of the old ones, if there are any.
    async fn replace(
        &self,
        what: &str,
        old: Vec<String>,
        made: Result<Vec<Account>, EngineError>,
    ) -> Result<String, String> {
        let new = made.map_err(|error| {
            tracing::error!(%error, "What was connected stays as it was.");
            error.to_string()
        })?;
        let became = match (new.is_empty(), old.is_empty()) {
            (false, _) => "connects",
            (true, false) => "was closed",
            (true, true) => "is not connected",
        };
        // Never two sockets of one account.
        for name in &old {
            self.close(name).await;
        }
        let comes_back = |name: &String| new.iter().any(|account| account.name == *name);
        let gone: Vec<String> = old.into_iter().filter(|name| !comes_back(name)).collect();
        // Before the others are taken away, so that a channel that goes by another account now is never without one.
        new.into_iter().for_each(|account| self.attach(account));
        gone.iter().for_each(|name| self.pipeline.detach(name));
        self.connect_all();
        Ok(format!("{what} {became}"))
    }

    /// Closes an account's connections; what waits in its outbox can still be sent.
    async fn close(&self, name: &str) {
        let removed = self.running().remove(name);
        for connection in removed.into_iter().flat_map(|running| running.connections) {
            connection.close().await;
        }
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

/// Names of accounts and connections begin with their platform.
fn is_of(platform: &str, name: &str) -> bool {
    name.split(':').next() == Some(platform)
}

fn retake_account(settings: &RetakeSettings, missed_since: Option<u64>) -> Result<Account, EngineError> {
    let failed = |source| EngineError::Account { account: format!("{}:{}", retake::PLATFORM, settings.room), source };
    let client = retake::client(settings).map_err(failed)?;
    Ok(retake::account(settings, client, missed_since))
}
