//! Goals: what counts for each, and how far it has come. The progress is kept in kv, so it outlives everything.
//!
//! A test changes a copy in memory, so that an operator can try what happens when a goal is reached. The copy ends when
//! the real goal changes, and with the plugin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use showrunner_sdk::amount::Decimal;
use showrunner_sdk::prelude::*;

use crate::kind::Kind;
use crate::occasion::Occasion;
use crate::person::tidy;
use crate::sum::Sum;

/// The version of what is kept in kv. What a newer version kept is left alone.
const VERSION: u8 = 1;
const TITLE_CHARACTERS: usize = 60;

pub(crate) struct Goals {
    definitions: BTreeMap<String, Definition>,
    rehearsed: BTreeMap<String, Progress>,
}

/// A goal as the config has it.
pub(crate) struct Definition {
    title: String,
    counts: Vec<Kind>,
    target: Option<Sum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RawGoal {
    title: String,
    counts: Vec<Kind>,
    #[serde(default)]
    target: String,
}

/// What is kept of a goal. What moderators set goes before the config.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Progress {
    v: u8,
    /// A [`Sum`], with its currency: it means nothing to a goal in another one.
    current: String,
    target: Option<String>,
    title: Option<String>,
    /// It is told once.
    reached: bool,
}

/// How a goal that is awake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) current: Sum,
    pub(crate) target: Sum,
}

impl Standing {
    pub(crate) fn percent(&self) -> u128 {
        self.current.number.percent_of(self.target.number).unwrap_or(0)
    }
}

impl Definition {
    pub(crate) fn read(raw: RawGoal) -> Result<Self, String> {
        if raw.counts.is_empty() {
            return Err("it counts nothing; name some kinds in `counts`".to_owned());
        }
        if raw.counts.contains(&Kind::Goal) {
            return Err("counts: a goal can't count goals".to_owned());
        }
        let target = match raw.target.trim() {
            "" => None,
            text => Some(Sum::parse(text).map_err(|error| format!("target: {error}"))?),
        };
        Ok(Self { title: tidy(&raw.title, TITLE_CHARACTERS), counts: raw.counts, target })
    }

    /// Whether its target is a sum of money.
    pub(crate) fn is_money(&self) -> bool {
        match &self.target {
            Some(target) => target.currency.is_some(),
            None => self.counts.iter().all(|kind| kind.is_money()),
        }
    }

    fn standing(&self, key: &str, progress: &Progress) -> Option<Standing> {
        let target = progress.target.as_ref().and_then(|target| Sum::parse(target).ok());
        let target = target.or_else(|| self.target.clone())?;
        let current = Sum::parse(&progress.current).ok().filter(|current| current.has_unit_of(&target));
        let current = Sum { number: current.map_or(target.zero().number, |sum| sum.number), ..target.clone() };
        let title = progress.title.as_ref().unwrap_or(&self.title).clone();
        Some(Standing { key: key.to_owned(), title, current, target })
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self { v: VERSION, current: "0".to_owned(), target: None, title: None, reached: false }
    }
}

impl Goals {
    pub(crate) const fn new(definitions: BTreeMap<String, Definition>) -> Self {
        Self { definitions, rehearsed: BTreeMap::new() }
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.definitions.keys().map(String::as_str).collect()
    }

    pub(crate) fn definition(&self, key: &str) -> Option<&Definition> {
        self.definitions.get(key)
    }

    /// How a goal stands; `None` when it sleeps.
    pub(crate) fn standing(&self, key: &str, test: bool) -> Option<Standing> {
        self.definitions.get(key)?.standing(key, &self.recall(key, test).ok()?)
    }

    /// All that are awake.
    pub(crate) fn standings(&self, test: bool) -> Vec<Standing> {
        self.definitions.keys().filter_map(|key| self.standing(key, test)).collect()
    }

    /// The goal that the texts of an occasion speak of: the first that it counts for, else the first.
    pub(crate) fn told_with(&self, occasion: &Occasion) -> Option<Standing> {
        let mut standings = self.standings(occasion.source.test);
        let counts = |goal: &Standing| self.share(goal, occasion, 1).is_some();
        let index = standings.iter().position(counts).unwrap_or(0);
        (index < standings.len()).then(|| standings.swap_remove(index))
    }

    /// Counts an occasion, `times` for goals that count pieces. Returns the goals that were reached by it.
    pub(crate) fn count(&mut self, occasion: &Occasion, times: u32) -> Vec<Standing> {
        let keys: Vec<String> = self.definitions.keys().cloned().collect();
        let reached = keys.iter().filter_map(|key| {
            self.count_for(key, occasion, times).unwrap_or_else(|error| {
                log::warn(format!("The goal `{key}` could not be counted: {error}."));
                None
            })
        });
        reached.collect()
    }

