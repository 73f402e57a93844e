use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::wire::read_history;
use super::*;

const STARTED: u64 = 1_767_600_000_000;

/// A message as the history has it, `second` after the start.
fn item(id: &str, text: &str, second: u64) -> Parsed {
    parsed(json!({"_id": id, "sender_username": "alice", "text": text, "timestamp": STARTED + second * 1000}))
}

/// A message as the socket of the first generation has it: no id, no time.
fn bare(text: &str) -> Parsed {
    parsed(json!({"author": {"fusername": "alice"}, "text": text}))
}

fn parsed(value: Value) -> Parsed {
    read_history(&json!([value]), "room").unwrap().remove(0)
}

fn ms(second: u64) -> u64 {
    STARTED + second * 1000
}

fn new_gap(seen: &Seen, epoch: Epoch) -> Gap {
    Gap::new(GapStart::new(seen, epoch, STARTED))
}

fn ids(items: &[Parsed]) -> Vec<&str> {
    items.iter().map(|item| item.cursor.as_deref().unwrap_or("?")).collect()
}

#[test]
fn an_id_is_told_once() {
    let mut seen = Seen::default();
    assert!(seen.admit(&item("a", "gm", 1), Way::Live, 1, ms(1)));
    assert!(!seen.admit(&item("a", "gm", 1), Way::Live, 1, ms(1)));
    assert!(!seen.admit(&item("a", "gm", 1), Way::History, 1, ms(1)));
    // A spammer writes the same at the same moment: another id is another message.
    assert!(seen.admit(&item("b", "gm", 1), Way::Live, 1, ms(1)));
    assert!(!seen.admit(&item("b", "gm", 1), Way::History, 1, ms(1)));
    assert!(seen.admit(&item("c", "gm", 1), Way::History, 1, ms(1)));
}

#[test]
fn a_live_message_without_id_is_found_in_the_history() {
    let mut seen = Seen::default();
    for _ in 0..3 {
        assert!(seen.admit(&bare("gm"), Way::Live, 1, ms(5)));
    }
    // Three were seen live, four were written.
    let told = ["a", "b", "c", "d"].map(|id| seen.admit(&item(id, "gm", 6), Way::History, 1, ms(60)));
    assert_eq!(told, [false, false, false, true]);
    // Once matched, the id alone says it.
    assert!(!seen.admit(&item("a", "gm", 6), Way::History, 1, ms(60)));
    assert!(seen.admit(&item("e", "gm", 55), Way::History, 1, ms(60)));
}

#[test]
fn without_ids_the_same_words_at_the_same_time_are_one_message() {
    let stamped = |second: u64| parsed(json!({"username": "alice", "text": "gm", "timestamp": ms(second)}));
    let mut seen = Seen::default();
    assert!(seen.admit(&stamped(1), Way::Live, 1, ms(1)));
    assert!(!seen.admit(&stamped(1), Way::Live, 1, ms(1)));
    assert!(seen.admit(&stamped(2), Way::Live, 1, ms(2)));
}

#[test]
fn a_tip_that_is_told_twice_is_thanked_for_once() {
    let tip = |fields: Value| {
        let mut message = json!({"type": "tip", "sender_username": "bob", "tip_data": {"amount": "5"}, "text": "hi"});
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        parsed(message)
    };
    let mut seen = Seen::default();
    assert!(seen.admit(&tip(json!({"_id": "m1"})), Way::Live, 1, ms(1)));
    assert!(!seen.admit(&tip(json!({"_id": "t1"})), Way::Notice, 1, ms(2)));
    assert!(!seen.admit(&tip(json!({"_id": "m1"})), Way::History, 2, ms(9)));
    // The same sum again is another tip.
    assert!(seen.admit(&tip(json!({"_id": "m2"})), Way::Live, 1, ms(3)));
}

#[test]
fn memory_is_bounded() {
    let mut seen = Seen::default();
    for number in 0..20_000_u64 {
        seen.admit(&item(&number.to_string(), "same", number / 100), Way::Live, 1, ms(300));
    }
    assert!(!seen.admit(&item("19999", "same", 199), Way::Live, 1, ms(300)));
    assert!(seen.admit(&item("0", "same", 0), Way::Live, 1, ms(300)));
    let debug = format!("{seen:?}");
    assert!(debug.len() < 4_000_000, "{}", debug.len());
}

