//! What becomes of a plugin: its files and the operator's word decide whether it starts, waits, goes on with other
//! rights or ends, and how that is shown.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::admitted::{Admitted, describe};
use super::errand::Reason;
use super::serving::{HeldFor, Serving};
use super::supervisor::{LAST_CALL, Supervisor};
use crate::observation::PluginChange;
use crate::plugin::actor::StartError;
use crate::plugin::admission::{Admission, Applicant, Waiting, admit};
use crate::plugin::loader::{self, Files, LoadError, Loaded};
use crate::plugin::machine::Machine;
use crate::plugin::manifest::ManifestError;
use crate::plugin::shipped::SHIPPED;
use crate::plugin::status::{Phase, PluginState};
use crate::store::StoreError;

/// A database that could not be read is asked again after this long.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// Why a version does not run. What ran before goes on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("its durable memory can't be read: {0}")]
    Store(#[from] StoreError),
    #[error("it could not take over: {0}")]
    Swap(String),
    #[error("a newer version, or a newer word of the operator, came before it was ready")]
    Superseded,
    #[error("the engine is stopping")]
    Stopping,
}

impl Failure {
    /// Whether it is the version's own fault, so that it is not tried again by itself.
    const fn counts(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Superseded | Self::Stopping)
    }
}

/// Files with where they come from.
struct Found {
    files: Files,
    ships: bool,
}

impl Supervisor {
    /// Looks at the plugin and does what is to be done: start, replace, change rights, stop, or nothing.
    pub(super) async fn consider(&mut self, reason: Reason) {
        // Whatever it was to be looked at for later is looked at now.
        let reason = self.next_check.take().map_or(reason, |(_, put_off)| reason.max(put_off));
        // Whatever its files are like, what was taken back holds at once.
        let refused = self.take_back().await;
        let before = self.generation;
        self.consider_files(reason).await;
        // Another version may have taken its place by now. If not, it ends all the same.
        if let Some(waiting) = refused
            && self.generation == before
        {
            self.retire(&waiting).await;
        }
        if matches!(self.serving, Serving::Holding(HeldFor::SlowStart)) && !self.is_superseded() {
            // It did not come up after all.
            self.serving = Serving::Stopped;
            self.publish();
        }
        self.pass_on(reason);
    }

    async fn consider_files(&mut self, reason: Reason) {
        let found = match self.find().await {
            Ok(Some(found)) => found,
            Ok(None) => return self.missing(reason).await,
            Err(error) => {
                self.missing_since = None;
                return match error {
                    LoadError::Unsteady { .. } => self.look_later(self.shared.settings().host.debounce, reason),
                    error => self.failed(&error.into(), reason),
                };
            }
        };
        self.missing_since = None;
        let identity = found.files.identity();
        if self.failed_files.as_ref() == Some(&identity) && reason < Reason::Settings {
            return;
        }
        self.failed_files = None;
        match self.bring_up(found, reason).await {
            Err(failure) if failure.counts() => {
                self.failed(&failure, reason);
                self.failed_files = Some(identity);
            }
            // It is not the files' fault, and may be over soon.
            Err(failure @ Failure::Store(_)) => {
                self.failed(&failure, reason);
                self.look_later(STORE_AGAIN, reason);
            }
            // Whoever superseded it comes next.
            Ok(()) | Err(_) => {}
        }
    }

    /// Ends or narrows what runs, by the operator's word alone. Returns what it would have to wait for if it came now.
    async fn take_back(&mut self) -> Option<Waiting> {
        let settings = self.shared.settings_of(&self.id);
        let running = self.serving.running()?;
        let (loaded, ships) = (Arc::clone(&running.loaded), running.ships);
        let applicant = Applicant { manifest: &loaded.manifest, hash: &loaded.hash, ships, running: None };
        match admit(&applicant, &settings) {
            Admission::Admitted(grants) => {
                self.set_rights(&Admitted { loaded, grants, settings, ships });
                None
            }
            Admission::Disabled => {
                self.disable(&loaded, ships).await;
                None
            }
            Admission::Waiting(waiting) => {
                running.context.grants.store(Arc::default());
                Some(waiting)
            }
        }
    }

