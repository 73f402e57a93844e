//! What a start finds of a run that was killed.

use super::*;
use crate::effect::{
    Action, Batch, Effect, EffectKey, EffectResult, KvWrite, MEASURES_FROM, Maker, NumberedEffect, PluginId, Task,
};
use crate::event::{Follow, OutcomeStatus, Timer};

fn remove(number: u32) -> NumberedEffect {
    let action = Action::RemoveMessage { message_id: format!("m{number}"), reason: String::new() };
    NumberedEffect { number, effect: Effect::Platform { channel: channel(), action } }
}

fn batch(cause: &str, effects: Vec<NumberedEffect>) -> Batch {
    Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: chat(cause, "anna", "hello"),
        effects,
        kv: vec![],
        again: false,
    }
}

async fn unfinished(store: &Store) -> Vec<(String, Stage)> {
    let unfinished = store.unfinished().await.unwrap();
    unfinished.into_iter().map(|event| (event.envelope.id.as_ref().to_owned(), event.stage)).collect()
}

#[tokio::test]
async fn a_run_that_was_not_closed_was_killed_and_its_numbers_are_skipped() {
    let place = Place::new();
    let store = place.open();
    assert!(!store.was_killed(), "there was none before");
    store.journal_event(chat("one", "anna", "hello"), false);
    let killed = place.killed(&store).await;
    store.close().await;
    drop(store);
    assert!(!place.open().was_killed());

    let store = killed.open();
    assert!(store.was_killed());
    let skipped = store.last_sequences().await.unwrap()[0].1;
    assert!(skipped > 1_000_000, "{skipped}");
    // Not even a look from outside, which folds the log into the file, makes it look closed.
    let killed_again = killed.killed(&store).await;
    rusqlite::Connection::open(killed_again.path()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert!(killed_again.open().was_killed());
}

#[tokio::test]
async fn a_start_that_takes_nothing_up_leaves_it_to_the_next() {
    let place = Place::new();
    let killed = place.killed(&place.open()).await;
    for _ in 0..2 {
        let store = killed.open();
        assert!(store.was_killed());
        store.close().await;
    }
    let store = killed.open();
    store.note_recovery();
    store.close().await;
    drop(store);
    assert!(!killed.open().was_killed());
}

#[tokio::test]
async fn a_run_that_did_nothing_yet_counts_as_killed_too() {
    let place = Place::new();
    drop(place.open());
    let store = place.open();
    // Before anything is written, somebody may have seen a number.
    let copy = Place::new();
    for end in ["", "-wal"] {
        let name = format!("showrunner.db{end}");
        std::fs::copy(place.folder.path().join(&name), copy.folder.path().join(&name)).unwrap();
    }
    assert!(copy.open().was_killed());
    drop(store);
}

#[tokio::test]
async fn a_number_is_noted_for_what_is_not_journalled() {
    let place = Place::new();
    let store = place.open();
    store.note_sequence(&channel(), 77);
    store.note_sequence(&channel(), 5);
    assert_eq!(store.last_sequences().await.unwrap(), [(channel(), 77)]);
}

#[tokio::test]
async fn effects_are_pending_until_they_have_ended() {
    let place = Place::new();
    let store = place.open();
    let task = Task { queue: "agent".to_owned(), prompt: "why?".to_owned(), context_json: None, priority: 1 };
    let enqueue = NumberedEffect { number: 9, effect: Effect::Enqueue { task_id: "t".to_owned(), task } };
    store.commit(&batch("one", vec![remove(0), remove(1), enqueue]), 10).unwrap().await.unwrap();
    store.commit_behind(&batch("two", vec![remove(0)]));
    let key = EffectKey { event_id: "one".into(), plugin: "greeter".into(), number: 1 };
    let status = OutcomeStatus::Done;
    store.journal_result(EffectResult { key, status, message_id: None, detail: String::new() });

    let store = place.after_kill(&store).await;
    let pending = store.pending_effects().await.unwrap();
    let keys: Vec<_> = pending.iter().map(|pending| (&*pending.key.event_id, pending.key.number)).collect();
    assert_eq!(keys, [("one", 0), ("two", 0)], "in order; the task stands in its table, and is done");
    assert_eq!(pending[0].effect, remove(0).effect);
    assert!(pending[0].stored_ms > 0);
}

#[tokio::test]
async fn what_a_handler_only_remembers_is_known_until_the_event_is_done_with() {
    let place = Place::new();
    let store = place.open();
    let event = chat("open", "anna", "hello");
    let in_flight = store.in_flight(&event.id);
    store.journal_in_flight(Arc::clone(&event), &in_flight);
    let memory = |cause: &str| {
        let kv = vec![KvWrite::Set { key: "count".to_owned(), value: b"1".to_vec() }];
        Batch { kv, ..batch(cause, vec![]) }
    };
    store.commit_behind(&memory("open"));
    store.commit_behind(&Batch { plugin: "judge".into(), maker: Maker::Review, ..memory("open") });
    store.commit_behind(&memory("long done"));

    let killed = place.after_kill(&store).await;
    assert_eq!(unfinished(&killed).await.len(), 1);
    let has_handled =
        async |plugin: &str, event_id: &str| killed.has_handled(&event_id.into(), &plugin.into()).await.unwrap();
    assert!(has_handled("greeter", "open").await);
    assert!(!has_handled("judge", "open").await, "it has only reviewed it");
    assert!(!has_handled("other", "open").await);
    assert!(!has_handled("greeter", "long done").await, "nothing is marked that does not come again");
    drop(killed.in_flight_again(&event.id));
    killed.flush().await.unwrap();
    assert_eq!(number(&killed, "SELECT count(*) FROM handled").await, 0);
    drop(in_flight);
}

#[tokio::test]
async fn measures_of_review_are_no_batch_of_a_handler() {
    let place = Place::new();
    let store = place.open();
    let (event, greeter): (Arc<str>, PluginId) = ("one".into(), "greeter".into());
    store.commit_behind(&batch("one", vec![remove(MEASURES_FROM)]));
    assert!(!store.has_handled(&event, &greeter).await.unwrap());
    store.commit_behind(&batch("one", vec![remove(3)]));
    assert!(store.has_handled(&event, &greeter).await.unwrap());
    assert!(!store.has_handled(&event, &"other".into()).await.unwrap());
}

#[tokio::test]
async fn only_what_somebody_had_in_hand_is_unfinished() {
    let place = Place::new();
    let store = place.open();
    let (open, done) = (chat("open", "anna", "1"), chat("done", "anna", "2"));
    let in_flight = [&open, &done].map(|event| store.in_flight(&event.id));
    store.journal_in_flight(Arc::clone(&open), &in_flight[0]);
    store.journal_in_flight(Arc::clone(&done), &in_flight[1]);
    store.journal_event(chat("nobody's", "anna", "3"), false);
    // Both are journalled, and somebody still has them.
    assert_eq!(store.recent_event_ids(10).await.unwrap().len(), 3);
    let [_open, done] = in_flight;
    let last = done.clone();
    drop(done);
    let killed = place.after_kill(&store).await;
    assert_eq!(unfinished(&killed).await.len(), 2);
    drop(last);

    let killed = place.after_kill(&store).await;
    assert_eq!(unfinished(&killed).await, [("open".to_owned(), Stage::Open)]);
    // Given out once more, and done with.
    drop(killed.in_flight_again(&open.id));
    assert_eq!(unfinished(&killed).await, []);
}

#[tokio::test]
async fn it_is_told_how_far_an_unfinished_event_came() {
    let place = Place::new();
    let store = place.open();
    let ids = ["open", "taken", "held"];
    let in_flight = ids.map(|id| {
        let event = chat(id, "anna", "hello");
        let in_flight = store.in_flight(&event.id);
        store.journal_in_flight(event, &in_flight);
        in_flight
    });
    store.commit_behind(&batch("open", vec![remove(0)]));
    store.commit_behind(&batch("taken", vec![remove(u32::MAX)]));
    store.commit_behind(&batch("held", vec![remove(u32::MAX)]));
    store.journal_event(chat("held/held", "anna", "the notice"), false);

    let killed = place.after_kill(&store).await;
    let stages = [Stage::Open, Stage::TakenAway, Stage::Held];
    let expected: Vec<_> = ids.map(str::to_owned).into_iter().zip(stages).collect();
    for _ in 0..10 {
        assert_eq!(unfinished(&killed).await, expected);
        killed.note_given(vec!["open".into()]).await.unwrap();
    }
    // What brought the daemon down ten times is given up; what only waits for a person is not.
    assert_eq!(unfinished(&killed).await, expected[1..]);
    drop(in_flight);
}

#[tokio::test]
async fn the_times_of_the_newest_line_and_event_of_each_channel_are_known() {
    let place = Place::new();
    let store = place.open();
    for (id, place, at_ms) in [("one", "a", 100), ("two", "b", 50), ("three", "a", 300), ("four", "a", 200)] {
        let mut event = Envelope::clone(&chat(id, "anna", "hello"));
        (event.channel, event.at_ms) = (Channel::new("retake", place), at_ms);
        store.journal_event(Arc::new(event), false);
    }
    let follow = Event::Follow(Follow { who: User::default() });
    let timer = Event::Timer(Timer { name: "tick".into() });
    for (id, place, at_ms, event) in
        [("five", "b", 400, follow.clone()), ("six", "c", 70, follow), ("seven", "b", 900, timer)]
    {
        let mut envelope = Envelope { event, ..Envelope::clone(&chat(id, "anna", "hello")) };
        (envelope.channel, envelope.at_ms) = (Channel::new("retake", place), at_ms);
        store.journal_event(Arc::new(envelope), false);
    }
    let mut heard = store.last_heard(10).await.unwrap();
    heard.sort_by_key(|heard| heard.channel.id.to_string());
    let expected = [("a", Some(300), 300), ("b", Some(50), 400), ("c", None, 70)];
    let of = |(id, chat_ms, event_ms)| LastHeard { channel: Channel::new("retake", id), chat_ms, event_ms };
    assert_eq!(heard, expected.map(of));
    assert_eq!(store.last_heard(3).await.unwrap().len(), 2, "only among the newest");
}

#[tokio::test]
async fn memory_is_never_half_of_a_batch() {
    let place = Place::new();
    let store = place.open();
    for round in 0..200_u32 {
        let value = round.to_string().into_bytes();
        let kv = ["a", "b"].map(|key| KvWrite::Set { key: key.to_owned(), value: value.clone() }).to_vec();
        store.commit_behind(&Batch { kv, ..batch(&round.to_string(), vec![remove(0)]) });
        if round % 50 == 49 {
            let killed = place.after_kill(&store).await;
            let kv = killed.kv(&"greeter".into()).await.unwrap();
            assert_eq!((&kv["a"], &kv["b"]), (&value, &value));
            assert_eq!(killed.pending_effects().await.unwrap().len() as u32, round + 1);
        }
    }
}
