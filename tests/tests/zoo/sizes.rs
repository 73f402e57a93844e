//! Beasts that are too large, or make too much of something: it is cut or refused, in words, and nobody beside them
//! notices.

use std::fs::{self, File};
use std::io::Write as _;

use showrunner::observation::{DecisionKind, Observation};
use showrunner_tests::daemon::Stage;
use showrunner_tests::fixtures;
use showrunner_tests::web::Web;
use showrunner_tests::zoo::Zoo;

/// Wherever the contract takes a text.
const PLACES: [&str; 19] = [
    "error",
    "say",
    "message-id",
    "channel",
    "reason",
    "alert",
    "task",
    "publish",
    "tool",
    "timer",
    "kv-key",
    "kv-value",
    "kv-get",
    "viewer",
    "config",
    "log",
    "url",
    "header",
    "body",
];

/// Making large texts takes memory, and without optimisation time.
fn roomy(stage: &mut Stage) {
    stage.set("host.limits", "memory", "\"512MiB\"").set("host.limits", "handle", "\"20s\"");
}

#[tokio::test]
async fn a_text_of_a_hundred_megabytes_is_not_taken_anywhere() {
    let mut zoo = Zoo::open(roomy).await;
    let words = "it handed over far more in one call than any limit allows";
    for place in PLACES {
        let deed = zoo.deed(&format!("huge {place} 100")).await;
        assert_eq!((deed.verdict, deed.notes), (DecisionKind::Crashed(words.into()), vec![]), "{place}");
        zoo.heart_beats().await;
        // So that it does not come into quarantine before all is tried.
        assert_eq!(zoo.daemon.reload("beast").await.state, "running", "{place}");
    }
    assert!(zoo.close(&[]).await.is_empty());
}

#[tokio::test]
async fn what_is_over_a_limit_is_refused_in_its_words() {
    let mut zoo = Zoo::open(roomy).await;
    for (place, words) in [
        ("say", "limit: the effects of one event may hold at most 65536 bytes"),
        ("message-id", "limit: the effects of one event may hold at most 65536 bytes"),
        ("channel", "limit: the effects of one event may hold at most 65536 bytes"),
        ("reason", "limit: the effects of one event may hold at most 65536 bytes"),
        ("alert", "limit: the effects of one event may hold at most 65536 bytes"),
        ("task", "limit: the effects of one event may hold at most 65536 bytes"),
        ("publish", "limit: the effects of one event may hold at most 65536 bytes"),
        ("timer", "limit: a timer's name has 1 to 64 bytes"),
        ("kv-key", "limit: a key has 1 to 256 bytes"),
        ("kv-value", "limit: a value may have at most 65536 bytes, this one has 1048576"),
        ("url", "bad-request: not a URL: relative URL without a base"),
    ] {
        let deed = zoo.deed(&format!("huge {place} 1")).await;
        assert_eq!((deed.verdict, deed.notes), (DecisionKind::Handled, vec![words.to_owned()]), "{place}");
    }
    // What a person reads is cut.
    let DecisionKind::Failed(error) = zoo.deed("huge error 1").await.verdict else { panic!("must fail") };
    assert_eq!(error.len(), 2048 + '…'.len_utf8());
    let line = zoo.says("huge log 1").await;
    assert_eq!(line.len(), 2048 + '…'.len_utf8());
    let said = vec!["half done"; 12];
    zoo.close(&said).await;
}

/// What an operator raises a limit to must fit through, however large.
#[tokio::test]
async fn what_the_operator_allows_fits_through() {
    let web = Web::start().await;
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(web.port), fixtures::beast(), |stage| {
        roomy(stage);
        stage.set("host.limits", "kv-value-size", "\"4MiB\"").set("host.limits", "kv-size", "\"8MiB\"");
        stage.set("host.limits", "http-body-size", "\"4MiB\"").set("host.limits", "effect-size", "\"4MiB\"");
        stage.set("plugins.beast", "settings", &format!("{{ gate = \"{}\" }}", web.url("/large-body")));
    })
    .await;
    assert_eq!(zoo.says("huge kv-value 4").await, "");
    assert_eq!(zoo.says("huge alert 4").await, "limit: the effects of one event may hold at most 4194304 bytes");
    assert_eq!(zoo.says("huge alert 3").await, "");
    assert_eq!(zoo.says("huge body 4").await, "");
    assert_eq!(web.paths(), ["/large-body"]);
    let said = ["half done"; 4];
    let kept = zoo.close(&said).await;
    assert_eq!(kept["huge"].len(), 4 << 20);
}