    /// Ends what runs without the operator's leave; it stays known.
    async fn retire(&mut self, waiting: &Waiting) {
        self.end(Instant::now() + LAST_CALL).await;
        self.state.phase = Phase::WaitingForGrant;
        self.state.granted.clear();
        self.state.detail = waiting.to_string();
        self.publish();
        self.note(PluginChange::WaitingForGrant);
    }

    /// The files of the plugin: its folder's, else those that ship.
    async fn find(&self) -> Result<Option<Found>, LoadError> {
        let settings = self.shared.settings();
        let shipped = SHIPPED.iter().find(|shipped| *shipped.id == *self.id).map(Files::shipped);
        let folder = settings.host.plugins_dir.join(&*self.id);
        let limit = settings.host.limits.component_bytes;
        let files = if settings.host.safe_mode {
            None
        } else {
            blocking(move || folder.is_dir().then(|| Files::read(&folder, limit)).transpose()).await?
        };
        let Some(files) = files else {
            return Ok(shipped.map(|files| Found { files, ships: true }));
        };
        let ships = shipped.is_some_and(|shipped| shipped.identity() == files.identity());
        Ok(Some(Found { files, ships }))
    }

    async fn bring_up(&mut self, found: Found, reason: Reason) -> Result<(), Failure> {
        let settings = self.shared.settings_of(&self.id);
        let same = self.serving.running().filter(|running| running.loaded.identity == found.files.identity());
        let loaded = match same {
            Some(running) => Arc::clone(&running.loaded),
            None => Arc::new(self.compile(found.files).await?),
        };
        let applicant = Applicant {
            manifest: &loaded.manifest,
            hash: &loaded.hash,
            ships: found.ships,
            running: self.serving.running().map(|running| &running.loaded.manifest.permissions),
        };
        match admit(&applicant, &settings) {
            Admission::Disabled => self.disable(&loaded, found.ships).await,
            Admission::Waiting(waiting) => self.wait(&loaded, &waiting),
            Admission::Admitted(grants) => {
                let version = Admitted { loaded, grants, settings, ships: found.ships };
                if self.is_quarantined(&version.loaded, reason) {
                    self.stay_quarantined(&version).await;
                } else if self.changes_rights_only(&version, reason) {
                    self.change_rights(&version);
                } else {
                    self.start(&version).await?;
                    self.remember_quarantine(None, None).await;
                }
            }
        }
        Ok(())
    }

    async fn compile(&self, files: Files) -> Result<Loaded, Failure> {
        let machine = Arc::clone(&self.shared.machine);
        let _place = self.shared.compiling().await;
        let compiling = blocking(move || Machine::in_background(|| loader::load(&machine, files)));
        let loaded = tokio::select! {
            // What was begun ends by itself, and nobody looks at it.
            () = self.shared.stopping.cancelled() => return Err(Failure::Stopping),
            loaded = compiling => loaded?,
        };
        if *loaded.manifest.id != *self.id {
            let error = ManifestError::Folder { id: loaded.manifest.id, folder: self.id.to_string() };
            return Err(LoadError::from(error).into());
        }
        Ok(loaded)
    }

    /// A quarantine of before the restart, or of a file that was only touched.
    fn is_quarantined(&self, loaded: &Loaded, reason: Reason) -> bool {
        let flagged = self.flags.quarantined.as_ref();
        reason != Reason::Operator && flagged.is_some_and(|flagged| flagged == loaded.identity.as_str())
    }

    /// Whether the running instance can go on with other rights, without noticing.
    fn changes_rights_only(&self, version: &Admitted, reason: Reason) -> bool {
        let Some(running) = self.serving.running() else { return false };
        reason != Reason::Operator
            && running.loaded.identity == version.loaded.identity
            && running.settings.settings == version.settings.settings
            && running.settings.record == version.settings.record
            && running.settings.secrets == version.settings.secrets
    }

