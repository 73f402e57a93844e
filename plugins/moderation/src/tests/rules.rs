use std::time::Duration;

use proptest::prelude::*;
use showrunner_sdk::event::Roles;

use super::*;

#[test]
fn ordinary_chat_passes_as_it_ships() {
    let mut harness = start(json!({}));
    for text in
        ["hello", "LETS GOOOO", "https://example.com is my page", "1.40", "KEKW KEKW KEKW", "🔥🔥🔥🔥🔥", "", " "]
    {
        assert_eq!(review(&mut harness, text), "pass", "{text}");
    }
    assert!(harness.push(event::chat("Ada", "hello")).passed());
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new(), "nothing is kept of those who did nothing");
}

#[test]
fn a_verdict_says_which_rule_where_and_the_strike() {
    let mut harness = start(json!({"rules": {"links": {"enabled": true}}}));
    assert_eq!(
        reason(&mut harness, event::chat("Ada", "so… frее  FOLLOWERS!")),
        "terms/scam: \"frее FOLLOWERS\"; strike 1: warn".replace("frее FOLLOWERS", "frее  FOLLOWERS")
    );
    assert_eq!(
        reason(&mut harness, event::chat("Bob", "see (WIN-a-skin.top/x) now")),
        "links: \"WIN-a-skin.top/x)\"; strike 1: warn"
    );
}

#[test]
fn an_action_is_no_way_around_a_rule() {
    let mut harness = start(json!({"grace-seconds": 0}));
    for text in ["/me free followers", "/ME   free followers", "\u{1}ACTION free followers\u{1}"] {
        assert_ne!(review(&mut harness, text), "pass", "{text}");
    }
}

#[test]
fn roles_are_exempt_from_all_rules_or_from_one() {
    let mut harness = start(json!({"rules": {"links": {"enabled": true, "exempt": ["vip", "subscriber"]}}}));
    let mut verdict = |text: &str, roles| short(&harness.review(event::chat("Ada", text).roles(roles))).0;
    for roles in [Roles::MODERATOR, Roles::BROADCASTER, Roles::STAFF] {
        assert_eq!(verdict(SCAM, roles), "pass");
    }
    assert_eq!(verdict("see win.top", Roles::SUBSCRIBER), "pass");
    assert_eq!(verdict(SCAM, Roles::VIP), "remove", "only from links");
    assert_eq!(verdict("see win.top", Roles::empty()), "remove");
}

#[test]
fn emotes_of_the_platform_are_no_capitals() {
    let mut harness = start(json!({"rules": {"caps": {"enabled": true, "min-letters": 10}}}));
    let draft = |spans| line(event::user("Ada"), "RESIDENTSLEEPER RESIDENTSLEEPER yes", spans);
    let emote = |start| Span { kind: "emote".into(), start, length: 15, value: "1".into() };
    assert_eq!(short(&harness.review(draft(vec![emote(0), emote(16)]))).0, "pass");
    assert_eq!(short(&harness.review(draft(vec![emote(0), emote(9_999)]))).0, "remove", "a span that fits nowhere");
}

#[test]
fn permits_let_links_pass_for_a_while_and_for_one_person() {
    let mut harness = start(json!({"rules": {"links": {"enabled": true}}, "grace-seconds": 0}));
    let _ = review(&mut harness, "hi");
    assert_eq!(order(&mut harness, "!permit @ADA"), "Ada may post links for 60 s.");
    assert_eq!(review(&mut harness, "see win.top"), "pass");
    let other = line(namesake("id-other"), "see win.top", Vec::new());
    assert_eq!(short(&harness.review(other)).0, "remove", "the name is the same, the person is not");
    assert_eq!(review(&mut harness, SCAM), "remove", "only links are permitted");
    harness.advance(Duration::from_secs(60));
    assert_ne!(review(&mut harness, "see win.top"), "pass");
    assert_eq!(order(&mut harness, "!permit ada 5"), "Ada may post links for 5 s.");
    assert_eq!(order(&mut harness, "!permit ada soon"), "That did not work: `soon` is no number of seconds.");
}

