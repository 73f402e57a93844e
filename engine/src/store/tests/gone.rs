//! A database whose file is deleted, moved or replaced while it is in use.

use super::*;

#[tokio::test]
async fn a_deleted_file_is_noticed_before_anything_is_called_kept_and_all_of_it_can_be_saved() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("before", "anna", "hello"), false);
    commit(&store, &remembers(&[("key", b"one")])).await.unwrap();

    std::fs::remove_file(place.path()).unwrap();
    let refused = commit(&store, &remembers(&[("key", b"two")])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Gone { .. }), "{refused}");
    assert!(refused.to_string().contains("showrunner backup FILE"), "{refused}");
    assert!(store.has_lost_its_file());
    assert!(matches!(store.health(), StoreHealth::Failing { why, .. } if why.contains("deleted or replaced")));

    // Chat goes on, and so does what is written behind.
    store.journal_event(chat("after", "anna", "hello"), false);
    store.commit_behind(&remembers(&[("key", b"three")]));
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 2);

    let saved = place.folder.path().join("saved.db");
    let copied = store.back_up(&place.path(), &saved, false).await.unwrap();
    assert_eq!((copied.events, copied.kv), (2, 1));
    store.close().await;
    drop(store);

    backup::restore(&saved, &place.path()).unwrap();
    let store = place.open();
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 2);
    assert_eq!(store.kv(&"greeter".into()).await.unwrap()["key"], b"three");
    assert!(!store.has_lost_its_file());
}

#[tokio::test]
async fn a_file_that_comes_back_is_well_again() {
    let place = Place::new();
    let store = place.open();
    let elsewhere = place.folder.path().join("elsewhere.db");
    std::fs::rename(place.path(), &elsewhere).unwrap();
    commit(&store, &remembers(&[("key", b"one")])).await.unwrap_err();
    std::fs::rename(&elsewhere, place.path()).unwrap();
    commit(&store, &remembers(&[("key", b"two")])).await.unwrap();
    assert!(store.refusal().is_none());
}

#[tokio::test]
async fn a_file_in_the_place_of_ours_is_not_ours() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.open();
    other.open().close().await;
    std::fs::rename(other.path(), place.path()).unwrap();
    let refused = commit(&store, &remembers(&[("key", b"one")])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Gone { .. }), "{refused}");
}

#[tokio::test]
async fn an_operator_hears_of_it_though_nothing_is_written() {
    let place = Place::new();
    let store = place.open();
    std::fs::remove_file(place.path()).unwrap();
    let told = async {
        while store.health() == StoreHealth::Ok {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.unwrap();
}
