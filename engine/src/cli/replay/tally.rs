//! What it came to, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::effect::{NumberedEffect, PluginId, Verdict};
use crate::observation::DecisionKind;
use crate::replay::difference::{Comparison, Difference};
use crate::replay::{Act, Lockstep, Member};

/// Of one play.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Tally {
    /// Events of the journal.
    pub(super) entries: u64,
    pub(super) handled: u64,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) crashed: u64,
    /// Verdicts other than to let pass.
    pub(super) caught: u64,
    pub(super) effects: u64,
    #[serde(flatten)]
    pub(super) gaps: Gaps,
}

/// What a live stream would have had and this one had not.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) struct Gaps {
    /// Questions by function, which were answered as if nobody were there.
    pub(in crate::cli) not_recorded: BTreeMap<String, u64>,
    /// Plugins that crashed too often and got nothing any more.
    pub(in crate::cli) quarantined: Vec<PluginId>,
    /// Plugins that had other settings from a moment on, which a replay does not follow.
    pub(in crate::cli) changed_ms: BTreeMap<PluginId, u64>,
}

/// Of two plays.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Differences {
    pub(super) same: u64,
    pub(super) different: u64,
    pub(super) in_verdict: u64,
    pub(super) in_effects: u64,
    pub(super) in_log: u64,
    pub(super) plays: Gaps,
    pub(super) against: Gaps,
}

impl Tally {
    pub(super) fn add(&mut self, act: &Act) {
        self.caught += act.reviews.iter().filter(|review| review.counted != Verdict::Pass).count() as u64;
        for decided in &act.decisions {
            self.effects += decided.played.effects.len() as u64;
            *match decided.played.decision {
                DecisionKind::Handled => &mut self.handled,
                DecisionKind::Passed => &mut self.passed,
                DecisionKind::Failed(_) => &mut self.failed,
                DecisionKind::Crashed(_) => &mut self.crashed,
            } += 1;
        }
    }
}

impl Gaps {
    /// What is known before anything is played.
    pub(in crate::cli) fn of(members: &[Member]) -> Self {
        let changed = members.iter().filter_map(|member| Some((member.part.id.clone(), member.changed_ms?)));
        Self { changed_ms: changed.collect(), ..Self::default() }
    }

    /// And what came of playing.
    pub(in crate::cli) fn finish(&mut self, lockstep: &Lockstep) {
        for player in lockstep.players() {
            for (function, count) in player.unanswered() {
                *self.not_recorded.entry(function).or_default() += count;
            }
            if player.is_quarantined() {
                self.quarantined.push(player.id().clone());
            }
        }
    }
}

impl Differences {
    pub(super) fn add(&mut self, comparison: &Comparison) {
        self.same += comparison.same;
        for Difference { one, other, .. } in &comparison.differences {
            self.different += 1;
            let count = |differs: bool, counter: &mut u64| *counter += u64::from(differs);
            count(verdicts(one.as_ref()) != verdicts(other.as_ref()), &mut self.in_verdict);
            count(effects(one.as_ref()) != effects(other.as_ref()), &mut self.in_effects);
            count(logs(one.as_ref()) != logs(other.as_ref()), &mut self.in_log);
        }
    }
}

fn verdicts(act: Option<&Act>) -> Vec<(&PluginId, String)> {
    let Some(act) = act else { return Vec::new() };
    let reviews = act.reviews.iter().map(|review| (&review.plugin, format!("{:?}", review.judged.verdict)));
    let decisions = act.decisions.iter().map(|decided| (&decided.plugin, format!("{:?}", decided.played.decision)));
    reviews.chain(decisions).collect()
}

fn effects(act: Option<&Act>) -> Vec<(&PluginId, &[NumberedEffect])> {
    let Some(act) = act else { return Vec::new() };
    let decisions = act.decisions.iter().filter(|decided| !decided.played.effects.is_empty());
    decisions.map(|decided| (&decided.plugin, decided.played.effects.as_slice())).collect()
}

fn logs(act: Option<&Act>) -> Vec<(&PluginId, &[String])> {
    let Some(act) = act else { return Vec::new() };
    let reviews = act.reviews.iter().map(|review| (&review.plugin, review.judged.log.as_slice()));
    let decisions = act.decisions.iter().map(|decided| (&decided.plugin, decided.played.log.as_slice()));
    reviews.chain(decisions).filter(|(_, log)| !log.is_empty()).collect()
}
