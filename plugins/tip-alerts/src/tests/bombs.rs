//! Gifts: however many events they come in, they are one thank-you with the names.

use proptest::prelude::*;
use showrunner_sdk::event::Gift;

use super::*;

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("viewer{number}")).collect()
}

fn singles(giver: &str, names: &[String]) -> Vec<Draft> {
    names.iter().map(|name| single(giver, name)).collect()
}

fn arrivals(names: &[String]) -> Vec<Draft> {
    names.iter().map(|name| event::gifted(name)).collect()
}

const HUNDRED: &str = "Gia gives 100 subs to viewer1, viewer2, viewer3, viewer4, viewer5, viewer6, viewer7, viewer8, \
                       viewer9, viewer10, viewer11, viewer12 and 88 more! 🤯🎁";

#[test]
fn a_hundred_gifts_are_one_thank_you_in_every_form_that_platforms_have() {
    let announcement = || event::gift("Gia", 100);
    let all = names(100);
    let with = |first: Vec<Draft>, then: Vec<Draft>| first.into_iter().chain(then).collect::<Vec<_>>();
    let forms: [(&str, Vec<Draft>); 8] = [
        ("closed by the engine", vec![announcement().recipients(&all)]),
        ("announced, then each", with(vec![announcement()], singles("Gia", &all))),
        ("each, then announced", with(singles("Gia", &all), vec![announcement()])),
        ("each alone", singles("Gia", &all)),
        ("announced, then received", with(vec![announcement()], arrivals(&all))),
        ("received, then announced", with(arrivals(&all), vec![announcement()])),
        ("all at once", with(with(arrivals(&all), vec![announcement()]), singles("Gia", &all))),
        ("half of the names", with(vec![announcement()], singles("Gia", &all[..50]))),
    ];
    for (form, drafts) in forms {
        let mut harness = start(json!({"goals": {"subs": {"target": "1000"}}}));
        assert_eq!(say_all(&mut harness, drafts), [HUNDRED], "{form}");
        let texts = say(&mut harness, event::chat("Mia", "!goal subs").moderator());
        assert_eq!(texts, ["Subs: 100 of 1000 (10 %)"], "{form}");
        assert_eq!(harness.remembered_keys(), ["goal/subs"], "{form}: nothing is left behind");
    }
}

#[test]
fn a_bomb_that_is_complete_does_not_wait() {
    let mut harness = start(json!({}));
    let all = names(3);
    assert_eq!(say(&mut harness, event::gift("Gia", 3)), [""; 0]);
    for draft in singles("Gia", &all[..2]) {
        assert_eq!(say(&mut harness, draft), [""; 0]);
    }
    let reaction = harness.push(single("Gia", "viewer3"));
    assert_eq!(reaction.texts(), ["Gia gives 3 subs to viewer1, viewer2, viewer3! 🎁"]);
    let alert = alerts(&reaction)[0];
    assert_eq!((alert.kind.as_str(), alert.title.as_str()), ("gift", "Gia gives 3 subs"));
    assert_eq!(alert.text, "viewer1, viewer2, viewer3");
    assert_eq!(say_all(&mut harness, arrivals(&all)), [""; 0], "their own subs are no news");
}

#[test]
fn a_bomb_that_stays_incomplete_is_thanked_for_when_it_is_quiet() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, event::gift("Gia", 5)), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND * 2), [""; 0]);
    assert_eq!(say(&mut harness, single("Gia", "Ada")), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND * 2), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND), ["Gia gives 5 subs to Ada and 4 more! 🎁"]);
    assert_eq!(say_all(&mut harness, singles("Gia", &names(4))), [""; 0], "they were announced, and are late");
    assert_eq!(say_all(&mut harness, [single("Gia", "Bob")]), ["Gia gives a sub to Bob! 🎁"], "a gift of its own");
}