#[test]
fn too_many_messages_of_one_person_are_too_fast() {
    let settings = json!({"rules": {"rate": {"messages": 3, "same-text": 2, "seconds": 10}}});
    let mut harness = start(settings);
    let verdicts: Vec<_> = (0..4).map(|number| review(&mut harness, &format!("{number}"))).collect();
    assert_eq!(verdicts, ["pass", "pass", "pass", "remove"]);
    assert_eq!(short(&harness.review(event::chat("Bob", "hi"))).0, "pass");
    harness.advance(Duration::from_secs(10));
    assert_eq!(review(&mut harness, "hello"), "pass");
    harness.advance(Duration::from_secs(10));
    let reason = (0..3).map(|_| reason(&mut harness, event::chat("Ada", "look at me"))).last().unwrap();
    assert_eq!(reason, "rate: \"look at me\"; strike 2: timeout 60 s");
}

#[test]
fn the_same_text_of_many_people_is_a_raid() {
    let mut harness = start(json!({"rules": {"raid": {"enabled": true, "people": 3}}}));
    let mut verdict = |name: &str, text: &str| short(&harness.review(event::chat(name, text))).0;
    assert_eq!(verdict("a", "This channel is BAD, leave it 1"), "pass");
    assert_eq!(verdict("b", "this channel is bad leave it"), "pass");
    assert_eq!(verdict("c", "thіs channel is bad… leave it!! 77"), "remove");
    assert_eq!(verdict("d", "this channel is bad, leave it"), "remove");
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(verdict(name, "good game"), "pass", "everybody says that");
    }
}

#[test]
fn what_is_simulated_has_a_memory_of_its_own() {
    let settings = json!({"rules": {"links": {"enabled": true}, "raid": {"enabled": true, "people": 2}}});
    let mut harness = start(settings);
    let simulated = |name: &str, text: &str| event::chat(name, text).origin(Origin::Test);
    for expected in ["remove", "60 s", "600 s", "ban", "ban"] {
        assert_eq!(short(&harness.review(simulated("Ada", SCAM))).0, expected);
        harness.advance(Duration::from_secs(10));
    }
    let _ = harness.push(simulated("Mia", "!permit ada").moderator());
    let _ = harness.review(simulated("Bob", "a raid of bots is coming"));
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());

    assert_eq!(reason(&mut harness, event::chat("Ada", SCAM)), "terms/scam: \"free followers\"; strike 1: warn");
    harness.advance(Duration::from_secs(10));
    assert_eq!(review(&mut harness, "see win.top"), "60 s", "the permit was not real either");
    assert_eq!(short(&harness.review(event::chat("Cem", "a raid of bots is coming"))).0, "pass");
    assert_eq!(short(&harness.review(simulated("Bob", "see win.top"))).0, "remove");
    let asked = harness.push(simulated("Mia", "!why ada").moderator());
    assert!(asked.texts()[0].starts_with("Ada has 5 strikes now."), "{asked:?}");
}

#[test]
fn somebody_without_an_id_is_judged_by_the_line_alone() {
    let mut harness = start(json!({"rules": {"rate": {"messages": 1}}, "grace-seconds": 0}));
    for _ in 0..5 {
        let anonymous = line(namesake(""), SCAM, Vec::new());
        assert_eq!(reason(&mut harness, anonymous), "terms/scam: \"free followers\"; no strike: remove");
    }
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn only_chat_is_judged() {
    let mut harness = start(json!({}));
    assert_eq!(harness.review(event::tip("Ada", 500, SCAM)), Verdict::Pass, "a thank-you must not be lost");
    assert_eq!(harness.review(event::whisper("Ada", SCAM)), Verdict::Pass);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_line_is_too_strange(
        text in any::<String>(), name in any::<String>(), start in any::<u32>(), length in any::<u32>(), at_ms in any::<u64>(),
    ) {
        let all = ["links", "caps", "emotes", "length", "raid", "first-time"].map(|rule| (rule, json!({"enabled": true})));
        let rules: serde_json::Map<_, _> = all.into_iter().map(|(rule, table)| (rule.to_owned(), table)).collect();
        let mut harness: Harness<Moderation> = Harness::start(setup(json!({"rules": rules})).now_ms(at_ms)).unwrap();
        for kind in ["emote", "link", "x"] {
            let span = Span { kind: kind.into(), start, length, value: String::new() };
            let draft = line(event::user(&name), &text, vec![span]);
            let _ = harness.review(draft.clone());
            let _ = harness.push(draft.moderator());
        }
        let _ = harness.push(event::chat("Mia", &format!("!why {name}")).moderator());
    }
}