#[test]
fn a_fresh_start_tells_nothing_from_before() {
    let mut seen = Seen::default();
    let mut gap = new_gap(&seen, 1);
    let old = parsed(json!({"_id": "old", "text": "x", "timestamp": STARTED - 1}));
    let timeless = parsed(json!({"_id": "timeless", "text": "x"}));
    let page = vec![item("new", "x", 0), old.clone(), timeless];
    assert_eq!(gap.take(page, &seen), Next::Before("timeless".into()));
    assert_eq!(gap.take(vec![old.clone()], &seen), Next::Complete);
    assert_eq!(ids(&gap.finish(&mut seen, ms(1))), ["new"]);
    assert!(!seen.admit(&old, Way::Live, 1, ms(1)), "it is known all the same");
}

#[test]
fn the_walk_goes_back_to_what_is_known_and_tells_the_rest_in_order() {
    let mut seen = Seen::default();
    seen.admit(&item("k", "known", 10), Way::Live, 1, ms(10));
    let mut gap = new_gap(&seen, 2);
    // Meanwhile something comes live; it must not end the walk.
    seen.admit(&item("live", "x", 50), Way::Live, 2, ms(50));
    assert_eq!(gap.take(vec![item("live", "x", 50), item("d", "x", 40)], &seen), Next::Before("d".into()));
    // This page is sorted the other way round.
    assert_eq!(gap.take(vec![item("a", "x", 20), item("b", "x", 30)], &seen), Next::Before("a".into()));
    assert_eq!(gap.take(vec![item("z", "x", 11), item("k", "known", 10), item("y", "x", 1)], &seen), Next::Complete);
    assert_eq!(ids(&gap.finish(&mut seen, ms(60))), ["y", "z", "a", "b", "d"]);
}

#[test]
fn the_walk_ends_somewhere_whatever_the_server_does() {
    let seen = Seen::default();
    let mut gap = new_gap(&seen, 1);
    assert_eq!(gap.take(vec![], &seen), Next::Complete);
    let mut gap = new_gap(&seen, 1);
    assert_eq!(gap.take(vec![parsed(json!({"text": "no id", "timestamp": ms(5)}))], &seen), Next::Complete);
    // It ignores where to begin and sends the same page again.
    let mut gap = new_gap(&seen, 1);
    assert_eq!(gap.take(vec![item("a", "x", 5)], &seen), Next::Before("a".into()));
    assert_eq!(gap.take(vec![item("a", "x", 5)], &seen), Next::Complete);
    // It has messages without end.
    let mut gap = new_gap(&seen, 1);
    let asked = (0..).take_while(|page| gap.take(vec![item(&page.to_string(), "x", 5)], &seen) != Next::Complete);
    assert_eq!(asked.count(), MAX_PAGES - 1);
}

#[test]
fn a_time_from_the_future_does_not_hide_what_follows() {
    let mut seen = Seen::default();
    seen.admit(&item("forged", "x", 100_000_000), Way::Live, 1, ms(10));
    let mut gap = new_gap(&seen, 2);
    assert_eq!(gap.take(vec![item("a", "x", 20), item("forged", "x", 100_000_000)], &seen), Next::Complete);
    assert_eq!(ids(&gap.finish(&mut seen, ms(30))), ["a"]);
}

proptest! {
    /// A chat of which a part was seen live, then an outage, then everything from the history in pages:
    /// each message is told exactly once, whether the live ones had ids or not.
    #[test]
    fn every_message_is_told_exactly_once(
        texts in prop::collection::vec("[ab]", 1..60),
        seen_live in 0_usize..60,
        page_size in 1_usize..12,
        live_has_ids in any::<bool>(),
        is_ascending in any::<bool>(),
    ) {
        let items: Vec<Parsed> =
            texts.iter().enumerate().map(|(at, text)| item(&at.to_string(), text, at as u64)).collect();
        let live = seen_live.min(items.len());
        // Words that are merely alike can be told apart only when the whole neighbourhood is read.
        prop_assume!(items.len() <= page_size * MAX_PAGES);
        let mut seen = Seen::default();
        let mut told = 0;
        for (at, message) in items[..live].iter().enumerate() {
            let sighting = if live_has_ids { message.clone() } else { bare(&texts[at]) };
            told += usize::from(seen.admit(&sighting, Way::Live, 1, ms(at as u64)));
        }
        let mut gap = new_gap(&seen, 2);
        let mut end = items.len();
        loop {
            let begin = end.saturating_sub(page_size);
            let mut page = items[begin..end].to_vec();
            if !is_ascending {
                page.reverse();
            }
            end = begin;
            if gap.take(page, &seen) == Next::Complete {
                break;
            }
        }
        let missed = gap.finish(&mut seen, ms(100));
        told += missed.len();
        let order: Vec<usize> = missed.iter().map(|item| item.cursor.as_deref().unwrap().parse().unwrap()).collect();
        prop_assert!(order.is_sorted());
        prop_assert_eq!(told, items.len());
    }
}
