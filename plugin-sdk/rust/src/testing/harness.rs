//! Drives a plugin as the host would.

use std::time::Duration;

use super::effect::Effect;
use super::event::{self, Draft};
use super::manifest;
use super::setup::Setup;
use super::state::{self, State};
use crate::event::{Disposition, Envelope, Event};
use crate::http::{Failure, Request, Response};
use crate::log::Level;
use crate::viewers::Line;
use crate::{Answer, Handover, Plugin, Reviewer, Verdict, random};

/// A plugin and the fake host around it.
pub struct Harness<P> {
    plugin: P,
    state: State,
    sequence: u64,
    started: Reaction,
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Reaction {
    /// What the handler returned.
    pub answer: Answer,
    /// What leaves, in order; nothing when the handler returned an error.
    pub effects: Vec<Effect>,
    /// What it logged; these lines are kept in any case.
    pub logs: Vec<(Level, String)>,
    delivered: bool,
}

impl Reaction {
    /// Of an event that the host would not have given to the plugin.
    const fn none() -> Self {
        Self { answer: Ok(Disposition::Passed), effects: Vec::new(), logs: Vec::new(), delivered: false }
    }

    /// Whether the event was given to the plugin: its plugin.toml lists the event, or the command in it.
    pub const fn was_delivered(&self) -> bool {
        self.delivered
    }

    /// The texts that it wrote in chat, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.effects.iter().filter_map(Effect::text).collect()
    }

    /// Whether it took the event for itself.
    pub fn handled(&self) -> bool {
        self.answer == Ok(Disposition::Handled)
    }

    /// Whether it left the event to others, as it also does with one that it is not given.
    pub fn passed(&self) -> bool {
        self.answer == Ok(Disposition::Passed)
    }

    /// The handler's error.
    pub fn error(&self) -> Option<&str> {
        self.answer.as_ref().err().map(String::as_str)
    }
}

/// Runs one call with the host's rules: what it asked for is kept when it returns `Ok`, and dropped otherwise.
fn transact<T>(state: &mut State, call: impl FnOnce() -> Result<T, String>) -> (Result<T, String>, Reaction) {
    let (kv, timers) = (state.kv.clone(), state.timers.clone());
    let result = state::install(state, call);
    let (mut effects, logs) = (std::mem::take(&mut state.effects), std::mem::take(&mut state.logs));
    if result.is_err() {
        effects.clear();
        state.kv = kv;
        state.timers = timers;
    }
    (result, Reaction { answer: Ok(Disposition::Passed), effects, logs, delivered: true })
}

/// Runs a call that only hands over: whatever it asks for is dropped.
fn discard<T>(state: &mut State, call: impl FnOnce() -> T) -> T {
    let (kv, timers) = (state.kv.clone(), state.timers.clone());
    let result = state::install(state, call);
    state.effects.clear();
    state.logs.clear();
    (state.kv, state.timers) = (kv, timers);
    result
}

impl<P: Plugin> Harness<P> {
    /// Starts the plugin, as the host does with `init`.
    ///
    /// # Errors
    /// The plugin's own error, or what is wrong with the setup.
    pub fn start(setup: Setup) -> Result<Self, String> {
        if let Some(error) = setup.error {
            return Err(error);
        }
        let mut state = setup.state;
        let (plugin, started) = Self::init(&mut state)?;
        Ok(Self { plugin, state, sequence: 0, started })
    }

    fn init(state: &mut State) -> Result<(P, Reaction), String> {
        random::reseed(0);
        state.timers.clear();
        let (plugin, started) = transact(state, P::new);
        Ok((plugin?, started))
    }

    /// What the plugin did when it was started last.
    pub const fn started(&self) -> &Reaction {
        &self.started
    }

    /// Stops the plugin and starts it again. Its memory in kv stays, everything else is new.
    ///
    /// # Errors
    /// The plugin's own error; then the old instance goes on.
    pub fn restart(&mut self) -> Result<(), String> {
        (self.plugin, self.started) = Self::init(&mut self.state)?;
        Ok(())
    }

    /// Changes the operator's settings and starts the plugin again, as the host does.
    ///
    /// # Errors
    /// The plugin's own error; then the old instance goes on, and the old settings stay.
    pub fn configure(&mut self, settings: serde_json::Value) -> Result<(), String> {
        let before = self.state.settings.clone();
        manifest::merge(&mut self.state.settings, settings);
        self.restart().inspect_err(|_| self.state.settings = before)
    }

    /// Gives the plugin an event, unless its manifest lists neither the event nor the command in it: then the plugin
    /// hears nothing, as with the engine, and [`Reaction::was_delivered`] says so.
    pub fn push(&mut self, draft: Draft) -> Reaction {
        let envelope = self.seal(draft);
        if self.state.manifest.as_ref().is_some_and(|manifest| !manifest.lists(&envelope)) {
            return Reaction::none();
        }
        let Self { plugin, state, .. } = self;
        let (answer, reaction) = transact(state, || plugin.handle(&envelope));
        Reaction { answer, ..reaction }
    }

