//! The operator's settings: the tables as they are written, and what becomes of them. Every mistake is told
//! with the name of the rule or command that holds it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use showrunner_sdk::config;
use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::prelude::*;
use showrunner_sdk::template::Template;

use crate::library::valid_name;
use crate::matcher::Matcher;
use crate::reply::{AnswerAs, COMMAND_NAMES, Pick, RULE_NAMES, Reply};

pub(crate) struct Settings {
    pub(crate) manage: String,
    pub(crate) ignore_bots: bool,
    pub(crate) matcher: Matcher,
    pub(crate) rules: Vec<Reply>,
    pub(crate) commands: Vec<ConfiguredCommand>,
    pub(crate) style: Style,
}

/// A command of the config.
pub(crate) struct ConfiguredCommand {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) answers: Vec<String>,
    pub(crate) reply: Reply,
}

/// How answers are given where nothing else is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    answer_as: AnswerAs,
    cooldown: CooldownSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawSettings {
    answer_as: AnswerAs,
    manage: String,
    ignore_bots: bool,
    cooldown: CooldownSettings,
    // As they come, so that a mistake can be told with the name of its rule.
    rules: BTreeMap<String, Value>,
    commands: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct CooldownSettings {
    user_seconds: u32,
    global_seconds: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawRule {
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    exact: Vec<String>,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    regex: Vec<String>,
    answers: Vec<String>,
    #[serde(default)]
    pick: Pick,
    answer_as: Option<AnswerAs>,
    #[serde(default)]
    roles: Vec<String>,
    cooldown: Option<CooldownSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawCommand {
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    aliases: Vec<String>,
    answers: Vec<String>,
    #[serde(default)]
    pick: Pick,
    answer_as: Option<AnswerAs>,
    #[serde(default)]
    roles: Vec<String>,
    cooldown: Option<CooldownSettings>,
}

const fn yes() -> bool {
    true
}

impl Settings {
    pub(crate) fn load() -> Result<Self, String> {
        let raw: RawSettings = config::load()?;
        let style = Style { answer_as: raw.answer_as, cooldown: raw.cooldown };
        let mut settings = Self {
            manage: raw.manage.to_lowercase(),
            ignore_bots: raw.ignore_bots,
            matcher: Matcher::default(),
            rules: Vec::new(),
            commands: Vec::new(),
            style,
        };
        for (name, rule) in raw.rules {
            let told = |error| format!("rule `{name}`: {error}");
            settings.add_rule(&name, parse(rule).map_err(told)?).map_err(told)?;
        }
        for (name, command) in raw.commands {
            let told = |error| format!("command `{name}`: {error}");
            settings.add_command(&name, parse(command).map_err(told)?).map_err(told)?;
        }
        Ok(settings)
    }

    fn add_rule(&mut self, name: &str, rule: RawRule) -> Result<(), String> {
        let number = self.rules.len();
        if rule.exact.is_empty() && rule.contains.is_empty() && rule.regex.is_empty() {
            return Err("it matches nothing; give it `exact`, `contains` or `regex`".to_owned());
        }
        let mut reply = self.style.reply(format!("rule `{name}`"), &rule.answers, RULE_NAMES)?;
        reply.pick = rule.pick;
        reply.answer_as = rule.answer_as.unwrap_or(self.style.answer_as);
        reply.roles = Roles::parse(&rule.roles)?;
        reply.cooldown = rule.cooldown.unwrap_or(self.style.cooldown).start();
        reply.count_key = reply.answers.iter().any(|answer| answer.uses("count")).then(|| format!("rule-count/{name}"));
        if !rule.enabled {
            return Ok(());
        }
        rule.exact.iter().try_for_each(|text| self.matcher.add_exact(text, number))?;
        rule.contains.iter().try_for_each(|text| self.matcher.add_contains(text, number))?;
        rule.regex.iter().try_for_each(|pattern| self.matcher.add_regex(pattern, number))?;
        self.rules.push(reply);
        Ok(())
    }

    fn add_command(&mut self, name: &str, command: RawCommand) -> Result<(), String> {
        let name = valid_name(name)?;
        let aliases = command.aliases.iter().map(|alias| valid_name(alias)).collect::<Result<Vec<_>, _>>()?;
        if [&name].into_iter().chain(&aliases).any(|name| *name == self.manage) {
            return Err(format!("`{}` is the command that manages commands; see `manage`", self.manage));
        }
        let mut reply = self.style.reply(format!("command `{name}`"), &command.answers, COMMAND_NAMES)?;
        reply.pick = command.pick;
        reply.answer_as = command.answer_as.unwrap_or(self.style.answer_as);
        reply.roles = Roles::parse(&command.roles)?;
        reply.cooldown = command.cooldown.unwrap_or(self.style.cooldown).start();
        if command.enabled {
            self.commands.push(ConfiguredCommand { name, aliases, answers: command.answers, reply });
        }
        Ok(())
    }
}

impl Style {
    /// An answer as the settings have it where nothing else is said.
    pub(crate) fn reply(&self, name: String, answers: &[String], names: &[&str]) -> Result<Reply, String> {
        if answers.is_empty() {
            return Err("it has no answer; give it one in `answers`".to_owned());
        }
        let answers = answers.iter().map(|answer| Template::parse(answer, names)).collect::<Result<Vec<_>, _>>()?;
        Ok(Reply {
            name,
            answers,
            pick: Pick::default(),
            answer_as: self.answer_as,
            roles: Roles::empty(),
            cooldown: self.cooldown.start(),
            turn: 0,
            count_key: None,
        })
    }
}

impl CooldownSettings {
    fn start(self) -> Cooldown {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Cooldown::new(seconds(self.global_seconds), seconds(self.user_seconds))
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| config::without_position(&error))
}
