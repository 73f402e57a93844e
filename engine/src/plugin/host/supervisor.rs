//! The one task that changes anything about one plugin: loads, replaces and ends it, one after the other. Plugins have
//! a supervisor each, so none ever waits for another.
//!
//! While it waits for what the plugin does, it still receives what comes: a newer word of the operator, or newer files,
//! end the start of a version that has not taken over yet.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::errand::{Errand, Reason, Waiter};
use super::load::Failure;
use super::serving::{HeldFor, Running, Serving};
use super::shared::Shared;
use super::start::Slow;
use crate::effect::PluginId;
use crate::observation::PluginChange;
use crate::plugin::actor::{Report, Surroundings};
use crate::plugin::backlog::Backlog;
use crate::plugin::handle::PluginHandle;
use crate::plugin::imports::kv::Kv;
use crate::plugin::loader::Identity;
use crate::plugin::order::Order;
use crate::plugin::restart::{After, Restarts};
use crate::plugin::status::{Phase, PluginState};
use crate::store::PluginFlags;

/// Builds delete a folder and make it anew; only one that stays away is meant.
const GONE: Duration = Duration::from_secs(2);

/// An actor that does not end within this is given up.
pub(super) const LAST_CALL: Duration = Duration::from_secs(2);

/// The start of the engine, and a new config, wait this long for a plugin that takes its time. It goes on by itself.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    pub(super) id: PluginId,
    pub(super) flags: PluginFlags,
    pub(super) surroundings: Surroundings,
    pub(super) handle: Arc<PluginHandle>,
    pub(super) state: PluginState,
    pub(super) serving: Serving,
    /// The durable memory, shared by all instances that there ever are of it.
    pub(super) kv: Option<Arc<Mutex<Kv>>>,
    /// The files that could not be started: not tried again by themselves.
    pub(super) failed_files: Option<Identity>,
    pub(super) generation: u64,
    /// When it is looked at once more, and why.
    pub(super) next_check: Option<(Instant, Reason)>,
    /// How often the host's own code has failed while it served the plugin, whichever version.
    host_failures: Restarts,
    /// Since when its folder is away, until it comes back or it is meant.
    pub(super) missing_since: Option<Instant>,
    errands: mpsc::UnboundedReceiver<Errand>,
    /// What came while something was waited for.
    pending: Option<Errand>,
    waiters: Vec<Waiter>,
    /// Bounded by how often plugins may restart; an actor must not wait here while the supervisor waits for it.
    reports: mpsc::UnboundedReceiver<(u64, Report)>,
}

/// Why something was not waited for to the end.
pub(super) enum Interrupted {
    /// There is a newer errand.
    Superseded,
    Stopping,
}

