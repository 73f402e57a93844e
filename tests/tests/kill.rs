//! kill -9 at any point: no task is lost or done twice, no moderation is lost, no line appears twice, no memory is half
//! written, and the database opens clean. `tests/src/kill.rs` says how.

#![allow(clippy::print_stdout, reason = "the seed is what a failure is repeated with")]

use std::path::Path;

use showrunner_tests::kill::{Plan, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_killed_at_any_point_loses_nothing_and_does_nothing_twice() {
    let plan = Plan::from_environment();
    println!("SHOWRUNNER_KILLS={} SHOWRUNNER_KILL_SEED={}", plan.kills, plan.seed);
    let tally = World::run(plan, Path::new(env!("CARGO_BIN_EXE_showrunner-daemon"))).await;
    println!("{tally}");
    assert!(tally.faults.is_empty(), "seed {}:\n{}", plan.seed, tally.faults.join("\n"));
    assert_eq!(tally.kills(), plan.kills);
    assert!(tally.tasks_done > 0 && tally.lines_sent > 0 && tally.answers > 0, "nothing happened: {tally}");
}
