//! What a plugin may do: what it asks for, as far as the operator gives it, from one call to the next.

use std::collections::BTreeMap;
use std::fs;

use showrunner::config::edit::Change;
use showrunner::gateway::control::Simulation;
use showrunner::observation::{Decision, DecisionKind, Observation};
use showrunner_tests::daemon::{Daemon, Stage, probe_manifest, said};
use showrunner_tests::fixtures::{self, Fixture};

/// What the operator of a waiting plugin is told.
const GRANT: &str = "run `showrunner plugins grant probe` to allow it";

fn grant(pairs: &[(&str, &[&str])]) -> Change {
    let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    Change::Grant(pairs.iter().map(|(name, list)| ((*name).to_owned(), items(list))).collect::<BTreeMap<_, _>>())
}

/// A probe that may only speak.
async fn speaking() -> Daemon {
    let mut stage = Stage::with_probe();
    stage.grant("probe", "{ chat = [\"say\"] }");
    let mut daemon = stage.start().await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    daemon
}

fn in_kitchen(text: &str) -> Simulation {
    let (text, channel) = (Some(text.into()), Some("kitchen".into()));
    Simulation { kind: "chat".into(), text, channel, ..Simulation::default() }
}

/// A line of which a plugin that does not run must never hear: not now, and not when it runs again.
async fn unheard(daemon: &mut Daemon) -> String {
    let event = daemon.chat("version").await;
    assert_eq!(daemon.status("probe").await.queued, 0);
    event
}

#[tokio::test]
async fn a_stranger_waits_until_the_operator_grants_something() {
    let mut stage = Stage::default();
    let manifest = probe_manifest("probe");
    stage.drop_in(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe() });
    let mut daemon = stage.start().await;
    let news = daemon.news("probe", "waiting-for-grant").await;
    assert!(news.detail.contains("chat (announce, say)") && news.detail.ends_with(GRANT), "{}", news.detail);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation), ("waiting-for-grant", 0));
    assert_eq!(status.asked["chat"], ["announce", "say"]);
    assert!(status.granted.is_empty());
    let unheard = unheard(&mut daemon).await;

    daemon.change("probe", &[grant(&[("chat", &["say"])])]).await;
    daemon.news("probe", "loaded").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    assert_eq!(daemon.ask("probe", "deny").await, ["denied: chat.announce was not granted by the operator"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_stranger_that_is_dropped_in_later_waits_too() {
    let mut daemon = Stage::default().start().await;
    daemon.look_at_all_files().await;
    let manifest = probe_manifest("probe");
    daemon.stage.drop_in(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe() });
    assert!(daemon.news("probe", "waiting-for-grant").await.detail.ends_with(GRANT));
    daemon.stop().await;
}

#[tokio::test]
async fn what_is_taken_back_is_refused_from_the_next_call_on() {
    let mut daemon = Stage::with_probe().start().await;
    assert_eq!(daemon.ask("probe", "count c").await, ["1"]);
    daemon.change("probe", &[grant(&[("chat", &["say"])])]).await;
    assert_eq!(daemon.ask("probe", "count c").await, ["denied: kv.use was not granted by the operator"]);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation), ("running", 1), "the instance stays");
    assert_eq!(status.granted, BTreeMap::from([("chat".to_owned(), vec!["say".to_owned()])]));
    daemon.change("probe", &[grant(&[])]).await;
    let event = daemon.chat("version").await;
    let decision = daemon.decision(&event, "probe").await;
    assert!(format!("{:?}", decision.verdict).contains("denied: chat.say was not granted"), "{decision:?}");
    daemon.stop().await;
}

#[tokio::test]
async fn what_was_never_asked_for_can_not_be_granted() {
    let mut stage = Stage::default();
    stage.add_probe_with("probe", |manifest| manifest.replace("kv = [\"use\"]\n", ""));
    stage.grant("probe", "{ chat = [\"say\"], kv = [\"use\"] }");
    let mut daemon = stage.start().await;
    assert_eq!(daemon.ask("probe", "count c").await, ["denied: kv.use is not among the permissions in plugin.toml"]);
    daemon.stop().await;
}

