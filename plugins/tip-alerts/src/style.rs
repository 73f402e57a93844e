//! How one kind is thanked for: from when on, with which words and which alert, and from where on with others.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use showrunner_sdk::alerts::Alert;
use showrunner_sdk::amount::Decimal;
use showrunner_sdk::template::Template;
use showrunner_sdk::{config, random};

use crate::kind::Kind;
use crate::occasion::{Occasion, Values};
use crate::sum::Threshold;

/// How a kind is thanked for.
pub(crate) struct Manner {
    pub(crate) enabled: bool,
    minimum: Option<Threshold>,
    base: Style,
    /// In the order of their names.
    tiers: Vec<Tier>,
}

/// What is said and shown.
pub(crate) struct Style {
    texts: Texts,
    alert: Option<AlertStyle>,
}

/// From where on, or for what alone, something else is said and shown.
struct Tier {
    name: String,
    from: Option<Threshold>,
    /// In lower case.
    only: Vec<String>,
    style: Style,
}

struct Texts {
    templates: Vec<Template>,
    /// Every placeholder that these texts may use.
    placeholders: Vec<&'static str>,
    pick: Pick,
    /// How many a rotation has given.
    turn: usize,
}

struct AlertStyle {
    title: Template,
    text: Template,
    image: Option<String>,
    sound: Option<String>,
    duration_ms: Option<u32>,
}

/// Which of several texts is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Pick {
    #[default]
    Random,
    Rotate,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawManner {
    #[serde(default = "yes")]
    enabled: bool,
    minimum: Option<Value>,
    #[serde(default)]
    thanks: Vec<String>,
    #[serde(default)]
    pick: Pick,
    #[serde(default)]
    alert: RawAlert,
    // As they come, so that a mistake can be told with the name of its tier.
    #[serde(default)]
    tiers: BTreeMap<String, Value>,
}

/// What a tier leaves out is as in its kind.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawTier {
    #[serde(default = "yes")]
    enabled: bool,
    from: Option<Value>,
    #[serde(default)]
    only: Vec<String>,
    thanks: Option<Vec<String>>,
    pick: Option<Pick>,
    #[serde(default)]
    alert: RawAlert,
}

#[derive(Default, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct RawAlert {
    enabled: Option<bool>,
    title: Option<String>,
    text: Option<String>,
    image: Option<String>,
    sound: Option<String>,
    duration_ms: Option<u32>,
}

const fn yes() -> bool {
    true
}

impl Manner {
    /// Reads the table of a kind. A mistake is told with the place inside of it.
    pub(crate) fn read(kind: Kind, table: Value) -> Result<Self, String> {
        let raw: RawManner = parse(table)?;
        let minimum = raw.minimum.map(|minimum| Threshold::read(&minimum, kind)).transpose();
        let mut tiers = Vec::new();
        for (name, table) in raw.tiers {
            let told = |error| format!("tier `{name}`: {error}");
            let tier: RawTier = parse(table).map_err(told)?;
            if tier.enabled {
                let base = (&raw.thanks, raw.pick, &raw.alert);
                tiers.push(Tier::read(name.clone(), kind, tier, base).map_err(told)?);
            }
        }
        Ok(Self {
            enabled: raw.enabled,
            minimum: minimum.map_err(|error| format!("minimum: {error}"))?,
            base: Style::read(kind, &raw.thanks, raw.pick, raw.alert)?,
            tiers,
        })
    }

    pub(crate) fn is_below_minimum(&self, occasion: &Occasion) -> bool {
        self.minimum.as_ref().is_some_and(|minimum| minimum.is_above(&occasion.measure))
    }

    /// The tier's name, for the log, and how it is done there. A tier for this alone goes before one for all, and then
    /// the highest that was reached.
    pub(crate) fn style_for(&mut self, occasion: &Occasion) -> (Option<&str>, &mut Style) {
        let reached = self.tiers.iter_mut().filter_map(|tier| Some((tier.rank(occasion)?, tier)));
        // Of equals the last one is taken, so the first name goes last.
        match reached.rev().max_by_key(|(rank, _)| *rank) {
            Some((_, tier)) => (Some(&tier.name), &mut tier.style),
            None => (None, &mut self.base),
        }
    }
}