#[tokio::test]
async fn a_verdict_of_a_hundred_megabytes_counts_as_none() {
    let mut zoo = Zoo::open_with(&fixtures::beast_manifest(1), fixtures::beast_reviewer(), |stage| {
        roomy(stage);
        // Without optimisation the verdict takes longer than a review may.
        stage.set("host.limits", "review", "\"20s\"").set("pipeline", "review", "\"5s\"");
    })
    .await;
    zoo.server.say("guest1", "!hello HUGEVERDICT");
    let words = "it handed over far more in one call than any limit allows";
    assert_eq!(zoo.daemon.news("beast", "crashed").await.detail, words);
    let said = ["Hello guest1!"];
    // The line passed, as the reviewer's `on-failure` says.
    zoo.server.saw(|server| server.sent() == said).await;
    zoo.daemon.news("beast", "restarted").await;
    let verdicts = zoo.daemon.so_far().iter().filter(|seen| matches!(&***seen, Observation::Verdict { .. })).count();
    assert_eq!(verdicts, 0);
    zoo.daemon.stop().await;
}

#[tokio::test]
async fn a_memory_of_a_hundred_megabytes_is_not_handed_over_and_the_new_version_starts_without() {
    let mut zoo = Zoo::open(|stage| {
        roomy(stage);
        stage.set("host.limits", "save", "\"10s\"").set("plugins.beast", "settings", "{ save = 100 }");
    })
    .await;
    let status = zoo.daemon.reload("beast").await;
    assert_eq!((status.state.as_str(), status.generation), ("running", 2));
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn ten_thousand_effects_are_thirty_two() {
    let mut zoo = Zoo::open(|stage| {
        stage.set("host.limits", "handle", "\"10s\"");
    })
    .await;
    let event = zoo.order("flood 10000");
    zoo.neighbour_answers().await;
    zoo.heart_beats().await;
    let decision = zoo.daemon.decision(&event, "beast").await;
    assert_eq!((decision.verdict, decision.effects.len()), (DecisionKind::Handled, 32));
    assert_eq!(decision.notes, vec!["limit: at most 32 effects for one event"; 8]);
    let said: Vec<String> = (1..=32).map(|line| format!("line {line}")).collect();
    zoo.server.saw(|server| said.iter().all(|line| server.sent().contains(line))).await;
    zoo.close(&said.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn floods_of_the_log_are_cut_in_width_and_in_number() {
    let mut zoo = Zoo::open(|stage| {
        stage.set("host.limits", "handle", "\"20s\"").set("host.limits", "log-lines-per-second", "10");
    })
    .await;
    let words = "the rest of this second is dropped: it may write 10 lines in one (host.limits.log-lines-per-second)";
    for order in ["log 10000", "print 20"] {
        let event = zoo.order(order);
        zoo.neighbour_answers().await;
        zoo.heart_beats().await;
        let took_us = zoo.daemon.decision(&event, "beast").await.took_us;
        let lines = zoo.logged("beast");
        // Of either order: ten a second, and that there were more.
        let most = 2 * 11 * (2 + took_us / 1_000_000);
        assert!(lines.len() as u64 <= most, "{order}: {} lines in {took_us} µs", lines.len());
        assert!(lines.iter().all(|line| line.len() <= 2048 + '…'.len_utf8()), "{order}");
        assert!(lines.iter().any(|line| line == words), "{order}");
    }
    zoo.close(&[]).await;
}

/// A plugin as good as any, and 200 MB of nothing behind it.
fn padded(path: &std::path::Path) {
    const PADDING: u32 = 200_000_000;
    let mut file = File::create(path).unwrap();
    file.write_all(fixtures::beast()).unwrap();
    // A custom section: its kind, its size in LEB128, and a name without a character.
    file.write_all(&[0]).unwrap();
    let mut size = PADDING + 1;
    while size >= 0x80 {
        file.write_all(&[(size & 0x7f) as u8 | 0x80]).unwrap();
        size >>= 7;
    }
    file.write_all(&[size as u8, 0]).unwrap();
    // Zeros that take no room on the disk.
    let whole = file.metadata().unwrap().len() + u64::from(PADDING);
    file.set_len(whole).unwrap();
}

#[tokio::test]
async fn a_component_of_200_megabytes_is_not_loaded() {
    let words = "plugin.wasm is larger than the 33554432 bytes that are loaded at most (host.limits.component-size)";
    let mut zoo = Zoo::open(|stage| padded(&stage.component("beast"))).await;
    assert_eq!(zoo.daemon.news("beast", "failed").await.detail, format!("{words} (nothing of it runs)"));
    // Nor does it take the place of one that runs.
    let greeter = zoo.daemon.stage.component("greeter-rust");
    padded(&greeter);
    let news = zoo.daemon.news("greeter-rust", "failed").await;
    assert_eq!(news.detail, format!("{words} (version 1.0.0 goes on)"));
    zoo.heart_beats().await;
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_manifest_of_200_megabytes_is_not_loaded() {
    let mut zoo = Zoo::open(|_| {}).await;
    let manifest = File::options().write(true).open(zoo.daemon.stage.manifest("beast")).unwrap();
    manifest.set_len(200_000_000).unwrap();
    let words = "plugin.toml is larger than 1048576 bytes; it may be another file by mistake (version 1.0.0 goes on)";
    assert_eq!(zoo.daemon.news("beast", "failed").await.detail, words);
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn what_never_ends_is_not_read() {
    let mut zoo = Zoo::open(|_| {}).await;
    let component = zoo.daemon.stage.component("beast");
    let words = format!("can't read {}: it is no regular file (version 1.0.0 goes on)", component.display());
    fs::remove_file(&component).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &component).unwrap();
    assert_eq!(zoo.daemon.reload("beast").await.detail, words);
    fs::remove_file(&component).unwrap();
    fs::create_dir(&component).unwrap();
    assert_eq!(zoo.daemon.reload("beast").await.detail, words);
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn files_that_are_no_plugins_are_told_by_what_they_are() {
    let mut zoo = Zoo::open(|_| {}).await;
    let beast = fixtures::beast();
    let cases: [(&[u8], &str); 7] = [
        (b"", "plugin.wasm is no WebAssembly component"),
        (b"not even that", "plugin.wasm is no WebAssembly component"),
        (&[0xff; 100_000], "plugin.wasm is no WebAssembly component"),
        // As text, which some tools take for WebAssembly.
        (b"(component)", "plugin.wasm is no WebAssembly component"),
        (fixtures::core_module(), "plugin.wasm is a core module, not a component; build it for wasm32-wasip2"),
        (b"\x7fELF\x02\x01\x01\0", "plugin.wasm was compiled for a processor, and native code is never loaded"),
        (&beast[..8], "plugin.wasm exports no `showrunner:plugin/handler@0.1`; it may be half-written"),
    ];
    for (bytes, words) in cases {
        fs::write(zoo.daemon.stage.component("beast"), bytes).unwrap();
        let status = zoo.daemon.reload("beast").await;
        assert_eq!(status.state, "failed");
        assert!(status.detail.starts_with(words), "{} is not {words}", status.detail);
        assert!(status.detail.ends_with("(version 1.0.0 goes on)"), "{}", status.detail);
        zoo.neighbour_answers().await;
    }
    zoo.heart_beats().await;
    // Whatever was thrown at it, the first one is at work.
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}

#[tokio::test]
async fn a_file_cut_off_anywhere_is_refused_and_the_old_version_goes_on() {
    let mut zoo = Zoo::open(|_| {}).await;
    let beast = fixtures::beast();
    for part in 1..12 {
        let cut = beast.len() * part / 12;
        fs::write(zoo.daemon.stage.component("beast"), &beast[..cut]).unwrap();
        let status = zoo.daemon.reload("beast").await;
        assert_eq!((status.state.as_str(), status.generation), ("failed", 1), "{cut}: {}", status.detail);
        assert!(status.detail.starts_with("plugin.wasm "), "{cut}: {}", status.detail);
        assert!(!status.detail.contains('\n'), "{cut}: {}", status.detail);
        zoo.neighbour_answers().await;
    }
    zoo.heart_beats().await;
    assert_eq!(zoo.says("count").await, "1");
    zoo.close(&[]).await;
}