#[tokio::test]
async fn rights_are_taken_back_also_while_a_broken_file_lies_there() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.look_at_all_files().await;
    for broken in [fixtures::core_module(), b"not even that"] {
        fs::write(daemon.stage.component("probe"), broken).unwrap();
        daemon.news("probe", "failed").await;
    }
    daemon.change("probe", &[grant(&[("chat", &["say"])])]).await;
    assert_eq!(daemon.ask("probe", "count c").await, ["denied: kv.use was not granted by the operator"]);
    daemon.change("probe", &[Change::Enabled(false)]).await;
    let unheard = unheard(&mut daemon).await;
    fs::write(daemon.stage.component("probe"), fixtures::probe()).unwrap();
    daemon.change("probe", &[Change::Enabled(true)]).await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn channels_are_taken_back_also_while_a_broken_file_lies_there() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.look_at_all_files().await;
    fs::write(daemon.stage.component("probe"), fixtures::core_module()).unwrap();
    daemon.news("probe", "failed").await;
    daemon.configure("plugins.probe", "channels", "[\"simulator:kitchen\"]").await;
    let unheard = daemon.chat("version").await;
    let heard = daemon.simulate(in_kitchen("version")).await;
    assert_eq!(said(&daemon.decision(&heard, "probe").await), ["1"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_plugin_without_a_grant_any_more_ends() {
    let mut daemon = speaking().await;
    daemon.stage.unset("plugins.probe", "grant");
    daemon.stage.write_config();
    daemon.reload_config().await;
    daemon.news("probe", "waiting-for-grant").await;
    assert_eq!(daemon.status("probe").await.state, "waiting-for-grant");
    let unheard = unheard(&mut daemon).await;
    daemon.configure("plugins.probe", "grant", "{ chat = [\"say\"] }").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_version_that_asks_for_more_waits_and_the_old_one_goes_on() {
    let mut daemon = speaking().await;
    daemon.look_at_all_files().await;
    let more = probe_manifest("probe").replace("[\"say\", \"announce\"]", "[\"say\", \"announce\", \"whisper\"]");
    daemon.stage.drop_in(&Fixture { id: "probe", manifest: &more, component: fixtures::probe_v2() });
    let detail = daemon.news("probe", "waiting-for-grant").await.detail;
    assert!(detail.contains("the new version also asks for chat (whisper)") && detail.contains(GRANT), "{detail}");
    assert_eq!(daemon.ask("probe", "remember me").await, Vec::<String>::new());
    daemon.look_at_all_files().await;
    assert_eq!(daemon.ask("probe", "recall").await, ["me"]);

    // Also then the old one keeps to what is granted now.
    daemon.change("probe", &[grant(&[("chat", &["say"]), ("kv", &["use"])])]).await;
    assert_eq!(daemon.ask("probe", "count c").await, ["1"]);
    daemon.change("probe", &[grant(&[("chat", &["say", "whisper"])])]).await;
    assert_eq!(daemon.ask("probe", "version").await, ["2"]);
    assert_eq!(daemon.ask("probe", "recall").await, ["me"], "it was handed over");
    daemon.stop().await;
}

#[tokio::test]
async fn a_pin_holds_for_one_file() {
    let mut daemon = speaking().await;
    daemon.look_at_all_files().await;
    let first = daemon.status("probe").await.hash;
    daemon.change("probe", &[Change::Pin(first.clone())]).await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    let news = daemon.news("probe", "waiting-for-grant").await;
    assert!(news.detail.contains(&format!("the grant is pinned to {first}")), "{}", news.detail);
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);

    // A pin on neither of them leaves nothing that may run.
    daemon.change("probe", &[Change::Pin(format!("sha256:{}", "0".repeat(64)))]).await;
    let pinned = unheard(&mut daemon).await;
    // Nor does it run when nobody has decided anything of it.
    daemon.change("probe", &[Change::Undecide]).await;
    let undecided = unheard(&mut daemon).await;
    daemon.change("probe", &[grant(&[("chat", &["say"])])]).await;
    assert_eq!(daemon.ask("probe", "version").await, ["2"]);
    assert!(!daemon.has_decided(&pinned, "probe") && !daemon.has_decided(&undecided, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_disabled_plugin_ends_and_an_enabled_one_starts_with_its_memory() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.ask("probe", "set k v").await;
    daemon.change("probe", &[Change::Enabled(false)]).await;
    daemon.news("probe", "disabled").await;
    let status = daemon.status("probe").await;
    assert_eq!(status.state, "disabled");
    assert_eq!(status.detail, "run `showrunner plugins enable probe` to start it");
    let unheard = unheard(&mut daemon).await;
    daemon.change("probe", &[Change::Enabled(true)]).await;
    assert_eq!(daemon.ask("probe", "get k").await, ["v"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_plugin_hears_and_speaks_in_its_channels_only() {
    let mut stage = Stage::with_probe();
    stage.set("plugins.probe", "channels", "[\"simulator:studio\"]");
    let mut daemon = stage.start().await;
    let unheard = daemon.simulate(in_kitchen("version")).await;
    let asked = daemon.chat("task say it later").await;
    daemon.outcome(&asked, "probe", 0).await;
    assert!(!daemon.has_decided(&unheard, "probe"));
    // It will speak where it last heard something, which is no longer its own by then.
    daemon.configure("plugins.probe", "channels", "[\"simulator:kitchen\"]").await;
    daemon.answer_task("later").await;
    let why = |seen: &Observation| match seen {
        Observation::Decision(Decision { verdict: DecisionKind::Failed(why), .. }) => Some(why.clone()),
        _ => None,
    };
    let why = daemon.until("a refusal", why).await;
    assert_eq!(why, "denied: channel simulator:studio is not among this plugin's channels");
    let heard = daemon.simulate(in_kitchen("version")).await;
    assert_eq!(said(&daemon.decision(&heard, "probe").await), ["1"]);
    assert_eq!(daemon.status("probe").await.generation, 1);
    daemon.stop().await;
}

#[tokio::test]
async fn new_settings_start_their_plugin_anew_and_no_other() {
    let mut stage = Stage::with_probe();
    stage.add_probe("other");
    let mut daemon = stage.start().await;
    daemon.ask("probe", "remember me").await;
    daemon.configure("plugins.probe", "settings", "{ version = \"custom\" }").await;
    assert_eq!(daemon.ask("probe", "version").await, ["custom"]);
    assert_eq!(daemon.ask("probe", "recall").await, ["me"], "it was handed over");
    assert_eq!(daemon.status("probe").await.generation, 2);
    assert_eq!(daemon.status("other").await.generation, 1);
    daemon.configure("plugins.probe", "on-failure", "\"hold\"").await;
    assert_eq!(daemon.status("probe").await.generation, 2);
    daemon.stop().await;
}

#[tokio::test]
async fn settings_that_the_plugin_refuses_leave_the_old_ones_in_force() {
    let mut daemon = Stage::with_probe().start().await;
    daemon.configure("plugins.probe", "settings", "{ init = \"error\", version = \"custom\" }").await;
    let news = daemon.news("probe", "failed").await;
    assert!(news.detail.contains("init refused to start: told so"), "{}", news.detail);
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    daemon.configure("plugins.probe", "settings", "{ version = \"custom\" }").await;
    assert_eq!(daemon.ask("probe", "version").await, ["custom"]);
    daemon.stop().await;
}
