//! An observation as one readable line: when, where, who, what; what plugins made of it indented below.
//!
//! Nothing is padded or cut to a width, so text of any script stays as wide as it is. What comes from viewers,
//! platforms and plugins is cleaned of control characters first. Colors only where a person looks. What the engine
//! both observes and announces as an event is said once.

mod colors;
mod effect;
mod event;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::colors::Colors;
use super::clean::{clean, shorten};
use super::output;
use super::paint::{Color, Paint};
use crate::event::{Channel, Envelope, Event, Origin, now_ms};
use crate::observation::{ConnectionState, Decision, DecisionKind, Observation, PluginChange};

/// A decision seldom comes later than some dozen events after its own.
const REMEMBERED: usize = 256;

/// Enough to recognise an event by.
const REMINDER: usize = 40;

pub(super) const INDENT: &str = "         ";

/// Remembers the last events, so that a decision which comes late can say what it is about.
pub(super) struct Renderer {
    paint: Paint,
    zone: TimeZone,
    /// Newest last: the id, and what happened in short.
    recent: VecDeque<(Arc<str>, String)>,
    /// The event whose line was printed last; what belongs to it needs no reminder.
    printed: Option<Arc<str>>,
    /// Whether to say how long decisions took.
    durations: bool,
    colors: Colors,
}

impl Renderer {
    /// With colors if the standard output is a terminal, and the time as people here read it.
    pub(super) fn for_stdout() -> Self {
        Self::new(Paint::when(output::has_colors()), TimeZone::system())
    }

    /// The same for a stream of the past, of which two tellings are the same to the letter.
    pub(super) fn for_replay() -> Self {
        Self { durations: false, ..Self::for_stdout() }
    }

    fn new(paint: Paint, zone: TimeZone) -> Self {
        Self { paint, zone, recent: VecDeque::new(), printed: None, durations: true, colors: Colors::default() }
    }

    /// `None` for what another observation says already.
    pub(super) fn render(&mut self, observation: &Observation) -> Option<String> {
        match observation {
            Observation::Event { envelope, .. } if is_told_otherwise(envelope) => {
                self.remember(envelope);
                None
            }
            _ => Some(self.text(observation)),
        }
    }

    fn text(&mut self, observation: &Observation) -> String {
        match observation {
            Observation::Event { envelope, own } => {
                self.remember(envelope);
                self.colors.learn(&envelope.event);
                self.printed = Some(envelope.id.clone());
                self.event(envelope, *own)
            }
            Observation::Decision(decision) => self.decision(decision),
            Observation::Verdict { event_id, plugin, verdict, reason } => {
                let verdict = self.paint.in_color(Color::Red, &clean(verdict));
                self.below(event_id, plugin, &format!("review: {verdict}: {}", clean(reason)))
            }
            Observation::Outcome { channel, effect, result } => {
                let place =
                    channel.as_ref().map(|channel| format!(" in {}", clean(&channel.to_string()))).unwrap_or_default();
                let status = self.paint.in_color(outcome_color(result.status.as_str()), result.status.as_str());
                let detail =
                    if result.detail.is_empty() { String::new() } else { format!(": {}", clean(&result.detail)) };
                let text = format!("{}{place} {status}{detail}", clean(effect));
                self.below(&result.key.event_id, &result.key.plugin, &text)
            }
            Observation::Alert { plugin, alert } => {
                let mut text = format!("alert {}: {}", clean(&alert.kind), clean(&alert.title));
                if !alert.text.is_empty() {
                    text.push_str(&format!(": {}", clean(&alert.text)));
                }
                self.now("overlay", plugin, &text)
            }
            Observation::Published { plugin, kind, data_json } => {
                self.now("gateway", plugin, &format!("{} {}", clean(kind), clean(&shorten(data_json, 200))))
            }
            Observation::Connection { name, state } => {
                let state = self.paint.in_color(connection_color(state), &clean(&state.to_string()));
                self.now("connection", name, &state)
            }
            Observation::Plugin { plugin, change, detail } => {
                let change = self.paint.in_color(plugin_color(*change), change.as_str());
                let detail = if detail.is_empty() { String::new() } else { format!(": {}", clean(detail)) };
                self.now("plugin", plugin, &format!("{change}{detail}"))
            }
            Observation::Log { plugin, level, message } => {
                self.now("log", plugin, &self.paint.dim(&format!("{}: {}", clean(level), clean(message))))
            }
        }
    }

    /// The watcher was too slow.
    pub(super) fn missed(&self, count: u64) -> String {
        self.paint.in_color(Color::Yellow, &format!("{INDENT}{count} observations were missed"))
    }

