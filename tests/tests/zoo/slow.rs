//! Beasts that wait, and make wait: for a slow server, for the clock, for a database that is locked, in their `init`
//! and in their handler. Each holds up itself alone.

use std::fs;
use std::time::Duration;

use rusqlite::Connection;
use showrunner::config::edit::Change;
use showrunner::observation::DecisionKind;
use showrunner_tests::daemon::Stage;
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::line::{BadLine, Fault};
use showrunner_tests::web::Web;
use showrunner_tests::zoo::Zoo;

/// A beast that waits for the gate in its init.
async fn waiting_in_init(web: &Web, init: &str) -> Zoo {
    Zoo::open_at_once(&fixtures::beast_manifest(web.port), fixtures::beast(), |stage| {
        set_init(stage, web, init);
    })
    .await
}

fn set_init(stage: &mut Stage, web: &Web, init: &str) {
    stage.set("plugins.beast", "settings", &format!("{{ init = {init}, gate = \"{}\" }}", web.url("/gate")));
}

#[tokio::test]
async fn a_slow_init_delays_neither_the_others_nor_the_engine_and_loses_no_money() {
    let mut web = Web::start().await;
    // This returns when the engine is ready, and the gate is still closed.
    let mut zoo = waiting_in_init(&web, "[\"fetch\"]").await;
    web.arrival().await;
    let news = zoo.daemon.news("beast", "slow").await;
    assert_eq!(news.detail, "its init takes its time; nobody waits for it, and chat goes by until then");
    let status = zoo.daemon.status("beast").await;
    assert_eq!((status.state.as_str(), status.generation), ("starting", 0));
    zoo.neighbour_answers().await;
    zoo.heart_beats().await;
    let tip = zoo.daemon.tip("while it starts").await;
    let line = zoo.order("count");
    zoo.neighbour_answers().await;
    web.open_gate();
    zoo.daemon.news("beast", "loaded").await;
    assert_eq!(zoo.daemon.decision(&tip, "beast").await.verdict, DecisionKind::Passed);
    assert_eq!(zoo.says("count").await, "1");
    assert!(!zoo.daemon.has_decided(&line, "beast"), "chat is not answered when nobody remembers it");
    assert_eq!(zoo.daemon.status("beast").await.state, "running");
    assert_eq!(zoo.close(&[]).await["c"], "1");
}

#[tokio::test]
async fn a_slow_init_holds_up_no_order_of_the_operator_and_yields_to_the_next() {
    let mut web = Web::start().await;
    let mut zoo = waiting_in_init(&web, "[\"fetch\"]").await;
    web.arrival().await;
    // About another plugin, about the config, and about this one.
    assert_eq!(zoo.daemon.reload("greeter-rust").await.generation, 2);
    zoo.daemon.configure("host.limits", "http-timeout", "\"50s\"").await;
    zoo.daemon.change("beast", &[Change::Enabled(false)]).await;
    zoo.daemon.news("beast", "disabled").await;
    assert_eq!(zoo.daemon.status("beast").await.state, "disabled");
    set_init(&mut zoo.daemon.stage, &web, "[]");
    zoo.daemon.stage.set("plugins.beast", "enabled", "true");
    zoo.daemon.stage.write_config();
    zoo.daemon.reload_config().await;
    assert_eq!(zoo.says("count").await, "1");
    assert_eq!(zoo.close(&[]).await["c"], "1");
}

#[tokio::test]
async fn a_slow_init_holds_up_no_stop() {
    let mut web = Web::start().await;
    let mut zoo = waiting_in_init(&web, "[\"fetch\"]").await;
    web.arrival().await;
    zoo.neighbour_answers().await;
    zoo.close(&[]).await;
}

