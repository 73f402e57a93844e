//! Reviewers judge before anybody hears; fallbacks get what nobody handled.

use std::sync::Arc;

use showrunner::event::{Envelope, Event, OutcomeStatus};
use showrunner::observation::{DecisionKind, Observation};
use showrunner_tests::daemon::{Daemon, Stage, said};
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::web::Web;

/// A probe that judges, and a greeter without any judgement that hears of moderation, too.
fn stage() -> Stage {
    let mut stage = Stage::with_probe();
    add_bystander(&mut stage);
    stage
}

/// Hears what is left of a removed line: that there was one.
fn add_bystander(stage: &mut Stage) {
    let greeter = fixtures::V0_1_0[2];
    let manifest = greeter
        .manifest
        .replace("id = \"greeter-c\"", "id = \"bystander\"")
        .replace("events = [\"chat\"]", "events = [\"chat\", \"moderation\"]");
    assert!(manifest.contains("bystander") && manifest.contains("moderation"), "{manifest}");
    stage.add(&Fixture { id: "bystander", manifest: &manifest, component: greeter.component });
}

/// The moderation event that follows from a verdict on `event`.
async fn notice(daemon: &mut Daemon, event: &str, kind: &str) -> Arc<Envelope> {
    let id = format!("{event}/{kind}");
    daemon.event(&id.clone(), move |envelope| *envelope.id == *id).await
}

/// The reviewer, its verdict and the reason.
async fn verdict(daemon: &mut Daemon, event: &str) -> (String, String, String) {
    let find = |seen: &Observation| match seen {
        Observation::Verdict { event_id, plugin, verdict, reason } if **event_id == *event => {
            Some((plugin.to_string(), verdict.clone(), reason.clone()))
        }
        _ => None,
    };
    daemon.until(&format!("a verdict on {event}"), find).await
}

