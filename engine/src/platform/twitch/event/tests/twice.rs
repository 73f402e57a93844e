//! Happenings that several topics tell of are told once, in whichever order the topics come and whichever there are.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One happening, as each of its topics tells it.
#[derive(Debug, Clone)]
struct Happening {
    name: String,
    tellings: Vec<(String, Value)>,
}

fn named(event: &mut Value, fields: [&str; 3], id: &str) {
    for field in fields {
        event[field] = json!(id);
    }
}

fn telling(file: &str, index: usize, change: impl FnOnce(&mut Value)) -> (String, Value) {
    let (topic, mut event) = sample(file).remove(index);
    change(&mut event);
    (topic, event)
}

const USER: [&str; 3] = ["user_id", "user_login", "user_name"];
const CHATTER: [&str; 3] = ["chatter_user_id", "chatter_user_login", "chatter_user_name"];

/// `who` does something; the same twice is two equal happenings.
fn happening(kind: usize, who: &str) -> Happening {
    let user = |file: &str, index: usize| telling(file, index, |event| named(event, USER, who));
    let chatter = |file: &str, index: usize| telling(file, index, |event| named(event, CHATTER, who));
    let act = |index: usize, action: &str| telling("moderate", index, |event| named(&mut event[action], USER, who));
    let target = telling("clear-user-messages", 0, |event| {
        named(event, ["target_user_id", "target_user_login", "target_user_name"], who);
    });
    let (name, tellings) = match kind {
        0 => ("resub", vec![user("subscription-message", 0), chatter("notice-resub", 0)]),
        1 => ("bits", vec![user("cheer", 0), user("bits", 0)]),
        2 => ("ban", vec![user("ban", 0), act(0, "ban"), target]),
        3 => ("timeout", vec![user("timeout", 0), act(1, "timeout"), target]),
        4 => ("unban", vec![user("unban", 0), act(2, "unban")]),
        5 => ("warn", vec![user("warning", 0), act(6, "warn")]),
        _ => (
            "raid",
            vec![
                telling("raid", 0, |event| {
                    let names =
                        ["from_broadcaster_user_id", "from_broadcaster_user_login", "from_broadcaster_user_name"];
                    named(event, names, who);
                }),
                telling("notice-raid", 0, |event| {
                    named(event, CHATTER, who);
                    named(&mut event["raid"], USER, who);
                }),
            ],
        ),
    };
    Happening { name: format!("{name} {who}"), tellings }
}

fn name(draft: &Draft) -> String {
    let (kind, who) = match &draft.event {
        Event::Subscription(subscription) => (subscription.kind.as_str(), &subscription.who),
        Event::Support(support) => (support.kind.as_str(), support.who.as_ref().unwrap()),
        Event::Raid(raid) => ("raid", &raid.source),
        Event::Moderation(moderation) => (moderation.kind.as_str(), moderation.target.as_ref().unwrap()),
        other => panic!("{other:?}"),
    };
    format!("{kind} {}", who.id)
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

/// Happenings, and all that is told of them where the first topic, or another one, is not granted.
fn happenings() -> impl Strategy<Value = (Vec<Happening>, Vec<(String, Value)>)> {
    (prop::collection::vec((0..7_usize, prop::sample::select(vec!["a", "b"])), 1..8), 0..3_usize).prop_flat_map(
        |(drawn, without)| {
            let happenings: Vec<Happening> = drawn.iter().map(|(kind, who)| happening(*kind, who)).collect();
            let tellings = happenings.iter().flat_map(|happening| {
                let few = happening.tellings.len() == 2;
                // With two topics, 2 takes none of them away; a clearing alone says no more than that.
                happening
                    .tellings
                    .iter()
                    .enumerate()
                    .filter(move |(index, _)| *index != without || (!few && without == 2))
            });
            let tellings: Vec<(String, Value)> = tellings.map(|(_, telling)| telling.clone()).collect();
            (Just(happenings), Just(tellings).prop_shuffle())
        },
    )
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_told_twice((happenings, tellings) in happenings()) {
        let mut stage = Stage::new();
        let mut drafts = stage.hear_all(&tellings);
        drafts.extend(stage.rest());
        prop_assert_eq!(counted(drafts.iter().map(name)), counted(happenings.iter().map(|it| it.name.clone())));
        let ids: std::collections::BTreeSet<&str> = drafts.iter().map(id_of).collect();
        prop_assert_eq!(ids.len(), drafts.len(), "each has an id of its own");
    }
}

#[test]
fn whoever_subscribes_is_told_once() {
    let both = [sample("subscribe"), sample("notice-sub")];
    for order in [[0, 1], [1, 0]] {
        let notices: Vec<_> = order.into_iter().flat_map(|index| both[index].clone()).collect();
        assert_eq!(Stage::new().hear_all(&notices).len(), 1);
    }
    let mut stage = Stage::new();
    assert_eq!(stage.hear_all(&sample("notice-upgrade")).len(), 2, "two by one topic are two");
    assert_eq!(stage.hear_all(&sample("subscribe")), [], "the subscription that it upgraded to");
}

#[test]
fn after_a_minute_it_is_another_one() {
    let mut stage = Stage::new();
    assert_eq!(stage.hear_all(&sample("raid")).len(), 2);
    stage.wait(Duration::from_secs(59));
    assert_eq!(stage.hear_all(&sample("notice-raid")), []);
    stage.wait(Duration::from_secs(1));
    assert_eq!(stage.hear_all(&sample("notice-raid")).len(), 1);
}

#[test]
fn a_deletion_has_one_id_in_both_topics() {
    let (topic, mut event) = sample("moderate").remove(4);
    event["delete"]["message_id"] = json!("m1");
    assert_eq!(Stage::new().hear(&topic, &event)[0].id, only("message-delete").id);
}

#[test]
fn a_clearing_waits_a_little_for_its_cause() {
    let mut stage = Stage::new();
    assert_eq!(stage.hear_all(&sample("clear-user-messages")), []);
    let due = stage.normalizer.next_due().unwrap() - stage.now;
    assert_eq!(stage.wait(due / 2), []);
    assert_eq!(stage.hear_all(&sample("timeout")).len(), 1, "the timeout says more");
    assert_eq!(stage.rest(), []);

    assert_eq!(stage.hear_all(&sample("clear-user-messages")), []);
    let cleared = stage.wait(due);
    assert!(matches!(&cleared[..], [Draft { event: Event::Moderation(act), .. }] if act.kind == "clear"));
    assert_eq!(stage.hear_all(&sample("timeout")).len(), 1, "late, but it says more");
    assert_eq!(stage.hear_all(&sample("clear-user-messages")), [], "that one belongs to it");
    assert_eq!(stage.rest(), []);
}

#[test]
fn channels_are_apart() {
    let mut stage = Stage::new();
    let (topic, cheer) = sample("cheer").remove(0);
    let (other_topic, bits) = sample("bits").remove(0);
    assert_eq!(stage.hear(&topic, &cheer).len(), 1);
    let notice = Notice { message_id: "x", topic: &other_topic, version: "1", at_ms: NOW_MS, event: &bits };
    let there = Channel::new(PLATFORM, "4711");
    assert_eq!(stage.normalizer.read(&there, OWN, &notice, stage.now).len(), 1);
}