    /// Fills in what the test left open, and notes who wrote what, as the engine does for `viewers`.
    fn seal(&mut self, draft: Draft) -> Envelope {
        let Draft { mut envelope, age } = draft;
        self.sequence += 1;
        envelope.sequence = self.sequence;
        envelope.at_ms = self.state.now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        if envelope.id.is_empty() {
            envelope.id = format!("event-{}", self.sequence);
        }
        if let Event::Chat(message) | Event::Whisper(message) = &mut envelope.event
            && message.id.is_empty()
        {
            message.id = format!("message-{}", self.sequence);
        }
        if let Event::Chat(message) = &envelope.event {
            let who = [envelope.platform.clone(), envelope.channel.clone(), message.author.id.clone()];
            let (message_id, text) = (message.id.clone(), message.text.clone());
            self.state.lines.push((who, Line { message_id, at_ms: envelope.at_ms, text, removed: false }));
        }
        envelope
    }

    /// Lets time pass. Timers that run out on the way are given to the plugin in their order, each at its time.
    pub fn advance(&mut self, by: Duration) -> Vec<Reaction> {
        let end_ms = self.state.now_ms.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
        let mut reactions = Vec::new();
        while let Some(name) = self.next_due(end_ms) {
            reactions.push(self.push(event::timer(&name)));
        }
        self.state.now_ms = end_ms;
        reactions
    }

    /// Takes the timer that runs out first, and sets the clock to its time.
    fn next_due(&mut self, end_ms: u64) -> Option<String> {
        let due = self.state.timers.iter().filter(|(_, alarm)| alarm.at_ms <= end_ms);
        let (name, alarm) = due.min_by_key(|(_, alarm)| alarm.at_ms).map(|(name, alarm)| (name.clone(), *alarm))?;
        self.state.now_ms = self.state.now_ms.max(alarm.at_ms);
        match (alarm.repeat_ms, self.state.timers.get_mut(&name)) {
            (Some(repeat_ms), Some(timer)) => timer.at_ms = alarm.at_ms.saturating_add(u64::from(repeat_ms)),
            _ => {
                self.state.timers.remove(&name);
            }
        }
        Some(name)
    }

    /// The clock, in milliseconds since 1970.
    pub const fn now_ms(&self) -> u64 {
        self.state.now_ms
    }

    /// Refuses a permission ("chat.say", "kv.use", "agent.main"), or all requests ("http.send"), from now on.
    pub fn deny(&mut self, permission: &str) {
        self.refuse(permission, &state::not_granted(permission));
    }

    /// Refuses with another reason: `refuse("kv.use", "limit: over the quota")`, or
    /// `refuse("tools.clip", "unavailable: no tool service")`. [`Refusal`](crate::Refusal) has the words that reasons
    /// begin with.
    pub fn refuse(&mut self, permission: &str, reason: &str) {
        self.state.refused.insert(permission.to_owned(), reason.to_owned());
    }

    /// Takes a refusal back.
    pub fn allow(&mut self, permission: &str) {
        self.state.refused.remove(permission);
    }

    /// Answers the plugin's requests. Without a server every request fails with "network". What is not granted never
    /// reaches it.
    pub fn serve(&mut self, server: impl FnMut(&Request) -> Result<Response, Failure> + 'static) {
        self.state.server = Some(Box::new(server));
    }

    /// The requests that were granted, oldest first; places of secrets stand in them as the plugin wrote them.
    pub fn requests(&self) -> &[Request] {
        &self.state.requests
    }

    /// The bytes that the plugin remembers under a key: JSON where it uses [`kv::set`](crate::kv::set).
    pub fn remembered(&self, key: &str) -> Option<&[u8]> {
        self.state.kv.get(key).map(Vec::as_slice)
    }

    /// All keys that the plugin remembers something under, in order.
    pub fn remembered_keys(&self) -> Vec<&str> {
        self.state.kv.keys().map(String::as_str).collect()
    }

    /// The plugin itself.
    pub const fn plugin(&mut self) -> &mut P {
        &mut self.plugin
    }
}

impl<P: Reviewer> Harness<P> {
    /// Has the plugin judge an event. As in the host, effects are refused meanwhile, and what it writes to kv is kept.
    pub fn review(&mut self, draft: Draft) -> Verdict {
        let envelope = self.seal(draft);
        let Self { plugin, state, .. } = self;
        state.reviewing = true;
        let verdict = state::install(state, || plugin.review(&envelope));
        state.reviewing = false;
        verdict
    }
}

impl<P: Handover> Harness<P> {
    /// Swaps the plugin for a new instance of itself that takes its memory over, as a hot reload does.
    ///
    /// # Errors
    /// The error of `new`, then the old instance goes on; or of `restore`, then the new one does.
    pub fn reload(&mut self) -> Result<(), String> {
        let saved = discard(&mut self.state, || self.plugin.save());
        self.restart()?;
        let version = self.state.manifest.as_ref().map(|manifest| manifest.version.clone()).unwrap_or_default();
        let Self { plugin, state, .. } = self;
        discard(state, || plugin.restore(&saved, &version))
    }
}
