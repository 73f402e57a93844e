//! The operator's settings, checked once when the plugin starts.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use showrunner_sdk::template::Template;
use showrunner_sdk::{config, random};

use crate::audience::{Audience, Mode, Tips};

/// Below this a line holds hardly a word; the longest line of a platform is 500.
const LINE_CHARACTERS: std::ops::RangeInclusive<usize> = 50..=500;
/// An event may cause 32 effects; half of that is already a wall of text.
const LINES: std::ops::RangeInclusive<usize> = 1..=16;

pub(crate) struct Settings {
    pub(crate) queue: String,
    pub(crate) audience: Audience,
    pub(crate) priority: u8,
    pub(crate) tip_priority: u8,
    pub(crate) acknowledge: bool,
    pub(crate) acknowledge_tips: bool,
    pub(crate) acknowledge_cooldown: Duration,
    pub(crate) tasks_per_minute: u32,
    pub(crate) post_replies: bool,
    pub(crate) line_characters: usize,
    pub(crate) lines: usize,
    pub(crate) expires: Duration,
    acknowledgements: Vec<Template>,
    limits: Vec<Template>,
    fulls: Vec<Template>,
    failures: Vec<Template>,
}

/// What the plugin says of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Acknowledged,
    Limit,
    Full,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawSettings {
    queue: String,
    mode: Mode,
    names: Vec<String>,
    anywhere: bool,
    skip_others: bool,
    tips: Tips,
    priority: u8,
    tip_priority: u8,
    acknowledge: RawAcknowledge,
    limit: RawLimit,
    full: RawFull,
    reply: RawReply,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawAcknowledge {
    enabled: bool,
    tips: bool,
    answers: Vec<String>,
    cooldown_seconds: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawLimit {
    tasks_per_minute: u32,
    answers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawFull {
    answers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawReply {
    enabled: bool,
    line_characters: usize,
    lines: usize,
    expires_minutes: u32,
    failed: Vec<String>,
}

impl Settings {
    pub(crate) fn load() -> Result<Self, String> {
        let raw: RawSettings = config::load()?;
        let names: Vec<String> = raw.names.iter().map(|name| name.trim().trim_start_matches('@').to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err("names: a name is empty".to_owned());
        }
        if names.is_empty() && raw.mode == Mode::Addressed {
            return Err("mode: with \"addressed\" the agent needs a name; give it one in `names`".to_owned());
        }
        if !LINE_CHARACTERS.contains(&raw.reply.line_characters) {
            return Err(format!("reply.line-characters: {} is not 50 to 500", raw.reply.line_characters));
        }
        if !LINES.contains(&raw.reply.lines) {
            return Err(format!("reply.lines: {} is not 1 to 16", raw.reply.lines));
        }
        if raw.limit.tasks_per_minute == 0 {
            return Err("limit.tasks-per-minute: 0 would take no task at all".to_owned());
        }
        Ok(Self {
            queue: raw.queue,
            audience: Audience {
                mode: raw.mode,
                names,
                anywhere: raw.anywhere,
                skip_others: raw.skip_others,
                tips: raw.tips,
            },
            priority: raw.priority,
            tip_priority: raw.tip_priority,
            acknowledge: raw.acknowledge.enabled,
            acknowledge_tips: raw.acknowledge.tips,
            acknowledge_cooldown: Duration::from_secs(u64::from(raw.acknowledge.cooldown_seconds)),
            tasks_per_minute: raw.limit.tasks_per_minute,
            post_replies: raw.reply.enabled,
            line_characters: raw.reply.line_characters,
            lines: raw.reply.lines,
            expires: Duration::from_secs(u64::from(raw.reply.expires_minutes) * 60),
            acknowledgements: templates("acknowledge.answers", &raw.acknowledge.answers)?,
            limits: templates("limit.answers", &raw.limit.answers)?,
            fulls: templates("full.answers", &raw.full.answers)?,
            failures: templates("reply.failed", &raw.reply.failed)?,
        })
    }

    /// One of the texts for this occasion; `None` when the operator wants none.
    pub(crate) fn text(&self, told: Told, name: &str) -> Option<String> {
        let templates = match told {
            Told::Acknowledged => &self.acknowledgements,
            Told::Limit => &self.limits,
            Told::Full => &self.fulls,
            Told::Failed => &self.failures,
        };
        let template = random::pick(templates)?;
        Some(template.render(|_| Some(Cow::Borrowed(name))))
    }
}

fn templates(key: &str, texts: &[String]) -> Result<Vec<Template>, String> {
    let parse = |text: &String| Template::parse(text, &["user"]).map_err(|error| format!("{key}: {error}"));
    texts.iter().map(parse).collect()
}