#[tokio::test]
async fn an_init_that_sleeps_for_an_hour_is_ended() {
    let mut zoo = Zoo::open(|stage| {
        stage.set("plugins.beast", "settings", "{ init = [\"sleep\"] }");
        stage.set("host.limits", "init", "\"2s\"").set("host.limits", "http-timeout", "\"1s\"");
    })
    .await;
    let news = zoo.daemon.news("beast", "failed").await;
    assert_eq!(news.detail, "init failed: it ran longer than 3000 ms (nothing of it runs)");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn the_old_version_works_on_while_the_new_one_takes_its_time_to_start() {
    let mut web = Web::start().await;
    let mut zoo = waiting_in_init(&web, "[]").await;
    let old = zoo.daemon.status("beast").await;
    set_init(&mut zoo.daemon.stage, &web, "[\"fetch\"]");
    zoo.daemon.stage.write_config();
    // It returns although the new instance is not there yet.
    zoo.daemon.reload_config().await;
    web.arrival().await;
    let detail = "the init of version 1.0.0 takes its time; until then version 1.0.0 goes on";
    assert_eq!(zoo.daemon.news("beast", "slow").await.detail, detail);
    assert_eq!(zoo.says("count").await, "1");
    assert_eq!(zoo.daemon.status("beast").await.generation, old.generation);
    web.open_gate();
    assert_eq!(zoo.daemon.news("beast", "reloaded").await.generation, old.generation + 1);
    assert_eq!(zoo.says("count").await, "2");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn what_the_old_version_stores_while_the_new_one_starts_is_not_undone() {
    let mut web = Web::start().await;
    web.open_gate();
    let mut zoo = waiting_in_init(&web, "[\"count\", \"fetch\"]").await;
    web.arrival().await;
    assert_eq!(zoo.says("count").await, "101");
    zoo.daemon.stage.edit_manifest("beast", |text| text.replace("version = \"1.0.0\"", "version = \"2.0.0\""));
    // The new one has counted to 201 by then, and waits.
    web.arrival().await;
    assert_eq!(zoo.says("count").await, "102");
    assert_eq!(zoo.says("count").await, "103");
    // Once for the start that was too early, and once for the one that counts.
    web.open_gate();
    web.open_gate();
    assert_eq!(zoo.daemon.news("beast", "reloaded").await.version, "2.0.0");
    assert_eq!(zoo.says("count").await, "204");
    assert_eq!(zoo.close(&[]).await["c"], "204");
}

#[tokio::test]
async fn a_second_start_that_fails_is_told_and_the_old_version_goes_on() {
    let mut web = Web::start().await;
    let line = BadLine::to(([127, 0, 0, 1], web.port).into()).await;
    web.open_gate();
    let gate = format!("http://127.0.0.1:{}/gate", line.port());
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(line.port()), fixtures::beast(), |stage| {
        stage.set("plugins.beast", "settings", &format!("{{ init = [\"count\", \"fetch\"], gate = \"{gate}\" }}"));
    })
    .await;
    web.arrival().await;
    zoo.daemon.until_running("beast").await;
    zoo.daemon.stage.edit_manifest("beast", |text| text.replace("version = \"1.0.0\"", "version = \"2.0.0\""));
    web.arrival().await;
    // What the new one has read is old by now, so that it starts once more; and then nobody answers it.
    assert_eq!(zoo.says("count").await, "101");
    web.open_gate();
    web.arrival().await;
    line.set(Fault::HangsUp);
    let detail = zoo.daemon.news("beast", "failed").await.detail;
    let words = "it could not take over: started once more, its init refused to start: ";
    assert!(detail.starts_with(words) && detail.ends_with(" (version 1.0.0 goes on)"), "{detail}");
    assert_eq!(zoo.says("count").await, "102");
    assert_eq!(zoo.close(&[]).await["c"], "102");
}

#[tokio::test]
async fn a_swap_that_waits_for_a_slow_handler_holds_up_no_other_and_yields_to_the_operator() {
    let mut web = Web::start().await;
    let mut zoo = waiting_in_init(&web, "[]").await;
    let slow = zoo.order(&format!("call http.send {}", web.url("/gate")));
    // The secret is not set, so that this is refused on the spot; the plain request waits.
    assert!(zoo.daemon.decision(&slow, "beast").await.notes[0].contains("no secret `key`"));
    let slow = zoo.order(&format!("get {}", web.url("/gate")));
    web.arrival().await;
    fs::write(zoo.daemon.stage.component("beast"), fixtures::beast_reviewer()).unwrap();
    let detail = "version 1.0.0 takes over as soon as the event in hand is done";
    assert_eq!(zoo.daemon.news("beast", "slow").await.detail, detail);
    assert_eq!(zoo.daemon.reload("greeter-rust").await.generation, 2);
    // What is taken back is taken back from the version that runs, and the one that waits is looked at anew.
    let grant = "{ chat = [\"say\"] }";
    zoo.daemon.configure("plugins.beast", "grant", grant).await;
    assert_eq!(zoo.daemon.status("beast").await.granted.keys().collect::<Vec<_>>(), ["chat"]);
    web.open_gate();
    assert_eq!(zoo.daemon.decision(&slow, "beast").await.notes, ["200"]);
    zoo.daemon.news("beast", "reloaded").await;
    assert_eq!(zoo.says("call kv.set").await, "denied: kv.use was not granted by the operator");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_slow_server_keeps_only_those_waiting_who_call_it() {
    let web = Web::start().await;
    let line = BadLine::to(([127, 0, 0, 1], web.port).into()).await;
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(line.port()), fixtures::beast(), |stage| {
        // The wait does not count as the beast's own time.
        stage.set("host.limits", "http-timeout", "\"5s\"").set("host.limits", "handle", "\"2s\"");
    })
    .await;
    let order = format!("get http://127.0.0.1:{}/x", line.port());
    assert_eq!(zoo.says(&order).await, "200");
    for (fault, result) in [
        (Fault::Stalled, "timeout: no answer within 5s"),
        (Fault::Drips(Duration::from_millis(100)), "timeout: no answer within 5s"),
        (Fault::BreaksAfter(20), "network: "),
        (Fault::HangsUp, "network: "),
    ] {
        line.set(fault);
        let event = zoo.order(&order);
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
        let decision = zoo.daemon.decision(&event, "beast").await;
        assert_eq!(decision.verdict, DecisionKind::Handled, "{fault:?}");
        assert!(decision.notes[0].starts_with(result), "{fault:?}: {:?}", decision.notes);
    }
    line.set(Fault::None);
    assert_eq!(zoo.says(&order).await, "200");
    assert_eq!(zoo.daemon.status("beast").await.crashes, 0);
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_handler_that_sleeps_holds_up_nobody_and_no_stop() {
    let mut zoo = Zoo::open(|_| {}).await;
    let sleep = zoo.order("sleep 3600000");
    let behind = zoo.order("count");
    for _ in 0..3 {
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
    }
    assert!(!zoo.daemon.has_decided(&sleep, "beast") && !zoo.daemon.has_decided(&behind, "beast"));
    assert!(zoo.close(&[]).await.is_empty(), "nothing of what it had begun is kept");
}

#[tokio::test]
async fn a_database_that_is_locked_holds_up_no_chat_and_loses_no_memory() {
    let mut zoo = Zoo::open(|_| {}).await;
    assert_eq!(zoo.says("count").await, "1");
    let foreign = Connection::open(zoo.daemon.stage.data_dir().join("showrunner.db")).unwrap();
    foreign.busy_timeout(Duration::from_secs(10)).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    for sum in 2..=5 {
        assert_eq!(zoo.says("count").await, sum.to_string());
        // Who asks for viewers is told in the end that nobody is known, or whom the disk still tells of.
        zoo.deed("call viewers.get").await;
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
    }
    zoo.daemon.store_problem("chat is answered from memory, see to the disk").await;
    zoo.heart_beats().await;
    foreign.execute_batch("ROLLBACK").unwrap();
    assert_eq!(zoo.says("count").await, "6");
    assert_eq!(zoo.close(&[]).await["c"], "6");
}

#[tokio::test]
async fn a_beast_that_hoards_fills_its_own_quota_and_nothing_else() {
    let mut zoo = Zoo::open(|stage| {
        stage.set("host.limits", "handle", "\"10s\"");
    })
    .await;
    let deed = zoo.deed("hoard 30").await;
    assert_eq!(deed.notes[0], "limit: a plugin may keep at most 1048576 bytes, this would make 1106054");
    for _ in 0..20 {
        zoo.order("hoard 17");
    }
    zoo.neighbour_answers().await;
    zoo.heart_beats().await;
    zoo.deed("hoard 1").await;
    let kept = zoo.close(&[]).await;
    assert_eq!(kept.len(), 17);
}

#[tokio::test]
async fn plugins_start_side_by_side() {
    let mut web = Web::start().await;
    let manifest = fixtures::beast_manifest(web.port);
    let ids: Vec<String> = (0..5).map(|number| format!("slow-{number}")).collect();
    let beast = (fixtures::beast_manifest(1), fixtures::beast());
    let mut zoo = Zoo::open_at_once(&beast.0, beast.1, |stage| {
        for id in &ids {
            let manifest = manifest.replace("id = \"beast\"", &format!("id = \"{id}\""));
            stage.add(&Fixture { id, manifest: &manifest, component: fixtures::beast() });
            let settings = format!("{{ init = [\"fetch\"], gate = \"{}\" }}", web.url("/gate"));
            stage.set(&format!("plugins.{id}"), "settings", &settings);
        }
    })
    .await;
    // All wait at the same time: one after the other, the second would not have called before the first was let in.
    for _ in &ids {
        web.arrival().await;
    }
    zoo.neighbour_answers().await;
    for _ in &ids {
        web.open_gate();
    }
    for id in &ids {
        zoo.daemon.until_running(id).await;
    }
    zoo.close(&[]).await;
}
