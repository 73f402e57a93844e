//! A new config in a running engine: only what changed is touched, and a broken file changes nothing.

use std::sync::Arc;

use super::{Engine, load};
use crate::config::reload::{Changes, Entries, compare};
use crate::config::settings::Settings;
use crate::gateway::control::Refusal;
use crate::gateway::view::Reloaded;
use crate::platform::{joystick, twitch};

impl Engine {
    pub(super) async fn reload(&self) -> Result<Reloaded, Refusal> {
        let _one_at_a_time = self.reloading.lock().await;
        let loaded = tokio::select! {
            biased;
            // Reading secrets may take its time, and a stop waits for whoever reloads.
            () = self.shutdown.cancelled() => return Err(Refusal::new("the engine is stopping")),
            loaded = load(&self.config, self.options.safe_mode) => loaded,
        };
        let new = match loaded {
            Ok(new) => new,
            Err(error) => {
                tracing::error!(%error, "The new config is wrong; the old one stays.");
                let refusal = Refusal::new(format!("the new config is wrong, the old one stays: {error}"));
                return Err(match error.help() {
                    Some(help) => refusal.with_help(help),
                    None => refusal,
                });
            }
        };
        let old = self.settings.load_full();
        let changes = compare(&old, &new);
        if changes.is_empty() {
            return Ok(Reloaded::default());
        }
        // What waits for a restart is told each time until there is one.
        let new = Arc::new(new.keeping_fixed(&old));
        let reloaded = self.apply(&changes, &new).await;
        self.settings.store(new);
        tracing::info!(applied = ?reloaded.applied, needs_restart = ?reloaded.needs_restart, "The config was read again.");
        self.announce("config-changed", reloaded.applied.join(", "));
        Ok(reloaded)
    }

    /// Somebody has signed in: what waits for that tries again at once. A socket of Joystick keeps what the token was
    /// allowed to that it was opened with; Twitch's connections look after new tokens themselves.
    pub(super) async fn take_up_sign_in(&self, platform: &str) {
        if platform == joystick::PLATFORM && self.accounts.is_connected(platform) {
            self.reconnect(platform).await;
        } else {
            self.accounts.retry(platform);
        }
    }

    /// Somebody has taken a grant back, or given another one: the platform's accounts are closed and made anew, as an
    /// open connection would go on with the one before.
    pub(super) async fn reconnect(&self, platform: &str) {
        let _one_at_a_time = self.reloading.lock().await;
        if self.shutdown.is_cancelled() {
            return;
        }
        let settings = self.settings.load_full();
        // A failure has been logged; what was connected stays.
        let _ = self.accounts.renew(platform, &settings).await;
    }

    async fn apply(&self, changes: &Changes, new: &Arc<Settings>) -> Reloaded {
        let needs_restart = changes.needs_restart.iter().map(|key| (*key).to_owned()).collect();
        let mut reloaded = Reloaded { needs_restart, ..Reloaded::default() };
        if changes.log_filter {
            (self.options.set_log_filter)(&new.log.filter);
            reloaded.add(Ok("log.filter".to_owned()));
        }
        if !changes.plugins.is_empty() || changes.limits || changes.safe_mode {
            match self.host.apply(Arc::clone(new)).await {
                Ok(()) => reloaded.add(Ok("plugins".to_owned())),
                Err(error) => {
                    tracing::error!(%error, "The plugins did not get the new config.");
                    reloaded.add(Err(format!("plugins: {error}")));
                }
            }
        }
        if changes.twitch || changes.joystick {
            self.accounts.grants().configure(new);
        }
        self.apply_accounts(changes, new, &mut reloaded).await;
        reloaded
    }

    async fn apply_accounts(&self, changes: &Changes, new: &Settings, reloaded: &mut Reloaded) {
        let Entries { added, removed, changed } = &changes.retake;
        for room in removed.iter().chain(added).chain(changed) {
            let settings = new.retake.iter().find(|settings| settings.room == *room);
            reloaded.add(self.accounts.renew_room(room, settings).await);
        }
        for (platform, has_changed) in [(twitch::PLATFORM, changes.twitch), (joystick::PLATFORM, changes.joystick)] {
            if has_changed {
                reloaded.add(self.accounts.renew(platform, new).await);
            }
        }
    }
}
