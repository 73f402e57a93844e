//! Copies of a database that is in use, and putting them back.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::effect::PluginId;
use crate::store::backup::{BackupError, Flaw, back_up, part_of, restore};

/// Every table with every row, as text. That a run is under way is true of the database and of no copy.
fn rows(database: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(database).unwrap();
    let mut names =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'run'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let table = |name: &String| {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok(format!("{values:?}"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    names.iter().map(|name| (name.clone(), table(name))).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// With something in every table that a store fills.
async fn filled(place: &Place) -> Store {
    let store = place.open();
    for number in 0..200 {
        store.journal_event(chat(&format!("event {number}"), &format!("viewer {}", number % 7), "hello ☕"), false);
    }
    store.mark_removed(&channel(), "message-event 3");
    commit(&store, &remembers(&[("one", "1"), ("two", "\0\u{1f600}")])).await.unwrap();
    let task = Task { queue: "agent".to_owned(), prompt: "why?".to_owned(), context_json: None, priority: 1 };
    commit(&store, &asks_for("task", task)).await.unwrap();
    store.save_backlog(&"greeter".into(), &[(chat("late", "anna", "wait for me"), 0)]).await.unwrap();
    let flags = PluginFlags { quarantined: Some("sha256:00".to_owned()), ..PluginFlags::default() };
    store.set_plugin_flags(&"greeter".into(), &flags).await.unwrap();
    store
}

#[tokio::test]
async fn what_is_restored_is_what_was_backed_up_row_by_row() {
    let (place, other) = (Place::new(), Place::new());
    let store = filled(&place).await;
    // So that nothing is projected between the copy and the comparison.
    store.viewer("retake", "anna").await.unwrap();
    let copy = other.folder.path().join("copy.db");
    let copied = back_up(&place.path(), &copy, false).unwrap();
    assert_eq!((copied.events, copied.tasks, copied.kv), (200, 1, 2));
    assert_eq!(copied.bytes, std::fs::metadata(&copy).unwrap().len());
    assert_eq!(names(other.folder.path()), ["copy.db"], "nothing else was left");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    store.close().await;

    let restored = restore(&copy, &other.path()).unwrap();
    assert_eq!((restored.aside, restored.copied.events), (None, 200));
    let before = rows(&place.path());
    assert!(before.values().flatten().count() > 400 && before.contains_key("viewers"), "{:?}", before.keys());
    assert_eq!(rows(&other.path()), before);
    assert_eq!(std::fs::metadata(other.path()).unwrap().permissions().mode() & 0o777, 0o600);

    let store = other.open();
    assert_eq!(store.viewer("retake", "viewer 1").await.unwrap().unwrap().messages, 29);
    let again = store.last_sequences().await.unwrap();
    assert!(again[0].1 > 1_000, "numbers that were given out since then are not given out again: {again:?}");
    store.close().await;
    assert_eq!(names(other.folder.path()), ["copy.db", "showrunner.db", "showrunner.db.lock"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_made_while_much_is_written_shows_one_moment() {
    let place = Place::new();
    let store = place.open();
    // More than is copied in one step.
    let long = "word ".repeat(200);
    for number in 0..8_000 {
        store.journal_event(chat(&format!("event {number}"), "anna", &long), false);
    }
    store.flush().await.unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, ends) = (store.clone(), Arc::clone(&ends));
        async move {
            let mut count = 0_u64;
            while !ends.load(Ordering::Relaxed) {
                count += 1;
                let value = count.to_string();
                store.journal_event(chat(&format!("during {count}"), "anna", "hello"), false);
                commit(&store, &remembers(&[("left", &value), ("right", &value)])).await.unwrap();
            }
            count
        }
    });
    for round in 0..3 {
        let copy = place.folder.path().join(format!("copy {round}.db"));
        let (database, file) = (place.path(), copy.clone());
        tokio::task::spawn_blocking(move || back_up(&database, &file, false)).await.unwrap().unwrap();
        let target = Place::new();
        restore(&copy, &target.path()).unwrap();
        let restored = target.open();
        let kv = restored.kv(&PluginId::from("greeter")).await.unwrap();
        assert_eq!(kv.get("left"), kv.get("right"), "both were written at once");
        let events = restored.recent_event_ids(100_000).await.unwrap();
        let during = events.iter().filter(|(_, id)| id.starts_with("during")).count();
        let written: usize = kv.get("left").map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap());
        // The event of a batch is queued before it.
        assert!(during == written || during == written + 1, "{during} events, {written} batches");
        assert_eq!(events.len() - during, 8_000);
    }
    ends.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0);
    store.close().await;
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn a_copy_of_a_database_that_nobody_uses_leaves_it_as_it_was() {
    let place = Place::new();
    filled(&place).await.close().await;
    let before = (names(place.folder.path()), std::fs::read(place.path()).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    back_up(&place.path(), &elsewhere.path().join("copy.db"), false).unwrap();
    assert_eq!((names(place.folder.path()), std::fs::read(place.path()).unwrap()), before);

    // Also the log of a daemon that was killed, which the next one must find.
    std::fs::create_dir(elsewhere.path().join("killed")).unwrap();
    let killed = elsewhere.path().join("killed").join("showrunner.db");
    let store = place.open();
    commit(&store, &remembers(&[("three", "3")])).await.unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("showrunner.db{suffix}");
        std::fs::copy(place.folder.path().join(&name), killed.with_file_name(&name)).unwrap();
    }
    let log = std::fs::read(killed.with_file_name("showrunner.db-wal")).unwrap();
    assert!(!log.is_empty());
    let copied = back_up(&killed, &elsewhere.path().join("killed.db"), false).unwrap();
    assert_eq!(copied.kv, 3);
    assert_eq!(std::fs::read(killed.with_file_name("showrunner.db-wal")).unwrap(), log);
}

#[tokio::test]
async fn nothing_is_overwritten_that_was_not_meant() {
    let place = Place::new();
    let store = filled(&place).await;
    let folder = place.folder.path();
    let copy = folder.join("copy.db");
    std::fs::write(&copy, "dear to somebody").unwrap();
    assert!(matches!(back_up(&place.path(), &copy, false), Err(BackupError::Exists { .. })));
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "dear to somebody");
    assert_eq!(back_up(&place.path(), &copy, true).unwrap().events, 200);

    assert!(matches!(back_up(&place.path(), folder, true), Err(BackupError::Folder { .. })));
    for own in ["showrunner.db", "showrunner.db-wal", "showrunner.db.lock", "./showrunner.db"] {
        let refused = back_up(&place.path(), &folder.join(own), true);
        assert!(matches!(refused, Err(BackupError::Own { .. })), "{own}: {refused:?}");
    }
    let nowhere = back_up(&place.path(), &folder.join("nowhere").join("copy.db"), false).unwrap_err();
    assert!(nowhere.to_string().contains("nowhere/copy.db"), "{nowhere}");
    let missing = back_up(&folder.join("other.db"), &folder.join("new.db"), false).unwrap_err();
    assert!(matches!(missing, BackupError::NoDatabase { .. }), "{missing}");
    store.close().await;
    assert_eq!(names(folder), ["copy.db", "showrunner.db", "showrunner.db.lock"]);
}

#[tokio::test]
async fn what_is_no_backup_of_ours_is_refused_and_changes_nothing() {
    let place = Place::new();
    let store = filled(&place).await;
    let (good, file) = (place.folder.path().join("good.db"), place.folder.path().join("file"));
    back_up(&place.path(), &good, false).unwrap();
    let running = restore(&good, &place.path()).unwrap_err();
    assert!(matches!(running, BackupError::Running { pid } if pid == Some(std::process::id())), "{running}");
    assert!(running.help().unwrap().contains("showrunner stop"));
    store.close().await;

    let whole = std::fs::read(&good).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 8192 * 4096..][..4096].fill(0xa5);
    let newer = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    };
    let foreign = || {
        std::fs::remove_file(&file).unwrap();
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    };
    let before = (names(place.folder.path()), std::fs::read(place.path()).unwrap());
    let refused = |what: &str| match restore(&file, &place.path()) {
        Err(error @ BackupError::Copy { .. }) => error,
        other => panic!("{what}: {other:?}"),
    };
    for (what, bytes) in [("empty", &[][..]), ("a diary", &b"Dear diary, ".repeat(1000)), ("cut", &whole[..40_960])] {
        std::fs::write(&file, bytes).unwrap();
        refused(what);
    }
    std::fs::write(&file, &damaged).unwrap();
    assert!(refused("damaged").to_string().contains("is damaged"));
    newer(&whole);
    let error = refused("newer");
    assert!(matches!(&error, BackupError::Copy { flaw: Flaw::Newer { found: 99, .. }, .. }), "{error}");
    assert!(error.to_string().contains("version 99") && error.help().unwrap().contains("newer program"), "{error}");
    foreign();
    assert!(refused("foreign").to_string().contains("not written by Showrunner"));
    std::fs::remove_file(&file).unwrap();
    assert!(restore(&file, &place.path()).unwrap_err().to_string().contains("can't read"));
    assert!(matches!(restore(&place.path(), &place.path()), Err(BackupError::Own { .. })));
    assert_eq!((names(place.folder.path()), std::fs::read(place.path()).unwrap()), before);
}

