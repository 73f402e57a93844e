//! The way of one plugin from its files to a running instance. The new one is complete before the old one ends; when
//! anything fails, the old one goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::keeper::{Keeper, Known, Reason, Running};
use crate::config::settings::PluginSettings;
use crate::event::Envelope;
use crate::plugin::actor::{Actor, Live, StartError, save_backlog};
use crate::plugin::admission::{Admission, Applicant, Waiting, admit};
use crate::plugin::delivery::Delivery;
use crate::plugin::grants::Grants;
use crate::plugin::guest::Context;
use crate::plugin::handle::{PluginHandle, Role};
use crate::plugin::imports::http::HttpClient;
use crate::plugin::imports::kv::Kv;
use crate::plugin::imports::log::LogBudget;
use crate::plugin::loader::{self, Files, LoadError, Loaded};
use crate::plugin::manifest::ManifestError;
use crate::plugin::order::{Candidate, Order};
use crate::plugin::shipped::SHIPPED;
use crate::plugin::status::{Phase, PluginState};
use crate::plugin::subscription::Subscription;
use crate::store::StoreError;

/// Why a version does not run. What ran before goes on.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("grant: {0}")]
    Grant(#[from] crate::plugin::grants::PermissionError),
    #[error("its durable memory can't be read: {0}")]
    Store(#[from] StoreError),
    #[error("it could not take over: {0}")]
    Swap(String),
    #[error("the engine is stopping")]
    Stopping,
}

/// A version that runs and must not.
struct Refused {
    loaded: Arc<Loaded>,
    ships: bool,
    admission: Admission,
}

/// Files with where they come from.
struct Found {
    files: Files,
    ships: bool,
}

impl Keeper {
    /// Looks at a plugin and does what is to be done: start, replace, change rights, stop, or nothing.
    pub(super) async fn consider(&mut self, id: &str, reason: Reason) {
        let found = match self.find(id).await {
            Ok(Some(found)) => found,
            Ok(None) => return self.missing(id).await,
            Err(LoadError::Unsteady { .. }) => return self.look_later(id, self.settings().host.debounce),
            Err(error) => return self.failed(id, &error.into(), reason),
        };
        self.gone.remove(id);
        let identity = found.files.identity();
        let known = self.known(id);
        if known.failed.as_ref() == Some(&identity) && !matches!(reason, Reason::Operator | Reason::Settings) {
            return;
        }
        known.failed = None;
        if let Err(failure) = self.bring_up(id, found, reason).await {
            self.failed(id, &failure, reason);
            self.known(id).failed = Some(identity);
        }
    }

    /// Takes over what the operator now says of a plugin.
    pub(super) async fn follow_settings(&mut self, id: &str) {
        let refused = self.hold_to_settings(id);
        let before = self.known.get(id).map(|known| known.generation);
        self.consider(id, Reason::Settings).await;
        let Some(refused) = refused else { return };
        // What lies in the folder may have taken its place by now. If not, it ends all the same.
        let goes_on = |known: &Known| known.running.is_some() && Some(known.generation) == before;
        if self.known.get(id).is_some_and(goes_on) {
            self.refuse(id, &refused).await;
        }
    }

    /// Holds the version that runs to the operator's word, whatever lies in its folder. Returns why it may not go on.
    fn hold_to_settings(&mut self, id: &str) -> Option<Refused> {
        let settings = self.settings().plugins.get(id).cloned().unwrap_or_default();
        let running = self.known.get(id)?.running.as_ref()?;
        let loaded = Arc::clone(&running.loaded);
        let ships = running.ships;
        let applicant = Applicant { manifest: &loaded.manifest, hash: &loaded.hash, ships, running: None };
        // An error would have been one of the config, which is not taken over then.
        let admission = admit(&applicant, &settings).unwrap_or(Admission::Disabled);
        if let Admission::Admitted(grants) = admission {
            self.set_rights(id, &loaded, grants, &settings);
            return None;
        }
        // From here on it may do nothing any more.
        running.context.grants.store(Arc::default());
        Some(Refused { loaded, ships, admission })
    }

    async fn refuse(&mut self, id: &str, refused: &Refused) {
        match &refused.admission {
            Admission::Disabled => self.disable(id, &refused.loaded, refused.ships).await,
            Admission::Waiting(waiting) => {
                self.retire(id).await;
                self.wait(id, &refused.loaded, waiting);
            }
            Admission::Admitted(_) => {}
        }
    }

    /// The files of a plugin: its folder's, else those that ship.
    async fn find(&self, id: &str) -> Result<Option<Found>, LoadError> {
        let shipped = SHIPPED.iter().find(|shipped| shipped.id == id).map(Files::shipped);
        let folder = self.settings().host.plugins_dir.join(id);
        let limit = self.settings().host.limits.component_bytes;
        if self.settings().host.safe_mode || !folder.is_dir() {
            return Ok(shipped.map(|files| Found { files, ships: true }));
        }
        let files = blocking(move || Files::read(&folder, limit)).await?;
        let ships = shipped.is_some_and(|shipped| shipped.identity() == files.identity());
        Ok(Some(Found { files, ships }))
    }

    async fn bring_up(&mut self, id: &str, found: Found, reason: Reason) -> Result<(), Failure> {
        let settings = self.settings().plugins.get(id).cloned().unwrap_or_default();
        let same = self.known(id).running.as_ref().filter(|running| running.loaded.identity == found.files.identity());
        let loaded = match same {
            Some(running) => Arc::clone(&running.loaded),
            None => Arc::new(self.compile(id, found.files).await?),
        };
        let running = self.known(id).running.as_ref();
        let applicant = Applicant {
            manifest: &loaded.manifest,
            hash: &loaded.hash,
            ships: found.ships,
            running: running.map(|running| &running.loaded.manifest.permissions),
        };
        match admit(&applicant, &settings)? {
            Admission::Disabled => self.disable(id, &loaded, found.ships).await,
            Admission::Waiting(waiting) => {
                if self.runs(id, &loaded) {
                    self.retire(id).await;
                }
                self.wait(id, &loaded, &waiting);
            }
            Admission::Admitted(grants) => {
                if self.is_quarantined(id, &loaded, reason) {
                    self.stay_quarantined(id, &loaded, &settings, found.ships).await;
                } else if self.changes_rights_only(id, &loaded, &settings, reason) {
                    self.change_rights(id, &loaded, grants, &settings);
                } else {
                    self.start(id, loaded, grants, settings, found.ships).await?;
                    self.remember_quarantine(id, None, None).await;
                }
            }
        }
        Ok(())
    }

    async fn compile(&self, id: &str, files: Files) -> Result<Loaded, Failure> {
        let machine = Arc::clone(&self.machine);
        let loaded = blocking(move || loader::load(&machine.engine, &machine.v0_1, files)).await?;
        if loaded.manifest.id != id {
            let error = ManifestError::Folder { id: loaded.manifest.id, folder: id.to_owned() };
            return Err(LoadError::from(error).into());
        }
        Ok(loaded)
    }

    /// A quarantine of before the restart, or of a file that was only touched.
    fn is_quarantined(&self, id: &str, loaded: &Loaded, reason: Reason) -> bool {
        let flagged = self.flags.get(id).and_then(|flags| flags.quarantined.as_ref());
        reason != Reason::Operator && flagged.is_some_and(|flagged| flagged == loaded.identity.as_str())
    }

    /// Whether the running instance can go on with other rights, without noticing.
    fn changes_rights_only(&self, id: &str, loaded: &Loaded, settings: &PluginSettings, reason: Reason) -> bool {
        let Some(running) = self.known.get(id).and_then(|known| known.running.as_ref()) else { return false };
        reason != Reason::Operator
            && running.loaded.identity == loaded.identity
            && running.settings.settings == settings.settings
            && same_secrets(&running.settings, settings)
    }

    fn change_rights(&mut self, id: &str, loaded: &Loaded, grants: Grants, settings: &PluginSettings) {
        self.set_rights(id, loaded, grants, settings);
        let known = self.known(id);
        // Whatever was wrong with another version of the file is over: the one that runs is back.
        if known.state.phase == Phase::Failed || known.state.phase == Phase::WaitingForGrant {
            known.state.phase = Phase::Running;
            known.state.asked = loaded.manifest.permissions.to_table();
            known.state.detail.clear();
        }
        self.copy_state(id);
    }

    fn set_rights(&mut self, id: &str, loaded: &Loaded, grants: Grants, settings: &PluginSettings) {
        let known = self.known(id);
        let Some(running) = &known.running else { return };
        running.context.channels.store(Arc::new(settings.channels.iter().cloned().collect()));
        known.state.granted = grants.given.to_table();
        known.handle.set_role(role(loaded, settings));
        running.context.grants.store(Arc::new(grants));
    }

    /// Whether it is this very version that runs.
    fn runs(&self, id: &str, loaded: &Loaded) -> bool {
        let running = self.known.get(id).and_then(|known| known.running.as_ref());
        running.is_some_and(|running| running.loaded.identity == loaded.identity)
    }

    /// Makes a new instance and lets it take over.
    async fn start(
        &mut self,
        id: &str,
        loaded: Arc<Loaded>,
        grants: Grants,
        settings: PluginSettings,
        ships: bool,
    ) -> Result<(), Failure> {
        let kv = self.kv(id).await?;
        let context = Arc::new(self.context(id, &loaded, &grants, &settings, kv));
        let generation = self.known(id).generation + 1;
        let threads = self.machine.threads().ok_or(Failure::Stopping)?.clone();
        let starting = threads.spawn(Live::start(Arc::clone(&loaded), Arc::clone(&context), generation));
        let candidate = starting.await.map_err(|_| Failure::Stopping)??;
        let role = role(&loaded, &settings);
        let restarted = self.known(id).running.is_some();
        self.take_over(id, candidate, role, Running { loaded: Arc::clone(&loaded), context, ships, settings }).await?;

        let known = self.known(id);
        let previous = std::mem::take(&mut known.state.hash);
        known.generation = generation;
        known.state = describe(&loaded, &grants, generation, ships);
        known.state.phase = Phase::Running;
        tracing::info!(plugin = id, version = %loaded.manifest.version, hash = short(&loaded.hash), generation, wit = %loaded.wit,
            previous = short(&previous), "{}", if restarted { "The plugin was replaced." } else { "The plugin runs." });
        self.note(id, if restarted { "reloaded" } else { "loaded" });
        Ok(())
    }

    async fn take_over(&mut self, id: &str, new: Candidate, role: Role, running: Running) -> Result<(), Failure> {
        let threads = self.machine.threads().ok_or(Failure::Stopping)?.clone();
        let surroundings = self.surroundings.clone();
        let known = self.known(id);
        let is_alive = known.running.is_some() && known.actor.as_ref().is_some_and(|actor| !actor.is_finished());
        if is_alive {
            let (done, taken) = oneshot::channel();
            known.handle.lanes.order(Order::Swap { new: Box::new(new), done });
            taken.await.map_err(|_| Failure::Stopping)?.map_err(|crash| Failure::Swap(crash.to_string()))?;
            known.handle.set_role(role);
            known.running = Some(running);
        } else {
            known.handle.set_role(role);
            known.running = Some(running);
            let handle = Arc::clone(&known.handle);
            if std::mem::take(&mut known.keeps_events) {
                // They are in its queue already; only those in the store are done with.
                self.take_backlog(id).await;
            } else {
                self.restore_backlog(id).await;
            }
            let actor = Actor::new(handle, surroundings, new);
            self.known(id).actor = Some(threads.spawn(actor.run()));
        }
        self.publish();
        Ok(())
    }

    /// Events that waited when the plugin or the engine was stopped come first.
    async fn restore_backlog(&mut self, id: &str) {
        let waiting = self.take_backlog(id).await;
        let handle = &self.known(id).handle;
        for envelope in waiting {
            handle.offer(Delivery::new(Arc::new(envelope)), None);
        }
    }

    async fn take_backlog(&self, id: &str) -> Vec<Envelope> {
        self.options.store.take_backlog(&id.into()).await.unwrap_or_else(|error| {
            tracing::error!(plugin = id, %error, "The events that waited for this plugin can't be read; they are in the journal.");
            Vec::new()
        })
    }

    async fn kv(&mut self, id: &str) -> Result<Arc<Mutex<Kv>>, StoreError> {
        if let Some(kv) = &self.known(id).kv {
            return Ok(Arc::clone(kv));
        }
        let entries = self.options.store.kv(&id.into()).await?;
        let kv = Arc::new(Mutex::new(Kv::new(entries)));
        self.known(id).kv = Some(Arc::clone(&kv));
        Ok(kv)
    }

    fn context(
        &self,
        id: &str,
        loaded: &Loaded,
        grants: &Grants,
        settings: &PluginSettings,
        kv: Arc<Mutex<Kv>>,
    ) -> Context {
        let mut limits = self.settings().host.limits.clone();
        limits.memory_bytes = loaded.manifest.memory_bytes.unwrap_or(usize::MAX).min(limits.memory_bytes);
        let table = merge(loaded.manifest.defaults.clone(), &settings.settings);
        let channels: BTreeSet<String> = settings.channels.iter().cloned().collect();
        Context {
            plugin: id.into(),
            http: HttpClient::new(self.ways.clone(), settings.secrets.clone(), &limits),
            limits,
            grants: ArcSwap::from_pointee(grants.clone()),
            channels: ArcSwap::from_pointee(channels),
            settings: ArcSwap::from_pointee(Value::Object(table)),
            kv,
            log: Mutex::new(LogBudget::default()),
            store: self.options.store.clone(),
            tasks: self.options.tasks.clone(),
            observer: self.options.observer.clone(),
        }
    }

    async fn disable(&mut self, id: &str, loaded: &Loaded, ships: bool) {
        self.retire(id).await;
        let known = self.known(id);
        let was = known.state.phase;
        known.state = describe(loaded, &Grants::default(), known.generation, ships);
        known.state.phase = Phase::Disabled;
        known.state.detail = format!("run `showrunner plugins enable {id}` to start it");
        if was != Phase::Disabled {
            self.note(id, "disabled");
        }
    }

    /// Nothing of it runs from here on; it stays known.
    async fn retire(&mut self, id: &str) {
        let Some(mut known) = self.known.remove(id) else { return };
        self.end(&mut known).await;
        self.known.insert(id.into(), known);
        self.publish();
    }

    fn wait(&mut self, id: &str, loaded: &Loaded, waiting: &Waiting) {
        let known = self.known(id);
        if known.running.is_none() {
            known.state = describe(loaded, &Grants::default(), known.generation, false);
        }
        let detail = waiting.to_string();
        let is_news = known.state.phase != Phase::WaitingForGrant || known.state.detail != detail;
        known.state.phase = Phase::WaitingForGrant;
        known.state.asked = loaded.manifest.permissions.to_table();
        known.state.detail = detail;
        if is_news {
            tracing::warn!(plugin = id, version = %loaded.manifest.version, hash = short(&loaded.hash), "The plugin waits: {waiting}.");
            self.note(id, "waiting-for-grant");
        }
    }

    /// It gets no events, but those that must not be lost wait for it.
    async fn stay_quarantined(&mut self, id: &str, loaded: &Loaded, settings: &PluginSettings, ships: bool) {
        let why = self.flags.get(id).and_then(|flags| flags.reason.clone()).unwrap_or_default();
        self.known(id).handle.set_role(role(loaded, settings));
        self.keep_events(id).await;
        let known = self.known(id);
        if known.state.phase == Phase::Quarantined {
            return;
        }
        known.state = describe(loaded, &Grants::default(), known.generation, ships);
        known.state.phase = Phase::Quarantined;
        known.state.detail =
            format!("{why}; change its file, or run `showrunner plugins reload {id}` to start it again");
        tracing::warn!(plugin = id, why, "The plugin stays quarantined.");
        self.note(id, "quarantined");
    }

    async fn keep_events(&mut self, id: &str) {
        let known = self.known(id);
        if known.running.is_some() || std::mem::replace(&mut known.keeps_events, true) {
            return;
        }
        self.restore_backlog(id).await;
        let handle = Arc::clone(&self.known(id).handle);
        // They are still there when the engine ends without a word.
        save_backlog(&self.options.store, &handle).await;
        self.publish();
    }

    fn failed(&mut self, id: &str, failure: &Failure, reason: Reason) {
        let known = self.known(id);
        let goes_on = match &known.running {
            Some(running) => format!("version {} goes on", running.loaded.manifest.version),
            None => "nothing of it runs".to_owned(),
        };
        known.state.phase = Phase::Failed;
        known.state.detail = format!("{failure} ({goes_on})");
        tracing::error!(plugin = id, ?reason, error = %failure, "The plugin can't be loaded; {goes_on}.");
        self.note(id, "failed");
    }

    /// The entry of a plugin, made when it is first seen.
    fn known(&mut self, id: &str) -> &mut Known {
        self.known.entry(id.into()).or_insert_with(|| Known {
            handle: PluginHandle::new(id.into()),
            state: PluginState { id: id.to_owned(), name: id.to_owned(), ..PluginState::default() },
            running: None,
            actor: None,
            kv: None,
            failed: None,
            keeps_events: false,
            generation: 0,
        })
    }
}

fn role(loaded: &Loaded, settings: &PluginSettings) -> Role {
    let manifest = &loaded.manifest;
    // The names were checked with the manifest, so there is always a subscription.
    let subscription = Subscription::new(&manifest.events, &manifest.commands, &settings.channels).unwrap_or_default();
    let (fallback, reviewer) = (manifest.fallback, loaded.blueprint.reviews());
    Role { subscription, fallback, reviewer, on_failure: settings.on_failure }
}

fn describe(loaded: &Loaded, grants: &Grants, generation: u64, ships: bool) -> PluginState {
    let manifest = &loaded.manifest;
    PluginState {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        hash: loaded.hash.clone(),
        generation,
        wit: loaded.wit.clone(),
        ships,
        events: manifest.events.clone(),
        imports: loaded.imports.clone(),
        asked: manifest.permissions.to_table(),
        granted: grants.given.to_table(),
        ..PluginState::default()
    }
}

/// The operator's table over the manifest's defaults: tables are merged, everything else is replaced.
fn merge(mut defaults: Map<String, Value>, settings: &Map<String, Value>) -> Map<String, Value> {
    for (key, value) in settings {
        let merged = match (defaults.remove(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => Value::Object(merge(below, above)),
            (_, value) => value.clone(),
        };
        defaults.insert(key.clone(), merged);
    }
    defaults
}

fn same_secrets(one: &PluginSettings, other: &PluginSettings) -> bool {
    use secrecy::ExposeSecret as _;
    one.secrets.len() == other.secrets.len()
        && one.secrets.iter().all(|(name, secret)| {
            other.secrets.get(name).is_some_and(|other| other.expose_secret() == secret.expose_secret())
        })
}

/// Enough of a hash to tell two files apart by eye.
fn short(hash: &str) -> &str {
    let digits = hash.strip_prefix("sha256:").unwrap_or(hash);
    digits.get(..12).unwrap_or(digits)
}

/// Reads and compiles off the threads that must answer.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LoadError::Compile(format!("the compiler failed ({error}); please report it"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_operators_settings_go_over_the_defaults() {
        let table = |value: Value| value.as_object().unwrap().clone();
        let defaults =
            table(json!({ "greeting": "Hi", "rules": { "gm": { "reply": "gm" }, "hi": {} }, "list": [1, 2] }));
        let settings = table(json!({ "rules": { "gm": { "reply": "GM!" } }, "list": [3] }));
        let merged = merge(defaults, &settings);
        assert_eq!(
            Value::Object(merged),
            json!({ "greeting": "Hi", "rules": { "gm": { "reply": "GM!" }, "hi": {} }, "list": [3] })
        );
    }
}
