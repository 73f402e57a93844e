//! Plugins whose files change while they run: in a real folder, with a real watcher, however the change is written.

use std::fs::{self, File};
use std::io::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use showrunner::observation::{DecisionKind, Observation};
use showrunner_tests::daemon::{Daemon, Stage, probe_manifest, said};
use showrunner_tests::fixtures::{self, Fixture};
use showrunner_tests::web::Web;

/// A probe of the first version that runs, in a folder that is watched by now.
async fn daemon() -> Daemon {
    start(Stage::with_probe()).await
}

async fn start(stage: Stage) -> Daemon {
    let mut daemon = stage.start().await;
    daemon.look_at_all_files().await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    daemon
}

async fn runs_version(daemon: &mut Daemon, version: &str, generation: u64) {
    assert_eq!(daemon.ask("probe", "version").await, [version]);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation), ("running", generation), "{status:?}");
}

/// The second version is taken for what it is, once, and the old one remembers for it.
async fn second_version_takes_over(daemon: &mut Daemon) {
    let news = daemon.news("probe", "reloaded").await;
    assert_eq!((news.generation, news.wit.as_str()), (2, "0.1.0"));
    runs_version(daemon, "2", 2).await;
}

/// Something was wrong with the files: the old version goes on, with its memory, and the host says why.
async fn first_version_goes_on(mut daemon: Daemon, why: &str) {
    let news = daemon.news("probe", "failed").await;
    assert!(news.detail.contains(why), "{}", news.detail);
    assert!(news.detail.contains("version 1.0.0 goes on"), "{}", news.detail);
    let status = daemon.status("probe").await;
    assert_eq!((status.state.as_str(), status.generation, status.version.as_str()), ("failed", 1, "1.0.0"));
    assert_eq!(daemon.ask("probe", "recall").await, ["before"]);
    daemon.stop().await;
}

