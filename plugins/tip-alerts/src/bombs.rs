//! Which gifts belong together.
//!
//! Platforms tell of a gift of a hundred in different ways: as one event with all names, as one event ("a hundred") and
//! a hundred single gifts, as a hundred single gifts alone, and beside all that as a hundred subscriptions that were
//! received, which name no giver. They come in any order. Whatever it is, it becomes one group of its giver.

use showrunner_sdk::event::{Gift, User};

use crate::group::{About, Entry, Gifts, Group, Moment, State, begin};
use crate::person::Person;

/// Adds a gift to the group that it belongs to, or begins one. Returns how many more were given than were known to be.
pub(crate) fn give(entries: &mut Vec<Entry>, moment: &Moment, gift: &Gift) -> u32 {
    let giver = gift.giver.as_ref().map(Person::from);
    let recipients: Vec<Person> = gift.recipients.iter().map(Person::from).collect();
    let count = gift.count.max(u32::try_from(recipients.len()).unwrap_or(u32::MAX)).max(1);
    // A gift to one named person is one of many, or the only one. Anything else says how many there are.
    let announced = if count == 1 && recipients.len() == 1 { 0 } else { count };
    let is_mine = |entry: &Entry| {
        let gifts = entry.group.gifts().filter(|gifts| gifts.tier == gift.tier);
        entry.is_here(moment) && gifts.is_some_and(|gifts| id_of(gifts.giver.as_ref()) == id_of(giver.as_ref()))
    };
    let index = belongs_to(entries, is_mine, &recipients, announced).unwrap_or_else(|| {
        let gifts = Gifts { giver: None, tier: gift.tier.clone(), announced: 0, total: 0 };
        // Found again by its place alone, so the giver may be filled in below.
        begin(entries, moment, About::Gifts(gifts))
    });
    let Some(Entry { group, state, .. }) = entries.get_mut(index) else { return 0 };
    *state = State::Changed;
    let before = group.given();
    for person in &recipients {
        group.people.add(person);
    }
    if let About::Gifts(gifts) = &mut group.about {
        gifts.announced = gifts.announced.saturating_add(announced);
        gifts.total = gifts.total.max(gift.total.unwrap_or(0));
        // The name as it is now.
        gifts.giver = giver;
    }
    group.timely |= moment.is_timely;
    group.touch(moment.window, moment.now_ms);
    group.given().saturating_sub(before)
}

fn id_of(giver: Option<&Person>) -> Option<&str> {
    giver.map(|giver| giver.id.as_str())
}

/// The index of the group that a gift belongs to, among those of its giver.
fn belongs_to(
    entries: &[Entry],
    is_mine: impl Fn(&Entry) -> bool,
    recipients: &[Person],
    announced: u32,
) -> Option<usize> {
    let find = |fits: &dyn Fn(&Group) -> bool| entries.iter().position(|entry| is_mine(entry) && fits(&entry.group));
    let open = || find(&|group| !group.thanked);
    match recipients {
        // It is told twice; or it was announced, and its group did not wait long enough for it.
        [only] if announced == 0 => find(&|group| group.people.contains(&only.id))
            .or_else(|| find(&|group| group.thanked && group.outstanding() > 0))
            .or_else(open),
        // It says how many there were, and they were thanked for already.
        _ => find(&|group| group.thanked && group.unannounced() >= announced).or_else(open),
    }
}

/// Somebody received a gift. They are kept until a gift of their tier asks for names; gifts that still wait for names
/// wait a little longer.
pub(crate) fn arrive(entries: &mut Vec<Entry>, moment: &Moment, who: &User, tier: &str) {
    let mut arrivals = None;
    for (index, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| entry.is_here(moment)) {
        match &entry.group.about {
            About::Gifts(gifts)
                if is_tier(&gifts.tier, tier) && !entry.group.thanked && entry.group.outstanding() > 0 =>
            {
                entry.group.touch(moment.window, moment.now_ms);
                entry.state = State::Changed;
            }
            About::Arrivals { tier: theirs } if theirs == tier => arrivals = Some(index),
            _ => {}
        }
    }
    let index = arrivals.unwrap_or_else(|| begin(entries, moment, About::Arrivals { tier: tier.to_owned() }));
    if let Some(Entry { group, state, .. }) = entries.get_mut(index) {
        group.people.add(&Person::from(who));
        // Nobody thanks them.
        group.thanked(moment.now_ms);
        *state = State::Changed;
    }
}

/// Whether it may be the same tier: not every event of every platform says one.
fn is_tier(one: &str, other: &str) -> bool {
    one == other || one.is_empty() || other.is_empty()
}

/// Gives the group at `index` the names of those who arrived and are nobody else's, as many as it lacks.
pub(crate) fn lend_names(entries: &mut [Entry], index: usize) {
    let Some(Entry { group, .. }) = entries.get(index) else { return };
    let Some(gifts) = group.gifts() else { return };
    let missing = usize::try_from(group.outstanding()).unwrap_or(usize::MAX);
    let here = || entries.iter().filter(|entry| entry.state != State::Gone && entry.group.source == group.source);
    let has_arrived =
        |entry: &&Entry| matches!(&entry.group.about, About::Arrivals { tier } if is_tier(tier, &gifts.tier));
    let is_free =
        |person: &Person| !here().any(|entry| entry.group.gifts().is_some() && entry.group.people.contains(&person.id));
    let arrived = here().filter(has_arrived).flat_map(|entry| entry.group.people.known());
    let free: Vec<Person> = arrived.filter(is_free).take(missing).collect();
    if let Some(entry) = entries.get_mut(index) {
        for person in &free {
            entry.group.people.add(person);
        }
    }
}