#[test]
fn a_new_sub_that_a_gift_brought_is_not_thanked_for() {
    let mut harness = start(json!({"goals": {"subs": {"target": "50"}}}));
    let drafts = [
        event::gift("Gia", 2).recipients(&["Ada", "Bob"]),
        event::subscription("Ada", 1),
        event::subscription("Cem", 1),
    ];
    let texts: Vec<String> = drafts.into_iter().flat_map(|draft| say(&mut harness, draft)).collect();
    assert_eq!(texts, ["Gia gives 2 subs to Ada, Bob! 🎁", "Thank you for the sub, Cem! ⭐"]);
    assert_eq!(say(&mut harness, event::chat("Mia", "!goal").moderator()), ["Subs: 3 of 50 (6 %)"]);
    harness.advance(SECOND * 61);
    assert_eq!(say(&mut harness, event::subscription("Ada", 1)).len(), 1, "that is another one");
}

#[test]
fn names_are_found_where_a_platform_says_the_tier_only_once() {
    let mut harness = start(json!({}));
    let drafts = [event::gift("Gia", 2).tier(""), event::gifted("Ada"), event::gifted("Bob")];
    assert_eq!(say_all(&mut harness, drafts), ["Gia gives 2 subs to Ada, Bob! 🎁"]);
}

#[test]
fn an_announcement_after_the_thanks_is_no_second_bomb() {
    let mut harness = start(json!({}));
    let mut texts: Vec<String> =
        singles("Gia", &names(5)).into_iter().flat_map(|draft| say(&mut harness, draft)).collect();
    texts.extend(wait(&mut harness, SECOND * 10));
    texts.extend(say(&mut harness, event::gift("Gia", 5)));
    texts.extend(wait(&mut harness, SECOND * 10));
    assert_eq!(texts, ["Gia gives 5 subs to viewer1, viewer2, viewer3, viewer4, viewer5! 🎁"]);
    assert_eq!(say_all(&mut harness, [event::gift("Gia", 5)]), ["Gia gives 5 subs to the community! 🎁"]);
}

#[test]
fn a_single_gift_before_a_bomb_swallows_nothing() {
    let mut harness = start(json!({}));
    assert_eq!(say(&mut harness, single("Gia", "Ada")), [""; 0]);
    assert_eq!(wait(&mut harness, SECOND * 5), ["Gia gives a sub to Ada! 🎁"]);
    let texts = say_all(&mut harness, [event::gift("Gia", 2), single("Gia", "Bob"), single("Gia", "Cem")]);
    assert_eq!(texts, ["Gia gives 2 subs to Bob, Cem! 🎁"]);
}

#[test]
fn givers_tiers_channels_and_platforms_are_apart() {
    let mut harness =
        start(json!({"kinds": {"gift": {"tiers": {"several": {"thanks": ["{user} {count} {tier} {names}"]}}}}}));
    let pair = |draft: fn(&str) -> Draft| [draft("Ada"), draft("Bob")];
    let drafts = [
        pair(|name| single("Gia", name)),
        pair(|name| single("Hal", name)),
        pair(|name| single("Gia", name).tier("3000")),
        pair(|name| single("Gia", name).at("twitch", "studio")),
        pair(|name| single("Gia", name).at("test", "kitchen")),
        pair(|name| single("", name).anonymous()),
    ];
    // Each pair's first, then each pair's second.
    let (first, second): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().map(|[first, second]| (first, second)).unzip();
    let mut texts = say_all(&mut harness, first.into_iter().chain(second));
    texts.sort();
    let gia = "Gia 2 Tier 1 Ada, Bob";
    assert_eq!(texts, [gia, gia, gia, "Gia 2 Tier 3 Ada, Bob", "Hal 2 Tier 1 Ada, Bob", "Somebody 2 Tier 1 Ada, Bob"]);
}

#[test]
fn what_the_giver_has_given_in_all_can_be_told() {
    let mut harness = start(json!({"kinds": {"gift": {"thanks": ["{user}: {total} in all"]}}}));
    let told = single("Gia", "Ada").changed(|event| {
        let Event::Gift(Gift { total, .. }) = event else { panic!("{event:?}") };
        *total = Some(42);
    });
    assert_eq!(say_all(&mut harness, [told]), ["Gia: 42 in all"]);
}

