//! Plugins whose files change while they run, in a real folder with a real watcher.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

use std::fs;

use showrunner_tests::daemon::Stage;
use showrunner_tests::fixtures;

#[tokio::test]
async fn a_plain_save_is_live_with_the_next_line() {
    let mut daemon = Stage::with_probe().start().await;
    assert_eq!(daemon.ask("probe", "version").await, ["1"]);
    fs::write(daemon.stage.component("probe"), fixtures::probe_v2()).unwrap();
    let news = daemon.news("probe", "reloaded").await;
    assert_eq!(news.generation, 2);
    assert_eq!(daemon.ask("probe", "version").await, ["2"]);
    daemon.stop().await;
}
