//! Every grant there is, each with one hand on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::grant::{Grant, Handle};
use super::http::client;
use super::service::{Authority, Joystick, Twitch};
use super::vault::Vault;
use super::words::{JOYSTICK, TWITCH};
use super::{TokenError, Tokens};
use crate::config::settings::Settings;
use crate::store::{GrantId, Store};

/// Twitch wants to be asked so often whether a token is still good.
const VALIDATE_EVERY: Duration = Duration::from_secs(3600);
/// When a service or the disk did not answer.
const VALIDATE_AGAIN: Duration = Duration::from_secs(60);
/// An answer that is on its way holds tokens; it comes within this time, or not at all.
const LAST_ANSWER: Duration = Duration::from_secs(16);

/// Who is signed in. Cheap to clone. Make one for each database, no more.
#[derive(Clone)]
pub struct Grants {
    pub(super) shared: Arc<Shared>,
    by_id: Arc<Mutex<BTreeMap<GrantId, Arc<Grant>>>>,
}

/// What all grants work with.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) vault: Vault,
    /// Of the config; replaced by a reload.
    pub(super) settings: ArcSwap<Settings>,
    services: ArcSwap<Services>,
    http: reqwest::Client,
    /// Refreshes under way, which must not be cut off.
    pub(super) tracker: TaskTracker,
    pub(super) closing: CancellationToken,
}

/// By the name of the platform.
pub(super) type Services = BTreeMap<&'static str, Arc<dyn Authority>>;

impl Shared {
    pub(super) fn authority(&self, platform: &str) -> Option<Arc<dyn Authority>> {
        self.services.load().get(platform).cloned()
    }
}

impl Grants {
    pub fn new(store: Store, settings: &Arc<Settings>) -> reqwest::Result<Self> {
        let http = client()?;
        let services = services(&http, settings);
        Ok(Self::with_services(store, settings, http, services))
    }

    pub(super) fn with_services(
        store: Store,
        settings: &Arc<Settings>,
        http: reqwest::Client,
        services: Services,
    ) -> Self {
        let shared = Shared {
            store,
            vault: Vault::new(settings.auth.key.clone(), &settings.data_dir),
            settings: ArcSwap::new(Arc::clone(settings)),
            services: ArcSwap::from_pointee(services),
            http,
            tracker: TaskTracker::new(),
            closing: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared), by_id: Arc::default() }
    }

    /// Takes over what a new config says of the platforms. The key stays the one of the start.
    pub fn configure(&self, settings: &Arc<Settings>) {
        self.shared.services.store(Arc::new(services(&self.shared.http, settings)));
        self.shared.settings.store(Arc::clone(settings));
    }

    /// The tokens of a grant, also of one that nobody has signed in yet.
    pub fn tokens(&self, id: &GrantId) -> Arc<dyn Tokens> {
        Arc::new(Handle(self.grant(id)))
    }

    pub(super) fn grant(&self, id: &GrantId) -> Arc<Grant> {
        let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        let grant =
            by_id.entry(id.clone()).or_insert_with(|| Arc::new(Grant::new(id.clone(), Arc::clone(&self.shared))));
        Arc::clone(grant)
    }

    /// Looks after the grants until `shutdown`: asks at the start and every hour whether they still hold, which also
    /// refreshes those that are about to end.
    pub async fn look_after(self, shutdown: CancellationToken) {
        self.look_at_key().await;
        loop {
            let pause = tokio::select! {
                () = shutdown.cancelled() => return,
                answered = self.validate_all() => if answered { VALIDATE_EVERY } else { VALIDATE_AGAIN },
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Who has to put a key back should not have to find that out by what does not work.
    async fn look_at_key(&self) {
        let is_needed = self.shared.store.grants().await.is_ok_and(|rows| !rows.is_empty());
        if let Some(problem) = self.shared.vault.view(is_needed).problem {
            tracing::error!(problem, "The tokens in the database can't be read.");
        }
    }

    /// Whether all could be asked.
    async fn validate_all(&self) -> bool {
        let Ok(rows) = self.shared.store.grants().await else { return false };
        let mut all_answered = true;
        for row in rows.into_iter().filter(|row| self.shared.authority(&row.id.platform).is_some()) {
            let validated = self.grant(&row.id).validate().await;
            // Who is not signed in any more has been told so.
            if let Err(TokenError::Later(why)) = validated {
                tracing::debug!(why, "A grant could not be validated; it is tried again.");
                all_answered = false;
            }
        }
        all_answered
    }

    /// Waits for refreshes under way, whose tokens would be lost, and saves what is not saved yet.
    pub async fn stop(&self) {
        self.shared.closing.cancel();
        self.shared.tracker.close();
        if timeout(LAST_ANSWER, self.shared.tracker.wait()).await.is_err() {
            tracing::warn!("A refresh was under way at the end; its tokens may be lost.");
        }
    }
}

fn services(http: &reqwest::Client, settings: &Settings) -> Services {
    let mut services = Services::new();
    if let Some(twitch) = &settings.twitch {
        services.insert(TWITCH, Arc::new(Twitch::new(http.clone(), twitch)));
    }
    if let Some(joystick) = &settings.joystick {
        services.insert(JOYSTICK, Arc::new(Joystick::new(http.clone(), joystick)));
    }
    services
}