/// The bytes up to the end of a section in the middle: a component, as far as they go.
fn half_of(component: &[u8]) -> &[u8] {
    let mut end = 8;
    while end < component.len() / 2 {
        let (mut size, mut shift, mut place) = (0usize, 0, end + 1);
        loop {
            let byte = component[place];
            size |= usize::from(byte & 0x7f) << shift;
            (shift, place) = (shift + 7, place + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        end = place + size;
    }
    assert!(end < component.len());
    &component[..end]
}

#[tokio::test]
async fn a_plain_save_is_live_with_the_next_line() {
    let mut daemon = daemon().await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_file_written_in_chunks_changes_nothing_until_it_is_whole() {
    let mut daemon = daemon().await;
    let (first, second) = fixtures::probe_v2().split_at(100_000);
    let mut file = File::create(daemon.stage.component("probe")).unwrap();
    for chunk in first.chunks(16 << 10) {
        file.write_all(chunk).unwrap();
    }
    // The writer pauses for longer than the host waits.
    daemon.news("probe", "failed").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    for chunk in second.chunks(16 << 10) {
        file.write_all(chunk).unwrap();
    }
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_renamed_file_is_noticed() {
    let mut daemon = daemon().await;
    let fresh = daemon.stage.plugin_folder("probe").join("plugin.wasm.new");
    fs::write(&fresh, fixtures::probe_v2()).unwrap();
    fs::rename(fresh, daemon.stage.component("probe")).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_hard_link_is_noticed() {
    let mut daemon = daemon().await;
    let built = daemon.stage.path().join("built.wasm");
    fs::write(&built, fixtures::probe_v2()).unwrap();
    fs::remove_file(daemon.stage.component("probe")).unwrap();
    fs::hard_link(built, daemon.stage.component("probe")).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_touched_file_is_not_loaded_again() {
    let mut daemon = daemon().await;
    let file = File::options().append(true).open(daemon.stage.component("probe")).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    daemon.look_at_all_files().await;
    runs_version(&mut daemon, "1", 1).await;
    assert_eq!(daemon.news_count("probe", "reloaded"), 0);
    daemon.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_deleted_and_made_anew_is_a_reload() {
    let mut daemon = daemon().await;
    fs::remove_dir_all(daemon.stage.plugin_folder("probe")).unwrap();
    // The host looks at it meanwhile, for another reason.
    daemon.configure("host.limits", "http-timeout", "\"20s\"").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    let manifest = probe_manifest("probe");
    daemon.stage.drop_in(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe_v2() });
    second_version_takes_over(&mut daemon).await;
    assert_eq!(daemon.news_count("probe", "removed"), 0);
    daemon.stop().await;
}

#[tokio::test]
async fn a_folder_that_stays_away_ends_the_plugin() {
    let mut daemon = daemon().await;
    fs::remove_dir_all(daemon.stage.plugin_folder("probe")).unwrap();
    daemon.news("probe", "removed").await;
    let unheard = daemon.chat("version").await;
    daemon.stage.add_probe("probe");
    daemon.news("probe", "loaded").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    assert!(!daemon.has_decided(&unheard, "probe"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_file_truncated_at_the_end_of_a_section_is_refused() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember before").await;
    fs::write(daemon.stage.component("probe"), half_of(fixtures::probe_v2())).unwrap();
    first_version_goes_on(daemon, "exports no `showrunner:plugin/handler@0.1`").await;
}

#[tokio::test]
async fn a_core_module_is_refused_with_the_command_that_helps() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember before").await;
    fs::write(daemon.stage.component("probe"), fixtures::core_module()).unwrap();
    first_version_goes_on(daemon, "wasm-tools component new").await;
}

#[tokio::test]
async fn a_broken_manifest_is_refused_by_name() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember before").await;
    daemon.stage.edit_manifest("probe", |text| text.replace("[permissions]", "[permisions]"));
    first_version_goes_on(daemon, "permisions").await;
}

#[tokio::test]
async fn a_component_over_the_size_limit_is_refused() {
    let mut stage = Stage::with_probe();
    stage.set("host.limits", "component-size", "\"1MiB\"");
    let mut daemon = start(stage).await;
    daemon.ask("probe", "remember before").await;
    fs::write(daemon.stage.component("probe"), vec![0; (1 << 20) + 1]).unwrap();
    first_version_goes_on(daemon, "host.limits.component-size").await;
}

#[tokio::test]
async fn a_version_that_traps_in_its_init_is_refused() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember before").await;
    daemon.stage.edit_manifest("probe", |text| text.replace("init = \"succeed\"", "init = \"trap\""));
    first_version_goes_on(daemon, "init failed: it trapped").await;
}

#[tokio::test]
async fn a_version_that_refuses_to_start_is_refused() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember before").await;
    daemon.stage.edit_manifest("probe", |text| text.replace("init = \"succeed\"", "init = \"error\""));
    first_version_goes_on(daemon, "told so by the setting `init`").await;
}

#[tokio::test]
async fn a_file_that_failed_is_forgiven_when_the_old_one_is_back() {
    let mut daemon = daemon().await;
    fs::write(daemon.stage.component("probe"), fixtures::core_module()).unwrap();
    daemon.news("probe", "failed").await;
    fs::write(daemon.stage.component("probe"), fixtures::probe()).unwrap();
    daemon.look_at_all_files().await;
    runs_version(&mut daemon, "1", 1).await;
    daemon.stop().await;
}

#[tokio::test]
async fn manifest_and_component_are_taken_together() {
    let mut daemon = daemon().await;
    let manifest = probe_manifest("probe").replace("version = \"1.0.0\"", "version = \"2.0.0\"");
    daemon.stage.drop_in(&Fixture { id: "probe", manifest: &manifest, component: fixtures::probe_v2() });
    while daemon.news("probe", "reloaded").await.version != "2.0.0" {}
    daemon.look_at_all_files().await;
    assert_eq!(daemon.ask("probe", "version").await, ["2"]);
    assert_eq!(daemon.status("probe").await.version, "2.0.0");
    daemon.stop().await;
}

#[tokio::test]
async fn a_reload_waits_for_the_handler_that_is_at_work() {
    let mut web = Web::start().await;
    let mut stage = Stage::default();
    stage.add_probe_with("probe", |manifest| manifest.replace(":1/", &format!(":{}/", web.port)));
    let mut daemon = start(stage).await;
    let slow = daemon.chat(&format!("fetch {}", web.url("/gate"))).await;
    web.arrival().await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    let mut meanwhile = Vec::new();
    for number in 0..20 {
        meanwhile.push((daemon.chat(&format!("echo {number}")).await, number.to_string()));
    }
    assert_eq!(daemon.news_count("probe", "reloaded"), 0);
    web.open_gate();
    assert_eq!(said(&daemon.decision(&slow, "probe").await), ["200"]);
    for (event, text) in &meanwhile {
        assert_eq!(said(&daemon.decision(event, "probe").await), [text.as_str()]);
    }
    second_version_takes_over(&mut daemon).await;
    assert_eq!(web.paths(), ["/gate"]);
    let handled = |seen: &&Arc<Observation>| matches!(&***seen, Observation::Decision(decision) if decision.verdict == DecisionKind::Handled);
    let answers = daemon.so_far().iter().filter(handled).count();
    assert_eq!(answers, 2 + meanwhile.len() + 1, "nothing is handled twice");
    daemon.stop().await;
}

#[tokio::test]
async fn a_reload_ends_a_quarantine() {
    let mut daemon = daemon().await;
    daemon.quarantine_probe().await;
    let status = daemon.reload("probe").await;
    assert_eq!((status.state.as_str(), status.generation), ("running", 2), "{status:?}");
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    // For good: also the next engine starts it.
    let mut daemon = daemon.stop().await.start().await;
    runs_version(&mut daemon, "1", 1).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_new_file_ends_a_quarantine_and_a_touched_one_does_not() {
    let mut daemon = daemon().await;
    daemon.quarantine_probe().await;
    fs::write(daemon.stage.component("probe"), fixtures::probe()).unwrap();
    daemon.look_at_all_files().await;
    assert_eq!(daemon.status("probe").await.state, "quarantined");
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_new_manifest_ends_a_quarantine() {
    let mut daemon = daemon().await;
    daemon.quarantine_probe().await;
    daemon.stage.edit_manifest("probe", |text| text.replace("version = \"1.0.0\"", "version = \"1.0.1\""));
    assert_eq!(daemon.news("probe", "reloaded").await.version, "1.0.1");
    runs_version(&mut daemon, "1", 2).await;
    daemon.stop().await;
}

#[tokio::test]
async fn twenty_saves_in_a_row_are_one_reload() {
    let mut stage = Stage::with_probe();
    stage.set("host", "debounce", "\"500ms\"");
    let mut daemon = start(stage).await;
    for number in 0..20 {
        let component = if number % 2 == 0 { fixtures::probe() } else { fixtures::probe_v2() };
        fs::write(daemon.stage.component("probe"), component).unwrap();
    }
    second_version_takes_over(&mut daemon).await;
    daemon.look_at_all_files().await;
    assert_eq!(daemon.news_count("probe", "reloaded"), 1);
    assert_eq!(daemon.news_count("probe", "failed"), 0);
    daemon.stop().await;
}

#[tokio::test]
async fn memory_is_handed_over() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember the milk").await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    second_version_takes_over(&mut daemon).await;
    assert_eq!(daemon.ask("probe", "recall").await, ["the milk"]);
    assert_eq!(daemon.reload("probe").await.generation, 3);
    assert_eq!(daemon.ask("probe", "recall").await, ["the milk"]);
    daemon.stop().await;
}

#[tokio::test]
async fn a_version_that_can_not_read_the_old_memory_starts_without_it() {
    let mut daemon = daemon().await;
    daemon.ask("probe", "remember the milk").await;
    daemon.ask("probe", "set kept for-good").await;
    daemon.stage.edit_manifest("probe", |text| text.replace("bad-handover = false", "bad-handover = true"));
    daemon.news("probe", "reloaded").await;
    assert_eq!(daemon.ask("probe", "recall").await, ["nothing"]);
    assert_eq!(daemon.ask("probe", "get kept").await, ["for-good"]);
    daemon.stop().await;
}

#[tokio::test]
async fn changes_are_found_by_polling() {
    let mut stage = Stage::with_probe();
    stage.set("host", "watch", "\"poll\"").set("host", "poll-every", "\"100ms\"");
    let mut daemon = start(stage).await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_plugin_folder_behind_a_link_is_watched() {
    let mut stage = Stage::with_probe();
    std::os::unix::fs::symlink(stage.plugins_dir(), stage.path().join("linked")).unwrap();
    stage.set("host", "plugins-dir", "\"linked\"");
    let mut daemon = start(stage).await;
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_plugin_folder_that_is_made_later_is_found() {
    let mut stage = Stage::default();
    stage.set("host", "plugins-dir", "\"later\"");
    let mut daemon = stage.start().await;
    daemon.stage.add_probe("probe");
    daemon.stage.write_config();
    daemon.reload_config().await;
    fs::rename(daemon.stage.plugins_dir(), daemon.stage.path().join("later")).unwrap();
    daemon.news("probe", "loaded").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    daemon.stop().await;
}

/// A plugin folder beside the one that is watched, with the second version of the probe in it.
fn second_folder(daemon: &Daemon) -> std::path::PathBuf {
    let folder = daemon.stage.path().join("second");
    for id in ["probe", "canary"] {
        fs::create_dir_all(folder.join(id)).unwrap();
        for file in ["plugin.toml", "plugin.wasm"] {
            fs::copy(daemon.stage.plugin_folder(id).join(file), folder.join(id).join(file)).unwrap();
        }
    }
    fs::write(folder.join("probe/plugin.wasm"), fixtures::probe_v2()).unwrap();
    folder
}

/// What is saved into the folder from now on is noticed, too.
async fn goes_on_watching(daemon: &mut Daemon) {
    daemon.look_at_all_files().await;
    fs::write(daemon.stage.component("probe"), fixtures::probe()).unwrap();
    assert_eq!(daemon.news("probe", "reloaded").await.generation, 3);
    runs_version(daemon, "1", 3).await;
}

#[tokio::test]
async fn a_plugin_folder_that_is_exchanged_is_noticed() {
    for watch in ["\"native\"", "\"poll\""] {
        let mut stage = Stage::with_probe();
        stage.set("host", "watch", watch).set("host", "poll-every", "\"100ms\"");
        let mut daemon = start(stage).await;
        let second = second_folder(&daemon);
        fs::rename(daemon.stage.plugins_dir(), daemon.stage.path().join("away")).unwrap();
        fs::rename(second, daemon.stage.plugins_dir()).unwrap();
        second_version_takes_over(&mut daemon).await;
        goes_on_watching(&mut daemon).await;
        assert_eq!(daemon.news_count("probe", "removed"), 0);
        daemon.stop().await;
    }
}

#[tokio::test]
async fn a_plugin_folder_that_is_removed_and_made_anew_is_noticed() {
    let mut daemon = daemon().await;
    let second = second_folder(&daemon);
    fs::remove_dir_all(daemon.stage.plugins_dir()).unwrap();
    fs::rename(second, daemon.stage.plugins_dir()).unwrap();
    second_version_takes_over(&mut daemon).await;
    goes_on_watching(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_link_to_the_plugin_folder_that_leads_elsewhere_is_noticed() {
    let mut stage = Stage::with_probe();
    let link = stage.path().join("linked");
    std::os::unix::fs::symlink(stage.plugins_dir(), &link).unwrap();
    stage.set("host", "plugins-dir", "\"linked\"");
    let mut daemon = start(stage).await;
    let fresh = daemon.stage.path().join("linked.new");
    std::os::unix::fs::symlink(second_folder(&daemon), &fresh).unwrap();
    fs::rename(fresh, link).unwrap();
    second_version_takes_over(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_plugin_folder_that_stays_away_ends_its_plugins_until_it_is_back() {
    let mut daemon = daemon().await;
    let away = daemon.stage.path().join("away");
    fs::rename(daemon.stage.plugins_dir(), &away).unwrap();
    daemon.news("probe", "removed").await;
    fs::rename(away, daemon.stage.plugins_dir()).unwrap();
    daemon.news("probe", "loaded").await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    daemon.stop().await;
}

#[tokio::test]
async fn what_lies_beside_the_plugins_is_left_alone() {
    let mut daemon = daemon().await;
    fs::create_dir(daemon.stage.plugin_folder(".git")).unwrap();
    fs::write(daemon.stage.plugin_folder(".git").join("HEAD"), "x").unwrap();
    fs::write(daemon.stage.plugin_folder("README.md"), "x").unwrap();
    daemon.look_at_all_files().await;
    for id in [".git", "README.md"] {
        assert_eq!(daemon.news_count(id, "failed"), 0, "{id}");
    }
    daemon.stop().await;
}