impl Tier {
    fn read(
        name: String,
        kind: Kind,
        raw: RawTier,
        (thanks, pick, alert): (&Vec<String>, Pick, &RawAlert),
    ) -> Result<Self, String> {
        if raw.from.is_none() && raw.only.is_empty() {
            return Err("it is for nothing; give it `from` or `only`".to_owned());
        }
        let from = raw.from.map(|from| Threshold::read(&from, kind)).transpose();
        let thanks = raw.thanks.as_ref().unwrap_or(thanks);
        Ok(Self {
            name,
            from: from.map_err(|error| format!("from: {error}"))?,
            only: raw.only.iter().map(|label| label.trim().to_lowercase()).collect(),
            style: Style::read(kind, thanks, raw.pick.unwrap_or(pick), raw.alert.over(alert))?,
        })
    }

    /// How well it fits; `None` when it does not.
    fn rank(&self, occasion: &Occasion) -> Option<(bool, Decimal)> {
        let is_meant = |label: &String| self.only.contains(&label.trim().to_lowercase());
        if !self.only.is_empty() && !occasion.labels.iter().any(is_meant) {
            return None;
        }
        let reached = match &self.from {
            None => Decimal::ZERO,
            Some(from) => from.reached_by(&occasion.measure)?,
        };
        Some((!self.only.is_empty(), reached))
    }
}

impl RawAlert {
    fn over(self, base: &Self) -> Self {
        let base = base.clone();
        Self {
            enabled: self.enabled.or(base.enabled),
            title: self.title.or(base.title),
            text: self.text.or(base.text),
            image: self.image.or(base.image),
            sound: self.sound.or(base.sound),
            duration_ms: self.duration_ms.or(base.duration_ms),
        }
    }
}

impl Style {
    fn read(kind: Kind, thanks: &[String], pick: Pick, alert: RawAlert) -> Result<Self, String> {
        let placeholders = kind.placeholders();
        let read =
            |key: &str, text: &str| Template::parse(text, &placeholders).map_err(|error| format!("{key}: {error}"));
        let templates = thanks.iter().map(|text| read("thanks", text)).collect::<Result<Vec<_>, _>>()?;
        let alert = match alert.title {
            Some(title) if alert.enabled.unwrap_or(true) => Some(AlertStyle {
                title: read("alert.title", &title)?,
                text: read("alert.text", alert.text.as_deref().unwrap_or(""))?,
                image: alert.image.filter(|image| !image.is_empty()),
                sound: alert.sound.filter(|sound| !sound.is_empty()),
                duration_ms: alert.duration_ms,
            }),
            _ => None,
        };
        Ok(Self { texts: Texts { templates, placeholders, pick, turn: 0 }, alert })
    }

    /// What is said in chat, if anything.
    pub(crate) fn text(&mut self, values: &Values) -> Option<String> {
        let text = render(self.texts.choose(values)?, values);
        (!text.trim().is_empty()).then_some(text)
    }

    /// What the overlay shows, if anything.
    pub(crate) fn alert(&self, kind: Kind, values: &Values) -> Option<Alert> {
        let style = self.alert.as_ref()?;
        Some(Alert {
            kind: kind.name().to_owned(),
            title: render(&style.title, values),
            text: render(&style.text, values),
            image: style.image.clone(),
            sound: style.sound.clone(),
            duration_ms: style.duration_ms,
        })
    }
}

impl Texts {
    /// One of the texts that can be filled in whole, or when there is none, one of all.
    fn choose(&mut self, values: &Values) -> Option<&Template> {
        let missing: Vec<&str> = self.placeholders.iter().copied().filter(|name| values.get(name).is_none()).collect();
        let whole: Vec<&Template> =
            self.templates.iter().filter(|template| !missing.iter().any(|name| template.uses(name))).collect();
        let choice = if whole.is_empty() { self.templates.iter().collect() } else { whole };
        match self.pick {
            Pick::Random => random::pick(&choice).copied(),
            Pick::Rotate => {
                let index = self.turn.checked_rem(choice.len())?;
                self.turn = index + 1;
                choice.get(index).copied()
            }
        }
    }
}

fn render(template: &Template, values: &Values) -> String {
    template.render(|name| values.get(name).map(Cow::Borrowed))
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| config::without_position(&error))
}