    fn remember(&mut self, envelope: &Envelope) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        let reminder = shorten(&event::describe(&envelope.event, Paint::plain(), &self.colors), REMINDER).into_owned();
        self.recent.push_back((envelope.id.clone(), reminder));
    }

    fn event(&self, envelope: &Envelope, own: bool) -> String {
        let what = event::describe(&envelope.event, self.paint, &self.colors);
        let mark = match (own, envelope.origin) {
            (true, _) => self.paint.dim(" (own)"),
            (false, Origin::Live) => String::new(),
            (false, Origin::Test) => self.paint.dim(" (test)"),
            (false, Origin::Replay) => self.paint.dim(" (replay)"),
        };
        // The engine itself has but one channel, without a name.
        let channel = envelope.channel.to_string();
        let channel = self.paint.dim(&clean(channel.trim_end_matches(':')));
        format!("{} {channel}{mark} {what}", self.time(envelope.at_ms))
    }

    fn decision(&mut self, decision: &Decision) -> String {
        let took =
            if self.durations { self.paint.dim(&format!(" in {}", duration(decision.took_us))) } else { String::new() };
        let verdict = match &decision.verdict {
            DecisionKind::Passed if decision.effects.is_empty() => self.paint.dim("passed"),
            DecisionKind::Passed => "passed".to_owned(),
            DecisionKind::Handled => self.paint.in_color(Color::Green, "handled"),
            DecisionKind::Failed(_) => self.paint.in_color(Color::Red, "failed"),
            DecisionKind::Crashed(_) => self.paint.in_color(Color::Red, "crashed"),
        };
        let why = match &decision.verdict {
            DecisionKind::Failed(why) | DecisionKind::Crashed(why) => format!(": {}", clean(why)),
            DecisionKind::Passed | DecisionKind::Handled => String::new(),
        };
        let mut text = self.below(&decision.event_id, &decision.plugin, &format!("{verdict}{took}{why}"));
        for effect in &decision.effects {
            text.push_str(&format!("\n{INDENT}    → {}", effect::describe(effect, self.paint)));
        }
        for note in &decision.notes {
            text.push_str(&format!("\n{INDENT}    {}", self.paint.dim(&format!("because: {}", clean(note)))));
        }
        text
    }

    /// Something that belongs to an event: right below it, or with a reminder of what it was.
    fn below(&self, event_id: &str, plugin: &str, text: &str) -> String {
        let is_last = self.printed.as_ref().is_some_and(|id| **id == *event_id);
        let reminder = self.recent.iter().rev().find(|(id, _)| **id == *event_id).filter(|_| !is_last);
        let about = match reminder {
            Some((_, what)) => self.paint.dim(&format!(" (to {what})")),
            // Nobody sees a plugin's timer but the plugin; without a word it would seem to be about the line above.
            None if event_id.starts_with("timer:") => self.paint.dim(" (to its timer)"),
            None => String::new(),
        };
        let plugin = self.paint.in_color(Color::Cyan, &clean(plugin));
        format!("{INDENT}{plugin} {text}{about}")
    }

    /// Something that belongs to no event.
    fn now(&self, kind: &str, name: &str, text: &str) -> String {
        let name = self.paint.in_color(Color::Cyan, &clean(name));
        format!("{} {} {name} {text}", self.time(now_ms()), self.paint.dim(kind))
    }

    pub(super) fn time(&self, at_ms: u64) -> String {
        let stamp = i64::try_from(at_ms).ok().and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok());
        let time = stamp.map_or_else(
            || "--:--:--".to_owned(),
            |stamp| stamp.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string(),
        );
        self.paint.dim(&time)
    }
}

/// What happens to a plugin comes as an observation too, in better words.
fn is_told_otherwise(envelope: &Envelope) -> bool {
    matches!(&envelope.event, Event::System(system) if system.kind.starts_with("plugin-"))
        && envelope.channel == Channel::engine()
}

fn duration(microseconds: u64) -> String {
    let (milliseconds, rest) = (microseconds / 1000, microseconds % 1000);
    if milliseconds == 0 { format!("{rest} µs") } else { format!("{milliseconds}.{} ms", rest / 100) }
}

fn outcome_color(status: &str) -> Color {
    match status {
        "done" => Color::Green,
        "failed" | "uncertain" => Color::Red,
        _ => Color::Yellow,
    }
}

const fn connection_color(state: &ConnectionState) -> Color {
    match state {
        ConnectionState::Ready { degraded: None } => Color::Green,
        ConnectionState::Stopped { .. } => Color::Red,
        _ => Color::Yellow,
    }
}

const fn plugin_color(change: PluginChange) -> Color {
    match change {
        PluginChange::Loaded | PluginChange::Reloaded | PluginChange::Restarted => Color::Green,
        PluginChange::Failed | PluginChange::Quarantined | PluginChange::Crashed => Color::Red,
        PluginChange::Slow | PluginChange::WaitingForGrant | PluginChange::Disabled | PluginChange::Removed => {
            Color::Yellow
        }
    }
}

#[cfg(test)]
mod tests;
