//! Thanks for tips, subs, gifts, follows, raids and redemptions, in chat and on the overlay, and keeps goals.
//!
//! `occasion` brings every kind of event into one form, `style` knows how a kind is thanked for, `words` and `person`
//! make names and lists fit to be shown. What comes in pieces is collected in a `group` (`bombs` for gifts), which
//! `pending` keeps. `goals` counts, `goal_command` is for moderators, `redemptions` knows what was heard of before.

mod bombs;
#[cfg(test)]
mod fuzz;
mod goal_command;
mod goals;
mod group;
mod kind;
mod occasion;
mod pending;
mod person;
mod redemptions;
mod settings;
mod style;
mod sum;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use goal_command::Done;
use goals::{Progress, Standing};
use group::{About, Entry, Group, Moment, State, Window};
use kind::Kind;
use occasion::{GiftFigures, Occasion, Source};
use pending::Pending;
use person::Person;
use serde::{Deserialize, Serialize};
use settings::Settings;
use showrunner_sdk::cooldown::Cooldown;
use showrunner_sdk::event::Origin;
use showrunner_sdk::prelude::*;
use showrunner_sdk::{alerts, clock};

/// Thanks for one event, at most: two effects each, and the host takes 32. The rest follows at once.
const THANKS_AT_ONCE: usize = 8;
/// Viewers who may ask for the goals do not make the bot talk all the time.
const SHOW_GOALS_EVERY: Duration = Duration::from_secs(10);

struct TipAlerts {
    settings: Settings,
    pending: Pending,
    goals_shown: Cooldown,
}

/// What a reload carries over: all that is in memory alone.
#[derive(Serialize, Deserialize)]
struct Saved {
    groups: BTreeMap<String, Group>,
    goals: BTreeMap<String, Progress>,
}

impl Plugin for TipAlerts {
    fn new() -> Result<Self, String> {
        Ok(Self {
            settings: Settings::load()?,
            pending: Pending::start(),
            goals_shown: Cooldown::new(SHOW_GOALS_EVERY, Duration::ZERO),
        })
    }

    /// The thanks are for the money. The words that come with it are left to whoever answers them, such as the agent.
    fn on_support(&mut self, envelope: &Envelope, support: &Support) -> Answer {
        if let Some(occasion) = Occasion::support(envelope.into(), support) {
            self.count_and_thank(envelope, &occasion);
        }
        Ok(Passed)
    }

    fn on_subscription(&mut self, envelope: &Envelope, subscription: &Subscription) -> Answer {
        if subscription.kind == "gifted" {
            let moment = self.moment(envelope, self.settings.gift_bombs);
            let mut entries = self.pending.open();
            bombs::arrive(&mut entries, &moment, &subscription.who, &subscription.tier);
            self.keep(entries, &moment);
            return Ok(Handled);
        }
        if subscription.kind == "new" && self.was_given(&Source::from(envelope), &subscription.who) {
            log::debug("was given, and thanked for with the gift");
            return Ok(Handled);
        }
        match Occasion::subscription(envelope.into(), subscription, &self.settings.words) {
            Some(occasion) => Ok(self.count_and_thank(envelope, &occasion)),
            None => Ok(Passed),
        }
    }

    fn on_gift(&mut self, envelope: &Envelope, gift: &Gift) -> Answer {
        let moment = self.moment(envelope, self.settings.gift_bombs);
        let mut entries = self.pending.open();
        let more = bombs::give(&mut entries, &moment, gift);
        let giver = gift.giver.as_ref().map(Person::from);
        let figures = GiftFigures { count: more, tier: &gift.tier, total: 0, words: &self.settings.words };
        self.count(&Occasion::gifts(moment.source.clone(), giver, String::new(), &figures), more);
        self.keep(entries, &moment);
        Ok(Handled)
    }

    fn on_follow(&mut self, envelope: &Envelope, follow: &Follow) -> Answer {
        let who = Person::from(&follow.who);
        let one = Occasion::follows(envelope.into(), Some(who), String::new(), 1);
        if !self.is_enabled(Kind::Follow) {
            self.count(&one, 1);
            return Ok(Passed);
        }
        let moment = self.moment(envelope, self.settings.follow_bursts);
        let mut entries = self.pending.open();
        if group::follow(&mut entries, &moment, &follow.who) {
            self.count(&one, 1);
        }
        self.keep(entries, &moment);
        Ok(Handled)
    }

