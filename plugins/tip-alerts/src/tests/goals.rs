//! Goals: what counts, what is told, and what moderators may do.

use super::*;

const TIPS: &str = "Tips";

fn with_target(target: &str) -> Value {
    json!({
        "goals": {"tips": {"target": target}},
        "kinds": {
            "tip": {"thanks": ["{user}: {goal.current}/{goal.target} {goal.percent}"]},
            "goal": {"thanks": ["{goal.name} done by {user}: {goal.current} of {goal.target}"]},
        },
    })
}

fn moderator(harness: &mut Harness<TipAlerts>, text: &str) -> String {
    say(harness, event::chat("Mia", text).moderator()).concat()
}

#[test]
fn tips_add_up_and_a_goal_that_is_reached_is_told_once() {
    let mut harness = start(with_target("20 USD"));
    assert_eq!(say(&mut harness, event::tip("Ada", 999, "")), ["Ada: 9.99/20 USD 49"]);
    assert_eq!(say(&mut harness, event::support("Ada", "tip", 1, 0, "usd")), ["Ada: 10.99/20 USD 54"]);
    assert_eq!(
        say(&mut harness, event::support("Ada", "tip", 40, 0, "EUR")),
        ["Ada: 10.99/20 USD 54"],
        "another currency"
    );
    harness.restart().unwrap();
    let reaction = harness.push(event::tip("Bob", 901, ""));
    assert_eq!(reaction.texts(), ["Bob: 20/20 USD 100", "Tips done by Bob: 20 of 20 USD"]);
    let kinds: Vec<&str> = alerts(&reaction).iter().map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["tip", "goal"]);
    harness.restart().unwrap();
    assert_eq!(say(&mut harness, event::tip("Bob", 1, "")), ["Bob: 20.01/20 USD 100"]);
}

#[test]
fn a_goal_without_a_currency_counts_pieces() {
    let mut harness = start(json!({"goals": {
        "all": {"title": "All", "counts": ["tip", "sub", "resub", "gift", "follow", "raid", "redemption"], "target": "100"},
    }}));
    let drafts = [
        event::tip("Ada", 5_000, ""),
        event::subscription("Ada", 1),
        event::subscription("Bob", 9),
        event::gift("Gia", 10),
        event::follow("Ada"),
        event::follow("Ada"),
        event::raid("Owl", 500),
        event::redemption("Ada", "Hydrate", ""),
        event::support("Ada", "bits", 500, 0, "bits"),
    ];
    let _ = say_all(&mut harness, drafts);
    assert_eq!(moderator(&mut harness, "!goal"), "All: 16 of 100 (16 %)");
}

#[test]
fn tests_show_everything_and_change_nothing() {
    let mut harness = start(with_target("20 USD"));
    let _ = say(&mut harness, event::tip("Ada", 500, ""));
    let before: Vec<(String, Vec<u8>)> = memory(&harness);
    let test = |draft: Draft| draft.origin(Origin::Test);
    let reaction = harness.push(test(event::tip("Tess", 1_500, "")));
    assert_eq!(reaction.texts(), ["Tess: 20/20 USD 100", "Tips done by Tess: 20 of 20 USD"]);
    assert_eq!(alerts(&reaction).len(), 2);
    let drafts =
        [event::follow("Tess"), event::gift("Tess", 2), single("Tess", "Ada"), event::redemption("Tess", "x", "")];
    let texts = say_all(&mut harness, drafts.map(test));
    assert_eq!(texts, ["Tess gives 2 subs to Ada and 1 more! 🎁", "Welcome, Tess! 💜"]);
    let told = say(&mut harness, test(event::chat("Mia", "!goal set tips 50 USD").moderator()));
    assert_eq!(told, ["Tips: 20 of 50 USD (40 %) (a test; the goal itself stays as it is)"]);
    assert_eq!(memory(&harness), before);

    harness.reload().unwrap();
    assert_eq!(
        say(&mut harness, test(event::tip("Tess", 100, ""))),
        ["Tess: 21/50 USD 42"],
        "a reload carries it over"
    );
    assert_eq!(say(&mut harness, event::tip("Bob", 100, "")), ["Bob: 6/20 USD 30"], "the real one");
    assert_eq!(say(&mut harness, test(event::tip("Tess", 100, ""))), ["Tess: 7/20 USD 35"], "a test starts from it");
}

