use std::time::Duration;

use showrunner_sdk::event::Roles;
use showrunner_sdk::viewers::Viewer;

use super::*;

fn first_time() -> Value {
    json!({"rules": {"first-time": {"enabled": true}}, "tell": {"cooldown-seconds": 0}})
}

fn hold(harness: &mut Harness<Moderation>, text: &str, message_id: &str) -> &'static str {
    short(&harness.review(event::chat("Ada", text).message_id(message_id))).0
}

#[test]
fn newcomers_wait_until_a_moderator_lets_them_in() {
    let mut harness = start(first_time());
    let hello = event::chat("Ada", "hello all").message_id("m1");
    assert_eq!(short(&harness.review(hello)), ("hold", "first-time: \"hello all\"; no strike: hold"));
    let told = harness.push(notice("held", "m1", "first-time: \"hello all\"; no strike: hold"));
    assert_eq!(told.texts(), ["Ada is new here and waits: !release ada or !ban ada"]);
    assert_eq!(hold(&mut harness, "anybody?", "m2"), "hold");
    let again = harness.push(notice("held", "m2", "first-time: \"anybody?\"; no strike: hold"));
    assert_eq!(again.texts(), Vec::<&str>::new(), "it is told once");

    let released = harness.push(event::chat("Mia", "!release @ada").moderator());
    let let_through = acts(&released).into_iter().map(|effect| match effect {
        Effect::ResolveHeld { message_id, allow, .. } => (message_id.as_str(), *allow),
        other => panic!("{other:?}"),
    });
    assert_eq!(let_through.collect::<Vec<_>>(), [("m1", true), ("m2", true)]);
    assert_eq!(released.texts(), ["Ada may write; 2 messages are let through."]);
    assert_eq!(hold(&mut harness, "thanks", "m3"), "pass");
    assert_eq!(
        order(&mut harness, "!release ada"),
        "Ada is no newcomer any more; a ban or timeout is lifted by !forgive."
    );
}

#[test]
fn a_second_newcomer_is_told_of_by_their_next_line_and_listed_until_then() {
    let mut harness = start(json!({"rules": {"first-time": {"enabled": true}}}));
    let mut held = |name: &str, message_id: &str, seconds| {
        harness.advance(Duration::from_secs(seconds));
        let reason = reason(&mut harness, event::chat(name, "hi").message_id(message_id));
        let texts = harness.push(notice("held", message_id, &reason)).texts().concat();
        (texts, order(&mut harness, "!release"))
    };
    let waits = |name: &str| format!("{name} is new here and waits: !release {0} or !ban {0}", name.to_lowercase());
    assert_eq!(held("Ada", "m1", 0), (waits("Ada"), "These wait: ada (1 message).".to_owned()));
    let listed = "These wait: ada (1 message), bob (1 message).";
    assert_eq!(held("Bob", "m2", 1), (String::new(), listed.to_owned()), "the bot has just spoken");
    assert_eq!(held("Bob", "m3", 5).0, waits("Bob"));
    assert_eq!(held("Bob", "m4", 5).0, "", "it is told once");
    harness.restart().unwrap();
    let _ = hold(&mut harness, "still here", "m5");
    let again = harness.push(notice("held", "m5", "first-time: \"still here\"; no strike: hold"));
    assert_eq!(again.texts(), Vec::<&str>::new(), "and not again after a restart");
    for name in ["ada", "bob"] {
        let _ = order(&mut harness, &format!("!release {name}"));
    }
    assert_eq!(order(&mut harness, "!release"), "Nobody waits.");
}

#[test]
fn moderators_learn_what_waits() {
    let mut harness = start(first_time());
    let _ = hold(&mut harness, "hello", "m1");
    let _ = hold(&mut harness, "anybody?", "m2");
    let held = "0 s ago: first-time: \"anybody?\"; no strike: hold";
    assert_eq!(order(&mut harness, "!why ada"), format!("Ada waits with 2 messages. {held}"));
    assert_eq!(review(&mut harness, SCAM), "remove");
    let struck = "0 s ago: terms/scam: \"free followers\"; strike 1: warn";
    let expected = format!("Ada has 1 strike now and waits with 2 messages. {held} | {struck}");
    assert_eq!(order(&mut harness, "!why ada"), expected);
    let _ = order(&mut harness, "!release ada");
    assert_eq!(order(&mut harness, "!why ada"), format!("Ada has 1 strike now. {struck}"));
}

