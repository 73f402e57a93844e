//! In whatever order parcels come, are taken, come back: moderation leaves first, then the oldest, and the bound holds.

use proptest::prelude::*;

use super::super::parcel::Line;
use super::*;
use crate::effect::Action;
use crate::event::Channel;

#[derive(Debug, Clone)]
enum Step {
    /// Parcels with so many lines each.
    Push(Priority, usize, usize),
    /// The first is taken, and comes back with one line less unless it was its last.
    Send,
    /// The first is taken for good.
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![1 => Just(Priority::Moderation), 3 => Just(Priority::Chat)];
    let parcels = prop_oneof![4 => 1..4_usize, 1 => 1000..3000_usize];
    prop_oneof![
        3 => (priority, parcels, 1..5_usize).prop_map(|(priority, parcels, lines)| Step::Push(priority, parcels, lines)),
        3 => Just(Step::Send),
        1 => Just(Step::Expire),
    ]
}

fn parcel(priority: Priority, number: usize, lines: usize) -> Parcel {
    let line = |number| {
        let action = match priority {
            Priority::Moderation => Action::Lift { user_id: String::new() },
            Priority::Chat => Action::Say { text: String::new() },
        };
        Line { number, channel: Channel::engine(), action }
    };
    let mut parcel = Parcel::new("greeter".into(), number.to_string().into(), line(0));
    (1..u32::try_from(lines).unwrap()).for_each(|number| parcel.push(line(number)));
    parcel
}

/// What waits, as it must be: the numbers of the parcels and their lines, by priority.
#[derive(Default)]
struct Expected {
    parcels: BTreeMap<(Priority, usize), usize>,
    lines: usize,
}

impl Expected {
    fn insert(&mut self, name: (Priority, usize), lines: usize) {
        self.lines += lines;
        assert_eq!(self.parcels.insert(name, lines), None);
    }

    fn remove(&mut self, name: (Priority, usize)) -> Option<usize> {
        let lines = self.parcels.remove(&name)?;
        self.lines -= lines;
        Some(lines)
    }

    fn first(&self) -> Option<(Priority, usize)> {
        self.parcels.first_key_value().map(|(place, _)| *place)
    }

    fn oldest_chat(&self) -> Option<(Priority, usize)> {
        self.parcels.keys().find(|(priority, _)| *priority == Priority::Chat).copied()
    }
}

fn name(parcel: &Parcel) -> (Priority, usize) {
    (parcel.priority, parcel.event_id.parse().unwrap())
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
                Step::Push(priority, parcels, lines) => for _ in 0..parcels {
                    count += 1;
                    let turned_away = queue.push(parcel(priority, count, lines));
                    expected.insert((priority, count), lines);
                    for turned_away in &turned_away {
                        prop_assert!(expected.lines > BOUND, "{turned_away:?}");
                        let (gone, parcel) = match turned_away {
                            TurnedAway::OldestChat(parcel) => (expected.oldest_chat(), parcel),
                            TurnedAway::Newest(parcel) => (Some((Priority::Moderation, count)), parcel),
                            TurnedAway::Closed(parcel) => (None, parcel),
                        };
                        prop_assert_eq!(gone, Some(name(parcel)));
                        expected.remove(name(parcel));
                    }
                },
                Step::Send | Step::Expire => {
                    let first = queue.first().map(|(place, parcel)| (place, name(parcel)));
                    prop_assert_eq!(first.map(|(_, name)| name), expected.first());
                    let Some((place, name)) = first else { continue };
                    let mut parcel = queue.take(place).unwrap();
                    prop_assert_eq!(expected.remove(name), Some(parcel.lines.len()));
                    parcel.lines.pop_front();
                    if matches!(step, Step::Send) && !parcel.lines.is_empty() {
                        expected.insert(name, parcel.lines.len());
                        queue.put_back(place, parcel);
                    }
                }
            }
            prop_assert_eq!(queue.lines, expected.lines);
            prop_assert!(queue.lines <= BOUND);
        }
        let left: Vec<_> = queue.take_all().iter().map(name).collect();
        prop_assert!(left.iter().eq(expected.parcels.keys()));
    }
}
