//! What a plugin can use up and break: its own time, memory and life, and nobody else's.

use std::time::Duration;

use showrunner::gateway::control::Simulation;
use showrunner::observation::{DecisionKind, Observation};
use showrunner_tests::daemon::{Daemon, Stage, said};
use showrunner_tests::fixtures;

/// A line in a channel of its own.
fn line(channel: &str, text: &str) -> Simulation {
    let (text, channel) = (Some(text.into()), Some(channel.into()));
    Simulation { kind: "chat".into(), text, channel, ..Simulation::default() }
}

/// How often the probe came to its end with an event.
fn decisions(daemon: &mut Daemon, event: &str) -> usize {
    let is_wanted = |seen: &Observation| match seen {
        Observation::Decision(decision) => *decision.event_id == *event && *decision.plugin == *"probe",
        _ => false,
    };
    daemon.so_far().iter().filter(|seen| is_wanted(seen)).count()
}

#[tokio::test]
async fn memory_over_the_limit_is_refused_and_the_plugin_lives() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "memory", "\"16MiB\"");
    let mut daemon = stage.start().await;
    daemon.ask("probe", "remember me").await;
    assert_eq!(daemon.ask("probe", "grow 32").await, ["refused"]);
    assert_eq!(daemon.ask("probe", "grow 8").await, ["grown"]);
    assert_eq!(daemon.ask("probe", "recall").await, ["me"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_manifest_can_only_lower_the_limit_of_memory() {
    let mut stage = Stage::default();
    stage.set("host.limits", "memory", "\"16MiB\"");
    for (id, mebibytes) in [("modest", 4), ("greedy", 1024)] {
        stage.add_probe_with(id, |manifest| {
            manifest.replace("[defaults]", &format!("[limits]\nmemory-mib = {mebibytes}\n[defaults]"))
        });
    }
    let mut daemon = stage.start().await;
    let event = daemon.chat("grow 8").await;
    assert_eq!(said(&daemon.decision(&event, "modest").await), ["refused"]);
    assert_eq!(said(&daemon.decision(&event, "greedy").await), ["grown"]);
    let event = daemon.chat("grow 32").await;
    assert_eq!(said(&daemon.decision(&event, "greedy").await), ["refused"]);
    daemon.stop().await;
}

#[tokio::test]
async fn plugins_that_spin_are_ended_and_hold_up_nobody() {
    // More than there are threads for plugins.
    const SPINNERS: usize = 5;
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "handle", "\"10s\"").set("plugins.probe", "channels", "[\"simulator:studio\"]");
    for number in 0..SPINNERS {
        let id = format!("spinner-{number}");
        stage.add_probe(&id).set(&format!("plugins.{id}"), "channels", "[\"simulator:arena\"]");
    }
    let mut daemon = stage.start().await;
    let spin = daemon.simulate(line("arena", "spin")).await;
    assert_eq!(daemon.ask("probe", "echo hello").await, ["hello"]);
    daemon.ask("probe", "timer 10").await;
    assert_eq!(said(&daemon.own_decision("timer:probe:", "probe").await), ["timer fired"]);
    for number in 0..SPINNERS {
        assert!(!daemon.has_decided(&spin, &format!("spinner-{number}")), "all this was while they spun");
    }
    for number in 0..SPINNERS {
        let id = format!("spinner-{number}");
        let decision = daemon.decision(&spin, &id).await;
        assert_eq!(decision.verdict, DecisionKind::Crashed("it ran longer than 10000 ms".into()));
        let took = Duration::from_micros(decision.took_us);
        assert!(took >= Duration::from_secs(10), "{took:?}");
        let answer = daemon.simulate(line("arena", "echo here")).await;
        assert_eq!(said(&daemon.decision(&answer, &id).await), ["here"]);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn an_init_that_spins_is_ended() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "init", "\"100ms\"").set("plugins.probe", "settings", "{ init = \"spin\" }");
    let mut daemon = stage.start().await;
    let news = daemon.news("probe", "failed").await;
    assert!(news.detail.contains("init failed: it ran longer than 100 ms"), "{}", news.detail);
    daemon.stop().await;
}

#[tokio::test]
async fn an_event_that_crashed_a_plugin_does_not_come_again() {
    let mut daemon = Stage::with_probe().start().await;
    let crash = daemon.chat("trap").await;
    daemon.news("probe", "crashed").await;
    daemon.news("probe", "restarted").await;
    assert_eq!(daemon.ask("probe", "echo alive").await, ["alive"]);
    assert_eq!(decisions(&mut daemon, &crash), 1);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation, status.crashes), ("running", 1, 1));
    let mut daemon = daemon.stop().await.start().await;
    assert_eq!(daemon.ask("probe", "echo alive").await, ["alive"]);
    assert_eq!(decisions(&mut daemon, &crash), 0);
    daemon.stop().await;
}

