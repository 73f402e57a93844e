use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "hello"), false);
    store.close().await;
    drop(store);

    let store = place.open();
    let entries = journal(&place, &store).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].envelope, chat("one", "anna", "hello"));
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 1);
}

#[tokio::test]
async fn the_last_handle_writes_what_is_queued() {
    let place = Place::new();
    let store = place.open();
    let other = store.clone();
    drop(store);
    other.journal_event(chat("one", "anna", "hello"), false);
    drop(other);
    assert_eq!(place.open().recent_event_ids(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_store_says_so_and_leaves_one_file_and_no_lock() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "hello"), false);
    store.close().await;
    assert!(matches!(store.flush().await, Err(StoreError::Closed)));
    store.journal_event(chat("two", "anna", "hello"), false);
    assert_eq!(store.lost_writes(), 1);

    let mut names: Vec<_> =
        std::fs::read_dir(place.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["showrunner.db", "showrunner.db.lock"]);
    place.open();
}

#[tokio::test]
async fn a_second_daemon_is_refused() {
    let place = Place::new();
    let _first = place.open();
    let Err(refused) = Store::open(&place.path(), &SETTINGS) else { panic!("two daemons on one database") };
    let text = refused.to_string();
    assert!(matches!(refused, StoreError::InUse { .. }), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
}

#[tokio::test]
async fn only_the_owner_can_read_the_file_and_its_companions() {
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = place.open();
    store.journal_event(chat("one", "anna", "hello"), false);
    store.flush().await.unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        seen += 1;
    }
    assert_eq!(seen, 4, "the database, its log, the log's index and the lock");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_not_touched() {
    let place = Place::new();
    drop(place.open());
    rusqlite::Connection::open(place.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(place.path()).unwrap();
    let Err(refused) = Store::open(&place.path(), &SETTINGS) else { panic!("a newer file was opened") };
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
    assert!(refused.to_string().contains("99"), "{refused}");
    assert_eq!(std::fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_not_touched() {
    let place = Place::new();
    rusqlite::Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    let before = std::fs::read(place.path()).unwrap();
    let Err(refused) = Store::open(&place.path(), &SETTINGS) else { panic!("a foreign file was opened") };
    assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
    assert_eq!(std::fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let place = Place::new();
    std::fs::write(place.path(), "Dear diary, ".repeat(1000)).unwrap();
    let Err(refused) = Store::open(&place.path(), &SETTINGS) else { panic!("a diary was opened") };
    assert!(matches!(refused, StoreError::NotADatabase { .. }), "{refused}");
}

/// A copy, on which no daemon has run, with a page in its middle overwritten. What a start reads is whole.
async fn damaged(place: &Place) {
    let store = place.open();
    for number in 0..500 {
        store.journal_event(chat(&format!("event {number}"), "anna", "hello"), false);
    }
    store.viewer("retake", "anna").await.unwrap();
    let copy = place.folder.path().join("copy");
    backup::back_up(&place.path(), &copy, false).unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&copy).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(place.path(), bytes).unwrap();
}

#[tokio::test]
async fn a_file_that_was_copied_here_is_checked_by_the_way_and_its_damage_is_told() {
    let place = Place::new();
    damaged(&place).await;
    let store = place.open();
    let why = async {
        loop {
            if let StoreHealth::Failing { why, .. } = store.health() {
                return why;
            }
            tokio::task::yield_now().await;
        }
    };
    let why = tokio::time::timeout(Duration::from_secs(20), why).await.unwrap();
    assert!(why.contains("it is damaged"), "{why}");
    store.journal_event(chat("new", "anna", "hello"), false);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 501, "it is used as far as that goes");
}

#[tokio::test]
async fn a_store_that_is_closed_does_not_wait_for_its_check() {
    let place = Place::new();
    damaged(&place).await;
    for _ in 0..10 {
        place.open().close().await;
        std::fs::remove_file(place.path()).unwrap();
        std::fs::copy(place.folder.path().join("copy"), place.path()).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_where_it_is_read_first_is_refused_with_what_to_do() {
    let place = Place::new();
    let store = place.open();
    for number in 0..500 {
        store.journal_event(chat(&format!("event {number}"), "anna", "hello"), false);
    }
    store.close().await;
    let mut bytes = std::fs::read(place.path()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(place.path(), bytes).unwrap();

    let Err(refused) = Store::open(&place.path(), &SETTINGS) else { panic!("a damaged file was opened") };
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("restore it from a backup"), "{refused}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let path = place.folder.path().join("nowhere").join("showrunner.db");
    let Err(refused) = Store::open(&path, &SETTINGS) else { panic!("a file in no folder was opened") };
    assert!(refused.to_string().contains("nowhere"), "{refused}");
}
