//! What is recorded for replays: written behind, read from an archive beside the store, and gone with its time.

use std::collections::BTreeMap;

use super::*;
use crate::effect::{Batch, Effect, KvWrite, Maker, NumberedEffect, Verdict};
use crate::event::{Moderation, System};
use crate::recording::{Blob, Call, HostResult, Memory, Note, Noted, OwnCall, Recording, Start, Window};
use crate::store::archive::Archive;

const ALL: Window = Window { from_ms: None, to_ms: None, channel: None };

fn start(plugin: &str, version: &str, record: bool) -> Start {
    Start {
        plugin: plugin.into(),
        version: version.to_owned(),
        hash: "sha256:aa".to_owned(),
        reviewer: false,
        fallback: false,
        record,
        grant: None,
        channels: Vec::new(),
        on_failure: crate::config::settings::OnFailure::Pass,
        settings: serde_json::Map::new(),
    }
}

fn started(plugin: &str, version: &str, memory: Option<Memory>) -> Recording {
    Recording::Start { start: Box::new(start(plugin, version, memory.is_some())), memory }
}

fn noted(event_id: &str, plugin: &str, note: Note) -> Recording {
    Recording::Note { event_id: event_id.into(), plugin: plugin.into(), note }
}

fn removed() -> Note {
    Note::Verdict { verdict: Verdict::Remove { reason: "spam".into() }, late: false }
}

fn wrote(key: &str, value: &str) -> Note {
    let write = KvWrite::Set { key: key.to_owned(), value: value.as_bytes().to_vec() };
    Note::Call(Call::new(Vec::new(), &[write]))
}

fn memory(pairs: &[(&str, &str)]) -> Memory {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Blob(value.as_bytes().to_vec()))).collect()
}

fn at(id: &str, at_ms: u64) -> Arc<Envelope> {
    Arc::new(Envelope { at_ms, ..Envelope::clone(&chat(id, "anna", id)) })
}

/// Everything that was handed over before is in the file.
async fn flush(store: &Store) {
    store.recent_event_ids(1).await.unwrap();
}

async fn archive(place: &Place, store: &Store) -> Archive {
    flush(store).await;
    Archive::open(&place.path()).unwrap()
}

fn ids(archive: &Archive, window: &Window) -> Vec<String> {
    let page = archive.page(window, 0, 100).unwrap();
    page.entries.iter().map(|entry| entry.envelope.id.to_string()).collect()
}

#[tokio::test]
async fn an_event_comes_with_all_that_is_known_of_it_while_the_daemon_writes_on() {
    let place = Place::new();
    let store = place.open();
    store.journal_event(chat("one", "anna", "hello"), false);
    let result = HostResult { function: "http.send".into(), asked: "00".into(), answer: serde_json::json!({"a": 1}) };
    let call = Note::Call(Call { results: vec![result], kv: BTreeMap::new() });
    store.record(noted("one", "greeter", call.clone()));
    store.record(noted("one", "moderation", removed()));
    let alert = Effect::Publish { kind: "k".into(), data_json: "{}".into() };
    let effects = vec![NumberedEffect { number: 0, effect: alert.clone() }];
    let batch = Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: chat("one", "anna", "hello"),
        effects,
        kv: Vec::new(),
        again: false,
    };
    store.commit_behind(&batch);
    let notice = Moderation { kind: "removed".into(), ..Moderation::default() };
    store.journal_event(Arc::new(envelope("one/removed", Event::Moderation(notice))), false);
    store.journal_event(chat("two", "anna", "own"), true);
    let archive = archive(&place, &store).await;
    store.journal_event(chat("three", "anna", "later"), false);

    let entries = archive.page(&ALL, 0, 2).unwrap().entries;
    let [one] = &entries[..] else { panic!("the notice belongs to what it is about: {entries:?}") };
    let notes: Vec<(&str, &Note)> = one.known.notes.iter().map(|noted| (&*noted.plugin, &noted.note)).collect();
    assert_eq!(notes, [("greeter", &call), ("moderation", &removed())]);
    assert_eq!((one.known.effects[0].effect.clone(), one.known.effects[0].state.as_str()), (alert, "pending"));
    assert_eq!(&*one.notice.as_ref().unwrap().envelope.id, "one/removed");
    flush(&store).await;
    assert_eq!(ids(&archive, &ALL), ["one", "two", "three"]);
    assert!(archive.page(&ALL, 0, 100).unwrap().entries[1].own);
    store.close().await;
}