async fn message_id(daemon: &mut Daemon, event: &str) -> String {
    let envelope = daemon.event("the line", |envelope| *envelope.id == *event).await;
    match &envelope.event {
        Event::Chat(message) => message.id.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_the_grant_nobody_is_asked_and_with_it_from_the_next_line_on() {
    let mut stage = stage();
    stage.grant("probe", r#"{ chat = ["say"] }"#);
    let mut daemon = stage.start().await;
    let event = daemon.chat("!hello SPAM").await;
    assert_eq!(said(&daemon.decision(&event, "bystander").await), ["Hello viewer!"]);
    daemon.decision(&event, "probe").await;

    daemon.configure("plugins.probe", "grant", r#"{ chat = ["say"], moderation = ["review"] }"#).await;
    let event = daemon.chat("!hello SPAM").await;
    assert_eq!(verdict(&mut daemon, &event).await.1, "remove");
    daemon.stop().await;
}

#[tokio::test]
async fn a_removed_line_is_gone_before_any_handler_hears_of_it() {
    let mut daemon = stage().start().await;
    let event = daemon.chat("!hello SPAM").await;
    let after = daemon.chat("!hello").await;
    assert_eq!(verdict(&mut daemon, &event).await, ("probe".into(), "remove".into(), "spam".into()));
    let notice = notice(&mut daemon, &event, "removed").await;
    let Event::Moderation(moderation) = &notice.event else { panic!("{notice:?}") };
    assert_eq!((moderation.kind.as_str(), moderation.text.as_deref()), ("removed", None), "nobody else gets the text");
    daemon.decision(&notice.id, "bystander").await;
    let noted = daemon.decision(&notice.id, "probe").await.notes;
    assert_eq!(noted, ["moderation removed !hello SPAM"], "who may see the text does");
    let removed = daemon.outcome(&event, "probe", u32::MAX).await;
    assert_eq!(removed.status, OutcomeStatus::Done);

    assert_eq!(said(&daemon.decision(&after, "bystander").await), ["Hello viewer!"]);
    for plugin in ["bystander", "probe"] {
        assert!(!daemon.has_decided(&event, plugin), "{plugin}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn a_suspension_takes_the_line_and_its_author_away() {
    let mut daemon = stage().start().await;
    let event = daemon.chat("BAN me").await;
    assert_eq!(verdict(&mut daemon, &event).await.1, "suspend");
    notice(&mut daemon, &event, "suspended").await;
    for number in [u32::MAX, u32::MAX - 1] {
        assert_eq!(daemon.outcome(&event, "probe", number).await.status, OutcomeStatus::Done);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn the_strictest_of_all_verdicts_counts() {
    let mut stage = stage();
    stage.add_probe("a-lenient").set("plugins.a-lenient", "settings", "{ lenient = true }");
    let mut daemon = stage.start().await;
    let event = daemon.chat("SPAM").await;
    assert_eq!(verdict(&mut daemon, &event).await, ("probe".into(), "remove".into(), "spam".into()));
    let event = daemon.chat("!hello").await;
    assert_eq!(verdict(&mut daemon, &event).await, ("a-lenient".into(), "flag".into(), "lenient".into()));
    assert_eq!(said(&daemon.decision(&event, "bystander").await), ["Hello viewer!"], "a flag takes nothing away");
    let notice = notice(&mut daemon, &event, "flagged").await;
    daemon.decision(&notice.id, "bystander").await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_reviewer_that_fails_counts_as_the_operator_says() {
    let mut stage = stage();
    // The reviewer goes on for longer than anybody waits for it.
    stage.set("pipeline", "review", "\"100ms\"").set("host.limits", "review", "\"5s\"");
    let mut daemon = stage.start().await;
    let passed = daemon.chat("!hello REVIEWTRAP").await;
    assert_eq!(said(&daemon.decision(&passed, "bystander").await), ["Hello viewer!"]);
    let late = daemon.chat("!hello REVIEWSPIN").await;
    assert_eq!(said(&daemon.decision(&late, "bystander").await), ["Hello viewer!"]);
    assert!(!daemon.has_decided(&late, "probe"), "it is still at its review");
    for _ in 0..2 {
        daemon.news("probe", "restarted").await;
    }
    assert_eq!(daemon.ask("probe", "echo alive").await, ["alive"]);

    daemon.configure("plugins.probe", "on-failure", "\"hold\"").await;
    let held = daemon.chat("!hello REVIEWTRAP").await;
    let reason = "the reviewer probe gave no verdict in time";
    assert_eq!(verdict(&mut daemon, &held).await, ("probe".into(), "hold".into(), reason.into()));
    let notice = notice(&mut daemon, &held, "held").await;
    daemon.decision(&notice.id, "bystander").await;
    assert!(!daemon.has_decided(&held, "bystander"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_quarantined_reviewer_counts_as_one_that_fails_also_after_a_restart() {
    let mut daemon = stage().start().await;
    daemon.quarantine_probe().await;
    let event = daemon.chat("!hello").await;
    assert_eq!(said(&daemon.decision(&event, "bystander").await), ["Hello viewer!"]);
    daemon.configure("plugins.probe", "on-failure", "\"hold\"").await;
    let event = daemon.chat("!hello").await;
    assert_eq!(verdict(&mut daemon, &event).await.1, "hold");
    let mut daemon = daemon.stop().await.start().await;
    let event = daemon.chat("!hello").await;
    assert_eq!(verdict(&mut daemon, &event).await.1, "hold");
    daemon.stop().await;
}

#[tokio::test]
async fn a_held_line_goes_on_when_somebody_lets_it() {
    let mut daemon = stage().start().await;
    let event = daemon.chat("!hello HOLD").await;
    assert_eq!(verdict(&mut daemon, &event).await.1, "hold");
    let notice = notice(&mut daemon, &event, "held").await;
    daemon.decision(&notice.id, "bystander").await;
    assert!(!daemon.has_decided(&event, "bystander"));
    let message = message_id(&mut daemon, &event).await;
    daemon.ask("probe", &format!("allow {message}")).await;
    assert_eq!(said(&daemon.decision(&event, "bystander").await), ["Hello viewer!"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_review_has_no_effects_but_its_memory() {
    let mut daemon = stage().start().await;
    let event = daemon.chat("REVIEWACT").await;
    let (_, verdict, reason) = verdict(&mut daemon, &event).await;
    assert_eq!(verdict, "flag");
    assert!(reason.starts_with("refused: a review gives a verdict"), "{reason}");
    assert_eq!(daemon.ask("probe", "get reviews").await, ["1"]);
    daemon.stop().await;
}

#[tokio::test]
async fn lines_keep_their_order_past_a_slow_review() {
    let mut stage = stage();
    stage.set("pipeline", "review", "\"200ms\"").set("host.limits", "review", "\"200ms\"");
    let mut daemon = stage.start().await;
    let mut events = vec![daemon.chat("!hello REVIEWSPIN").await];
    for _ in 0..10 {
        events.push(daemon.chat("!hello").await);
    }
    daemon.decision(events.last().unwrap(), "bystander").await;
    let decided = daemon.so_far().iter().filter_map(|seen| match &**seen {
        Observation::Decision(decision) if *decision.plugin == *"bystander" => Some(decision.event_id.to_string()),
        _ => None,
    });
    assert_eq!(decided.collect::<Vec<_>>(), events);
    daemon.stop().await;
}

/// A handler and a fallback, both without a verdict of their own that would matter.
fn with_fallback(change: impl Fn(String) -> String) -> Stage {
    let mut stage = Stage::default();
    stage.add_probe_with("handler", &change);
    stage.add_probe_with("fallback", |manifest| {
        change(manifest).replace("wit = \"0.1\"", "wit = \"0.1\"\nfallback = true")
    });
    stage
}

#[tokio::test]
async fn a_fallback_gets_only_what_nobody_handled() {
    let mut daemon = with_fallback(|manifest| manifest).start().await;
    let handled = daemon.chat("echo mine").await;
    let failed = daemon.chat("error no luck").await;
    let passed = daemon.chat("whatever").await;
    assert_eq!(daemon.decision(&passed, "fallback").await.verdict, DecisionKind::Passed);
    assert_eq!(daemon.decision(&failed, "fallback").await.verdict, DecisionKind::Failed("no luck".into()));
    assert_eq!(said(&daemon.decision(&handled, "handler").await), ["mine"]);
    assert!(!daemon.has_decided(&handled, "fallback"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_fallback_takes_over_when_the_handler_crashes_or_is_down() {
    let mut daemon = with_fallback(|manifest| manifest).start().await;
    let crashed = daemon.chat("trap").await;
    assert!(matches!(daemon.decision(&crashed, "handler").await.verdict, DecisionKind::Crashed(_)));
    assert!(matches!(daemon.decision(&crashed, "fallback").await.verdict, DecisionKind::Crashed(_)));
    daemon.configure("plugins.handler", "enabled", "false").await;
    let event = daemon.chat("echo for the fallback").await;
    assert_eq!(said(&daemon.decision(&event, "fallback").await), ["for the fallback"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_fallback_takes_over_when_the_handler_is_slow() {
    let mut web = Web::start().await;
    let port = format!(":{}/", web.port);
    let mut stage = with_fallback(|manifest| manifest.replace(":1/", &port));
    stage.set("pipeline", "fallback-after", "\"100ms\"");
    let mut daemon = stage.start().await;
    let event = daemon.chat(&format!("fetch {}", web.url("/gate"))).await;
    // Nobody has had an answer when the second one calls.
    web.arrival().await;
    web.arrival().await;
    web.open_gate();
    web.open_gate();
    for plugin in ["handler", "fallback"] {
        assert_eq!(said(&daemon.decision(&event, plugin).await), ["200"]);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn a_reviewer_judges_in_its_own_channels_only() {
    let mut stage = stage();
    stage.set("plugins.probe", "channels", "[\"simulator:kitchen\"]");
    let mut daemon = stage.start().await;
    let event = daemon.chat("!hello SPAM").await;
    assert_eq!(said(&daemon.decision(&event, "bystander").await), ["Hello viewer!"]);
    daemon.stop().await;
}
