//! A disk that takes no more, and one that is held by somebody else. SQLite's own bound on the pages of a file stands
//! for the first: it fails in the same way.

use rusqlite::Connection;

use super::*;
use crate::effect::{Batch, Effect, NumberedEffect, Task};

#[tokio::test]
async fn a_full_disk_is_reported_and_what_waited_is_written_when_there_is_room() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("before", "anna", "hello"), false);
    store.flush().await.unwrap();

    sql(&store, "PRAGMA max_page_count = 1").await;
    let refused = store.commit(&remembers(&[("key", vec![7; 60_000])]), 0).unwrap().await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    let StoreHealth::Failing { since_ms, why } = store.health() else { panic!("a full disk is not healthy") };
    assert!(since_ms > 0 && why.contains("full"), "{why}");

    // Those whom nobody waits for are kept; reading goes on.
    for number in 0..3_000 {
        store.journal_event(chat(&format!("during {number}"), "anna", "hello"), false);
    }
    assert_eq!(store.recent_event_ids(10_000).await.unwrap().len(), 1);

    sql(&store, "PRAGMA max_page_count = 1000000").await;
    store.commit(&remembers(&[("key", vec![7; 60_000])]), 0).unwrap().await.unwrap();
    assert_eq!(store.recent_event_ids(10_000).await.unwrap().len(), 3_001);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 3_001);
    assert!(store.refusal().is_none());
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
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 2);
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

#[tokio::test]
async fn a_writer_that_fails_is_told_to_all_and_nobody_waits_in_vain() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("before", "anna", "hello"), false);
    store.flush().await.unwrap();
    // All of it in one group: the writer is kept busy until it is there.
    let (go, gone) = mpsc::channel::<()>();
    let busy = store.queue_request(Access::Read, move |_| {
        gone.recv().ok();
        Ok(())
    });
    store.journal_event(chat("lost", "anna", "hello"), false);
    let fault = store.queue_request(Access::Read, |_| -> Result<(), StoreError> { panic!("a fault of ours") }).unwrap();
    let behind = store.queue_request(Access::Read, |_| Ok(())).unwrap();
    go.send(()).unwrap();
    let (_, fault, behind) = tokio::join!(busy.unwrap(), fault, behind);
    for refused in [fault.unwrap_err(), behind.unwrap_err(), store.broken().await] {
        assert!(matches!(&refused, StoreError::Broken { why } if why == "a fault of ours"), "{refused}");
    }
    assert_eq!(store.health(), StoreHealth::Broken { why: "a fault of ours".to_owned() });
    assert!(matches!(store.flush().await, Err(StoreError::Broken { .. })));
    store.journal_event(chat("late", "anna", "hello"), false);
    assert_eq!(store.lost_writes(), 2);
    store.close().await;
    drop(store);

    let store = place.open();
    assert!(store.was_killed(), "the fault is no end in good order");
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_closed_in_good_order_is_not_broken() {
    let place = Place::new();
    let store = place.open();
    store.close().await;
    let waiting = tokio::time::timeout(Duration::ZERO, store.broken()).await;
    assert!(waiting.is_err(), "{waiting:?}");
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

    let refused = commit(&store, &remembers(&[("key", b"refused")])).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    assert!(matches!(store.health(), StoreHealth::Failing { why, .. } if why.contains("locked")));
    for number in 0..2_000 {
        store.journal_event(chat(&format!("during {number}"), "anna", "hello"), false);
    }
    store.commit_behind(&remembers(&[("key", b"behind")]));
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 1, "as of the last time");
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 1);
    let refused = commit(&store, &remembers(&[("key", b"refused")])).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unwritable { why } if why.contains("locked")), "{refused}");

    other.execute_batch("ROLLBACK").unwrap();
    commit(&store, &remembers(&[("key", b"newest")])).await.unwrap();
    assert!(store.refusal().is_none());
    assert_eq!(store.recent_event_ids(10_000).await.unwrap().len(), 2_001);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 2_001);
    let kv = store.kv(&"greeter".into()).await.unwrap();
    assert_eq!(kv["key"], b"newest", "what waited is older, and does not overwrite it");
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn a_refused_batch_is_written_in_its_place_later_but_for_its_tasks() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "PRAGMA busy_timeout = 0").await;
    let other = hold(&place);
    let task = Task { queue: "chat".to_owned(), prompt: "why?".to_owned(), context_json: None, priority: 0 };
    let effects = vec![NumberedEffect { number: 0, effect: Effect::Enqueue { task_id: "task".to_owned(), task } }];
    let older = store.commit(&Batch { effects, ..remembers(&[("key", b"older")]) }, 9).unwrap();
    store.commit_behind(&remembers(&[("key", b"newer")]));
    older.await.unwrap_err();
    assert!(store.kv(&"other".into()).await.unwrap().is_empty(), "nothing of it waits");
    assert!(matches!(store.kv(&"greeter".into()).await, Err(StoreError::Unwritable { .. })));

    other.execute_batch("ROLLBACK").unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.kv(&"greeter".into()).await.unwrap()["key"], b"newer");
    assert_eq!(number(&store, "SELECT count(*) FROM tasks").await, 0, "its plugin was told that it is not kept");
    assert_eq!((store.backlog(), store.lost_writes()), (0, 0));
}

