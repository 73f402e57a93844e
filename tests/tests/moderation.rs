//! The moderation plugin in a whole engine: what it takes away is gone, and what moderators type is done.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

use showrunner::effect::{Action, Effect};
use showrunner::event::OutcomeStatus;
use showrunner::gateway::control::Simulation;
use showrunner::observation::{Decision, Observation};
use showrunner_tests::daemon::{Daemon, Stage, said};
use showrunner_tests::fixtures;

const SCAM: &str = "get free followers here";

/// Moderation as it ships, and a greeter that answers "!hello".
fn stage() -> Stage {
    let mut stage = Stage::default();
    stage.add(&fixtures::V0_1_0[2]);
    stage.set("plugins.moderation", "enabled", "true");
    stage.set("plugins.moderation.settings", "grace-seconds", "0");
    stage
}

async fn write(daemon: &mut Daemon, user: &str, role: Option<&str>, text: &str) -> String {
    let (user, role, text) = (Some(user.into()), role.map(str::to_owned), Some(text.into()));
    daemon.simulate(Simulation { kind: "chat".into(), user, role, text, ..Simulation::default() }).await
}

/// A moderator types a command; the id of the event, and what the plugin decides on it.
async fn order(daemon: &mut Daemon, text: &str) -> (String, Decision) {
    let event = write(daemon, "mia", Some("moderator"), text).await;
    let decision = daemon.decision(&event, "moderation").await;
    (event, decision)
}

/// The verdict on an event, and its reason.
async fn verdict(daemon: &mut Daemon, event: &str) -> (String, String) {
    let find = |seen: &Observation| match seen {
        Observation::Verdict { event_id, verdict, reason, .. } if **event_id == *event => {
            Some((verdict.clone(), reason.clone()))
        }
        _ => None,
    };
    daemon.until(&format!("a verdict on {event}"), find).await
}

fn actions(decision: &Decision) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Platform { action, .. } => action.name(),
        other => panic!("{other:?}"),
    };
    decision.effects.iter().map(name).collect()
}

#[tokio::test]
async fn spam_is_gone_before_anybody_hears_of_it_and_moderators_learn_why() {
    let mut daemon = stage().start().await;
    let spam = write(&mut daemon, "spammer", None, SCAM).await;
    let reason = "terms/scam: \"free followers\"; strike 1: warn";
    assert_eq!(verdict(&mut daemon, &spam).await, ("remove".into(), reason.into()));
    assert_eq!(daemon.outcome(&spam, "moderation", u32::MAX).await.status, OutcomeStatus::Done);
    let told = daemon.decision(&format!("{spam}/removed"), "moderation").await;
    assert_eq!(said(&told), ["spammer, please don't post that here."]);

    let again = write(&mut daemon, "spammer", None, SCAM).await;
    let reason_again = "terms/scam: \"free followers\"; strike 2: timeout 60 s";
    assert_eq!(verdict(&mut daemon, &again).await, ("suspend".into(), reason_again.into()));
    for number in [u32::MAX, u32::MAX - 1] {
        assert_eq!(daemon.outcome(&again, "moderation", number).await.status, OutcomeStatus::Done);
    }

    let (_, why) = order(&mut daemon, "!why @Spammer").await;
    let answer = said(&why).concat();
    assert!(answer.starts_with("spammer has 2 strikes now.") && answer.contains(reason), "{answer}");
    assert!(answer.contains(reason_again), "{answer}");
    for event in [&spam, &again] {
        assert!(!daemon.has_decided(event, "greeter-c"), "nobody else has seen it");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn a_newcomer_waits_for_a_moderator_and_is_heard_when_let_in() {
    let mut stage = stage();
    stage.set("plugins.moderation.settings.rules.first-time", "enabled", "true");
    let mut daemon = stage.start().await;
    let first = write(&mut daemon, "newbie", None, "!hello").await;
    let reason = "first-time: \"!hello\"; no strike: hold";
    assert_eq!(verdict(&mut daemon, &first).await, ("hold".into(), reason.into()));
    let told = daemon.decision(&format!("{first}/held"), "moderation").await;
    assert_eq!(said(&told), ["newbie is new here and waits: !release newbie or !ban newbie"]);
    assert!(!daemon.has_decided(&first, "greeter-c"));

    let (event, released) = order(&mut daemon, "!release newbie").await;
    assert_eq!(actions(&released), ["resolve-held", "reply"]);
    assert_eq!(said(&released), ["newbie may write; one message is let through."]);
    assert_eq!(daemon.outcome(&event, "moderation", 0).await.status, OutcomeStatus::Done);
    assert_eq!(said(&daemon.decision(&first, "greeter-c").await), ["Hello newbie!"], "it goes its way after all");
    let second = write(&mut daemon, "newbie", None, "!hello").await;
    assert_eq!(said(&daemon.decision(&second, "greeter-c").await), ["Hello newbie!"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_newcomer_who_is_banned_is_never_heard() {
    let mut stage = stage();
    stage.set("plugins.moderation.settings.rules.first-time", "enabled", "true");
    let mut daemon = stage.start().await;
    let first = write(&mut daemon, "newbie", None, "!hello").await;
    verdict(&mut daemon, &first).await;
    let (event, banned) = order(&mut daemon, "!ban @newbie").await;
    assert_eq!(actions(&banned), ["suspend", "resolve-held", "reply"]);
    let Effect::Platform { action: Action::Suspend { user_id, seconds, reason }, .. } = &banned.effects[0] else {
        panic!("{banned:?}")
    };
    assert_eq!((user_id.as_str(), *seconds, reason.as_str()), ("simulated:newbie", None, "banned by mia"));
    for number in [0, 1] {
        assert_eq!(daemon.outcome(&event, "moderation", number).await.status, OutcomeStatus::Done);
    }
    // What comes after it has been through, so it would have been, too.
    let (last, _) = order(&mut daemon, "!why newbie").await;
    daemon.decision(&last, "greeter-c").await;
    assert!(!daemon.has_decided(&first, "greeter-c"));
    daemon.stop().await;
}

#[tokio::test]
async fn what_is_simulated_is_not_kept() {
    let mut daemon = stage().start().await;
    let spam = write(&mut daemon, "spammer", None, SCAM).await;
    verdict(&mut daemon, &spam).await;
    let mut daemon = daemon.stop().await.start().await;
    let again = write(&mut daemon, "spammer", None, SCAM).await;
    assert!(verdict(&mut daemon, &again).await.1.contains("strike 1:"), "a new start knows nothing of it");
    daemon.stop().await;
}