    fn count_for(&mut self, key: &str, occasion: &Occasion, times: u32) -> Result<Option<Standing>, String> {
        let test = occasion.source.test;
        let Some(definition) = self.definitions.get(key).filter(|goal| goal.counts.contains(&occasion.kind)) else {
            return Ok(None);
        };
        let progress = self.recall(key, test)?;
        let Some(before) = definition.standing(key, &progress) else { return Ok(None) };
        let Some(share) = self.share(&before, occasion, times) else {
            let (measure, target) = (&occasion.measure, &before.target);
            log::debug(format!("{measure} does not count for the goal `{key}` of {target}: another currency"));
            return Ok(None);
        };
        let sum = before.current.number.checked_add(share.number).ok_or("the sum has too many digits")?;
        self.advance(key, progress, before, sum, test)
    }

    /// What an occasion adds to a goal; `None` when it can't be compared.
    fn share(&self, goal: &Standing, occasion: &Occasion, times: u32) -> Option<Sum> {
        self.definitions.get(&goal.key).filter(|definition| definition.counts.contains(&occasion.kind))?;
        let share = if goal.target.currency.is_none() { Sum::pieces(times) } else { occasion.measure.clone() };
        share.has_unit_of(&goal.target).then_some(share)
    }

    /// Keeps a new sum. Returns how the goal stands when it is reached by that.
    fn advance(
        &mut self,
        key: &str,
        progress: Progress,
        before: Standing,
        number: Decimal,
        test: bool,
    ) -> Result<Option<Standing>, String> {
        let after = Standing { current: Sum { number, ..before.current }, ..before };
        let is_reached = number >= after.target.number;
        let is_news = is_reached && !progress.reached;
        let reached = is_reached || progress.reached;
        self.keep(key, Progress { current: after.current.to_string(), reached, ..progress }, test)?;
        Ok(is_news.then_some(after))
    }

    /// Adds what came in another way, or takes it back. Returns how the goal stands when it is reached by that.
    pub(crate) fn add(&mut self, key: &str, sum: &Sum, is_less: bool, test: bool) -> Result<Option<Standing>, String> {
        let progress = self.recall(key, test)?;
        let before = self.definitions.get(key).and_then(|definition| definition.standing(key, &progress));
        let before = before.ok_or_else(|| format!("the goal {key} has no target yet"))?;
        if !sum.has_unit_of(&before.target) {
            return Err(format!("{sum} can't be counted for a target of {}", before.target));
        }
        let number = if is_less {
            before.current.number.checked_sub(sum.number).unwrap_or_default()
        } else {
            before.current.number.checked_add(sum.number).ok_or("the sum has too many digits")?
        };
        self.advance(key, progress, before, number, test)
    }

    /// Gives a goal another target, and if given another title. What was counted in another currency is gone.
    pub(crate) fn set(&mut self, key: &str, target: &Sum, title: &str, test: bool) -> Result<(), String> {
        let title = Some(tidy(title, TITLE_CHARACTERS)).filter(|title| !title.is_empty());
        let before = self.recall(key, test)?;
        let current = Sum::parse(&before.current).ok().filter(|current| current.has_unit_of(target));
        let current = current.unwrap_or_else(|| target.zero());
        let reached = current.number >= target.number;
        let (current, target) = (current.to_string(), Some(target.to_string()));
        self.keep(key, Progress { v: VERSION, current, target, title: title.or(before.title), reached }, test)
    }

    /// Starts a goal over.
    pub(crate) fn reset(&mut self, key: &str, test: bool) -> Result<(), String> {
        let progress = self.recall(key, test)?;
        self.keep(key, Progress { current: Progress::default().current, reached: false, ..progress }, test)
    }

    /// Makes a goal as it is in the config, with nothing counted.
    pub(crate) fn clear(&mut self, key: &str, test: bool) -> Result<(), String> {
        if test {
            self.rehearsed.insert(key.to_owned(), Progress::default());
            return Ok(());
        }
        self.rehearsed.remove(key);
        Ok(kv::remove(&kv_key(key))?)
    }

    fn recall(&self, key: &str, test: bool) -> Result<Progress, String> {
        if let Some(progress) = self.rehearsed.get(key).filter(|_| test) {
            return Ok(progress.clone());
        }
        let progress: Progress = kv::get(&kv_key(key))?.unwrap_or_default();
        if progress.v == VERSION {
            Ok(progress)
        } else {
            Err(format!("it was written by a newer version (its format is {})", progress.v))
        }
    }

    fn keep(&mut self, key: &str, progress: Progress, test: bool) -> Result<(), String> {
        if test {
            self.rehearsed.insert(key.to_owned(), progress);
            return Ok(());
        }
        self.rehearsed.remove(key);
        Ok(kv::set(&kv_key(key), &progress)?)
    }

    /// What tests have made of the goals, for a reload.
    pub(crate) const fn rehearsed(&self) -> &BTreeMap<String, Progress> {
        &self.rehearsed
    }

    pub(crate) fn take_over(&mut self, rehearsed: BTreeMap<String, Progress>) {
        self.rehearsed = rehearsed.into_iter().filter(|(key, _)| self.definitions.contains_key(key)).collect();
    }
}

fn kv_key(key: &str) -> String {
    format!("goal/{key}")
}
