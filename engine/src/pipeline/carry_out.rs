//! Carries out what is in the ledger or on its way there: to an outbox, to the agent, to whoever watches.

use std::sync::Arc;

use super::Inner;
use super::outbox::{Ended, Entry, Line, Outbox, clean};
use crate::effect::{Action, Effect, EffectKey, NumberedEffect, PluginId};
use crate::event::{Channel, OutcomeStatus};
use crate::observation::Observation;
use crate::web::one_line;

/// How an effect ended, and why not well.
pub(super) struct Ending {
    pub(super) status: OutcomeStatus,
    pub(super) detail: String,
}

impl Ending {
    fn done() -> Self {
        Self { status: OutcomeStatus::Done, detail: String::new() }
    }

    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { status: OutcomeStatus::Failed, detail: why.into() }
    }
}

/// Where an action goes.
enum Route {
    Outbox(Arc<Outbox>, Action),
    /// It was the engine's own business, and is done.
    Done,
}

/// What goes to one account stays together, in the order of the plugin's calls.
struct Entries<'b> {
    plugin: &'b PluginId,
    event_id: &'b Arc<str>,
    entries: Vec<(Arc<Outbox>, Entry)>,
}

impl Inner {
    pub(super) fn carry_out(&self, plugin: &PluginId, event_id: &Arc<str>, effects: Vec<NumberedEffect>) {
        let mut entries = Entries { plugin, event_id, entries: Vec::new() };
        let end = |number, name, channel, ending| self.report_effect(plugin, event_id, number, name, channel, ending);
        for NumberedEffect { number, effect } in effects {
            let name = name(&effect);
            match effect {
                Effect::Platform { channel, action } => match self.route(plugin, &channel, action) {
                    Ok(Route::Outbox(outbox, action)) => entries.add(outbox, Line { number, channel, action }),
                    Ok(Route::Done) => end(number, name, Some(channel), Ending::done()),
                    Err(why) => end(number, name, Some(channel), Ending::failed(why)),
                },
                Effect::Alert(alert) => {
                    self.observer.observe(|| Observation::Alert { plugin: PluginId::clone(plugin), alert });
                    end(number, name, None, Ending::done());
                }
                Effect::Publish { kind, data_json } => {
                    let plugin = PluginId::clone(plugin);
                    self.observer.observe(|| Observation::Published { plugin, kind, data_json });
                    end(number, name, None, Ending::done());
                }
                Effect::Enqueue { task, .. } => {
                    if let Some(tasks) = self.tasks.get() {
                        tasks.announce(&task);
                    }
                    end(number, name, None, Ending::done());
                }
            }
        }
        for (outbox, entry) in entries.entries {
            outbox.push(entry);
        }
    }

    fn route(&self, plugin: &PluginId, channel: &Channel, action: Action) -> Result<Route, String> {
        if let Action::ResolveHeld { message_id, allow } = &action
            && let Some(delivery) = self.held.take(channel, message_id)
        {
            if *allow {
                self.let_pass(plugin, &delivery);
            }
            return Ok(Route::Done);
        }
        let action = clean(action).map_err(|empty| empty.to_string())?;
        match self.outboxes().find(channel) {
            Some(outbox) => Ok(Route::Outbox(outbox, action)),
            None => Err(format!(
                "no account is connected for {}; add one to the config, or send to a channel that has one",
                one_line(&channel.to_string())
            )),
        }
    }

    pub(super) fn report_effect(
        &self,
        plugin: &PluginId,
        event_id: &Arc<str>,
        number: u32,
        effect: &'static str,
        channel: Option<Channel>,
        ending: Ending,
    ) {
        let key = EffectKey { event_id: Arc::clone(event_id), plugin: PluginId::clone(plugin), number };
        let Ending { status, detail } = ending;
        self.report(Ended { key, channel, effect, status, message_id: None, detail });
    }
}

impl Entries<'_> {
    fn add(&mut self, outbox: Arc<Outbox>, line: Line) {
        let priority = line.action.priority();
        let known =
            self.entries.iter_mut().find(|(of, entry)| Arc::ptr_eq(of, &outbox) && entry.priority() == priority);
        if let Some((_, entry)) = known {
            entry.push(line);
        } else {
            let entry = Entry::new(PluginId::clone(self.plugin), Arc::clone(self.event_id), line);
            self.entries.push((outbox, entry));
        }
    }
}

pub(super) const fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Platform { action, .. } => action.name(),
        Effect::Alert(_) => "alert",
        Effect::Enqueue { .. } => "enqueue",
        Effect::Publish { .. } => "publish",
    }
}