#[tokio::test]
async fn nothing_overtakes_what_waited_when_the_disk_is_back() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "PRAGMA busy_timeout = 0").await;
    let other = hold(&place);
    commit(&store, &remembers(&[("key", b"refused")])).await.unwrap_err();
    other.execute_batch("ROLLBACK").unwrap();

    // All in one group, whose first part finds a disk that fails, and whose second one that works.
    let (go, gone) = mpsc::channel::<()>();
    let busy = store.queue_request(Access::Read, move |_| {
        gone.recv().ok();
        Ok(())
    });
    store.commit_behind(&remembers(&[("key", b"one")]));
    let two = store.commit(&remembers(&[("key", b"two")]), 0).unwrap();
    store.commit_behind(&remembers(&[("key", b"three")]));
    let four = store.commit(&remembers(&[("key", b"four")]), 0).unwrap();
    store.commit_behind(&remembers(&[("key", b"five")]));
    go.send(()).unwrap();
    busy.unwrap().await.unwrap();
    two.await.unwrap();
    four.await.unwrap();
    store.commit_behind(&remembers(&[("key", b"six")]));
    assert_eq!(store.kv(&"greeter".into()).await.unwrap()["key"], b"six");
    store.flush().await.unwrap();
    assert_eq!(store.kv(&"greeter".into()).await.unwrap()["key"], b"six", "nothing older was written after it");
    assert_eq!((store.backlog(), store.lost_writes()), (0, 0));
}

#[tokio::test]
async fn a_write_waits_for_another_program_that_is_soon_done() {
    let place = Place::new();
    let store = place.open();
    let other = hold(&place);
    let commit = tokio::spawn({
        let store = store.clone();
        async move { commit(&store, &remembers(&[("key", b"patient")])).await }
    });
    // Until the writer has been at it for a while.
    while !store.is_slow() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    commit.await.unwrap().unwrap();
    assert!(store.refusal().is_none());
}

#[tokio::test]
async fn what_waits_is_kept_up_to_a_bound_and_counted_beyond_it() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "PRAGMA busy_timeout = 0").await;
    let other = hold(&place);
    commit(&store, &remembers(&[("key", b"refused")])).await.unwrap_err();
    for number in 0..40_000 {
        store.journal_event(chat(&format!("event {number}"), "anna", "hello"), false);
    }
    let lost = store.lost_writes();
    assert!(lost > 0, "32768 may wait");
    other.execute_batch("ROLLBACK").unwrap();
    commit(&store, &remembers(&[("key", b"newest")])).await.unwrap();
    let kept = number(&store, "SELECT count(*) FROM events").await;
    assert_eq!(u64::try_from(kept).unwrap() + lost, 40_000);
}
