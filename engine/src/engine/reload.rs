//! A new config in a running engine: only what changed is touched, and a broken file changes nothing.

use std::sync::Arc;

use super::{Engine, load};
use crate::config::reload::{Changes, compare};
use crate::config::settings::Settings;
use crate::gateway::control::Refusal;
use crate::gateway::view::Reloaded;
use crate::platform::{joystick, twitch};

impl Engine {
    pub(super) async fn reload(&self) -> Result<Reloaded, Refusal> {
        let _one_at_a_time = self.reloading.lock().await;
        if self.shutdown.is_cancelled() {
            return Err(Refusal::new("the engine is stopping"));
        }
        let new = match load(&self.config, self.options.safe_mode).await {
            Ok(new) => Arc::new(new),
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
        let reloaded = self.apply(&changes, &new).await;
        self.settings.store(new);
        tracing::info!(applied = ?reloaded.applied, needs_restart = ?reloaded.needs_restart, "The config was read again.");
        self.announce("config-changed", reloaded.applied.join(", "));
        Ok(reloaded)
    }

    /// Somebody has taken a grant back: the platform's accounts are closed and made anew, as an open connection would go
    /// on without it.
    pub(super) async fn reconnect(&self, platform: &str) {
        let _one_at_a_time = self.reloading.lock().await;
        if self.shutdown.is_cancelled() {
            return;
        }
        let settings = self.settings.load_full();
        let replaced = match platform {
            twitch::PLATFORM => self.accounts.replace_twitch(settings.twitch.as_ref()).await,
            joystick::PLATFORM => self.accounts.replace_joystick(settings.joystick.as_ref()).await.map(drop),
            _ => Ok(()),
        };
        if let Err(error) = replaced {
            tracing::error!(%error, "The account can't be connected.");
        }
    }

    async fn apply(&self, changes: &Changes, new: &Arc<Settings>) -> Reloaded {
        let mut reloaded = Reloaded {
            applied: Vec::new(),
            needs_restart: changes.needs_restart.iter().map(|key| (*key).to_owned()).collect(),
        };
        for (changed, section) in [
            (changes.pipeline, "pipeline"),
            (changes.journal, "journal"),
            (changes.agent, "agent"),
            (changes.simulator, "simulator"),
        ] {
            if changed {
                reloaded.needs_restart.push(section.to_owned());
            }
        }
        if changes.log_filter {
            (self.options.set_log_filter)(&new.log.filter);
            reloaded.applied.push("log.filter".into());
        }
        if !changes.plugins.is_empty() || changes.limits || changes.safe_mode {
            match self.host.apply(Arc::clone(new)).await {
                Ok(()) => reloaded.applied.push("plugins".into()),
                Err(error) => tracing::error!(%error, "The plugins did not get the new config."),
            }
        }
        if changes.twitch || changes.joystick {
            self.accounts.grants().configure(new);
        }
        self.apply_accounts(changes, new, &mut reloaded).await;
        reloaded
    }

    async fn apply_accounts(&self, changes: &Changes, new: &Settings, reloaded: &mut Reloaded) {
        for room in &changes.retake.removed {
            self.accounts.remove_retake(room).await;
            reloaded.applied.push(format!("retake:{room} was closed"));
        }
        let fresh = changes.retake.added.iter().chain(&changes.retake.changed);
        for settings in fresh.filter_map(|room| new.retake.iter().find(|settings| settings.room == *room)) {
            match self.accounts.replace_retake(settings).await {
                Ok(()) => reloaded.applied.push(format!("retake:{} connects", settings.room)),
                Err(error) => tracing::error!(%error, "The account can't be connected."),
            }
        }
        if changes.twitch {
            match self.accounts.replace_twitch(new.twitch.as_ref()).await {
                Ok(()) if new.twitch.is_none() => reloaded.applied.push("twitch was closed".to_owned()),
                Ok(()) => reloaded.applied.push("twitch connects".to_owned()),
                Err(error) => tracing::error!(%error, "Twitch can't be connected."),
            }
        }
        if changes.joystick {
            match self.accounts.replace_joystick(new.joystick.as_ref()).await {
                Ok(is_there) => {
                    reloaded
                        .applied
                        .push(if is_there { "joystick connects" } else { "joystick is not connected" }.into());
                }
                Err(error) => tracing::error!(%error, "The account can't be connected."),
            }
        }
    }
}