fn memory(harness: &Harness<TipAlerts>) -> Vec<(String, Vec<u8>)> {
    let keys = harness.remembered_keys();
    keys.into_iter().map(|key| (key.to_owned(), harness.remembered(key).unwrap().to_vec())).collect()
}

#[test]
fn what_comes_late_counts_and_reaching_is_news_all_the_same() {
    let mut harness = start(with_target("20 USD"));
    let late = |cents| event::tip("Ada", cents, "").ago(SECOND * 600);
    assert_eq!(say(&mut harness, late(500)), [""; 0]);
    assert_eq!(say(&mut harness, event::tip("Ada", 500, "").origin(Origin::Replay)), [""; 0]);
    assert_eq!(moderator(&mut harness, "!goal"), "Tips: 10 of 20 USD (50 %)");
    assert_eq!(say(&mut harness, late(1_000)), ["Tips done by Ada: 20 of 20 USD"]);
    let bomb = [event::gift("Gia", 2), single("Gia", "Ada"), single("Gia", "Bob")].map(|draft| draft.ago(SECOND * 600));
    harness.configure(json!({"goals": {"subs": {"target": "10"}}})).unwrap();
    assert_eq!(say_all(&mut harness, bomb), [""; 0]);
    assert_eq!(moderator(&mut harness, "!goal subs"), "Subs: 2 of 10 (20 %)");
}

