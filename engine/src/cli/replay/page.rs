//! How a replay is told: to people as the terminal tells a stream, to programs as one JSON value a line.

use std::sync::Arc;

use serde::Serialize;

use super::tally::{Differences, Gaps, Tally};
use crate::cli::clean::clean;
use crate::cli::output;
use crate::cli::paint::{Color, Paint};
use crate::cli::terminal::{INDENT, Renderer};
use crate::effect::{Effect, PluginId, Verdict};
use crate::event::Envelope;
use crate::observation::{Decision, DecisionKind, Observation};
use crate::replay::difference::Difference;
use crate::replay::{Act, Member, MemoryOf};

pub(in crate::cli) struct Page {
    json: bool,
    renderer: Renderer,
    paint: Paint,
}

/// An act as programs read it.
#[derive(Serialize)]
struct Made<'a> {
    reviews: Vec<Reviewed<'a>>,
    decisions: Vec<Decided<'a>>,
}

#[derive(Serialize)]
struct Reviewed<'a> {
    plugin: &'a PluginId,
    #[serde(flatten)]
    counted: &'a Verdict,
    /// Why there was no verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a str>,
    log: &'a [String],
}

#[derive(Serialize)]
struct Decided<'a> {
    plugin: &'a PluginId,
    verdict: &'a DecisionKind,
    effects: Vec<&'a Effect>,
    log: &'a [String],
}

impl Page {
    pub(in crate::cli) fn new(json: bool) -> Self {
        Self { json, renderer: Renderer::for_replay(), paint: Paint::when(output::has_colors()) }
    }

    pub(in crate::cli) const fn is_json(&self) -> bool {
        self.json
    }

    /// Who plays, and with what memory: nobody shall take a guess for what was.
    pub(in crate::cli) fn introduce(&self, word: &str, members: &[Member]) -> anyhow::Result<()> {
        for member in members {
            let (version, id) = (member.version.version(), &member.part.id);
            if self.json {
                let (hash, memory) = (member.version.hash(), memory(member.memory));
                output::json(&serde_json::json!({ word: id, "version": version, "hash": hash, "memory": memory }))?;
            } else {
                let hash = member.version.hash().get(.."sha256:".len() + 12).unwrap_or_default();
                let text = format!("{word} {} {} ({hash}), {}", clean(id), clean(version), memory(member.memory));
                output::line(self.paint.dim(&text))?;
            }
        }
        Ok(())
    }

    /// The line of an event, as the terminal has it.
    pub(in crate::cli) fn event(&mut self, envelope: &Arc<Envelope>) -> anyhow::Result<()> {
        let observation = Observation::Event { envelope: Arc::clone(envelope), own: false };
        self.renderer.render(&observation).map_or(Ok(()), output::line)
    }

    pub(super) fn act(&mut self, act: &Act) -> anyhow::Result<()> {
        if self.json {
            let made = made(act);
            return output::json(&serde_json::json!({
                "event": act.envelope, "reviews": made.reviews, "decisions": made.decisions
            }));
        }
        self.event(&act.envelope)?;
        self.lines(act).iter().try_for_each(output::line)
    }

    pub(super) fn difference(&mut self, difference: &Difference) -> anyhow::Result<()> {
        let Difference { envelope, one, other } = difference;
        if self.json {
            let (plays, against) = (one.as_ref().map(made), other.as_ref().map(made));
            return output::json(&serde_json::json!({ "event": envelope, "plays": plays, "against": against }));
        }
        self.event(envelope)?;
        let mut side = |act: &Option<Act>| act.as_ref().map(|act| self.lines(act)).unwrap_or_default();
        let (one, other) = (side(one), side(other));
        let (begin, end) = common_ends(&one, &other);
        let middle = |lines: &[String]| lines.get(begin..lines.len() - end).map(<[_]>::to_vec).unwrap_or_default();
        let marked = |mark: char, line: &str| format!("{mark}{}", line.strip_prefix(' ').unwrap_or(line));
        for line in one.get(..begin).unwrap_or_default() {
            output::line(marked(' ', line))?;
        }
        for line in middle(&one) {
            output::line(self.paint.in_color(Color::Red, &marked('-', &line)))?;
        }
        for line in middle(&other) {
            output::line(self.paint.in_color(Color::Green, &marked('+', &line)))?;
        }
        for line in one.get(one.len() - end..).unwrap_or_default() {
            output::line(marked(' ', line))?;
        }
        Ok(())
    }

