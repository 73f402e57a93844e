//! Disks that are really full, read-only and gone: small file systems in memory, mounted by the test. Only root may.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests may assume, and show what was said")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use showrunner::engine::{self, RunOptions};
use showrunner::event::OutcomeStatus;
use showrunner::store::backup::{BackupError, back_up, restore};
use showrunner_tests::daemon::{Daemon, Stage};
use tokio_util::sync::CancellationToken;

/// A file system of this many KiB in the place of a stage's data folder.
struct Disk {
    at: PathBuf,
}

impl Disk {
    fn mount(stage: &Stage, kib: u32) -> Self {
        let at = stage.data_dir();
        let disk = Self { at };
        run("mount", &["-t", "tmpfs", "-o", &format!("size={kib}k,mode=700"), "tmpfs", disk.path()]);
        disk
    }

    fn path(&self) -> &str {
        self.at.to_str().unwrap()
    }

    fn remount(&self, how: &str) {
        run("mount", &["-o", &format!("remount,{how}"), self.path()]);
    }

    /// As when a cable is pulled: what is open stays open, and nothing is found any more.
    fn detach(self) {
        run("umount", &["-l", self.path()]);
        std::mem::forget(self);
    }

    fn database(&self) -> PathBuf {
        self.at.join("showrunner.db")
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut filler = File::create(self.at.join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.at.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", self.path()]).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?} failed: this test mounts file systems, run it as root");
}

fn count(database: &Path, sql: &str) -> i64 {
    Connection::open(database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

async fn refusal(stage: &Stage) -> String {
    let error = engine::run(stage.config(), RunOptions::default(), CancellationToken::new()).await.unwrap_err();
    println!("{error}\n  help: {}", error.help().unwrap_or_default());
    format!("{error} {}", error.help().unwrap_or_default())
}

/// A task of the probe, and how that ended.
async fn ask_for_task(daemon: &mut Daemon) -> (OutcomeStatus, String) {
    let event = daemon.chat("task why?").await;
    let outcome = daemon.outcome(&event, "probe", 0).await;
    (outcome.status, outcome.detail)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_nothing_but_tasks_and_loses_nothing() {
    let stage = Stage::with_probe();
    let disk = Disk::mount(&stage, 48 << 10);
    let mut daemon = stage.start().await;
    assert_eq!(ask_for_task(&mut daemon).await.0, OutcomeStatus::Done);

    disk.fill();
    for number in 0..2_000 {
        let event = daemon.chat(&format!("echo {number}")).await;
        if number % 100 == 0 {
            assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);
        }
    }
    let problem = daemon.store_problem("full").await;
    println!("{problem}");
    let said = daemon.ask("probe", "task and now?").await;
    assert!(said.len() == 1 && said[0].starts_with("unavailable: the database can't be written"), "{said:?}");
    let event = daemon.chat("ban mallory").await;
    assert_eq!(daemon.outcome(&event, "probe", 0).await.status, OutcomeStatus::Done);

    let copy = disk.at.join("copy.db");
    let refused = back_up(&disk.database(), &copy, false).unwrap_err();
    println!("{refused}");
    assert!(matches!(refused, BackupError::NoRoom { .. } | BackupError::Full { .. }), "{refused:?}");
    assert!(!copy.exists() && !disk.at.join("copy.db.part").exists());

    disk.make_room();
    daemon.store_well().await;
    assert_eq!(ask_for_task(&mut daemon).await.0, OutcomeStatus::Done);
    let stage = daemon.stop().await;
    assert_eq!(count(&disk.database(), "SELECT count(*) FROM events WHERE envelope LIKE '%echo %' AND own = 0"), 2_000);
    assert_eq!(count(&disk.database(), "SELECT count(*) FROM tasks"), 2);

    // Elsewhere there is room enough.
    let elsewhere = stage.path().join("copy.db");
    let copied = back_up(&disk.database(), &elsewhere, false).unwrap();
    assert!(copied.events > 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_comes_up_or_says_what_to_do() {
    let stage = Stage::with_probe();
    let disk = Disk::mount(&stage, 16 << 10);
    let mut daemon = stage.start().await;
    daemon.ask("probe", "set key value").await;
    let stage = daemon.stop().await;
    disk.fill();
    let said = refusal(&stage).await;
    assert!(said.contains("showrunner.db") && said.contains("full") && said.contains("free some space"), "{said}");
    disk.make_room();
    let mut daemon = stage.start().await;
    assert_eq!(daemon.ask("probe", "get key").await, ["value"]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_read_only_disk_says_so() {
    let stage = Stage::with_probe();
    let disk = Disk::mount(&stage, 16 << 10);
    let stage = stage.start().await.stop().await;
    disk.remount("ro");
    let said = refusal(&stage).await;
    assert!(said.contains("mounted read-only"), "{said}");
    // What is there can be copied all the same.
    let copy = stage.path().join("copy.db");
    assert!(back_up(&disk.database(), &copy, false).unwrap().events > 0);
    let refused = restore(&copy, &disk.database()).unwrap_err();
    assert!(refused.to_string().contains("Read-only"), "{refused}");
    disk.remount("rw");
    stage.start().await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_pulled_is_told_and_what_was_on_it_can_be_saved() {
    let stage = Stage::with_probe();
    let disk = Disk::mount(&stage, 16 << 10);
    let mut daemon = stage.start().await;
    daemon.ask("probe", "set key value").await;
    let database = disk.database();
    disk.detach();
    let problem = daemon.store_problem("deleted or replaced").await;
    println!("{problem}");
    assert_eq!(daemon.ask("probe", "echo still here").await, ["still here"]);
    let said = daemon.ask("probe", "task and now?").await;
    assert!(said[0].starts_with("unavailable: "), "{said:?}");
    let saved = daemon.stage.path().join("saved.db");
    daemon.rescue(&saved).await;
    let stage = daemon.stop().await;
    restore(&saved, &database).unwrap();
    let mut daemon = stage.start().await;
    assert_eq!(daemon.ask("probe", "get key").await, ["value"]);
    daemon.stop().await;
}