#[test]
fn a_train_of_many_givers_stays_bounded() {
    let mut harness = start(json!({}));
    let givers = 400;
    let texts = say_all(&mut harness, (0..givers).map(|number| single(&format!("giver{number}"), "Ada")));
    assert_eq!(texts.len(), givers);
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn gifts_that_nobody_thanks_for_count_all_the_same() {
    let settings = json!({"kinds": {"gift": {"enabled": false}}, "goals": {"subs": {"target": "50"}}});
    let mut harness = start(settings);
    let texts = say_all(&mut harness, [event::gift("Gia", 2), single("Gia", "Ada"), single("Gia", "Bob")]);
    assert_eq!(texts, [""; 0]);
    assert_eq!(say(&mut harness, event::chat("Mia", "!goal").moderator()), ["Subs: 2 of 50 (4 %)"]);
}

/// What interrupts a bomb.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Nothing,
    /// The plugin crashes, or the engine starts again: memory is lost.
    Restart,
    Reload,
}

#[derive(Debug, Clone)]
struct Bomb {
    count: usize,
    is_announced: bool,
    is_received: bool,
    is_told_twice: bool,
    /// Where each event stands among the others, by its rank.
    order: Vec<u32>,
    gaps_ms: Vec<u64>,
    turns: Vec<Turn>,
}

impl Bomb {
    fn drafts(&self) -> Vec<Draft> {
        let all = names(self.count);
        let mut drafts = singles("Gia", &all);
        drafts.extend(self.is_announced.then(|| event::gift("Gia", u32::try_from(self.count).unwrap())));
        drafts.extend(self.is_received.then(|| arrivals(&all)).into_iter().flatten());
        drafts.extend(self.is_told_twice.then(|| single("Gia", "viewer1")));
        let mut ranked: Vec<(u32, Draft)> = self.order.iter().copied().cycle().zip(drafts).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, draft)| draft).collect()
    }
}

fn bomb() -> impl Strategy<Value = Bomb> {
    let turn = prop_oneof![6 => Just(Turn::Nothing), 1 => Just(Turn::Restart), 1 => Just(Turn::Reload)];
    let many = 64;
    let order = prop::collection::vec(any::<u32>(), many);
    // All of it within the longest time that a bomb is waited for.
    let gaps_ms = prop::collection::vec(prop_oneof![Just(0), 0..400_u64], many);
    let turns = prop::collection::vec(turn, many);
    (2..20_usize, any::<[bool; 3]>(), order, gaps_ms, turns).prop_map(
        |(count, [is_announced, is_received, is_told_twice], order, gaps_ms, turns)| Bomb {
            count,
            is_announced,
            is_received,
            is_told_twice,
            order,
            gaps_ms,
            turns,
        },
    )
}

proptest! {
    #[test]
    fn every_course_of_a_bomb_is_one_thank_you_with_each_name_once(bomb in bomb()) {
        let mut harness = start(json!({
            "names": 50,
            "goals": {"subs": {"target": "1000"}},
            "kinds": {"gift": {"thanks": ["{count}: {names}"], "tiers": {"several": {"enabled": false}, "bomb": {"enabled": false}}}},
        }));
        let mut texts = Vec::new();
        for ((draft, gap_ms), turn) in bomb.drafts().into_iter().zip(&bomb.gaps_ms).zip(&bomb.turns) {
            texts.extend(wait(&mut harness, Duration::from_millis(*gap_ms)));
            texts.extend(say(&mut harness, draft));
            match turn {
                Turn::Nothing => {}
                Turn::Restart => harness.restart().unwrap(),
                Turn::Reload => harness.reload().unwrap(),
            }
        }
        texts.extend(wait(&mut harness, SECOND * 300));
        prop_assert_eq!(texts.len(), 1, "{:?}", &texts);
        let (count, list) = texts[0].split_once(": ").unwrap();
        let mut named: Vec<&str> = list.split(", ").collect();
        named.sort_unstable();
        let mut all = names(bomb.count);
        all.sort_unstable();
        prop_assert_eq!(count, bomb.count.to_string());
        prop_assert_eq!(named, all);
        let progress = format!("Subs: {} of 1000 ({} %)", bomb.count, bomb.count / 10);
        prop_assert_eq!(say(&mut harness, event::chat("Mia", "!goal").moderator()), [progress]);
        prop_assert_eq!(harness.remembered_keys(), ["goal/subs"]);
    }
}