#[test]
fn moderators_set_add_to_and_reset_goals() {
    let mut harness = start(json!({}));
    let subs = "That did not work: ";
    for (typed, told) in [
        ("!goal", format!("{subs}no goal is set; use !goal set <goal> <target>.")),
        ("!goal set 50", format!("{subs}say which goal; there are follows, subs, tips.")),
        ("!goal set tips", format!("{subs}use !goal set <goal> <target> <title>.")),
        ("!goal set tips 200", format!("{subs}say in which currency, as in 200 USD.")),
        ("!goal set tips 0 USD", format!("{subs}a target of 0 is none; use !goal clear <goal>.")),
        ("!goal add tips 5 USD", format!("{subs}the goal tips has no target yet.")),
        ("!goal set tips 200 USD New microphone", "New microphone: 0 of 200 USD (0 %)".to_owned()),
        ("!goal add 12.50", "New microphone: 12.50 of 200 USD (6 %)".to_owned()),
        ("!goal add TIPS 7.5 usd", "New microphone: 20 of 200 USD (10 %)".to_owned()),
        ("!goal add -30", "New microphone: 0 of 200 USD (0 %)".to_owned()),
        ("!goal add 5 EUR", format!("{subs}5 EUR can't be counted for a target of 200 USD.")),
        ("!goal add 40", "New microphone: 40 of 200 USD (20 %)".to_owned()),
        ("!goal set 80", "New microphone: 40 of 80 USD (50 %)".to_owned()),
        ("!goal set 100 A camera", "A camera: 40 of 100 USD (40 %)".to_owned()),
        ("!goal set 100 EUR", "A camera: 0 of 100 EUR (0 %)".to_owned()),
        ("!goal set subs 50 Sub party", "Sub party: 0 of 50 (0 %)".to_owned()),
        ("!goal", "Sub party: 0 of 50 (0 %) · A camera: 0 of 100 EUR (0 %)".to_owned()),
        ("!goal subs", "Sub party: 0 of 50 (0 %)".to_owned()),
        ("!goal add 5", format!("{subs}say which goal; there are follows, subs, tips.")),
        ("!goal frob", format!("{subs}use !goal set|add|reset|clear.")),
        ("!goal add subs 5", "Sub party: 5 of 50 (10 %)".to_owned()),
        ("!goal reset subs", "Sub party: 0 of 50 (0 %)".to_owned()),
        ("!goal clear subs", "The goal subs sleeps.".to_owned()),
        ("!goal clear", "The goal tips sleeps.".to_owned()),
        ("!goal tips", format!("{subs}the goal tips has no target yet.")),
    ] {
        assert_eq!(moderator(&mut harness, typed), told, "{typed}");
        harness.restart().unwrap();
    }
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn a_goal_reached_by_a_moderator_is_told_and_after_a_reset_told_again() {
    let mut harness = start(with_target("20 USD"));
    let done = ["Tips: 25 of 20 USD (125 %)", "Tips done by Mia: 25 of 20 USD"];
    assert_eq!(say(&mut harness, event::chat("Mia", "!goal add 25").moderator()), done);
    assert_eq!(moderator(&mut harness, "!goal add -10"), "Tips: 15 of 20 USD (75 %)");
    assert_eq!(moderator(&mut harness, "!goal add 10"), done[0], "not twice");
    assert_eq!(moderator(&mut harness, "!goal set 25"), "Tips: 25 of 25 USD (100 %)", "it is no news");
    assert_eq!(moderator(&mut harness, "!goal reset"), "Tips: 0 of 25 USD (0 %)");
    assert_eq!(say(&mut harness, event::tip("Ada", 2_500, "")).len(), 2);
}

#[test]
fn only_moderators_change_goals_and_others_see_them_when_they_may() {
    let mut harness = start(with_target("20 USD"));
    for text in ["!goal", "!goal set 5 USD"] {
        let reaction = harness.push(event::chat("Ada", text));
        assert!(reaction.handled() && reaction.effects.is_empty());
    }
    harness.configure(json!({"goal-command": {"show": []}})).unwrap();
    assert_eq!(say(&mut harness, event::chat("Ada", "!goal set 5 USD")), ["Tips: 0 of 20 USD (0 %)"]);
    assert_eq!(say(&mut harness, event::chat("Bob", "!goal")), [""; 0], "not all the time");
    harness.advance(SECOND * 10);
    assert_eq!(say(&mut harness, event::chat("Bob", "!goal")), ["Tips: 0 of 20 USD (0 %)"]);
    let mut other = start(json!({"goal-command": {"show": []}}));
    assert_eq!(say(&mut other, event::chat("Ada", "!goal")), [""; 0], "there is none");
    assert!(harness.push(event::chat("Mia", "!goal").moderator().mirrored_from("elsewhere")).passed());
    harness.configure(json!({"goal-command": {"enabled": false}})).unwrap();
    assert!(harness.push(event::chat("Mia", "!goal").moderator()).passed());
}

#[test]
fn what_can_not_be_kept_is_said() {
    let mut harness = start(with_target("20 USD"));
    harness.refuse("kv.use", "limit: over the quota");
    assert_eq!(moderator(&mut harness, "!goal reset"), "That did not work: limit: over the quota.");
    let reaction = harness.push(event::tip("Ada", 500, ""));
    assert_eq!(reaction.texts(), ["Ada: 0/20 USD 0"], "the thanks come all the same");
    assert!(reaction.logs.iter().any(|(_, line)| line.contains("`tips` could not be counted: limit: over the quota")));
}

#[test]
fn progress_of_a_newer_version_is_left_alone() {
    let newer = json!({"v": 2, "current": "7 USD", "target": null, "title": null, "reached": false});
    let mut harness: Harness<TipAlerts> =
        Harness::start(setup(with_target("20 USD")).remembered("goal/tips", &newer)).unwrap();
    let kept = harness.remembered("goal/tips").unwrap().to_vec();
    assert_eq!(say(&mut harness, event::tip("Ada", 500, "")), ["Ada: / "], "nothing is known of it");
    assert!(moderator(&mut harness, "!goal add tips 5 USD").contains("newer version"));
    assert_eq!(harness.remembered("goal/tips").unwrap(), kept);
}

#[test]
fn a_goal_in_another_currency_starts_anew() {
    let mut harness = start(with_target("20 USD"));
    let _ = say(&mut harness, event::tip("Ada", 500, ""));
    harness.configure(json!({"goals": {"tips": {"target": "20 EUR"}}})).unwrap();
    assert_eq!(moderator(&mut harness, "!goal"), format!("{TIPS}: 0 of 20 EUR (0 %)"));
}
