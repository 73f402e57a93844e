use std::time::Duration;

use super::*;

/// A line by somebody is reviewed, and the engine tells of it.
fn removed(harness: &mut Harness<Moderation>, name: &str, message_id: &str) -> Reaction {
    let draft = event::chat(name, SCAM).message_id(message_id);
    let reason = reason(harness, draft);
    harness.push(notice("removed", message_id, &reason))
}

#[test]
fn whoever_is_warned_is_told_why_once_the_verdict_holds() {
    let mut harness = start(json!({}));
    let warned = removed(&mut harness, "Ada", "m1");
    assert_eq!(warned.texts(), ["Ada, please don't post that here."]);
    assert!(warned.passed(), "others may want to know of it");
    harness.advance(Duration::from_secs(10));
    let silenced = removed(&mut harness, "Ada", "m2");
    assert_eq!(silenced.texts(), Vec::<&str>::new(), "a timeout speaks for itself");
}

#[test]
fn a_raid_does_not_make_the_bot_the_loudest() {
    let mut harness = start(json!({}));
    let said: usize =
        (0..20).map(|number| removed(&mut harness, &format!("bot{number}"), &format!("m{number}")).texts().len()).sum();
    assert_eq!(said, 1);
    harness.advance(Duration::from_secs(5));
    assert_eq!(removed(&mut harness, "bot20", "m20").texts().len(), 1);
}

#[test]
fn the_verdict_of_another_reviewer_is_its_own_affair() {
    let mut harness = start(json!({}));
    let draft = event::chat("Ada", SCAM).message_id("m1");
    let _ = harness.review(draft);
    assert_eq!(harness.push(notice("suspended", "m1", "another's reason")).texts(), Vec::<&str>::new());
    assert_eq!(harness.push(notice("removed", "unknown", "x")).texts(), Vec::<&str>::new());
}

#[test]
fn warnings_can_be_silent() {
    let mut harness = start(json!({"tell": {"warnings": false}}));
    assert_eq!(removed(&mut harness, "Ada", "m1").texts(), Vec::<&str>::new());
}

#[test]
fn what_comes_from_another_channel_is_judged_and_not_spoken_to() {
    let mut harness = start(json!({}));
    let draft = event::chat("Ada", SCAM).message_id("m1").mirrored_from("elsewhere");
    let reason = reason(&mut harness, draft);
    assert_eq!(harness.push(notice("removed", "m1", &reason)).texts(), Vec::<&str>::new());
    assert!(harness.push(event::chat("Mia", "!why ada").moderator().mirrored_from("elsewhere")).passed());
}

#[test]
fn only_moderators_give_orders() {
    let mut harness = start(json!({}));
    let _ = review(&mut harness, SCAM);
    for name in ["permit", "release", "ban", "forgive", "why"] {
        let reaction = harness.push(event::chat("Ada", &format!("!{name} ada")));
        assert!(reaction.passed() && reaction.effects.is_empty(), "{reaction:?}");
    }
}

#[test]
fn orders_can_be_renamed_and_switched_off() {
    let mut harness = start(json!({"commands": {"why": "Verdicts", "ban": ""}}));
    let _ = review(&mut harness, SCAM);
    assert!(order(&mut harness, "!verdicts ada").starts_with("Ada has 1 strike now."));
    assert!(harness.push(event::chat("Mia", "!why ada").moderator()).passed());
    assert!(harness.push(event::chat("Mia", "!ban ada").moderator()).passed());
}

#[test]
fn a_name_that_several_have_is_asked_for_again() {
    let mut harness = start(json!({}));
    for (id, login) in [("1", "twin_one"), ("2", "twin_two")] {
        let twin = User { id: id.to_owned(), login: login.to_owned(), ..event::user("Twin") };
        let _ = harness.review(line(twin, "hi", Vec::new()));
    }
    assert_eq!(
        order(&mut harness, "!ban twin"),
        "That did not work: several people are called twin; they are twin_one, twin_two."
    );
    assert_eq!(order(&mut harness, "!ban twin_two"), "Twin is banned.");
}
