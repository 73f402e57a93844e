use super::*;
use crate::effect::{Action, Batch, Effect, EffectKey, EffectResult, KvWrite, NumberedEffect, PluginId, Task};
use crate::event::OutcomeStatus;

fn say(number: u32, text: &str) -> NumberedEffect {
    let action = Action::Say { text: text.to_owned() };
    NumberedEffect { number, effect: Effect::Platform { channel: channel(), action } }
}

fn enqueue(number: u32, task_id: &str) -> NumberedEffect {
    let task = Task { queue: "agent".to_owned(), prompt: "why?".to_owned(), context_json: None, priority: 1 };
    NumberedEffect { number, effect: Effect::Enqueue { task_id: task_id.to_owned(), task } }
}

fn set(key: &str, value: &[u8]) -> KvWrite {
    KvWrite::Set { key: key.to_owned(), value: value.to_vec() }
}

fn batch(cause: &str, effects: Vec<NumberedEffect>, kv: Vec<KvWrite>) -> Batch {
    Batch { plugin: "greeter".into(), cause: chat(cause, "anna", "hello"), effects, kv }
}

#[tokio::test]
async fn kv_is_read_back_as_written_and_by_plugin() {
    let place = Place::new();
    let store = place.open();
    let writes = vec![set("count", b"1"), set("blob", &[0, 255, 7]), set("gone", b"x")];
    store.commit_behind(&batch("one", vec![], writes));
    let writes = vec![set("count", b"2"), KvWrite::Remove { key: "gone".to_owned() }];
    store.commit(&batch("two", vec![], writes)).await.unwrap();
    drop(store);

    let store = place.open();
    let expected = [("blob".to_owned(), vec![0, 255, 7]), ("count".to_owned(), b"2".to_vec())];
    assert_eq!(store.kv(&"greeter".into()).await.unwrap(), expected.into());
    assert!(store.kv(&"other".into()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    let broken = batch("one", vec![say(0, "hi"), enqueue(1, "task")], vec![set("good", b"1"), set("bad", b"1")]);

    // The good ones around it are in the same group.
    store.journal_event(chat("before", "anna", "hello"), false);
    let refused = store.commit(&broken).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    store.commit_behind(&broken);
    store.journal_event(chat("after", "anna", "hello"), false);

    assert_eq!(store.read_journal(0, 10).await.unwrap().len(), 2);
    for table in ["SELECT count(*) FROM effects", "SELECT count(*) FROM tasks", "SELECT count(*) FROM kv"] {
        assert_eq!(number(&store, table).await, 0, "{table}");
    }
    assert_eq!(store.lost_writes(), 1);
    assert_eq!(store.health(), StoreHealth::Ok, "a bad item is no trouble of the disk's");
}

#[tokio::test]
async fn a_replayed_batch_changes_neither_the_ledger_nor_the_tasks() {
    let place = Place::new();
    let store = place.open();
    store.commit(&batch("one", vec![say(0, "hi"), enqueue(1, "first id")], vec![])).await.unwrap();
    let key = EffectKey { event_id: "one".into(), plugin: "greeter".into(), number: 0 };
    store.journal_result(EffectResult {
        key,
        status: OutcomeStatus::Uncertain,
        message_id: Some("m1".to_owned()),
        detail: "no answer".to_owned(),
    });
    store.commit(&batch("one", vec![say(0, "hi"), enqueue(1, "second id")], vec![])).await.unwrap();

    assert_eq!(number(&store, "SELECT count(*) FROM effects").await, 2);
    assert_eq!(number(&store, "SELECT count(*) FROM effects WHERE state = 'uncertain' AND message_id = 'm1'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM tasks WHERE id = 'first id' AND plugin = 'greeter'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM tasks").await, 1);
}

#[tokio::test]
async fn a_batch_without_anything_in_it_needs_no_database() {
    let place = Place::new();
    let store = place.open();
    store.close().await;
    store.commit(&batch("one", vec![], vec![])).await.unwrap();
    store.commit_behind(&batch("one", vec![], vec![]));
    assert_eq!(store.lost_writes(), 0);
}

#[tokio::test]
async fn many_who_wait_share_a_commit() {
    let place = Place::new();
    let store = place.open();
    let plugin: PluginId = "greeter".into();
    let waiting = (0..500).map(|number| {
        let store = store.clone();
        let batch = batch(&number.to_string(), vec![say(0, "hi")], vec![set(&number.to_string(), b"1")]);
        tokio::spawn(async move { store.commit(&batch).await })
    });
    for commit in waiting.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(store.kv(&plugin).await.unwrap().len(), 500);
}
