use super::*;
use crate::event::Follow;

#[tokio::test]
async fn a_read_sees_all_that_was_written_before_it() {
    let place = Place::new();
    let store = place.open();
    for number in 0..5_000u64 {
        let mut event = Envelope::clone(&chat(&format!("event {number}"), "anna", "hello"));
        event.sequence = number;
        store.journal_event(Arc::new(event), false);
        if number % 1_000 == 0 {
            let newest = store.recent_event_ids(1).await.unwrap();
            assert_eq!(newest, [(channel(), Arc::from(format!("event {number}")))]);
        }
    }
    assert_eq!(store.recent_event_ids(10_000).await.unwrap().len(), 5_000);
    assert_eq!(store.last_sequences().await.unwrap(), [(channel(), 4_999)]);
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn the_newest_ids_come_last_and_pages_go_on_where_they_stopped() {
    let place = Place::new();
    let store = place.open();
    for id in ["a", "b", "c", "d"] {
        store.journal_event(chat(id, "anna", id), id == "c");
    }
    let ids: Vec<_> = store.recent_event_ids(3).await.unwrap().into_iter().map(|(_, id)| id.to_string()).collect();
    assert_eq!(ids, ["b", "c", "d"]);

    let archive = Archive::open(&place.path()).unwrap();
    let page = |after| archive.page(&Window::default(), after, 3).unwrap();
    let first = page(0);
    let rest = page(first.next.unwrap());
    assert_eq!(rest.next, None);
    let own: Vec<_> = first.entries.iter().chain(&rest.entries).map(|entry| (&*entry.envelope.id, entry.own)).collect();
    assert_eq!(own, [("a", false), ("b", false), ("c", true), ("d", false)]);
}

#[tokio::test]
async fn a_repeated_event_is_written_and_counted_once() {
    let place = Place::new();
    let store = place.open();
    for _ in 0..3 {
        store.journal_event(chat("one", "anna", "hello"), false);
    }
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 1);
    assert_eq!(store.viewer("retake", "anna").await.unwrap().unwrap().messages, 1);
    assert_eq!(store.recent_lines(&channel(), "anna", 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_hide_the_others() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "hello"), false);
    store.journal_event(chat("two", "anna", "hello"), false);
    sql(&store, "UPDATE events SET envelope = '{' WHERE id = 'one'").await;
    let entries = journal(&place, &store).await;
    assert_eq!(entries.iter().map(|entry| &*entry.envelope.id).collect::<Vec<_>>(), ["two"]);
}

#[tokio::test]
async fn every_kind_of_number_survives() {
    let place = Place::new();
    let store = place.open();
    let who = message("x", "anna", "").author;
    let mut event = envelope("one", Event::Follow(Follow { who }));
    event.sequence = u64::MAX;
    event.at_ms = u64::MAX;
    store.journal_event(Arc::new(event.clone()), false);
    let written = rows(&store, "SELECT envelope FROM events").await;
    let [rusqlite::types::Value::Text(json)] = &*written[0] else { panic!("{written:?}") };
    assert_eq!(serde_json::from_str::<Envelope>(json).unwrap(), event);
}

#[tokio::test]
async fn thousands_of_events_share_few_transactions() {
    let place = Place::new();
    let store = place.open();
    let events: Vec<_> = (0..10_000u32)
        .map(|number| {
            chat(&format!("retake:{number:032x}"), &format!("viewer {}", number % 500), "hello there, friend")
        })
        .collect();
    for event in &events {
        store.journal_event(Arc::clone(event), false);
    }
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 10_000);
    assert_eq!(store.lost_writes(), 0);
}
