//! What comes of a handler: all of it or nothing, within limits, and remembered.

use showrunner::event::OutcomeStatus;
use showrunner::observation::{DecisionKind, Observation};
use showrunner_tests::daemon::{Daemon, Stage, said};

/// The lines that the probe wrote to its log until now.
fn logged(daemon: &mut Daemon) -> Vec<String> {
    let line = |seen: &Observation| match seen {
        Observation::Log { message, .. } => Some(message.clone()),
        _ => None,
    };
    daemon.so_far().iter().filter_map(|seen| line(seen)).collect()
}

#[tokio::test]
async fn nothing_leaves_of_a_handler_that_returns_an_error() {
    let mut daemon = Stage::with_probe().start().await;
    let event = daemon.chat("error no luck").await;
    let decision = daemon.decision(&event, "probe").await;
    assert_eq!(decision.verdict, DecisionKind::Failed("no luck".into()));
    assert_eq!(decision.effects, []);
    assert_eq!(daemon.ask("probe", "get before-an-error").await, ["nothing"]);
    // A timer that it had started would have fired before this one.
    daemon.ask("probe", "timer 1").await;
    assert_eq!(said(&daemon.own_decision("timer:", "probe").await), ["timer fired"]);
    daemon.ask("probe", "echo done").await;
    let timers = daemon
        .so_far()
        .iter()
        .filter(|seen| matches!(&***seen, Observation::Decision(decision) if decision.event_id.starts_with("timer:")));
    assert_eq!(timers.count(), 1);
    assert!(!format!("{:?}", daemon.so_far()).contains("said before an error"));
    assert_eq!(daemon.status("probe").await.crashes, 0);
    daemon.stop().await;
}

#[tokio::test]
async fn nothing_stays_of_an_instance_that_trapped_but_its_durable_memory() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.ask("probe", "remember me").await;
    daemon.ask("probe", "set k v").await;
    daemon.ask("probe", "timer 60000").await;
    let event = daemon.chat("trap").await;
    let decision = daemon.decision(&event, "probe").await;
    assert_eq!(
        decision.verdict,
        DecisionKind::Crashed("it trapped: wasm trap: wasm `unreachable` instruction executed".into())
    );
    assert_eq!(daemon.ask("probe", "recall").await, ["nothing"]);
    assert_eq!(daemon.ask("probe", "get k").await, ["v"]);
    assert!(logged(&mut daemon).iter().any(|line| line == "told so"), "what it said before it died is in the log");
    daemon.stop().await;
}

#[tokio::test]
async fn memory_and_effects_of_a_handler_leave_together() {
    let mut daemon = Stage::with_probe().start().await;
    for sum in 1..=5 {
        let event = daemon.chat("count c").await;
        assert_eq!(said(&daemon.decision(&event, "probe").await), [sum.to_string()]);
        assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
    }
    let mut daemon = daemon.stop().await.start().await;
    assert_eq!(daemon.ask("probe", "get c").await, ["5"], "also over a restart");
    daemon.stop().await;
}

#[tokio::test]
async fn memory_has_a_quota() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "kv-size", "\"2KiB\"").set("host.limits", "kv-value-size", "\"1KiB\"");
    let mut daemon = stage.start().await;
    let large = daemon.ask("probe", &format!("set a {}", "x".repeat(1025))).await;
    assert_eq!(large, ["limit: a value may have at most 1024 bytes, this one has 1025"]);
    let value = "x".repeat(1000);
    assert_eq!(daemon.ask("probe", &format!("set a {value}")).await, ["set"]);
    assert_eq!(daemon.ask("probe", &format!("set b {value}")).await, ["set"]);
    let full = daemon.ask("probe", &format!("set c {value}")).await;
    assert_eq!(full, ["limit: a plugin may keep at most 2048 bytes, this would make 3003"]);
    assert_eq!(daemon.ask("probe", "set a small").await, ["set"]);
    assert_eq!(daemon.ask("probe", &format!("set c {value}")).await, ["set"]);
    daemon.stop().await;
}

