use super::*;
use crate::effect::{Batch, KvWrite, Maker, PluginId};
use crate::event::{Amount, Support};

fn tip(id: &str) -> Arc<Envelope> {
    let support = Support {
        kind: "tip".to_owned(),
        who: None,
        amount: Amount::whole(5),
        currency: "USD".to_owned(),
        message: None,
        item: None,
    };
    Arc::new(envelope(id, Event::Support(support)))
}

fn plugin() -> PluginId {
    "greeter".into()
}

/// What a handler stored because of an event.
fn batch(cause: Arc<Envelope>, key: &str) -> Batch {
    let kv = vec![KvWrite::Set { key: key.to_owned(), value: b"1".to_vec() }];
    Batch { plugin: plugin(), maker: Maker::Handler, cause, effects: vec![], kv, again: false }
}

/// The ids of all that waits, and whether it was begun.
async fn waiting(store: &Store, plugin: &PluginId) -> Vec<(String, bool)> {
    let waiting = store.take_backlog(plugin).await.unwrap();
    waiting.into_iter().map(|waiting| (waiting.envelope.id.as_ref().to_owned(), waiting.again())).collect()
}

#[tokio::test]
async fn what_a_plugin_was_given_and_has_not_handled_comes_again_after_a_kill() {
    let place = Place::new();
    let store = place.open();
    for id in ["handled", "open", "passed"] {
        store.keep_event(&plugin(), &tip(id), true);
        store.keep_event(&"other".into(), &tip(id), true);
    }
    store.commit_behind(&batch(tip("handled"), "goal"));
    store.forget_event(&plugin(), &Arc::from("passed"));
    let killed = place.after_kill(&store).await;
    assert_eq!(waiting(&killed, &plugin()).await, [("open".to_owned(), true)]);
    assert_eq!(waiting(&killed, &"other".into()).await.len(), 3);
}

#[tokio::test]
async fn it_is_gone_with_the_batch_or_neither_is_there() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "CREATE TRIGGER refuse BEFORE INSERT ON kv WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    for id in ["good", "bad"] {
        store.keep_event(&plugin(), &tip(id), true);
        store.commit_behind(&batch(tip(id), id));
    }
    assert_eq!(waiting(&store, &plugin()).await, [("bad".to_owned(), true)]);
    assert_eq!(store.kv(&plugin()).await.unwrap().into_keys().collect::<Vec<_>>(), ["good"]);
}

#[tokio::test]
async fn what_nobody_has_begun_is_not_taken_for_begun() {
    let place = Place::new();
    let store = place.open();
    store.keep_event(&plugin(), &tip("while it was down"), false);
    store.keep_event(&plugin(), &tip("while it ran"), true);
    let was_begun = |begun: bool| [("while it was down".to_owned(), begun), ("while it ran".to_owned(), true)];
    let killed = place.after_kill(&store).await;
    assert_eq!(waiting(&killed, &plugin()).await, was_begun(false));

    // It comes back, and may be in the midst of any of them.
    store.give_backlog(&plugin(), &[]).unwrap();
    let killed = place.after_kill(&store).await;
    assert_eq!(waiting(&killed, &plugin()).await, was_begun(true));

    // It ended in good order; with an event that was never kept.
    let left = [(tip("while it ran"), 0), (tip("last"), 0), (tip("an earlier run's"), 1)];
    store.save_backlog(&plugin(), &left).await.unwrap();
    let ids = ["while it was down", "while it ran", "last"].map(|id| (id.to_owned(), false));
    let begun = ("an earlier run's".to_owned(), true);
    assert_eq!(waiting(&store, &plugin()).await, [ids.as_slice(), &[begun]].concat());
}

#[tokio::test]
async fn what_brings_the_daemon_down_each_time_is_given_up() {
    let place = Place::new();
    let store = place.open();
    store.keep_event(&plugin(), &tip("poison"), true);
    for _ in 1..10 {
        assert_eq!(waiting(&store, &plugin()).await, [("poison".to_owned(), true)]);
    }
    assert_eq!(waiting(&store, &plugin()).await, []);
}

/// What a run takes, and keeps on the disk while its plugin is not up.
async fn taken_and_kept(store: &Store) -> Vec<Queued> {
    let waiting = store.take_backlog(&plugin()).await.unwrap();
    let queued: Vec<_> = waiting.into_iter().map(|waiting| (Arc::new(waiting.envelope), waiting.attempts)).collect();
    store.save_backlog(&plugin(), &queued).await.unwrap();
    queued
}

#[tokio::test]
async fn what_brings_the_daemon_down_is_given_up_also_where_the_plugin_starts_slowly() {
    let place = Place::new();
    let store = place.open();
    store.keep_event(&plugin(), &tip("poison"), true);
    for attempts in 1..10 {
        let queued = taken_and_kept(&store).await;
        assert_eq!(queued.iter().map(|(_, attempts)| *attempts).collect::<Vec<_>>(), [attempts]);
        // A plugin that crashes beside is given the same again in the same run.
        for _ in 0..3 {
            store.give_backlog(&plugin(), &queued).unwrap();
        }
    }
    assert_eq!(taken_and_kept(&store).await, []);
}

#[tokio::test]
async fn what_only_waits_is_never_given_up() {
    let place = Place::new();
    let store = place.open();
    store.keep_event(&plugin(), &tip("begun once"), true);
    for _ in 0..20 {
        assert_eq!(taken_and_kept(&store).await, [(tip("begun once"), 1)]);
    }
}

#[tokio::test]
async fn what_its_reviewer_remembers_does_not_take_it_from_the_handler() {
    let place = Place::new();
    let store = place.open();
    store.keep_event(&plugin(), &tip("one"), true);
    store.commit_behind(&Batch { maker: Maker::Review, ..batch(tip("one"), "seen") });
    assert_eq!(waiting(&store, &plugin()).await, [("one".to_owned(), true)]);
}

#[tokio::test]
async fn an_event_is_kept_once() {
    let place = Place::new();
    let store = place.open();
    for _ in 0..3 {
        store.keep_event(&plugin(), &tip("one"), false);
    }
    assert_eq!(waiting(&store, &plugin()).await, [("one".to_owned(), false)]);
}