    /// What plugins made of an event, line by line.
    fn lines(&mut self, act: &Act) -> Vec<String> {
        let mut text = Vec::new();
        for review in &act.reviews {
            let (verdict, reason) = match &review.judged.verdict {
                Ok(Verdict::Pass) if review.judged.log.is_empty() => continue,
                Ok(verdict) => (verdict.name().to_owned(), verdict_reason(verdict)),
                Err(why) => ("no verdict".to_owned(), why.clone()),
            };
            let (event_id, plugin) = (Arc::clone(&act.envelope.id), review.plugin.clone());
            text.extend(self.renderer.render(&Observation::Verdict { event_id, plugin, verdict, reason }));
            text.extend(
                review
                    .judged
                    .log
                    .iter()
                    .map(|line| format!("{INDENT}    {}", self.paint.dim(&format!("because: {}", clean(line))))),
            );
        }
        for decided in &act.decisions {
            let decision = Decision {
                event_id: Arc::clone(&act.envelope.id),
                plugin: decided.plugin.clone(),
                verdict: decided.played.decision.clone(),
                effects: decided.played.effects.iter().map(|numbered| numbered.effect.clone()).collect(),
                notes: decided.played.log.clone(),
                took_us: 0,
            };
            text.extend(self.renderer.render(&Observation::Decision(decision)));
        }
        text.iter().flat_map(|text| text.lines().map(str::to_owned)).collect()
    }

    pub(super) fn summary(&self, tally: &Tally) -> anyhow::Result<()> {
        if self.json {
            return output::json(&serde_json::json!({ "summary": tally }));
        }
        let Tally { entries, handled, passed, failed, crashed, caught, effects, gaps } = tally;
        output::line(format_args!(
            "{entries} events: {handled} handled, {passed} passed, {failed} failed, {crashed} crashed, {caught} caught in \
             review; {effects} effects."
        ))?;
        self.gaps("", gaps)
    }

    pub(super) fn differences(&self, differences: &Differences) -> anyhow::Result<()> {
        if self.json {
            return output::json(&serde_json::json!({ "summary": differences }));
        }
        let Differences { same, different, in_verdict, in_effects, in_log, plays, against } = differences;
        output::line(format_args!(
            "{different} of {} events differ: {in_verdict} in the verdict, {in_effects} in effects, {in_log} in the log.",
            same + different
        ))?;
        self.gaps("plays: ", plays)?;
        self.gaps("against: ", against)
    }

    /// A line below an event.
    pub(in crate::cli) fn below(&self, name: &str, color: Color, text: &str) -> anyhow::Result<()> {
        output::line(format_args!("{INDENT}{}  {text}", self.paint.in_color(color, name)))
    }

    /// What can't be trusted, and why.
    pub(in crate::cli) fn gaps(&self, side: &str, gaps: &Gaps) -> anyhow::Result<()> {
        for (plugin, at_ms) in &gaps.changed_ms {
            let text = format!(
                "{side}{} was started anew with other settings at {}; this replay goes on with those of the beginning.",
                clean(plugin),
                self.renderer.time(*at_ms)
            );
            output::line(self.paint.in_color(Color::Yellow, &text))?;
        }
        for plugin in &gaps.quarantined {
            let text = format!("{side}{} crashed too often and got no more events.", clean(plugin));
            output::line(self.paint.in_color(Color::Red, &text))?;
        }
        for (function, count) in &gaps.not_recorded {
            let text = format!(
                "{side}{function}: {count} answers were not recorded; the plugin was told that there are none."
            );
            output::line(self.paint.in_color(Color::Yellow, &text))?;
        }
        Ok(())
    }
}

fn verdict_reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Suspend { seconds: Some(seconds), reason } => format!("for {seconds} s: {reason}"),
        Verdict::Suspend { seconds: None, reason } => format!("for good: {reason}"),
        other => other.reason().to_owned(),
    }
}

fn memory(memory: MemoryOf) -> String {
    match memory {
        MemoryOf::Beginning(keys) => format!("with its memory as recorded at the beginning ({keys} keys)"),
        MemoryOf::End(keys) => format!("with its memory of after the stream ({keys} keys)"),
        MemoryOf::Nothing => "without a memory".to_owned(),
    }
}

fn made(act: &Act) -> Made<'_> {
    let reviewed = act.reviews.iter().map(|review| Reviewed {
        plugin: &review.plugin,
        counted: &review.counted,
        failed: review.judged.verdict.as_ref().err().map(String::as_str),
        log: &review.judged.log,
    });
    let decided = act.decisions.iter().map(|decided| Decided {
        plugin: &decided.plugin,
        verdict: &decided.played.decision,
        effects: decided.played.effects.iter().map(|numbered| &numbered.effect).collect(),
        log: &decided.played.log,
    });
    Made { reviews: reviewed.collect(), decisions: decided.collect() }
}

/// How many lines at the beginning and at the end are the same, and none of them twice.
fn common_ends(one: &[String], other: &[String]) -> (usize, usize) {
    let begin = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let most = one.len().min(other.len()) - begin;
    let end = one.iter().rev().zip(other.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    (begin, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_at_the_ends_is_told_once() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        for (one, other, expected) in [
            ("abc", "abc", (3, 0)),
            ("abc", "axc", (1, 1)),
            ("aa", "aaa", (2, 0)),
            ("", "a", (0, 0)),
            ("ba", "ca", (0, 1)),
        ] {
            assert_eq!(common_ends(&lines(one), &lines(other)), expected, "{one} {other}");
        }
    }
}
