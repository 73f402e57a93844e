use super::*;
use crate::effect::{Action, Batch, Effect, EffectKey, EffectResult, KvWrite, Maker, NumberedEffect, PluginId, Task};
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
    Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: chat(cause, "anna", "hello"),
        effects,
        kv,
        again: false,
    }
}

/// Commits it, with room for any number of tasks.
#[tokio::test]
async fn kv_is_read_back_as_written_and_by_plugin() {
    let place = Place::new();
    let store = place.open();
    let writes = vec![set("count", b"1"), set("blob", &[0, 255, 7]), set("gone", b"x")];
    store.commit_behind(&batch("one", vec![], writes));
    let writes = vec![set("count", b"2"), KvWrite::Remove { key: "gone".to_owned() }];
    commit(&store, &batch("two", vec![], writes)).await.unwrap();
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
    let refused = commit(&store, &broken).await;
    assert!(matches!(refused, Err(StoreError::Sqlite(_))), "{refused:?}");
    store.commit_behind(&broken);
    store.journal_event(chat("after", "anna", "hello"), false);

    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 2);
    for table in ["SELECT count(*) FROM effects", "SELECT count(*) FROM tasks", "SELECT count(*) FROM kv"] {
        assert_eq!(number(&store, table).await, 0, "{table}");
    }
    assert_eq!(store.lost_writes(), 1);
    assert!(store.refusal().is_none(), "a bad item is no trouble of the disk's");
}

#[tokio::test]
async fn a_replayed_batch_changes_neither_the_ledger_nor_the_tasks() {
    let place = Place::new();
    let store = place.open();
    let first = batch("one", vec![say(0, "hi"), enqueue(1, "first id")], vec![]);
    assert_eq!(commit(&store, &first).await.unwrap(), Committed::default());
    let key = EffectKey { event_id: "one".into(), plugin: "greeter".into(), number: 0 };
    store.journal_result(EffectResult {
        key,
        status: OutcomeStatus::Uncertain,
        message_id: Some("m1".to_owned()),
        detail: "no answer".to_owned(),
    });
    let again = batch("one", vec![say(0, "hi"), enqueue(1, "second id"), say(2, "new")], vec![]);
    assert_eq!(commit(&store, &again).await.unwrap(), Committed { known: vec![0, 1], refused: vec![] });

    assert_eq!(number(&store, "SELECT count(*) FROM effects").await, 3);
    assert_eq!(number(&store, "SELECT count(*) FROM effects WHERE state = 'uncertain' AND message_id = 'm1'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM tasks WHERE id = 'first id' AND plugin = 'greeter'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM tasks").await, 1);
}

#[tokio::test]
async fn a_batch_without_anything_in_it_needs_no_database() {
    let place = Place::new();
    let store = place.open();
    store.close().await;
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
        tokio::spawn(async move { commit(&store, &batch).await })
    });
    for commit in waiting.collect::<Vec<_>>() {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(store.kv(&plugin).await.unwrap().len(), 500);
}

#[tokio::test]
async fn a_queue_of_tasks_takes_exactly_its_bound_however_many_come_at_once() {
    let place = Place::new();
    let store = place.open();
    let commits: Vec<_> = (0..5)
        .map(|event| {
            let tasks = (0..2).map(|number| enqueue(number, &format!("task {event}.{number}"))).collect();
            store.commit(&batch(&event.to_string(), tasks, vec![set("asked", b"1")]), 3).unwrap()
        })
        .collect();
    let mut refused = Vec::new();
    for commit in commits {
        refused.push(commit.await.unwrap().refused);
    }
    assert_eq!(refused, [vec![], vec![1], vec![0, 1], vec![0, 1], vec![0, 1]]);
    assert_eq!(number(&store, "SELECT count(*) FROM tasks").await, 3);
    assert_eq!(number(&store, "SELECT count(*) FROM effects WHERE state = 'failed'").await, 7);

    // What was refused stays refused, and room is made by an end.
    let now_ms = crate::event::now_ms();
    store.lease_tasks("agent", 1, "lease".to_owned(), now_ms, now_ms + 1000).await.unwrap();
    store.ack_task("task 0.0", "lease", now_ms).await.unwrap();
    let repeated = store.commit(&batch("1", vec![enqueue(1, "task 1.1")], vec![]), 3).unwrap().await.unwrap();
    assert_eq!(repeated.known, [1]);
    let fresh = store.commit(&batch("5", vec![enqueue(0, "task 5.0")], vec![]), 3).unwrap().await.unwrap();
    assert_eq!(fresh, Committed::default());
}

#[tokio::test]
async fn a_commit_has_its_place_in_the_queue_before_it_is_awaited() {
    let place = Place::new();
    let store = place.open();
    let first = store.commit(&batch("one", vec![enqueue(0, "t")], vec![set("k", b"first")]), 9).unwrap();
    store.commit_behind(&batch("two", vec![], vec![set("k", b"second")]));
    first.await.unwrap();
    assert_eq!(store.kv(&"greeter".into()).await.unwrap()["k"], b"second");
}