#[tokio::test]
async fn one_event_has_at_most_32_effects() {
    let mut daemon = Stage::with_probe().start().await;
    let event = daemon.chat("many 40").await;
    let decision = daemon.decision(&event, "probe").await;
    assert_eq!(decision.effects.len(), 32);
    assert_eq!(decision.notes, ["many: 8 refused", "limit: at most 32 effects for one event"]);
    assert_eq!(daemon.outcome(&event, "probe", 31).await.status, OutcomeStatus::Done);
    daemon.stop().await;
}

#[tokio::test]
async fn the_effects_of_one_event_have_a_size() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "effect-size", "\"1KiB\"");
    let mut daemon = stage.start().await;
    let event = daemon.chat(&format!("echo {}", "x".repeat(1025))).await;
    let limit = "limit: the effects of one event may hold at most 1024 bytes";
    assert_eq!(daemon.decision(&event, "probe").await.verdict, DecisionKind::Failed(limit.into()));
    daemon.stop().await;
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "log-lines-per-second", "10");
    let mut daemon = stage.start().await;
    let event = daemon.chat("log 2000").await;
    assert_eq!(daemon.decision(&event, "probe").await.notes.len(), 8);
    let lines = logged(&mut daemon).iter().filter(|line| line.starts_with("line ")).count();
    // However long the handler took: it may have used up more than one second's.
    assert!((5..=30).contains(&lines), "{lines}");
    daemon.stop().await;
}

#[tokio::test]
async fn what_is_printed_is_logged() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.ask("probe", "print out loud").await;
    assert!(logged(&mut daemon).contains(&"out loud".to_owned()));
    daemon.stop().await;
}

#[tokio::test]
async fn a_timer_wakes_its_plugin() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.ask("probe", "timer 20").await;
    assert_eq!(said(&daemon.own_decision("timer:probe:timer:", "probe").await), ["timer fired"]);
    daemon.stop().await;
}

#[tokio::test]
async fn the_agents_reply_comes_back_to_the_plugin_that_asked() {
    let mut daemon = Stage::with_probe().start().await;
    let event = daemon.chat("task write a poem").await;
    daemon.outcome(&event, "probe", 0).await;
    let task = daemon.answer_task("roses").await;
    assert_eq!((task.prompt.as_str(), task.plugin.as_str()), ("write a poem", "probe"));
    let texts = daemon
        .until("the reply in chat", |seen| match seen {
            Observation::Decision(decision) if said(decision) == ["roses"] => Some(said(decision)),
            _ => None,
        })
        .await;
    assert_eq!(texts, ["roses"]);
    daemon.stop().await;
}

#[tokio::test]
async fn alerts_and_publications_reach_whoever_watches() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.chat("alert look").await;
    let alert = |seen: &Observation| match seen {
        Observation::Alert { alert, .. } => Some(alert.text.clone()),
        _ => None,
    };
    assert_eq!(daemon.until("an alert", alert).await, "look");
    daemon.chat("publish this").await;
    let published = |seen: &Observation| match seen {
        Observation::Published { kind, data_json, .. } => Some((kind.clone(), data_json.clone())),
        _ => None,
    };
    let expected = ("probe".to_owned(), "{\"text\":\"this\"}".to_owned());
    assert_eq!(daemon.until("a publication", published).await, expected);
    daemon.stop().await;
}

#[tokio::test]
async fn moderation_is_carried_out_and_reported_to_the_plugin() {
    let mut daemon = Stage::with_probe().start().await;
    let event = daemon.chat("ban simulated:troll").await;
    assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
    daemon
        .until("the plugin hears of it", |seen| match seen {
            Observation::Log { message, .. } if message == "outcome done 0" => Some(()),
            _ => None,
        })
        .await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_line_that_was_played_in_makes_nobody_a_viewer() {
    let mut daemon = Stage::with_probe().start().await;
    assert_eq!(daemon.ask("probe", "viewer simulated:viewer").await, ["unknown"]);
    assert_eq!(daemon.ask("probe", "viewer simulated:viewer").await, ["unknown"]);
    daemon.stop().await;
}

#[tokio::test]
async fn tools_say_that_there_are_none() {
    let mut daemon = Stage::with_probe().start().await;
    let answer = daemon.ask("probe", "tool set-title").await;
    assert!(answer[0].starts_with("unavailable: "), "{answer:?}");
    daemon.stop().await;
}