#[tokio::test]
async fn a_damaged_database_gives_no_backup() {
    let place = Place::new();
    filled(&place).await.close().await;
    let mut bytes = std::fs::read(place.path()).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(place.path(), bytes).unwrap();
    let refused = back_up(&place.path(), &place.folder.path().join("copy.db"), false).unwrap_err();
    assert!(matches!(refused, BackupError::Database { flaw: Flaw::Damaged(_), .. }), "{refused}");
    assert_eq!(names(place.folder.path()), ["showrunner.db", "showrunner.db.lock"]);
}

/// The name that a database was set aside under.
fn aside(place: &Place) -> String {
    names(place.folder.path()).into_iter().find(|name| name.contains(".before-restore-")).unwrap()
}

#[tokio::test]
async fn what_was_there_is_kept_aside_with_what_a_kill_left_in_its_log() {
    let (place, killed) = (Place::new(), Place::new());
    let store = filled(&place).await;
    let copy = killed.folder.path().join("copy.db");
    back_up(&place.path(), &copy, false).unwrap();
    // A daemon that is killed leaves its database and its log.
    commit(&store, &remembers(&[("three", "3")])).await.unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("showrunner.db{suffix}");
        std::fs::copy(place.folder.path().join(&name), killed.folder.path().join(&name)).unwrap();
    }
    let restored = restore(&copy, &killed.path()).unwrap();
    let kept = restored.aside.unwrap();
    assert_eq!(kept.file_name().unwrap().to_str().unwrap(), aside(&killed));
    assert_eq!((rows(&killed.path())["kv"].len(), rows(&kept)["kv"].len()), (2, 3));

    // And it can be brought back, which keeps the other one.
    let back = restore(&kept, &killed.path()).unwrap();
    assert_eq!(rows(&killed.path())["kv"].len(), 3);
    assert_ne!(back.aside.unwrap(), kept);
}