#[tokio::test]
async fn pages_go_on_where_they_stopped_and_a_window_shows_its_part() {
    let place = Place::new();
    let store = place.open();
    for number in 0..10 {
        store.journal_event(at(&format!("event {number}"), number), false);
    }
    let engine = System { kind: "started".into(), detail: String::new() };
    let engine = Envelope { at_ms: 5, channel: Channel::engine(), ..envelope("engine", Event::System(engine)) };
    store.journal_event(Arc::new(engine), false);
    let archive = archive(&place, &store).await;
    let (mut after, mut seen) = (Some(0), Vec::new());
    while let Some(position) = after {
        let page = archive.page(&ALL, position, 4).unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.envelope.id.to_string()));
        after = page.next;
    }
    assert_eq!(seen, ids(&archive, &ALL));
    let window = Window { from_ms: Some(3), to_ms: Some(6), channel: None };
    assert_eq!(ids(&archive, &window), ["event 3", "event 4", "event 5", "engine"]);
    let elsewhere = Window { channel: Some(Channel::new("retake", "other")), ..ALL };
    assert_eq!(ids(&archive, &elsewhere), ["engine"], "what belongs to no channel belongs to all");
}

#[tokio::test]
async fn what_is_known_of_a_plugins_own_event_is_together_and_in_order() {
    let place = Place::new();
    let store = place.open();
    let ids: Vec<String> = (0..3).map(|_| format!("timer:greeter:tick:{}", uuid::Uuid::now_v7())).collect();
    let effect = Effect::Publish { kind: "k".into(), data_json: "{}".into() };
    for number in [1, 0] {
        let cause = Arc::new(envelope(&ids[number], Event::Chat(ChatMessage::default())));
        let effects = (0..2).map(|number| NumberedEffect { number, effect: effect.clone() }).collect();
        store.commit_behind(&Batch {
            plugin: "greeter".into(),
            maker: Maker::Handler,
            cause,
            effects,
            kv: Vec::new(),
            again: false,
        });
    }
    for number in [2, 1] {
        store.record(noted(&ids[number], "greeter", wrote("a", &number.to_string())));
    }
    let calls = archive(&place, &store).await.own_calls(&ALL).unwrap();
    let known = |call: &OwnCall| (call.cause.clone(), call.known.notes.len(), call.known.effects.len());
    let known: Vec<_> = calls.iter().map(known).collect();
    let tick = || "timer:greeter:tick".to_owned();
    assert_eq!(known, [(tick(), 0, 2), (tick(), 1, 2), (tick(), 1, 0)]);
    assert_eq!(calls[2].known.notes, [Noted { plugin: "greeter".into(), note: wrote("a", "2") }]);
}

#[tokio::test]
async fn the_memory_of_a_moment_is_the_last_snapshot_and_what_was_written_since() {
    let place = Place::new();
    let store = place.open();
    store.record(started("greeter", "1", Some(memory(&[("a", "0"), ("b", "0")]))));
    store.record(started("silent", "1", None));
    for (id, at_ms, value) in [("one", 10, "1"), ("two", 20, "2"), ("three", 30, "3")] {
        store.journal_event(at(id, at_ms), false);
        store.record(noted(id, "greeter", wrote("a", value)));
    }
    let gone = Note::Call(Call::new(Vec::new(), &[KvWrite::Remove { key: "b".into() }]));
    store.record(noted("two", "greeter", gone));
    let archive = archive(&place, &store).await;
    let at_ms = |from_ms| archive.memory_at("greeter", &Window { from_ms: Some(from_ms), ..ALL }).unwrap();
    assert_eq!(at_ms(0), Some(memory(&[("a", "0"), ("b", "0")])));
    assert_eq!(at_ms(20), Some(memory(&[("a", "1"), ("b", "0")])));
    assert_eq!(at_ms(30), Some(memory(&[("a", "2")])));
    assert_eq!(archive.memory_at("silent", &ALL).unwrap(), None);
    assert_eq!(archive.memory_at("nobody", &ALL).unwrap(), None);
    assert_eq!(archive.memory_now("greeter").unwrap(), Memory::new(), "nothing was committed");
}

