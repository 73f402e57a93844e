//! Beasts that bring themselves to an end, in every way that there is: the operator reads how, nothing half done
//! leaves, and nobody beside them notices.

use showrunner::observation::DecisionKind;
use showrunner_tests::daemon::Stage;
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::line::{BadLine, Fault};
use showrunner_tests::web::Web;
use showrunner_tests::zoo::Zoo;

fn crashed(words: &str) -> DecisionKind {
    DecisionKind::Crashed(words.into())
}

/// What the operator reads of a beast that had too much.
fn out_of_memory(limit: u32) -> String {
    format!(
        "it asked for more memory than the {limit} bytes that it may have (host.limits.memory, or memory-mib in its \
         plugin.toml), and trapped: "
    )
}

#[tokio::test]
async fn however_a_beast_ends_it_is_told_and_nothing_half_done_leaves() {
    let starved = format!("{}wasm trap: wasm `unreachable` instruction executed", out_of_memory(64 << 20));
    let ends = [
        ("trap", "it trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("overflow", "it trapped: wasm trap: out of bounds memory access"),
        ("recurse", "it trapped: wasm trap: call stack exhausted"),
        ("eat", starved.as_str()),
        ("exit", "it ended itself, with the exit status 0"),
    ];
    let mut zoo = Zoo::open(|stage| {
        // Eating takes its time.
        stage.set("host.limits", "handle", "\"10s\"");
    })
    .await;
    for (crashes, (order, words)) in (1..).zip(ends) {
        let deed = zoo.deed(order).await;
        assert_eq!((deed.verdict, deed.notes), (crashed(words), vec![]), "{order}");
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
        if crashes < ends.len() as u64 {
            zoo.daemon.news("beast", "restarted").await;
            let status = zoo.daemon.status("beast").await;
            assert_eq!((status.state.as_str(), status.crashes), ("running", crashes));
        }
    }
    zoo.daemon.news("beast", "quarantined").await;
    let status = zoo.daemon.status("beast").await;
    let detail = "too many crashes in a minute, the last: it ended itself, with the exit status 0; change its file, or run \
                  `showrunner plugins reload beast` to start it again";
    assert_eq!((status.state.as_str(), status.detail.as_str()), ("quarantined", detail));
    assert_eq!(status.crashes, ends.len() as u64);
    assert!(zoo.close(&[]).await.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn a_beast_that_traps_on_each_tenth_event_answers_the_others_once() {
    // What becomes of its answers is an event, too, and would be counted wherever it comes in between.
    let manifest = fixtures::beast_manifest(1).replace(", \"outcome\"", "");
    assert!(!manifest.contains("outcome"), "{manifest}");
    let mut zoo = Zoo::open_with(&manifest, fixtures::beast(), |_| {}).await;
    let mut ticks = Vec::new();
    for number in 1..=24 {
        // It hears the guests as well, and counts them.
        if number % 10 == 5 {
            zoo.guest_comes();
        } else {
            ticks.push((number % 10, zoo.order("tick")));
        }
    }
    let trap = crashed("it trapped: wasm trap: wasm `unreachable` instruction executed");
    let mut said = Vec::new();
    for (place, event) in &ticks {
        let verdict = zoo.daemon.decision(event, "beast").await.verdict;
        assert_eq!(verdict, if *place == 0 { trap.clone() } else { DecisionKind::Handled }, "{place} {event}");
        if *place != 0 {
            said.push(format!("tick {place}"));
            zoo.daemon.outcome(event, "beast", 0).await;
        }
    }
    assert_eq!(zoo.daemon.status("beast").await.crashes, 2);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    assert!(zoo.close(&said).await.is_empty());
}

#[tokio::test]
async fn beasts_that_spin_keep_no_neighbour_and_no_heartbeat_waiting() {
    // More than there are threads for plugins.
    let beasts = ["beast", "beast-b", "beast-c", "beast-d", "beast-e"];
    let mut zoo = Zoo::open(|stage| {
        stage.set("host.limits", "handle", "\"10s\"");
        for id in &beasts[1..] {
            let manifest = fixtures::beast_manifest(1).replace("id = \"beast\"", &format!("id = \"{id}\""));
            stage.add(&Fixture { id, manifest: &manifest, component: fixtures::beast() });
        }
    })
    .await;
    let spin = zoo.order("spin");
    for _ in 0..3 {
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
    }
    for id in beasts {
        assert!(!zoo.daemon.has_decided(&spin, id), "all this was while they spun");
    }
    for id in beasts {
        assert_eq!(zoo.daemon.decision(&spin, id).await.verdict, crashed("it ran longer than 10000 ms"), "{id}");
    }
    assert!(zoo.close(&[]).await.is_empty());
}

#[tokio::test]
async fn a_beast_that_never_rests_keeps_nobody_waiting() {
    let mut zoo = Zoo::open(|_| {}).await;
    zoo.deed("restless").await;
    for _ in 0..3 {
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
    }
    let ticks: u32 = zoo.says("ticks").await.parse().unwrap();
    assert!(ticks > 10, "it was at work all the time: {ticks}");
    zoo.deed("rest").await;
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_beast_that_is_born_too_large_is_told_by_its_memory() {
    let manifest = fixtures::beast_manifest(1).replace("[defaults]", "[limits]\nmemory-mib = 1\n[defaults]");
    let mut zoo = Zoo::open_with(&manifest, fixtures::beast(), |_| {}).await;
    let detail = zoo.daemon.news("beast", "failed").await.detail;
    let words = format!("init failed: {}", out_of_memory(1 << 20));
    assert!(detail.starts_with(&words) && detail.ends_with(" (nothing of it runs)"), "{detail}");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_beast_that_does_not_come_up_again_is_quarantined_for_that() {
    let web = Web::start().await;
    let line = BadLine::to(([127, 0, 0, 1], web.port).into()).await;
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(line.port()), fixtures::beast(), |stage| {
        let settings = format!("{{ init = [\"count\", \"fetch\"], gate = \"http://127.0.0.1:{}/\" }}", line.port());
        stage.set("plugins.beast", "settings", &settings);
    })
    .await;
    zoo.daemon.until_running("beast").await;
    line.set(Fault::HangsUp);
    zoo.order("trap");
    let behind = zoo.order("count");
    zoo.neighbour_answers().await;
    zoo.heart_beats().await;
    let detail = zoo.daemon.news("beast", "quarantined").await.detail;
    assert!(detail.starts_with("too many crashes in a minute, the last: init refused to start: "), "{detail}");
    assert!(!zoo.daemon.has_decided(&behind, "beast"));
    // Only of its first start, which went well.
    assert_eq!(zoo.close(&[]).await["c"], "100");
}

#[tokio::test]
async fn a_beast_that_traps_in_its_init_is_told_and_all_others_start() {
    let mut zoo = Zoo::open(|stage: &mut Stage| {
        stage.set("plugins.beast", "settings", "{ init = [\"count\", \"trap\"] }");
    })
    .await;
    let words = "init failed: it trapped: wasm trap: wasm `unreachable` instruction executed (nothing of it runs)";
    assert_eq!(zoo.daemon.news("beast", "failed").await.detail, words);
    let status = zoo.daemon.status("beast").await;
    assert_eq!((status.state.as_str(), status.detail.as_str(), status.generation), ("failed", words, 0));
    zoo.neighbour_answers().await;
    zoo.heart_beats().await;
    assert!(zoo.close(&[]).await.is_empty(), "nothing of an init that failed is kept");
}
