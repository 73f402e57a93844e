use std::time::Duration;

use super::*;

#[test]
fn strikes_lead_from_a_warning_to_a_ban() {
    let mut harness = start(json!({}));
    for expected in ["remove", "60 s", "600 s", "ban", "ban"] {
        assert_eq!(review(&mut harness, SCAM), expected);
        harness.advance(Duration::from_secs(3));
    }
    assert_eq!(reason(&mut harness, event::chat("Ada", SCAM)), "terms/scam: \"free followers\"; strike 6: ban");
    assert_eq!(short(&harness.review(event::chat("Bob", SCAM))).0, "remove", "somebody else");
    let elsewhere = event::chat("Ada", SCAM).at("test", "another studio");
    assert_eq!(short(&harness.review(elsewhere)).0, "remove", "each channel counts its own");
}

#[test]
fn what_was_on_its_way_is_removed_and_counts_for_nothing() {
    let mut harness = start(json!({}));
    assert_eq!(review(&mut harness, SCAM), "remove");
    for _ in 0..10 {
        harness.advance(Duration::from_millis(250));
        assert_eq!(reason(&mut harness, event::chat("Ada", SCAM)), "terms/scam: \"free followers\"; strike 1: remove");
    }
    let told = order(&mut harness, "!why ada");
    let expected = "0 s ago: terms/scam: \"free followers\"; strike 1: remove \
                    | 2 s ago: terms/scam: \"free followers\"; strike 1: warn";
    assert!(told.ends_with(expected), "a flood does not hide the strike: {told}");
    harness.advance(Duration::from_secs(3));
    assert_eq!(review(&mut harness, SCAM), "60 s");
    assert_eq!(review(&mut harness, SCAM), "remove", "the timeout is on its way, too");
}

#[test]
fn strikes_are_forgiven_in_time_and_outlive_a_restart() {
    let mut harness = start(json!({"strike-minutes": 60}));
    for _ in 0..3 {
        let _ = review(&mut harness, SCAM);
        harness.advance(Duration::from_secs(10));
    }
    harness.restart().unwrap();
    harness.advance(Duration::from_secs(60 * 60));
    assert_eq!(review(&mut harness, SCAM), "600 s", "one of three was forgiven");
    harness.advance(Duration::from_secs(3 * 60 * 60));
    assert_eq!(review(&mut harness, SCAM), "remove", "all were");
}

#[test]
fn a_rule_and_a_group_may_have_steps_of_their_own() {
    let mut harness = start(json!({
        "steps": ["60s"],
        "rules": {
            "links": {"enabled": true, "steps": ["remove", "600s"]},
            "terms": {"groups": {"worst": {"literal": ["unspeakable"], "steps": ["ban"]}}},
        },
    }));
    assert_eq!(review(&mut harness, "see win.top"), "remove");
    harness.advance(Duration::from_secs(5));
    assert_eq!(review(&mut harness, "see win.top"), "600 s");
    assert_eq!(short(&harness.review(event::chat("Bob", SCAM))).0, "60 s");
    let everything = event::chat("Cem", "unspeakable free followers at win.top");
    assert_eq!(
        short(&harness.review(everything)),
        ("ban", "terms/worst: \"unspeakable\"; strike 1: ban"),
        "the strictest counts"
    );
}

#[test]
fn a_dry_run_says_what_would_have_been_and_does_nothing() {
    let mut harness = start(json!({"dry-run": true}));
    for (step, strike) in [("warn", 1), ("timeout 60 s", 2), ("timeout 600 s", 3), ("ban", 4)] {
        let verdict = harness.review(event::chat("Ada", SCAM));
        let reason = format!("dry run: terms/scam: \"free followers\"; strike {strike}: {step}");
        assert_eq!(verdict, Verdict::Flag(reason));
        harness.advance(Duration::from_secs(5));
    }
    harness.configure(json!({"dry-run": false})).unwrap();
    assert_eq!(review(&mut harness, SCAM), "remove", "none of it counts");
}

#[test]
fn a_rule_in_a_dry_run_hides_no_other() {
    let mut harness = start(json!({"rules": {"links": {"enabled": true, "dry-run": true, "steps": ["ban"]}}}));
    let link = "dry run: links: \"win.top\"; strike 1: ban";
    assert_eq!(short(&harness.review(event::chat("Ada", "see win.top"))), ("flag", link));
    let both = event::chat("Bob", "free followers at win.top");
    assert_eq!(short(&harness.review(both)), ("remove", "terms/scam: \"free followers\"; strike 1: warn"));
}

#[test]
fn moderators_learn_why() {
    let mut harness = start(json!({}));
    let _ = review(&mut harness, SCAM);
    harness.advance(Duration::from_secs(90));
    let _ = review(&mut harness, "cheap viewers!");
    harness.advance(Duration::from_secs(5));
    let expected = "Ada has 2 strikes now. 5 s ago: terms/scam: \"cheap viewers\"; strike 2: timeout 60 s \
                    | 1 min ago: terms/scam: \"free followers\"; strike 1: warn";
    assert_eq!(order(&mut harness, "!why @Ada"), expected);
    harness.restart().unwrap();
    assert_eq!(order(&mut harness, "!why ada"), expected, "it outlives a restart");
    let _ = harness.review(event::chat("Bob", "hi"));
    assert_eq!(order(&mut harness, "!why bob"), "There is nothing against Bob.");
    assert_eq!(order(&mut harness, "!why carol"), "That did not work: nobody called carol was here.");
    assert_eq!(order(&mut harness, "!why"), "That did not work: name somebody, such as @somebody.");
}

#[test]
fn moderators_forgive() {
    let mut harness = start(json!({}));
    let _ = review(&mut harness, SCAM);
    let reaction = harness.push(event::chat("Mia", "!forgive ada").moderator());
    assert!(matches!(acts(&reaction)[..], [Effect::Lift { user_id, .. }] if user_id == "id-ada"), "{reaction:?}");
    assert_eq!(reaction.texts(), ["Ada may write again; their strikes are forgotten."]);
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
    assert_eq!(reason(&mut harness, event::chat("Ada", SCAM)), "terms/scam: \"free followers\"; strike 1: warn");
}

#[test]
fn without_its_memory_it_goes_on_from_what_it_knows() {
    let mut harness: Harness<Moderation> = Harness::start(setup(json!({})).deny("kv.use")).unwrap();
    assert_eq!(review(&mut harness, SCAM), "remove");
    harness.advance(Duration::from_secs(5));
    assert_eq!(review(&mut harness, SCAM), "60 s");
}

#[test]
fn what_is_kept_by_a_newer_version_or_broken_costs_one_person() {
    let person = json!({
        "v": 1, "platform": "test", "channel": "studio", "user_id": "id-ada", "login": "ada", "name": "Ada",
        "real": {"strikes": 2, "at_ms": 1_767_441_600_000_u64}, "verdicts": [],
    });
    let newer = json!({"v": 2, "platform": "test", "channel": "studio", "user_id": "x", "login": "x", "name": "X", "verdicts": []});
    let setup = setup(json!({"grace-seconds": 0}))
        .remembered("person/test/studio/id-ada", &person)
        .remembered("person/test/studio/x", &newer)
        .remembered("person/broken", &json!({"v": 1}));
    let mut harness: Harness<Moderation> = Harness::start(setup).unwrap();
    assert_eq!(harness.started().logs.len(), 2);
    assert_eq!(review(&mut harness, SCAM), "600 s");
    assert!(harness.remembered("person/test/studio/x").is_some(), "it is left for the version that can read it");
}
