//! In whatever order entries come, are taken, come back: moderation leaves first, then the oldest, and the bound holds.

use proptest::prelude::*;

use super::super::entry::Line;
use super::*;
use crate::effect::Action;
use crate::event::Channel;

#[derive(Debug, Clone)]
enum Step {
    /// Entries with so many lines each.
    Push(Priority, usize, usize),
    /// The first is taken, and comes back with one line less unless it was its last.
    Send,
    /// The first is taken for good.
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![1 => Just(Priority::Moderation), 3 => Just(Priority::Chat)];
    let entries = prop_oneof![4 => 1..4_usize, 1 => 1000..3000_usize];
    prop_oneof![
        3 => (priority, entries, 1..5_usize).prop_map(|(priority, entries, lines)| Step::Push(priority, entries, lines)),
        3 => Just(Step::Send),
        1 => Just(Step::Expire),
    ]
}

fn entry(priority: Priority, number: usize, lines: usize) -> Entry {
    let line = |number| {
        let action = match priority {
            Priority::Moderation => Action::Lift { user_id: String::new() },
            Priority::Chat => Action::Say { text: String::new() },
        };
        Line { number, channel: Channel::engine(), action }
    };
    let mut entry = Entry::new("greeter".into(), number.to_string().into(), line(0));
    (1..u32::try_from(lines).unwrap()).for_each(|number| entry.push(line(number)));
    entry
}

/// What waits, as it must be: the numbers of the entries and their lines, by priority.
#[derive(Default)]
struct Expected {
    entries: BTreeMap<(Priority, usize), usize>,
    lines: usize,
}

impl Expected {
    fn insert(&mut self, name: (Priority, usize), lines: usize) {
        self.lines += lines;
        assert_eq!(self.entries.insert(name, lines), None);
    }

    fn remove(&mut self, name: (Priority, usize)) -> Option<usize> {
        let lines = self.entries.remove(&name)?;
        self.lines -= lines;
        Some(lines)
    }

    fn first(&self) -> Option<(Priority, usize)> {
        self.entries.first_key_value().map(|(place, _)| *place)
    }

    fn oldest_chat(&self) -> Option<(Priority, usize)> {
        self.entries.keys().find(|(priority, _)| *priority == Priority::Chat).copied()
    }
}

fn name(entry: &Entry) -> (Priority, usize) {
    (entry.priority, entry.event_id.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn moderation_goes_first_then_the_oldest_and_the_oldest_chat_makes_room(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let (mut queue, mut expected, mut count) = (Queue::default(), Expected::default(), 0);
        for step in steps {
            match step {
                Step::Push(priority, entries, lines) => for _ in 0..entries {
                    count += 1;
                    let rejected = queue.push(entry(priority, count, lines));
                    expected.insert((priority, count), lines);
                    for rejected in &rejected {
                        prop_assert!(expected.lines > BOUND, "{rejected:?}");
                        let (gone, entry) = match rejected {
                            Rejected::OldestChat(entry) => (expected.oldest_chat(), entry),
                            Rejected::Newest(entry) => (Some((Priority::Moderation, count)), entry),
                            Rejected::Closed(entry) => (None, entry),
                        };
                        prop_assert_eq!(gone, Some(name(entry)));
                        expected.remove(name(entry));
                    }
                },
                Step::Send | Step::Expire => {
                    let first = queue.first().map(|(place, entry)| (place, name(entry)));
                    prop_assert_eq!(first.map(|(_, name)| name), expected.first());
                    let Some((place, name)) = first else { continue };
                    let mut entry = queue.take(place).unwrap();
                    prop_assert_eq!(expected.remove(name), Some(entry.lines.len()));
                    entry.lines.pop_front();
                    if matches!(step, Step::Send) && !entry.lines.is_empty() {
                        expected.insert(name, entry.lines.len());
                        queue.put_back(place, entry);
                    }
                }
            }
            prop_assert_eq!(queue.lines, expected.lines);
            prop_assert!(queue.lines <= BOUND);
        }
        let left: Vec<_> = queue.take_all().iter().map(name).collect();
        prop_assert!(left.iter().eq(expected.entries.keys()));
    }
}