#[tokio::test]
async fn a_plugin_is_known_as_it_was_started_when_the_window_begins() {
    let place = Place::new();
    let store = place.open();
    store.record(started("greeter", "1", None));
    store.journal_event(at("one", 10), false);
    flush(&store).await;
    // Another moment of our own clock.
    sql(&store, "UPDATE events SET stored_ms = stored_ms - 1000").await;
    sql(&store, "UPDATE starts SET stored_ms = stored_ms - 1000").await;
    store.record(started("greeter", "2", None));
    store.record(started("late", "1", None));
    store.journal_event(at("two", 20), false);
    let archive = archive(&place, &store).await;
    let versions = |window: &Window| -> Vec<String> {
        let starts = archive.starts(window).unwrap();
        starts.iter().map(|start| format!("{} {}", start.plugin, start.version)).collect()
    };
    assert_eq!(versions(&ALL), ["greeter 1", "late 1"]);
    assert_eq!(versions(&Window { from_ms: Some(20), ..ALL }), ["greeter 2", "late 1"]);
}

#[tokio::test]
async fn a_start_with_other_settings_within_the_window_is_known() {
    let place = Place::new();
    let store = place.open();
    let with = |setting: i64| {
        let settings = serde_json::Map::from_iter([("level".to_owned(), setting.into())]);
        Recording::Start { start: Box::new(Start { settings, ..start("greeter", "1", false) }), memory: None }
    };
    for (number, setting) in [1, 1, 2, 3].into_iter().enumerate() {
        store.record(with(setting));
        store.journal_event(at(&format!("event {number}"), 10 * number as u64), false);
        flush(&store).await;
        // Another moment of our own clock.
        sql(&store, "UPDATE events SET stored_ms = stored_ms - 1000").await;
        sql(&store, "UPDATE starts SET stored_ms = stored_ms - 1000").await;
    }
    store.record(with(4));
    let archive = archive(&place, &store).await;
    let changed = |window: &Window| archive.changed_ms("greeter", window).unwrap();
    let third = changed(&ALL).unwrap();
    assert_eq!(changed(&Window { from_ms: Some(10), ..ALL }), Some(third), "the first that differs");
    assert!(changed(&Window { from_ms: Some(20), ..ALL }).unwrap() > third);
    assert_eq!(changed(&Window { from_ms: Some(30), ..ALL }), None, "what came after the last event is not of it");
    assert_eq!(changed(&Window { to_ms: Some(20), ..ALL }), None);
    assert_eq!(archive.changed_ms("nobody", &ALL).unwrap(), None);
}

#[tokio::test]
async fn only_a_database_of_ours_that_has_recordings_is_opened() {
    let place = Place::new();
    let missing = Archive::open(&place.path()).map(drop).unwrap_err();
    assert!(matches!(missing, StoreError::Open { .. }), "{missing:?}");
    for foreign in ["hello, this is no database", ""] {
        std::fs::write(place.path(), foreign).unwrap();
        let refused = Archive::open(&place.path()).map(drop).unwrap_err().to_string();
        assert_eq!(refused, format!("{} is no database of Showrunner", place.path().display()));
    }
    let connection = rusqlite::Connection::open(place.path()).unwrap();
    connection.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
    connection.pragma_update(None, "application_id", i32::from_be_bytes(*b"Show")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let older = Archive::open(&place.path()).map(drop).unwrap_err();
    assert!(older.to_string().contains("start the daemon on it once"), "{older}");
    drop(connection);
    place.open().close().await;
    Archive::open(&place.path()).unwrap();
}
