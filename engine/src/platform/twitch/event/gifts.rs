//! Gifts of subscriptions: one event however many are given, with the names of those who received them.
//!
//! Two topics announce a gift, one as an alert and one in chat; a gift to one named person is announced in chat by its
//! name alone. Equal announcements of both are one gift, matched as in [`deduplicator`](super::deduplicator). Names
//! come one by one, before and after: in chat with the id of the gift that they belong to, as alerts with nothing but
//! the tier. A gift is told when it has all its names, or when no more come.

use std::time::Duration;

use tokio::time::Instant;

use super::deduplicator::{Topic, TopicSet, WINDOW};
use crate::event::{Draft, Event, Gift, User};

/// A gift is told when no name came for so long.
pub(super) const QUIET: Duration = Duration::from_secs(3);
/// And not later than this, whatever comes.
pub(super) const LONGEST: Duration = Duration::from_secs(15);
/// Names of one gift, at most: an event stands in queues.
const MOST_NAMES: usize = 1000;
/// Gifts of a minute, and of what waits for them, at most; the oldest give way.
const REMEMBERED: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Gifts {
    /// What was announced in the last minute, oldest first.
    bombs: Vec<Bomb>,
    /// Names that the chat told before it announced what they belong to.
    early: Vec<Early>,
    /// Who received a gift by an alert, and is in no gift yet.
    arrivals: Vec<Arrival>,
}

#[derive(Debug)]
struct Bomb {
    /// The gift as it was announced first, without its names.
    draft: Draft,
    gift: Gift,
    /// What the chat calls this gift.
    community: Option<String>,
    topics: TopicSet,
    begun: Instant,
    named: Instant,
    told: bool,
}

#[derive(Debug)]
struct Early {
    community: String,
    draft: Draft,
    gift: Gift,
    topic: Topic,
    named: Instant,
}

#[derive(Debug)]
struct Arrival {
    who: User,
    tier: String,
    at: Instant,
}

impl Bomb {
    fn new(draft: Draft, gift: Gift, now: Instant) -> Self {
        let gift = Gift { recipients: Vec::new(), count: gift.count.max(1), ..gift };
        Self { draft, gift, community: None, topics: TopicSet::default(), begun: now, named: now, told: false }
    }

    /// Whether the other announces the same: so many of this tier by the same giver.
    fn is_like(&self, other: &Gift) -> bool {
        is_from(&self.gift, other) && self.gift.count == other.count.max(1)
    }

    fn has(&self, who: &User) -> bool {
        self.gift.recipients.iter().any(|recipient| recipient.id == who.id)
    }

    fn is_full(&self) -> bool {
        let named = self.gift.recipients.len();
        named >= MOST_NAMES || u32::try_from(named).is_ok_and(|named| named >= self.gift.count)
    }

    fn lacks_names(&self) -> bool {
        !self.told && !self.is_full()
    }

    fn due(&self) -> Instant {
        (self.named + QUIET).min(self.begun + LONGEST)
    }

    fn tell(&mut self) -> Draft {
        self.told = true;
        Draft { event: Event::Gift(self.gift.clone()), ..self.draft.clone() }
    }
}

fn is_from(gift: &Gift, other: &Gift) -> bool {
    let giver = |gift: &Gift| gift.giver.as_ref().map(|giver| giver.id.clone());
    gift.tier == other.tier && giver(gift) == giver(other)
}

impl Gifts {
    /// Gifts were announced: `community` of them, as the chat calls it, or one to whom it names.
    pub(super) fn announce(&mut self, draft: Draft, community: Option<String>, topic: Topic, now: Instant) {
        let Event::Gift(gift) = draft.event.clone() else { return };
        self.forget(now);
        let early = community.as_ref().and_then(|id| self.early.iter().position(|early| early.community == *id));
        let names = early.map_or_else(|| gift.recipients.clone(), |early| self.early.remove(early).gift.recipients);
        let index = self.told_by_another(&gift, &names, topic).unwrap_or_else(|| {
            self.bombs.push(Bomb::new(draft, gift.clone(), now));
            self.bombs.len() - 1
        });
        let Some(bomb) = self.bombs.get_mut(index) else { return };
        bomb.topics.add(topic);
        bomb.gift.total = bomb.gift.total.or(gift.total);
        let is_late = bomb.told && community.is_none();
        bomb.community = community.or(bomb.community.take());
        for who in names {
            // The names of one of two equal gifts may have gone to the other: then these are for that one.
            if is_late {
                self.arrive(who, &gift.tier, now);
            } else {
                self.name(index, who, now);
            }
        }
        if topic != Topic::CHAT {
            self.name_arrivals(index, now);
        }
    }

    /// The gift that another topic announced, and `topic` did not yet: best the one with these names, or still without
    /// any.
    fn told_by_another(&self, gift: &Gift, names: &[User], topic: Topic) -> Option<usize> {
        let candidates =
            self.bombs.iter().enumerate().filter(|(_, bomb)| bomb.is_like(gift) && !bomb.topics.has(topic));
        let best = candidates
            .min_by_key(|(_, bomb)| if names.iter().any(|who| bomb.has(who)) { 0 } else { 1 + u8::from(bomb.told) });
        best.map(|(index, _)| index)
    }

