//! One reason to thank somebody, in the form that all kinds share.

use serde::{Deserialize, Serialize};
use showrunner_sdk::event::{Origin, Raid, Redemption, Subscription, Support};
use showrunner_sdk::prelude::*;

use crate::goals::Standing;
use crate::kind::Kind;
use crate::person::{Person, tidy};
use crate::sum::Sum;
use crate::words::Words;

/// What somebody writes with a tip; the overlay shows it for some seconds.
const MESSAGE_CHARACTERS: usize = 300;
/// A reward, a tip menu item.
const TITLE_CHARACTERS: usize = 100;

/// Where something happened, and whether it was only played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) platform: String,
    pub(crate) channel: String,
    /// A test is thanked for like the real thing and changes nothing that lasts.
    pub(crate) test: bool,
}

impl From<&Envelope> for Source {
    fn from(envelope: &Envelope) -> Self {
        Self {
            platform: envelope.platform.clone(),
            channel: envelope.channel.clone(),
            test: envelope.origin == Origin::Test,
        }
    }
}

pub(crate) struct Occasion {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    /// None when anonymous.
    pub(crate) who: Option<Person>,
    /// What thresholds are compared with.
    pub(crate) measure: Sum,
    /// What a tier may be meant for alone: the platform's tier, the reward, the item.
    pub(crate) labels: Vec<String>,
    values: Vec<(&'static str, String)>,
}

impl Occasion {
    fn new(kind: Kind, source: Source, who: Option<Person>, measure: Sum) -> Self {
        Self { kind, source, who, measure, labels: Vec::new(), values: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.values.push((name, value));
        }
        self
    }

    /// A number that platforms which do not know it give as 0.
    fn with_number(self, name: &'static str, number: u32) -> Self {
        if number == 0 { self } else { self.with(name, number.to_string()) }
    }

    fn with_message(self, message: Option<&str>) -> Self {
        self.with("message", tidy(message.unwrap_or(""), MESSAGE_CHARACTERS))
    }

    /// `None` for what supports nobody: who sells leaves.
    pub(crate) fn support(source: Source, support: &Support) -> Option<Self> {
        let kind = Kind::of_support(support);
        let item = tidy(support.item.as_deref().unwrap_or(""), TITLE_CHARACTERS);
        if kind == Kind::Trade && item.to_lowercase().starts_with("sell") {
            return None;
        }
        let measure = Sum { number: support.amount().decimal(), currency: Some(tidy(&support.currency, 20)) };
        let mut occasion = Self::new(kind, source, support.who.as_ref().map(Person::from), measure.clone())
            .with("amount", measure.to_string())
            .with("currency", measure.currency.unwrap_or_default())
            .with("item", item.clone())
            .with_message(support.message.as_deref());
        occasion.labels = vec![item, support.kind.clone()];
        Some(occasion)
    }

    /// `None` for those that nobody is thanked for.
    pub(crate) fn subscription(source: Source, subscription: &Subscription, words: &Words) -> Option<Self> {
        let kind = Kind::of_subscription(subscription)?;
        let measure = Sum::pieces(subscription.months);
        let mut occasion = Self::new(kind, source, Some(Person::from(&subscription.who)), measure)
            .with("tier", words.tier(&subscription.tier).unwrap_or_default())
            .with_number("months", subscription.months)
            .with_number("streak", subscription.streak_months.unwrap_or(0))
            .with_message(subscription.message.as_deref());
        occasion.labels = vec![subscription.tier.clone()];
        Some(occasion)
    }

    pub(crate) fn raid(source: Source, raid: &Raid) -> Self {
        Self::new(Kind::Raid, source, Some(Person::from(&raid.source)), Sum::pieces(raid.viewers))
            .with("viewers", raid.viewers.to_string())
    }

    pub(crate) fn redemption(source: Source, redemption: &Redemption) -> Self {
        let reward = tidy(&redemption.title, TITLE_CHARACTERS);
        let who = Some(Person::from(&redemption.who));
        let mut occasion = Self::new(Kind::Redemption, source, who, Sum::pieces(redemption.cost))
            .with("reward", reward.clone())
            .with("cost", redemption.cost.to_string())
            .with_message(redemption.input.as_deref());
        occasion.labels = vec![reward, redemption.reward_id.clone()];
        occasion
    }

    pub(crate) fn follows(source: Source, first: Option<Person>, names: String, count: u32) -> Self {
        Self::new(Kind::Follow, source, first, Sum::pieces(count)).with("names", names).with("count", count.to_string())
    }

    pub(crate) fn gifts(source: Source, giver: Option<Person>, names: String, gifts: &GiftFigures<'_>) -> Self {
        let mut occasion = Self::new(Kind::Gift, source, giver, Sum::pieces(gifts.count))
            .with("names", names)
            .with("count", gifts.count.to_string())
            .with("tier", gifts.words.tier(gifts.tier).unwrap_or_default())
            .with_number("total", gifts.total);
        occasion.labels = vec![gifts.tier.to_owned()];
        occasion
    }

    pub(crate) fn goal(source: Source, who: Option<Person>, goal: &Standing) -> Self {
        let mut occasion = Self::new(Kind::Goal, source, who, goal.current.clone());
        occasion.labels = vec![goal.key.clone(), goal.title.clone()];
        occasion
    }

    /// What the texts can be filled in with. What is not there has no value.
    pub(crate) fn values(&self, words: &Words, goal: Option<&Standing>) -> Values {
        let mut values = self.values.clone();
        let mut add = |name, value: String| {
            if !value.is_empty() {
                values.push((name, value));
            }
        };
        let who = self.who.as_ref().filter(|who| !who.name.is_empty());
        add("user", who.map_or(&words.anonymous, |who| &who.name).clone());
        add("login", who.map_or(&words.anonymous, |who| &who.login).clone());
        add("platform", self.source.platform.clone());
        if let Some(goal) = goal {
            add("goal.name", goal.title.clone());
            add("goal.current", goal.current.number.to_string());
            add("goal.target", goal.target.to_string());
            add("goal.percent", goal.percent().to_string());
        }
        Values(values)
    }
}

/// What is known of gifts beside who and to whom.
pub(crate) struct GiftFigures<'a> {
    pub(crate) count: u32,
    pub(crate) tier: &'a str,
    /// What the giver has given in all; 0 where the platform does not say.
    pub(crate) total: u32,
    pub(crate) words: &'a Words,
}

/// The values of an occasion's placeholders.
pub(crate) struct Values(Vec<(&'static str, String)>);

impl Values {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