impl Supervisor {
    pub(super) fn new(
        shared: Arc<Shared>,
        id: &str,
        flags: PluginFlags,
        errands: mpsc::UnboundedReceiver<Errand>,
    ) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let surroundings = Surroundings {
            sink: Arc::clone(&shared.options.sink),
            observer: shared.options.observer.clone(),
            store: shared.options.store.clone(),
            reports: sender,
        };
        Self {
            shared,
            id: id.into(),
            flags,
            surroundings,
            handle: PluginHandle::new(id.into()),
            state: PluginState { id: id.to_owned(), name: id.to_owned(), ..PluginState::default() },
            serving: Serving::Stopped,
            kv: None,
            failed_files: None,
            generation: 0,
            next_check: None,
            host_failures: Restarts::default(),
            missing_since: None,
            errands,
            pending: None,
            waiters: Vec::new(),
            reports,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            if let Some(errand) = self.pending.take() {
                if self.carry_out(errand).await {
                    return;
                }
                continue;
            }
            tokio::select! {
                // What an actor has said is heard before its end.
                biased;
                errand = self.errands.recv() => match errand {
                    Some(errand) => self.pending = Some(errand),
                    None => return self.end(Instant::now() + LAST_CALL).await,
                },
                Some((generation, report)) = self.reports.recv() => self.heard(generation, report).await,
                () = self.serving.lost() => self.host_failed(),
                reason = due(self.next_check) => self.consider(reason).await,
            }
        }
    }

    /// Whether that was the last.
    async fn carry_out(&mut self, errand: Errand) -> bool {
        match errand {
            Errand::End { until } => {
                self.end(until).await;
                true
            }
            Errand::Consider { reason, waiter } => {
                self.waiters.push(waiter);
                self.consider(reason).await;
                // Where a newer errand came between, its end is what everybody waits for.
                if !self.is_superseded() {
                    self.answer();
                }
                false
            }
        }
    }

    /// Whether there is a newer errand, which decides what becomes of the plugin.
    pub(super) const fn is_superseded(&self) -> bool {
        self.pending.is_some()
    }

    /// An order of the operator stays one, whatever comes between.
    pub(super) fn pass_on(&mut self, reason: Reason) {
        if let Some(Errand::Consider { reason: next, .. }) = &mut self.pending {
            *next = reason.max(*next);
        }
    }

    fn answer(&mut self) {
        for waiter in self.waiters.drain(..) {
            match waiter {
                Waiter::Nobody => {}
                Waiter::Group(last) => drop(last),
                // An error only says that the person has gone away.
                Waiter::Operator(done) => drop(done.send(Ok(self.state.clone()))),
            }
        }
    }

    /// Waits for something that the plugin does. Meanwhile reports are heard; a newer errand ends it, as does the end
    /// of the engine. Whoever waits for many plugins does not wait long for this one; what takes so long is said then.
    pub(super) async fn wait_for<T>(
        &mut self,
        work: impl Future<Output = T>,
        what: Slow<'_>,
    ) -> Result<T, Interrupted> {
        let stopping = self.shared.stopping.clone();
        let patience = sleep(PATIENCE);
        tokio::pin!(work, patience);
        let mut what = Some(what);
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return Err(Interrupted::Stopping),
                value = &mut work => return Ok(value),
                Some(errand) = self.errands.recv() => {
                    self.pending = Some(errand);
                    return Err(Interrupted::Superseded);
                }
                Some((generation, report)) = self.reports.recv() => self.heard(generation, report).await,
                () = self.serving.lost() => self.host_failed(),
                () = &mut patience, if what.is_some() => {
                    if let Some(what) = what.take() {
                        self.say_slow(what).await;
                    }
                    self.waiters.retain(|waiter| matches!(waiter, Waiter::Operator(_)));
                }
            }
        }
    }

    /// What an actor says of a version that has been replaced since is old news.
    async fn heard(&mut self, generation: u64, report: Report) {
        if generation != self.generation {
            return;
        }
        match report {
            Report::Crashed { why } => {
                self.state.phase = Phase::Restarting;
                self.state.detail = why;
                self.state.crashes += 1;
                self.note(PluginChange::Crashed);
            }
            Report::Recovered if self.state.phase == Phase::Restarting => {
                self.state.phase = Phase::Running;
                self.note(PluginChange::Restarted);
            }
            Report::Recovered => {}
            Report::Quarantined { why } => {
                let identity = self.serving.running().map(|running| running.loaded.identity.as_str().to_owned());
                self.state.phase = Phase::Quarantined;
                self.state.detail = self.how_to_restart(&why);
                self.note(PluginChange::Quarantined);
                self.remember_quarantine(identity, Some(why)).await;
            }
        }
    }

    /// The host's own code failed while it served the plugin: it starts anew, unless that goes on.
    pub(super) fn host_failed(&mut self) {
        tracing::error!(plugin = %self.id, "The host panicked while it served the plugin; please report it.");
        self.handle.set_running(false);
        // Nobody is there to take it.
        self.handle.lanes.withdraw_swap();
        self.serving = Serving::Holding(HeldFor::HostFailure);
        self.state.crashes += 1;
        self.state.phase = Phase::Failed;
        self.state.detail = match self.host_failures.crashed(Instant::now()) {
            After::Restart { pause } => {
                self.look_later(pause, Reason::HostFailed);
                "the host panicked while it served the plugin".to_owned()
            }
            After::Quarantine => self.how_to_restart("the host panicked again and again while it served the plugin"),
        };
        self.note(PluginChange::Failed);
    }

    pub(super) fn how_to_restart(&self, why: &str) -> String {
        format!("{why}; change its file, or run `showrunner plugins reload {}` to start it again", self.id)
    }

    /// Kept over restarts: a plugin that brings itself down must not do so again after each start.
    pub(super) async fn remember_quarantine(&mut self, hash: Option<String>, reason: Option<String>) {
        if self.flags.quarantined == hash {
            return;
        }
        self.flags.quarantined = hash;
        self.flags.reason = reason;
        if let Err(error) = self.shared.options.store.set_plugin_flags(&self.id, &self.flags).await {
            tracing::warn!(plugin = %self.id, %error, "The plugin's quarantine can't be remembered over a restart.");
        }
    }

    pub(super) fn look_later(&mut self, pause: Duration, reason: Reason) {
        self.next_check = Some((Instant::now() + pause, reason));
    }

    /// Its folder went away: at first only noted, then meant.
    pub(super) async fn missing(&mut self, reason: Reason) {
        if !self.shared.is_shown(&self.id) {
            return;
        }
        let first_missed = *self.missing_since.get_or_insert_with(Instant::now);
        if first_missed.elapsed() < GONE {
            return self.look_later(GONE, reason);
        }
        self.missing_since = None;
        self.end(Instant::now() + LAST_CALL).await;
        self.shared.hide(&self.id);
        self.publish();
        self.shared.tell(&self.state, PluginChange::Removed, "its folder is gone");
        while self.reports.try_recv().is_ok() {}
        (self.failed_files, self.kv, self.generation) = (None, None, 0);
        self.state = PluginState { id: self.id.to_string(), name: self.id.to_string(), ..PluginState::default() };
    }

    /// Copies the plugin's state to where readers find it, and says what happened.
    pub(super) fn note(&self, change: PluginChange) {
        self.shared.show(&self.state);
        self.shared.tell(&self.state, change, &self.state.detail);
    }

    /// Whether the pipeline gives it events.
    pub(super) fn publish(&self) {
        match self.serving {
            Serving::Running(_) | Serving::Holding(_) => self.shared.enlist(&self.handle),
            Serving::Stopped => self.shared.strike_off(&self.id),
        }
    }

    /// Ends the actor after the event in hand. What is still in its queue and must not be lost is kept on disk.
    pub(super) async fn end(&mut self, until: Instant) {
        let served = std::mem::replace(&mut self.serving, Serving::Stopped);
        let has_run = served.running().is_some();
        if let Serving::Running(Running { mut actor, .. }) = served {
            self.handle.lanes.order(Order::Stop);
            if timeout_at(until, &mut actor).await.is_err() {
                tracing::warn!(plugin = %self.id, "The plugin did not end in time and is given up.");
                actor.abort();
                // An error is the abortion.
                let _ = actor.await;
            }
        }
        self.handle.set_running(false);
        // What waits on disk for a plugin that never ran stays there.
        if has_run || self.handle.waiting() > 0 {
            self.backlog().save().await;
        }
        // Whoever comes next starts with an empty queue, and with what is on disk.
        self.handle = PluginHandle::new(PluginId::clone(&self.id));
    }

    /// Events that must not be lost wait for it although nothing of it runs.
    pub(super) async fn hold(&mut self, held_for: HeldFor) {
        match &mut self.serving {
            // An actor keeps them itself.
            Serving::Running(_) => {}
            Serving::Holding(before) => *before = held_for.max(*before),
            Serving::Stopped => {
                self.serving = Serving::Holding(held_for);
                self.backlog().restore(&*self.surroundings.sink).await;
                // Until it runs again, they are on the disk as well.
                self.backlog().save().await;
                self.publish();
            }
        }
    }

    pub(super) fn backlog(&self) -> Backlog<'_> {
        Backlog { handle: &self.handle, store: &self.surroundings.store }
    }
}

/// Resolves when the plugin is to be looked at once more.
async fn due(next_check: Option<(Instant, Reason)>) -> Reason {
    match next_check {
        Some((at, reason)) => {
            sleep_until(at).await;
            reason
        }
        None => pending().await,
    }
}

impl From<Interrupted> for Failure {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Superseded => Self::Superseded,
            Interrupted::Stopping => Self::Stopping,
        }
    }
}

#[cfg(test)]
mod tests;