    /// The chat named somebody who received one of the gifts of `community`. `draft` tells of theirs alone.
    pub(super) fn receive(&mut self, community: String, draft: Draft, topic: Topic, now: Instant) {
        let Event::Gift(gift) = draft.event.clone() else { return };
        self.forget(now);
        if let Some(index) = self.bombs.iter().position(|bomb| bomb.community.as_ref() == Some(&community)) {
            for who in gift.recipients {
                self.name(index, who, now);
            }
            return;
        }
        for who in &gift.recipients {
            self.arrivals.retain(|arrival| arrival.who.id != who.id);
        }
        match self.early.iter_mut().find(|early| early.community == community) {
            Some(early) if early.gift.recipients.len() < MOST_NAMES => {
                early.gift.recipients.extend(gift.recipients);
                early.named = now;
            }
            Some(_) => {}
            None => self.early.push(Early { community, draft, gift, topic, named: now }),
        }
    }

    /// An alert says that somebody received a gift, but not whose.
    pub(super) fn arrive(&mut self, who: User, tier: &str, now: Instant) {
        self.forget(now);
        let is_early = self.early.iter().any(|early| early.gift.recipients.iter().any(|known| known.id == who.id));
        if is_early || self.bombs.iter().any(|bomb| bomb.has(&who)) {
            return;
        }
        match self.only_open(tier) {
            Some(index) => self.name(index, who, now),
            None => self.arrivals.push(Arrival { who, tier: tier.to_owned(), at: now }),
        }
    }

    /// The one gift of this tier that waits for names from alerts. Of several it is not known whose they are.
    fn only_open(&self, tier: &str) -> Option<usize> {
        let waits = |bomb: &Bomb| bomb.gift.tier == tier && bomb.lacks_names() && !bomb.topics.has(Topic::CHAT);
        let mut open = self.bombs.iter().enumerate().filter(|(_, bomb)| waits(bomb));
        let (index, _) = open.next()?;
        open.next().is_none().then_some(index)
    }

    /// Those who arrived before their gift was announced.
    fn name_arrivals(&mut self, index: usize, now: Instant) {
        let Some(bomb) = self.bombs.get(index) else { return };
        let tier = bomb.gift.tier.clone();
        let count = usize::try_from(bomb.gift.count).unwrap_or(usize::MAX);
        let names: Vec<User> = self.arrivals.iter().filter(|it| it.tier == tier).map(|it| it.who.clone()).collect();
        if self.only_open(&tier) == Some(index) && names.len() <= count {
            for who in names {
                self.name(index, who, now);
            }
        }
    }

    /// Somebody received one of the gifts at `index`.
    fn name(&mut self, index: usize, who: User, now: Instant) {
        if self.bombs.iter().any(|bomb| bomb.told && bomb.has(&who)) {
            return;
        }
        self.arrivals.retain(|arrival| arrival.who.id != who.id);
        for bomb in &mut self.bombs {
            bomb.gift.recipients.retain(|known| bomb.told || known.id != who.id);
        }
        if let Some(bomb) = self.bombs.get_mut(index).filter(|bomb| bomb.lacks_names()) {
            bomb.gift.recipients.push(who);
            bomb.named = now;
        }
    }

    /// Tells what is complete, and what has waited long enough.
    pub(super) fn take_due(&mut self, now: Instant, drafts: &mut Vec<Draft>) {
        let give_way = self.bombs.len().saturating_sub(REMEMBERED);
        for (index, bomb) in self.bombs.iter_mut().enumerate().filter(|(_, bomb)| !bomb.told) {
            if bomb.is_full() || bomb.due() <= now || index < give_way {
                drafts.push(bomb.tell());
            }
        }
        self.bombs.drain(..give_way);
        let give_way = self.early.len().saturating_sub(REMEMBERED);
        let mut index = 0;
        let unannounced: Vec<Early> = self
            .early
            .extract_if(.., |early| {
                index += 1;
                early.named + LONGEST <= now || index <= give_way
            })
            .collect();
        drafts.extend(unannounced.into_iter().filter_map(|early| self.give_up(early, now)));
        self.arrivals.drain(..self.arrivals.len().saturating_sub(MOST_NAMES));
    }

    /// Names whose announcement in chat never came: those of a gift that an alert announced, or a gift of their own.
    fn give_up(&mut self, early: Early, now: Instant) -> Option<Draft> {
        let Early { community, draft, gift, topic, .. } = early;
        let count = u32::try_from(gift.recipients.len()).unwrap_or(u32::MAX);
        let fits = |bomb: &&mut Bomb| !bomb.topics.has(topic) && is_from(&bomb.gift, &gift) && bomb.gift.count >= count;
        if let Some(bomb) = self.bombs.iter_mut().find(fits) {
            bomb.community = Some(community);
            bomb.topics.add(topic);
            return None;
        }
        let mut bomb = Bomb::new(draft, Gift { count, ..gift.clone() }, now);
        bomb.gift.recipients = gift.recipients;
        bomb.community = Some(community);
        bomb.topics.add(topic);
        let told = bomb.tell();
        self.bombs.push(bomb);
        Some(told)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let bombs = self.bombs.iter().filter(|bomb| !bomb.told).map(Bomb::due);
        bombs.chain(self.early.iter().map(|early| early.named + LONGEST)).min()
    }

    /// Forgets what nothing that comes now can belong to.
    fn forget(&mut self, now: Instant) {
        self.bombs.retain(|bomb| !bomb.told || bomb.begun + WINDOW > now);
        self.arrivals.retain(|arrival| arrival.at + LONGEST > now);
    }
}
