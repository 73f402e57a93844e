//! A disk that takes no more, and one that is held by somebody else. SQLite's own bound on the pages of a file stands for
//! the first: it fails in the same way.

use rusqlite::Connection;

use super::*;
use crate::effect::{Batch, KvWrite};

fn memory(value: usize) -> Batch {
    let kv = vec![KvWrite::Set { key: "key".to_owned(), value: vec![7; value] }];
    Batch { plugin: "greeter".into(), cause: chat("cause", "anna", "hello"), effects: vec![], kv }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_what_waited_is_written_when_there_is_room() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("before", "anna", "hello"), false);
    store.read_journal(0, 1).await.unwrap();

    sql(&store, "PRAGMA max_page_count = 1").await;
    let refused = store.commit(&memory(60_000)).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    let StoreHealth::Failing { since_ms, why } = store.health() else { panic!("a full disk is not healthy") };
    assert!(since_ms > 0 && why.contains("full"), "{why}");

    // Those whom nobody waits for are kept; reading goes on.
    for number in 0..3_000 {
        store.journal_event(chat(&format!("during {number}"), "anna", "hello"), false);
    }
    assert_eq!(store.read_journal(0, 10_000).await.unwrap().len(), 1);

    sql(&store, "PRAGMA max_page_count = 1000000").await;
    store.commit(&memory(60_000)).await.unwrap();
    assert_eq!(store.read_journal(0, 10_000).await.unwrap().len(), 3_001);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 3_001);
    assert_eq!(store.health(), StoreHealth::Ok);
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_does_not_take_its_neighbours_with_it() {
    let place = Place::new();
    let store = place.open();
    sql(
        &store,
        "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    for id in ["one", "bad", "two"] {
        store.journal_event(chat(id, "anna", "hello"), false);
    }
    assert_eq!(store.read_journal(0, 10).await.unwrap().len(), 2);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 2);
    assert_eq!(store.lost_writes(), 1);
}

#[tokio::test]
async fn a_store_that_is_closed_on_a_full_disk_ends() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "PRAGMA max_page_count = 1").await;
    for number in 0..3_000 {
        store.journal_event(chat(&format!("event {number}"), "anna", "hello"), false);
    }
    store.close().await;
    drop(store);
    place.open();
}

fn remembers(value: &[u8]) -> Batch {
    let kv = vec![KvWrite::Set { key: "key".to_owned(), value: value.to_vec() }];
    Batch { plugin: "greeter".into(), cause: chat("cause", "anna", "hello"), effects: vec![], kv }
}

/// Another program that writes to the database, and takes its time.
fn hold(place: &Place) -> Connection {
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn while_another_program_holds_the_file_reading_goes_on_and_nothing_is_lost() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("before", "anna", "hello"), false);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 1);
    // Else the first write would wait for some seconds, as it should.
    sql(&store, "PRAGMA busy_timeout = 0").await;
    let other = hold(&place);

    let refused = store.commit(&remembers(b"refused")).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    assert!(matches!(store.health(), StoreHealth::Failing { why, .. } if why.contains("locked")));
    for number in 0..2_000 {
        store.journal_event(chat(&format!("during {number}"), "anna", "hello"), false);
    }
    store.commit_behind(&remembers(b"behind"));
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 1, "as of the last time");
    assert_eq!(store.read_journal(0, 10).await.unwrap().len(), 1);
    let refused = store.commit(&remembers(b"refused")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unwritable { why } if why.contains("locked")), "{refused}");

    other.execute_batch("ROLLBACK").unwrap();
    store.commit(&remembers(b"newest")).await.unwrap();
    assert_eq!(store.health(), StoreHealth::Ok);
    assert_eq!(store.read_journal(0, 10_000).await.unwrap().len(), 2_001);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 2_001);
    let kv = store.kv(&"greeter".into()).await.unwrap();
    assert_eq!(kv["key"], b"newest", "what waited is older, and does not overwrite it");
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn a_write_waits_for_another_program_that_is_soon_done() {
    let place = Place::new();
    let store = place.open();
    let other = hold(&place);
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&remembers(b"patient")).await }
    });
    while store.backlog() == 0 {
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    commit.await.unwrap().unwrap();
    assert_eq!(store.health(), StoreHealth::Ok);
}

#[tokio::test]
async fn what_waits_is_kept_up_to_a_bound_and_counted_beyond_it() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "PRAGMA busy_timeout = 0").await;
    let other = hold(&place);
    store.commit(&remembers(b"refused")).await.unwrap_err();
    for number in 0..20_000 {
        store.journal_event(chat(&format!("event {number}"), "anna", "hello"), false);
    }
    let lost = store.lost_writes();
    assert!(lost > 0, "16384 may wait");
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(&remembers(b"newest")).await.unwrap();
    let kept = number(&store, "SELECT count(*) FROM events").await;
    assert_eq!(u64::try_from(kept).unwrap() + lost, 20_000);
}