    fn on_raid(&mut self, envelope: &Envelope, raid: &Raid) -> Answer {
        Ok(self.count_and_thank(envelope, &Occasion::raid(envelope.into(), raid)))
    }

    fn on_redemption(&mut self, envelope: &Envelope, redemption: &Redemption) -> Answer {
        let source = Source::from(envelope);
        if !redemptions::is_news(&source, redemption) {
            return Ok(Passed);
        }
        Ok(self.count_and_thank(envelope, &Occasion::redemption(source, redemption)))
    }

    fn on_timer(&mut self, _envelope: &Envelope, _timer: &Timer) -> Answer {
        let mut entries = self.pending.open();
        let thanks = self.settle(&mut entries);
        self.pending.keep(entries);
        Ok(if thanks > 0 { Handled } else { Passed })
    }

    fn on_command(&mut self, envelope: &Envelope, message: &ChatMessage, command: &Command) -> Answer {
        if command.name != goal_command::NAME || !self.settings.goal_command || message.mirrored_from.is_some() {
            return Ok(Passed);
        }
        let source = Source::from(envelope);
        let done = if message.author.is_moderator() {
            let done = goal_command::run(&mut self.settings.goals, message, &command.args, source.test);
            done.unwrap_or_else(|error| Done::from(format!("That did not work: {error}.")))
        } else {
            let may_see = message.author.has_any(self.settings.show_goals);
            let lines = goal_command::lines(&self.settings.goals, source.test).filter(|_| may_see);
            match lines.filter(|_| self.goals_shown.try_start("", "")) {
                Some(lines) => Done::from(lines),
                None => return Ok(Handled),
            }
        };
        // The change is made: an answer that can't be sent must not take it back.
        if let Err(error) = chat::reply(envelope, &done.text) {
            log::warn(format!("The answer to `{}` could not be sent: {error}.", message.text));
        }
        self.celebrate(done.reached.as_slice(), &source, Some(&Person::from(&message.author)));
        Ok(Handled)
    }
}

impl TipAlerts {
    fn is_enabled(&self, kind: Kind) -> bool {
        self.settings.manners.get(&kind).is_some_and(|manner| manner.enabled)
    }

    /// Whether a gift that was told just now brought this subscription: not every platform marks those.
    fn was_given(&self, source: &Source, who: &User) -> bool {
        let person = Person::from(who);
        let is_theirs =
            |group: &Group| group.gifts().is_some() && group.source == *source && group.people.contains(&person.id);
        self.pending.open().iter().any(|entry| is_theirs(&entry.group))
    }

    /// Whether it is too long ago to be thanked for. Tests never are.
    fn is_late(&self, envelope: &Envelope) -> bool {
        match envelope.origin {
            Origin::Test => false,
            Origin::Live => self.is_long_ago(envelope.at_ms),
            Origin::Replay => !self.settings.thank_late,
        }
    }

    fn is_long_ago(&self, at_ms: u64) -> bool {
        !self.settings.thank_late && clock::now_ms().saturating_sub(at_ms) > self.settings.late_after_ms
    }

    fn moment(&self, envelope: &Envelope, window: Window) -> Moment {
        Moment {
            key: pending::key(envelope),
            source: envelope.into(),
            is_timely: !self.is_late(envelope),
            window,
            now_ms: clock::now_ms(),
        }
    }

    /// Thanks for the groups that are due after an event, and keeps the rest.
    fn keep(&mut self, mut entries: Vec<Entry>, moment: &Moment) {
        pending::make_room(&mut entries, moment.now_ms);
        self.settle(&mut entries);
        self.pending.keep(entries);
    }

    /// Thanks for the groups that are due, and forgets those that were remembered long enough. Returns how many were
    /// thanked for.
    fn settle(&mut self, entries: &mut [Entry]) -> usize {
        let now_ms = clock::now_ms();
        let mut thanks = 0;
        let is_due = |entry: &Entry| entry.state != State::Gone && entry.group.is_due(now_ms);
        while let Some(index) = entries.iter().position(is_due).filter(|_| thanks < THANKS_AT_ONCE) {
            bombs::lend_names(entries, index);
            let Some(entry) = entries.get_mut(index) else { break };
            if entry.group.thanked {
                entry.state = State::Gone;
                continue;
            }
            thanks += 1;
            self.thank_group(&entry.group);
            entry.state = if entry.group.gifts().is_some() { State::Changed } else { State::Gone };
            entry.group.thanked(now_ms);
        }
        thanks
    }

