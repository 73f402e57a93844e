//! The start of a version: a new instance, initialised, and the moment in which it takes over. The new one is complete
//! before the old one ends; when anything fails, the old one goes on.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::admitted::Admitted;
use super::load::{Failure, short};
use super::serving::{HeldFor, Running, Serving};
use super::supervisor::Supervisor;
use crate::observation::PluginChange;
use crate::plugin::actor::{Actor, Live};
use crate::plugin::guest::Context;
use crate::plugin::imports::http::HttpClient;
use crate::plugin::imports::kv::Kv;
use crate::plugin::order::{Candidate, Order};
use crate::plugin::services::{self, Recorder, Services};
use crate::plugin::status::Phase;
use crate::store::StoreError;

/// What of a plugin takes its time.
#[derive(Clone, Copy)]
pub(super) enum Slow<'a> {
    Init(&'a Admitted),
    /// The version that runs has an event in hand.
    Swap(&'a Admitted),
}

impl Supervisor {
    /// Makes a new instance and lets it take over.
    pub(super) async fn start(&mut self, version: &Admitted) -> Result<(), Failure> {
        let Admitted { loaded, grants, .. } = version;
        let kv = self.kv().await?;
        let context = Arc::new(self.context(version, kv));
        let generation = self.generation + 1;
        let threads = &self.shared.options.threads;
        // Whoever does not wait for it any more ends it.
        let starting =
            AbortOnDropHandle::new(threads.spawn(Live::start(Arc::clone(loaded), Arc::clone(&context), generation)));
        let candidate = self.wait_for(starting, Slow::Init(version)).await?.map_err(|_| Failure::Stopping)??;
        if self.serving.running().is_some_and(|running| running.actor.is_finished()) {
            self.host_failed();
        }
        let restarted = self.serving.running().is_some();
        self.take_over(candidate, version, context).await?;

        let previous = std::mem::take(&mut self.state.hash);
        self.generation = generation;
        self.state = version.describe(generation);
        self.state.phase = Phase::Running;
        tracing::info!(plugin = %self.id, version = %loaded.manifest.version, hash = short(&loaded.hash), generation, wit = %loaded.wit,
            previous = short(&previous), "{}", if restarted { "The plugin was replaced." } else { "The plugin runs." });
        if loaded.blueprint.reviews()
            && let Err(denied) = grants.check_review()
        {
            tracing::warn!(plugin = %self.id, %denied, "The plugin could judge chat before anybody sees it, and is not asked.");
        }
        self.note(if restarted { PluginChange::Reloaded } else { PluginChange::Loaded });
        Ok(())
    }

    async fn take_over(&mut self, new: Candidate, version: &Admitted, context: Arc<Context>) -> Result<(), Failure> {
        if self.serving.running().is_some() {
            self.swap(new, version).await?;
            // The actor may have been lost the moment after.
            self.serving.running_mut().ok_or_else(has_ended)?.replace(version, context);
            self.handle.set_role(version.role());
        } else {
            self.handle.set_role(version.role());
            self.backlog().restore(&*self.surroundings.sink).await;
            // From now on events are for it, and hold back the fallbacks until it has had them.
            self.handle.set_running(true);
            let actor = Actor::new(Arc::clone(&self.handle), self.surroundings.clone(), new);
            let actor = self.shared.options.threads.spawn(actor.run());
            self.serving = Serving::Running(Running::new(version, context, actor));
        }
        // Whatever has become of the version before.
        self.next_check = None;
        self.publish();
        Ok(())
    }

    /// Gives the new instance to the actor, which takes it over between two events.
    async fn swap(&mut self, new: Candidate, version: &Admitted) -> Result<(), Failure> {
        let (done, mut taken) = oneshot::channel();
        self.handle.lanes.order(Order::Swap { new: Box::new(new), done });
        let swapped = match self.wait_for(&mut taken, Slow::Swap(version)).await {
            // The actor is at it by now, and that has an end.
            Err(_) if !self.handle.lanes.withdraw_swap() => taken.await,
            swapped => swapped?,
        };
        swapped.map_err(|_| has_ended())?.map_err(|crash| Failure::Swap(crash.to_string()))
    }

    /// Says what the plugin takes its time for. Where nothing of it runs yet, what must not be lost waits for it.
    pub(super) async fn say_slow(&mut self, what: Slow<'_>) {
        match (what, self.serving.running()) {
            (Slow::Init(version), Some(running)) => {
                let (new, old) = (&version.loaded.manifest.version, &running.loaded.manifest.version);
                self.state.detail =
                    format!("the init of version {new} takes its time; until then version {old} goes on");
            }
            (Slow::Swap(version), _) => {
                let version = &version.loaded.manifest.version;
                self.state.detail = format!("version {version} takes over as soon as the event in hand is done");
            }
            (Slow::Init(version), None) => {
                self.handle.set_role(version.role());
                self.state = version.describe(self.generation);
                self.state.phase = Phase::Starting;
                self.state.detail =
                    "its init takes its time; nobody waits for it, and chat goes by until then".to_owned();
                self.hold(HeldFor::SlowStart).await;
            }
        }
        tracing::warn!(plugin = %self.id, detail = self.state.detail, "The plugin is slow.");
        self.note(PluginChange::Slow);
    }

    async fn kv(&mut self) -> Result<Arc<Mutex<Kv>>, StoreError> {
        if let Some(kv) = &self.kv {
            return Ok(Arc::clone(kv));
        }
        let entries = self.shared.options.store.kv(&self.id).await?;
        let kv = Arc::new(Mutex::new(Kv::new(entries)));
        self.kv = Some(Arc::clone(&kv));
        Ok(kv)
    }

    fn context(&self, version: &Admitted, kv: Arc<Mutex<Kv>>) -> Context {
        let Admitted { loaded, grants, settings, ships: _ } = version;
        let options = &self.shared.options;
        let shared_settings = self.shared.settings();
        let limits = &shared_settings.host.limits;
        let services = Services::Live(services::Live {
            http: HttpClient::new(self.shared.ways.clone(), settings.secrets.clone(), limits),
            store: options.store.clone(),
            tasks: options.tasks.clone(),
            observer: options.observer.clone(),
            recorder: settings.record.then(Recorder::default),
        });
        Context::new(self.id.clone(), loaded, limits, grants.clone(), settings, kv, services)
    }
}

fn has_ended() -> Failure {
    Failure::Swap("the running version has just come to an end".to_owned())
}