    fn change_rights(&mut self, version: &Admitted) {
        self.set_rights(version);
        let Some(running) = self.serving.running_mut() else { return };
        running.settings = version.settings.clone();
        // Whatever was wrong with another version of the file is over: the one that runs is back.
        if self.state.phase == Phase::Failed || self.state.phase == Phase::WaitingForGrant {
            let crashes = self.state.crashes;
            self.state = PluginState { phase: Phase::Running, crashes, ..version.describe(self.generation) };
        }
        self.shared.show(&self.state);
    }

    /// What the version that runs may do, hear and say.
    fn set_rights(&mut self, version: &Admitted) {
        let Some(running) = self.serving.running() else { return };
        running.context.channels.store(Arc::new(version.settings.channels.iter().cloned().collect()));
        running.context.grants.store(Arc::new(version.grants.clone()));
        self.state.granted = version.grants.given.to_table();
        self.handle.set_role(version.role());
    }

    async fn disable(&mut self, loaded: &Loaded, ships: bool) {
        self.end(Instant::now() + LAST_CALL).await;
        let was = self.state.phase;
        self.state = describe(loaded, ships, self.generation);
        self.state.phase = Phase::Disabled;
        self.state.detail = format!("run `showrunner plugins enable {}` to start it", self.id);
        self.publish();
        if was != Phase::Disabled {
            self.note(PluginChange::Disabled);
        }
    }

    fn wait(&mut self, loaded: &Loaded, waiting: &Waiting) {
        let other = self.serving.running().filter(|running| running.loaded.identity != loaded.identity);
        let detail = match other {
            Some(running) => format!("{waiting}; until then version {} goes on", running.loaded.manifest.version),
            None => waiting.to_string(),
        };
        let is_news = self.state.phase != Phase::WaitingForGrant || self.state.detail != detail;
        // The version that waits is shown, so that what is granted is what was looked at.
        self.state = describe(loaded, false, self.generation);
        if let Some(running) = self.serving.running() {
            self.state.granted = running.context.grants.load().given.to_table();
        }
        self.state.phase = Phase::WaitingForGrant;
        self.state.detail = detail;
        if is_news {
            tracing::warn!(plugin = %self.id, version = %loaded.manifest.version, hash = short(&loaded.hash), "The plugin waits: {waiting}.");
            self.note(PluginChange::WaitingForGrant);
        }
    }

    /// It gets no events, but those that must not be lost wait for it.
    async fn stay_quarantined(&mut self, version: &Admitted) {
        let why = self.flags.reason.clone().unwrap_or_default();
        // Whether its verdicts are missed, and which events it keeps, are the operator's to change all the time.
        self.handle.set_role(version.role());
        if self.state.phase == Phase::Quarantined {
            return;
        }
        self.state = describe(&version.loaded, version.ships, self.generation);
        self.state.phase = Phase::Quarantined;
        self.state.detail = self.how_to_restart(&why);
        tracing::warn!(plugin = %self.id, why, "The plugin stays quarantined.");
        self.hold(HeldFor::Quarantine).await;
        self.publish();
        self.note(PluginChange::Quarantined);
    }

    fn failed(&mut self, failure: &Failure, reason: Reason) {
        let goes_on = match self.serving.running() {
            Some(running) => format!("version {} goes on", running.loaded.manifest.version),
            None => "nothing of it runs".to_owned(),
        };
        self.state.phase = Phase::Failed;
        self.state.detail = format!("{failure} ({goes_on})");
        tracing::error!(plugin = %self.id, ?reason, error = %failure, "The plugin can't be loaded; {goes_on}.");
        self.note(PluginChange::Failed);
    }
}

/// Enough of a hash to tell two files apart by eye.
pub(super) fn short(hash: &str) -> &str {
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
