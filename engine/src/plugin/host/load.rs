//! The way of one plugin from its files to a running instance. The new one is complete before the old one ends; when
//! anything fails, the old one goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::keeper::{Keeper, Known, LAST_CALL, Reason, Running};
use crate::config::settings::PluginSettings;
use crate::plugin::actor::{Actor, Live, StartError};
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

/// Files with where they come from.
struct Found {
    files: Files,
    ships: bool,
}

impl Keeper {
    /// Looks at a plugin and does what is to be done: start, replace, change rights, stop, or nothing.
    pub(super) async fn consider(&mut self, id: &str, reason: Reason) {
        // Whatever its files are like, what was taken back holds at once.
        let refused = self.take_back(id).await;
        let before = self.known(id).generation;
        self.consider_files(id, reason).await;
        // Another version may have taken its place by now. If not, it ends all the same.
        if let Some(waiting) = refused
            && self.known(id).generation == before
        {
            self.retire(id, &waiting).await;
        }
    }

    async fn consider_files(&mut self, id: &str, reason: Reason) {
        let found = match self.find(id).await {
            Ok(Some(found)) => found,
            Ok(None) => return self.missing(id).await,
            Err(error) => {
                self.gone.remove(id);
                return match error {
                    LoadError::Unsteady { .. } => self.look_later(id, self.settings().host.debounce),
                    error => self.failed(id, &error.into(), reason),
                };
            }
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

    /// Ends or narrows what runs, by the operator's word alone. Returns what it would have to wait for if it came now.
    async fn take_back(&mut self, id: &str) -> Option<Waiting> {
        let settings = self.settings().plugins.get(id).cloned().unwrap_or_default();
        let known = self.known.get(id)?;
        let running = known.running.as_ref()?;
        let (loaded, ships) = (Arc::clone(&running.loaded), running.ships);
        let applicant = Applicant { manifest: &loaded.manifest, hash: &loaded.hash, ships, running: None };
        // An error would have been one of the config, which is not taken over then.
        match admit(&applicant, &settings).unwrap_or(Admission::Disabled) {
            Admission::Admitted(grants) => {
                self.set_rights(id, &loaded, grants, &settings);
                None
            }
            Admission::Disabled => {
                self.disable(id, &loaded, ships).await;
                None
            }
            Admission::Waiting(waiting) => {
                running.context.grants.store(Arc::default());
                Some(waiting)
            }
        }
    }

    /// Ends what runs without the operator's leave; it stays known.
    async fn retire(&mut self, id: &str, waiting: &Waiting) {
        let Some(mut known) = self.known.remove(id) else { return };
        self.end(&mut known, Instant::now() + LAST_CALL).await;
        known.state.phase = Phase::WaitingForGrant;
        known.state.granted.clear();
        known.state.detail = waiting.to_string();
        self.known.insert(id.into(), known);
        self.publish();
        self.note(id, "waiting-for-grant");
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
            Admission::Waiting(waiting) => self.wait(id, &loaded, &waiting),
            Admission::Admitted(grants) => {
                if self.is_quarantined(id, &loaded, reason) {
                    self.stay_quarantined(id, &loaded, &settings, found.ships).await;
                } else if self.changes_rights_only(id, &loaded, &settings, reason) {
                    self.change_rights(id, &loaded, grants, settings);
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

    fn change_rights(&mut self, id: &str, loaded: &Loaded, grants: Grants, settings: PluginSettings) {
        self.set_rights(id, loaded, grants, &settings);
        let known = self.known(id);
        let Some(running) = &mut known.running else { return };
        running.settings = settings;
        // Whatever was wrong with another version of the file is over: the one that runs is back.
        if known.state.phase == Phase::Failed || known.state.phase == Phase::WaitingForGrant {
            let (generation, ships) = (known.generation, running.ships);
            let crashes = known.state.crashes;
            known.state =
                PluginState { crashes, ..describe(loaded, &running.context.grants.load(), generation, ships) };
            known.state.phase = Phase::Running;
        }
        self.copy_state(id);
    }

    /// What the version that runs may do, hear and say.
    fn set_rights(&mut self, id: &str, loaded: &Loaded, grants: Grants, settings: &PluginSettings) {
        let known = self.known(id);
        let Some(running) = &known.running else { return };
        running.context.channels.store(Arc::new(settings.channels.iter().cloned().collect()));
        known.state.granted = grants.given.to_table();
        known.handle.set_role(role(loaded, settings));
        running.context.grants.store(Arc::new(grants));
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
        if let Some(actor) = known.actor.as_mut().filter(|actor| !actor.is_finished()) {
            let (done, taken) = oneshot::channel();
            known.handle.lanes.order(Order::Swap { new: Box::new(new), done });
            let swapped = tokio::select! {
                swapped = taken => swapped.ok(),
                _ = actor => None,
            };
            let ended = || Failure::Swap("the running version has just come to an end".to_owned());
            swapped.ok_or_else(ended)?.map_err(|crash| Failure::Swap(crash.to_string()))?;
            known.handle.set_role(role);
            known.running = Some(running);
        } else {
            known.handle.set_role(role);
            known.running = Some(running);
            known.keeps_events = false;
            let handle = Arc::clone(&known.handle);
            self.restore_backlog(id).await;
            // From now on events are for it, and hold back the fallbacks until it has had them.
            handle.set_running(true);
            let actor = Actor::new(handle, surroundings, new);
            self.known(id).actor = Some(threads.spawn(actor.keep_running()));
        }
        self.publish();
        Ok(())
    }

    /// Events that waited when the plugin or the engine was stopped come first.
    async fn restore_backlog(&mut self, id: &str) {
        if !self.known(id).handle.lanes.backlog().is_empty() {
            // What was restored before is in the queue already.
            if let Err(error) = self.options.store.give_backlog(&id.into()).await {
                tracing::warn!(plugin = id, %error, "It can't be noted that the plugin gets what waited for it.");
            }
            return;
        }
        match self.options.store.take_backlog(&id.into()).await {
            Ok(waiting) => {
                let handle = Arc::clone(&self.known(id).handle);
                for mut waiting in waiting {
                    if waiting.envelope.sequence == 0 {
                        // The daemon was killed before it had a number.
                        waiting.envelope.sequence = self.options.sink.next_number();
                    }
                    if handle.wants(&waiting.envelope) {
                        handle.offer(Delivery::waiting(waiting), None);
                    } else {
                        // It no longer listens to that.
                        self.options.store.forget_event(handle.id(), &waiting.envelope.id);
                    }
                }
            }
            Err(error) => {
                tracing::error!(plugin = id, %error, "The events that waited for this plugin can't be read; they are in the journal.")
            }
        }
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
        let Some(mut known) = self.known.remove(id) else { return };
        self.end(&mut known, Instant::now() + LAST_CALL).await;
        let was = known.state.phase;
        known.state = describe(loaded, &Grants::default(), known.generation, ships);
        known.state.phase = Phase::Disabled;
        known.state.detail = format!("run `showrunner plugins enable {id}` to start it");
        self.known.insert(id.into(), known);
        self.publish();
        if was != Phase::Disabled {
            self.note(id, "disabled");
        }
    }

    fn wait(&mut self, id: &str, loaded: &Loaded, waiting: &Waiting) {
        let known = self.known(id);
        let other = known.running.as_ref().filter(|running| running.loaded.identity != loaded.identity);
        let detail = match other {
            Some(running) => format!("{waiting}; until then version {} goes on", running.loaded.manifest.version),
            None => waiting.to_string(),
        };
        let is_news = known.state.phase != Phase::WaitingForGrant || known.state.detail != detail;
        // The version that waits is shown, so that what is granted is what was looked at.
        let given = known.running.as_ref().map(|running| Grants::clone(&running.context.grants.load()));
        known.state = describe(loaded, &given.unwrap_or_default(), known.generation, false);
        known.state.phase = Phase::WaitingForGrant;
        known.state.detail = detail;
        if is_news {
            tracing::warn!(plugin = id, version = %loaded.manifest.version, hash = short(&loaded.hash), "The plugin waits: {waiting}.");
            self.note(id, "waiting-for-grant");
        }
    }

    /// It gets no events, but those that must not be lost wait for it.
    async fn stay_quarantined(&mut self, id: &str, loaded: &Loaded, settings: &PluginSettings, ships: bool) {
        let why = self.flags.get(id).and_then(|flags| flags.reason.clone()).unwrap_or_default();
        let known = self.known(id);
        // Whether its verdicts are missed, and which events it keeps, are the operator's to change all the time.
        known.handle.set_role(role(loaded, settings));
        if known.state.phase == Phase::Quarantined {
            return;
        }
        known.state = describe(loaded, &Grants::default(), known.generation, ships);
        known.state.phase = Phase::Quarantined;
        known.state.detail =
            format!("{why}; change its file, or run `showrunner plugins reload {id}` to start it again");
        // An actor keeps them itself.
        let begins_to_keep = known.actor.is_none() && !std::mem::replace(&mut known.keeps_events, true);
        tracing::warn!(plugin = id, why, "The plugin stays quarantined.");
        if begins_to_keep {
            self.restore_backlog(id).await;
            // Until it runs again, they are on the disk as well.
            if let Some(known) = self.known.get(id) {
                self.keep_backlog(known).await;
            }
        }
        self.publish();
        self.note(id, "quarantined");
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
    let reviewer = loaded.blueprint.reviews();
    Role { subscription, fallback: manifest.fallback, reviewer, on_failure: settings.on_failure }
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