#[test]
fn whoever_waits_still_waits_after_a_restart() {
    let mut harness = start(first_time());
    let _ = hold(&mut harness, "hello", "m1");
    harness.restart().unwrap();
    harness.advance(Duration::from_secs(60));
    assert_eq!(hold(&mut harness, "hello?", "m2"), "hold");
    assert_eq!(order(&mut harness, "!release ada"), "Ada may write; 2 messages are let through.");
    harness.restart().unwrap();
    assert_eq!(hold(&mut harness, "hi", "m3"), "pass");
}

#[test]
fn a_newcomer_may_be_banned_instead() {
    let mut harness = start(first_time());
    let _ = hold(&mut harness, "hello", "m1");
    let reaction = harness.push(event::chat("Mia", "!ban ada").moderator());
    let effects = acts(&reaction);
    assert!(
        matches!(
            &effects[..],
            [Effect::Suspend { user_id, seconds: None, reason, .. }, Effect::ResolveHeld { message_id, allow: false, .. }]
                if user_id == "id-ada" && reason == "banned by Mia" && message_id == "m1"
        ),
        "{effects:?}"
    );
    assert_eq!(reaction.texts(), ["Ada is banned."]);
    assert!(order(&mut harness, "!why ada").ends_with("banned by Mia"));
    assert!(order(&mut harness, "!release ada").ends_with("a ban or timeout is lifted by !forgive."));
}

#[test]
fn moderators_can_not_be_banned_by_each_other() {
    let mut harness = start(json!({}));
    let _ = harness.review(event::chat("Max", "hi").moderator());
    let _ = harness.review(event::chat("Eve", "hi").broadcaster());
    for name in ["max", "eve"] {
        let reaction = harness.push(event::chat("Mia", &format!("!ban {name}")).moderator());
        assert!(acts(&reaction).is_empty() && reaction.texts()[0].contains("is a moderator here"), "{reaction:?}");
    }
}

#[test]
fn whoever_has_written_before_does_not_wait() {
    let viewer = |name: &str, messages| Viewer { user: event::user(name), first_seen_ms: 0, last_seen_ms: 0, messages };
    let setup = setup(first_time()).viewer("test", viewer("Ada", 1)).viewer("test", viewer("Regular", 900));
    let mut harness: Harness<Moderation> = Harness::start(setup).unwrap();
    let verdict = |harness: &mut Harness<Moderation>, name: &str| short(&harness.review(event::chat(name, "hi"))).0;
    assert_eq!(verdict(&mut harness, "Regular"), "pass");
    assert_eq!(verdict(&mut harness, "Ada"), "hold", "this line is all that is known of her");
    assert_eq!(verdict(&mut harness, "Nobody"), "hold");
    let flagged = event::chat("Regular 2", "hi").roles(Roles::FIRST_TIME);
    assert_eq!(short(&harness.review(flagged)).0, "hold", "the platform knows better");
    let mirrored = event::chat("Guest", "hi").mirrored_from("elsewhere");
    assert_eq!(short(&harness.review(mirrored)).0, "pass", "whoever is new there is not new here");
}

#[test]
fn an_older_line_that_stands_settles_it() {
    for (seconds, verdict) in [(5, "hold"), (60, "pass")] {
        let viewer = Viewer { user: event::user("Ada"), first_seen_ms: 0, last_seen_ms: 0, messages: 2 };
        let mut harness: Harness<Moderation> = Harness::start(setup(json!({})).viewer("test", viewer)).unwrap();
        assert_eq!(review(&mut harness, "hello"), "pass", "the rule is off");
        harness.configure(first_time()).unwrap();
        harness.advance(Duration::from_secs(seconds));
        assert_eq!(review(&mut harness, "again"), verdict, "a burst of lines must not vouch for itself");
    }
}

#[test]
fn what_breaks_a_rule_does_not_wait() {
    let mut harness = start(first_time());
    assert_eq!(review(&mut harness, SCAM), "remove");
}

#[test]
fn an_engine_that_takes_nothing_back_is_told_of() {
    let mut harness = start(first_time());
    let _ = hold(&mut harness, "hello", "m1");
    harness.deny("moderation.resolve-held");
    assert_eq!(
        order(&mut harness, "!release ada"),
        "That did not work: denied: moderation.resolve-held was not granted by the operator."
    );
}
