//! The operator's settings, checked and compiled once when the plugin starts.

use std::collections::BTreeMap;
use std::time::Duration;

use moderation_rules::{Common, Content, Rule, RuleSet, read};
use serde::Deserialize;
use serde_json::Value;
use showrunner_sdk::prelude::*;
use showrunner_sdk::template::Template;

use crate::commands::Orders;
use crate::steps::Steps;

/// What a warning and a word to moderators may name.
const NAMES: &[&str] = &["user", "login"];

pub(crate) struct Settings {
    pub(crate) content: Content,
    /// Where a group of terms has steps of its own.
    group_steps: Vec<Option<Steps>>,
    rules: BTreeMap<&'static str, RuleSettings>,
    is_dry: bool,
    exempt: Roles,
    pub(crate) strike_ms: u64,
    pub(crate) grace_ms: u64,
    pub(crate) permit_seconds: u32,
    pub(crate) rate: RateSettings,
    pub(crate) raid: RaidSettings,
    pub(crate) commands: Orders,
    tell_warnings: bool,
    pub(crate) tell_held: Option<Template>,
    pub(crate) tell_cooldown: Duration,
}

/// What every rule has.
struct RuleSettings {
    rule: Rule,
    is_enabled: bool,
    is_dry: bool,
    exempt: Roles,
    steps: Steps,
    warning: Option<Template>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RateSettings {
    pub(crate) messages: usize,
    pub(crate) same_text: usize,
    pub(crate) seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RaidSettings {
    pub(crate) people: usize,
    pub(crate) seconds: u32,
    pub(crate) min_letters: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstTimeSettings {}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawSettings {
    dry_run: bool,
    exempt: Vec<String>,
    steps: Vec<String>,
    strike_minutes: u32,
    grace_seconds: u32,
    permit_seconds: u32,
    tell: RawTell,
    commands: Orders,
    // As they come, so that a mistake can be told with the name of its rule.
    rules: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawTell {
    warnings: bool,
    held: String,
    cooldown_seconds: u32,
}

impl Settings {
    pub(crate) fn load() -> Result<Self, String> {
        let raw: RawSettings = config::load()?;
        let mut tables = raw.rules;
        let (content, mut common) = Content::take(&mut tables)?;
        let rate: RateSettings = take(&mut tables, Rule::Rate, &mut common)?;
        let raid: RaidSettings = take(&mut tables, Rule::Raid, &mut common)?;
        let FirstTimeSettings {} = take(&mut tables, Rule::FirstTime, &mut common)?;
        if let Some(unknown) = tables.keys().next() {
            let names: Vec<&str> = Rule::ALL.into_iter().map(Rule::name).collect();
            return Err(format!("rules: there is no rule `{unknown}`; there are {}", names.join(", ")));
        }
        if rate.messages == 0 || rate.same_text == 0 {
            return Err("rule `rate`: 0 messages would let nobody write".to_owned());
        }
        if raid.people < 2 {
            return Err("rule `raid`: `people` must be 2 or more".to_owned());
        }
        let steps = Steps::parse(&raw.steps)?.ok_or("steps: there must be one at least")?;
        let mut rules = BTreeMap::new();
        for (rule, common) in common {
            let settings = RuleSettings::new(rule, &common, &steps);
            rules.insert(rule.name(), settings.map_err(|error| format!("rule `{}`: {error}", rule.name()))?);
        }
        let group_steps = content.groups().iter().map(|group| {
            Steps::parse(&group.steps).map_err(|error| format!("rule `terms`: group `{}`: {error}", group.name))
        });
        Ok(Self {
            group_steps: group_steps.collect::<Result<_, _>>()?,
            content,
            rules,
            is_dry: raw.dry_run,
            exempt: Roles::parse(&raw.exempt).map_err(|error| format!("exempt: {error}"))?,
            strike_ms: u64::from(raw.strike_minutes) * 60_000,
            grace_ms: u64::from(raw.grace_seconds) * 1_000,
            permit_seconds: raw.permit_seconds,
            rate,
            raid,
            commands: raw.commands.checked()?,
            tell_warnings: raw.tell.warnings,
            tell_held: template(&raw.tell.held).map_err(|error| format!("tell.held: {error}"))?,
            tell_cooldown: Duration::from_secs(u64::from(raw.tell.cooldown_seconds)),
        })
    }

    /// The rules that hold for somebody with these roles.
    pub(crate) fn rules_for(&self, roles: Roles) -> RuleSet {
        if roles.intersects(self.exempt) {
            return RuleSet::default();
        }
        let held = self.rules.values().filter(|rule| rule.is_enabled && !roles.intersects(rule.exempt));
        held.fold(RuleSet::default(), |rules, rule| rules.with(rule.rule))
    }

    pub(crate) fn is_dry(&self, rule: Rule) -> bool {
        self.is_dry || self.rules.get(rule.name()).is_some_and(|rule| rule.is_dry)
    }

    /// What follows from breaking a rule; `None` for a rule that only holds.
    pub(crate) fn steps(&self, rule: Rule, group: Option<usize>) -> Option<&Steps> {
        if rule == Rule::FirstTime {
            return None;
        }
        let own = group.and_then(|group| self.group_steps.get(group)?.as_ref());
        own.or_else(|| self.rules.get(rule.name()).map(|rule| &rule.steps))
    }

    /// What somebody who breaks a rule is told when they are warned.
    pub(crate) fn warning(&self, rule: Rule) -> Option<&Template> {
        self.rules.get(rule.name()).filter(|_| self.tell_warnings)?.warning.as_ref()
    }
}

impl RuleSettings {
    fn new(rule: Rule, common: &Common, steps: &Steps) -> Result<Self, String> {
        Ok(Self {
            rule,
            is_enabled: common.enabled,
            is_dry: common.dry_run,
            exempt: Roles::parse(&common.exempt).map_err(|error| format!("exempt: {error}"))?,
            steps: Steps::parse(&common.steps)?.unwrap_or_else(|| steps.clone()),
            warning: template(&common.tell).map_err(|error| format!("tell: {error}"))?,
        })
    }
}

/// Takes the table of a rule that needs more than the text.
fn take<T: serde::de::DeserializeOwned>(
    tables: &mut BTreeMap<String, Value>,
    rule: Rule,
    common: &mut Vec<(Rule, Common)>,
) -> Result<T, String> {
    let table = tables.remove(rule.name()).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let (own, settings) = read(table).map_err(|error| format!("rule `{}`: {error}", rule.name()))?;
    common.push((rule, own));
    Ok(settings)
}

/// `None` for an empty text: nothing is said.
fn template(text: &str) -> Result<Option<Template>, String> {
    if text.is_empty() { Ok(None) } else { Ok(Some(Template::parse(text, NAMES)?)) }
}
