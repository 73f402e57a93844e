//! The operator's settings, checked once when the plugin starts. Every mistake is told with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use showrunner_sdk::config;
use showrunner_sdk::prelude::*;

use crate::goals::{Definition, Goals, RawGoal};
use crate::group::Window;
use crate::kind::Kind;
use crate::style::Manner;
use crate::words::{RawWords, Words};

/// Longer than that nobody remembers what the thanks are for.
const LONGEST_SECONDS: u32 = 600;
/// Some platforms are asked for news every few seconds only.
const SOON_SECONDS: u32 = 10;

pub(crate) struct Settings {
    pub(crate) words: Words,
    pub(crate) gift_bombs: Window,
    pub(crate) follow_bursts: Window,
    pub(crate) late_after_ms: u64,
    pub(crate) thank_late: bool,
    pub(crate) manners: BTreeMap<Kind, Manner>,
    pub(crate) goals: Goals,
    pub(crate) goal_command: bool,
    pub(crate) show_goals: Roles,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawSettings {
    names: usize,
    gift_bombs: RawWindow,
    follow_bursts: RawWindow,
    late: RawLate,
    words: RawWords,
    // As they come, so that a mistake can be told with the name of its kind or goal.
    kinds: BTreeMap<Kind, Value>,
    goals: BTreeMap<String, Value>,
    goal_command: RawGoalCommand,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawWindow {
    quiet_seconds: u32,
    longest_seconds: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawLate {
    after_seconds: u32,
    thank: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawGoalCommand {
    enabled: bool,
    show: Vec<String>,
}

impl Settings {
    pub(crate) fn load() -> Result<Self, String> {
        let raw: RawSettings = config::load()?;
        if raw.late.after_seconds < SOON_SECONDS {
            let seconds = raw.late.after_seconds;
            return Err(format!(
                "late.after-seconds: {seconds} is less than {SOON_SECONDS}; events are on their way so long"
            ));
        }
        let mut manners = BTreeMap::new();
        for (kind, table) in raw.kinds {
            let manner = Manner::read(kind, table).map_err(|error| format!("kind `{}`: {error}", kind.name()))?;
            manners.insert(kind, manner);
        }
        let mut goals = BTreeMap::new();
        for (key, table) in raw.goals {
            let goal = read_goal(&key, table).map_err(|error| format!("goal `{key}`: {error}"))?;
            goals.insert(key, goal);
        }
        Ok(Self {
            words: Words::read(raw.words, raw.names)?,
            gift_bombs: raw.gift_bombs.read("gift-bombs")?,
            follow_bursts: raw.follow_bursts.read("follow-bursts")?,
            late_after_ms: u64::from(raw.late.after_seconds) * 1_000,
            thank_late: raw.late.thank,
            manners,
            goals: Goals::new(goals),
            goal_command: raw.goal_command.enabled,
            show_goals: Roles::parse(&raw.goal_command.show).map_err(|error| format!("goal-command.show: {error}"))?,
        })
    }
}

impl RawWindow {
    fn read(&self, key: &str) -> Result<Window, String> {
        let Self { quiet_seconds, longest_seconds } = *self;
        if longest_seconds > LONGEST_SECONDS {
            return Err(format!("{key}.longest-seconds: {longest_seconds} is not 0 to {LONGEST_SECONDS}"));
        }
        if quiet_seconds > longest_seconds {
            return Err(format!(
                "{key}.quiet-seconds: {quiet_seconds} is more than longest-seconds, {longest_seconds}"
            ));
        }
        let milliseconds = |seconds: u32| u64::from(seconds) * 1_000;
        Ok(Window { quiet_ms: milliseconds(quiet_seconds), longest_ms: milliseconds(longest_seconds) })
    }
}

fn read_goal(key: &str, table: Value) -> Result<Definition, String> {
    // Moderators type it.
    if key.is_empty() || key.contains(char::is_whitespace) || key.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("its name is one word that does not begin with a digit".to_owned());
    }
    let raw: RawGoal = serde_json::from_value(table).map_err(|error| config::without_position(&error))?;
    Definition::read(raw)
}