#[tokio::test]
async fn what_comes_while_a_crashed_plugin_pauses_is_handled_afterwards() {
    let mut daemon = Stage::with_probe().start().await;
    let mut lines = Vec::new();
    for number in 0..3 {
        daemon.chat("trap").await;
        lines.push((daemon.chat(&format!("echo {number}")).await, number.to_string()));
    }
    for (event, text) in lines {
        assert_eq!(said(&daemon.decision(&event, "probe").await), [text]);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn five_crashes_quarantine_a_plugin_until_the_operator_says_so() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.quarantine_probe().await;
    let status = daemon.status("probe").await;
    assert_eq!(status.state, "quarantined");
    assert!(status.detail.contains("run `showrunner plugins reload probe`"), "{}", status.detail);
    assert!(!status.detail.contains('\n'), "{}", status.detail);

    // The next engine does not try again.
    let mut daemon = daemon.stop().await.start().await;
    let news = daemon.news("probe", "quarantined").await;
    assert!(news.detail.contains("too many crashes in a minute"), "{}", news.detail);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation), ("quarantined", 0));

    assert_eq!(daemon.reload("probe").await.state, "running");
    assert_eq!(daemon.ask("probe", "echo again").await, ["again"]);
    let mut daemon = daemon.stop().await.start().await;
    assert_eq!(daemon.ask("probe", "echo again").await, ["again"]);
    daemon.stop().await;
}

#[tokio::test]
async fn money_that_comes_while_a_plugin_is_quarantined_reaches_it_afterwards() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.quarantine_probe().await;
    let mut tips = vec![daemon.tip("while it is quarantined").await];
    let mut daemon = daemon.stop().await.start().await;
    daemon.news("probe", "quarantined").await;
    tips.push(daemon.tip("after a restart").await);
    let mut daemon = daemon.stop().await.start().await;
    tips.push(daemon.tip("after another").await);
    daemon.reload("probe").await;
    for tip in &tips {
        assert_eq!(daemon.decision(tip, "probe").await.verdict, DecisionKind::Passed);
    }
    daemon.ask("probe", "echo now").await;
    for tip in &tips {
        assert_eq!(decisions(&mut daemon, tip), 1);
    }
    // None of it comes again.
    let mut daemon = daemon.stop().await.start().await;
    daemon.ask("probe", "echo now").await;
    for tip in &tips {
        assert_eq!(decisions(&mut daemon, tip), 0);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn money_waits_also_while_a_quarantined_plugin_is_switched_off_and_on() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.quarantine_probe().await;
    let tip = daemon.tip("once").await;
    daemon.configure("plugins.probe", "enabled", "false").await;
    daemon.configure("plugins.probe", "enabled", "true").await;
    daemon.reload("probe").await;
    daemon.decision(&tip, "probe").await;
    daemon.ask("probe", "echo now").await;
    assert_eq!(decisions(&mut daemon, &tip), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn money_waits_also_while_a_quarantined_plugin_has_a_broken_file() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.quarantine_probe().await;
    let mut daemon = daemon.stop().await.start().await;
    daemon.look_at_all_files().await;
    let mut tips = vec![daemon.tip("before").await];
    std::fs::write(daemon.stage.component("probe"), fixtures::core_module()).unwrap();
    daemon.news("probe", "failed").await;
    // Whatever else happens to plugins meanwhile.
    daemon.stage.add_probe("other");
    daemon.stage.write_config();
    daemon.reload_config().await;
    assert_eq!(daemon.status("other").await.state, "running");
    tips.push(daemon.tip("meanwhile").await);
    std::fs::write(daemon.stage.component("probe"), fixtures::probe()).unwrap();
    daemon.look_at_all_files().await;
    assert_eq!(daemon.status("probe").await.state, "quarantined");
    tips.push(daemon.tip("after").await);
    daemon.reload("probe").await;
    daemon.ask("probe", "echo now").await;
    for tip in &tips {
        assert_eq!(decisions(&mut daemon, tip), 1);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn there_are_no_files_and_no_sockets() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut daemon = Stage::with_probe().start().await;
    for order in ["read /etc/hostname".to_owned(), "read plugin.toml".to_owned(), format!("connect {address}")] {
        let answer = daemon.ask("probe", &order).await.remove(0);
        assert!(answer != "read" && answer != "connected", "{order}: {answer}");
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    daemon.stop().await;
}