    fn thank_group(&mut self, group: &Group) {
        if !group.timely || self.is_long_ago(group.due_ms) {
            log::info("Nobody is thanked for what is long ago.");
            return;
        }
        let (source, words) = (group.source.clone(), &self.settings.words);
        let names = |count| words.list(group.people.names(), count);
        let occasion = match &group.about {
            About::Follows { first } => {
                let count = group.people.count();
                Occasion::follows(source, Some(first.clone()), names(count), count)
            }
            About::Gifts(gifts) => {
                let count = group.given();
                let figures = GiftFigures { count, tier: &gifts.tier, total: gifts.total, words };
                Occasion::gifts(source, gifts.giver.clone(), names(count), &figures)
            }
            About::Arrivals { .. } => return,
        };
        let goal = self.settings.goals.told_with(&occasion);
        self.thank(&occasion, goal.as_ref());
    }

    fn count_and_thank(&mut self, envelope: &Envelope, occasion: &Occasion) -> Disposition {
        let reached = self.settings.goals.count(occasion, 1);
        let is_thanked = if self.is_late(envelope) {
            log::debug("late, so nobody is thanked");
            false
        } else {
            let goal = self.settings.goals.told_with(occasion);
            self.thank(occasion, goal.as_ref())
        };
        self.celebrate(&reached, &occasion.source, occasion.who.as_ref());
        if is_thanked { Handled } else { Passed }
    }

    fn count(&mut self, occasion: &Occasion, times: u32) {
        if times > 0 {
            let reached = self.settings.goals.count(occasion, times);
            self.celebrate(&reached, &occasion.source, occasion.who.as_ref());
        }
    }

    /// A goal that is reached is news, whenever what reached it happened.
    fn celebrate(&mut self, reached: &[Standing], source: &Source, who: Option<&Person>) {
        for goal in reached {
            self.thank(&Occasion::goal(source.clone(), who.cloned(), goal), Some(goal));
        }
    }

    /// Says and shows what is to be said and shown. Returns whether it is a kind that is thanked for.
    fn thank(&mut self, occasion: &Occasion, goal: Option<&Standing>) -> bool {
        let (kind, measure) = (occasion.kind, &occasion.measure);
        let Some(manner) = self.settings.manners.get_mut(&kind).filter(|manner| manner.enabled) else {
            return false;
        };
        if manner.is_below_minimum(occasion) {
            log::debug(format!("{}: {measure} is below the minimum", kind.name()));
            return false;
        }
        let values = occasion.values(&self.settings.words, goal);
        let (tier, style) = manner.style_for(occasion);
        let tier = tier.map(|tier| format!(", tier {tier}")).unwrap_or_default();
        log::debug(format!("{}: {measure}{tier}", kind.name()));
        let source = &occasion.source;
        let said = style.text(&values).map(|text| chat::say(Place::new(&source.platform, &source.channel), &text));
        let shown = style.alert(kind, &values).map(|alert| alerts::show(&alert));
        // One may be refused and the other not; and what was counted stays counted.
        for error in [said, shown].into_iter().flatten().filter_map(Result::err) {
            log::warn(format!("The thanks for a {} could not be given: {error}.", kind.name()));
        }
        true
    }
}

/// Durable memory needs no handover, as each event reads it anew; what tests began does.
impl Handover for TipAlerts {
    fn save(&self) -> Vec<u8> {
        let saved = Saved { groups: self.pending.memory().clone(), goals: self.settings.goals.rehearsed().clone() };
        serde_json::to_vec(&saved).unwrap_or_default()
    }

    fn restore(&mut self, saved: &[u8], saved_by: &str) -> Result<(), String> {
        let saved: Saved = serde_json::from_slice(saved)
            .map_err(|error| format!("what version {saved_by} saved can't be read: {error}"))?;
        self.pending.take_over(saved.groups);
        self.settings.goals.take_over(saved.goals);
        Ok(())
    }
}

showrunner_sdk::export!(TipAlerts: handover);