#[tokio::test]
async fn a_database_that_is_beyond_reading_makes_way_and_its_log_does_not_touch_the_new_one() {
    let place = Place::new();
    let store = filled(&place).await;
    let copy = place.folder.path().join("copy.db");
    back_up(&place.path(), &copy, false).unwrap();
    store.close().await;
    std::fs::write(place.path(), "rubbish ".repeat(5_000)).unwrap();
    std::fs::write(place.folder.path().join("showrunner.db-wal"), "and a log of rubbish ".repeat(5_000)).unwrap();
    let kept = restore(&copy, &place.path()).unwrap().aside.unwrap();
    assert!(std::fs::read_to_string(&kept).unwrap().starts_with("rubbish"));
    assert!(std::fs::read_to_string(format!("{}-wal", kept.display())).unwrap().starts_with("and a log"));
    let store = place.open();
    assert_eq!(store.kv(&"greeter".into()).await.unwrap().len(), 2);
    assert!(store.refusal().is_none());
}

#[tokio::test]
async fn a_copy_that_was_broken_off_by_a_kill_is_in_nobodys_way() {
    let place = Place::new();
    let _store = filled(&place).await;
    let copy = place.folder.path().join("copy.db");
    std::fs::write(part_of(&copy), "half of something".repeat(9_000)).unwrap();
    back_up(&place.path(), &copy, false).unwrap();
    assert!(!part_of(&copy).exists());
    // One that is under way is.
    let other = std::fs::File::create(part_of(&copy)).unwrap();
    other.lock().unwrap();
    assert!(matches!(back_up(&place.path(), &copy, true), Err(BackupError::UnderWay { .. })));
}
