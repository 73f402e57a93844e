//! What a start does about what a killed run left half done.

use super::*;
use crate::effect::Task;
use crate::effect::Verdict;
use crate::event::{Follow, Outcome, OutcomeStatus};

const MINUTE_MS: u64 = 60_000;

fn batch(id: &str, effects: impl IntoIterator<Item = Effect>) -> Batch {
    let numbered = effects.into_iter().zip(0..);
    let effects = numbered.map(|(effect, number)| NumberedEffect { number, effect }).collect();
    Batch { plugin: "greeter".into(), maker: Maker::Handler, cause: cause(id), effects, kv: Vec::new(), again: false }
}

fn remove(message_id: &str) -> Effect {
    on_channel(Action::RemoveMessage { message_id: message_id.into(), reason: String::new() })
}

fn enqueue(task_id: &str) -> Effect {
    let task = Task { queue: "chat".into(), prompt: "help".into(), context_json: None, priority: 5 };
    Effect::Enqueue { task_id: task_id.into(), task }
}

/// A folder with effects that were committed, and the daemon killed before any was carried out.
async fn committed(batches: &[Batch]) -> TempDir {
    let bench = Bench::new(&[]).await;
    for batch in batches {
        bench.store.commit(batch, 10).unwrap().await.unwrap();
    }
    bench.killed().await
}

/// Changes the database of a daemon that does not run.
fn change(folder: &TempDir, sql: &str) {
    let connection = rusqlite::Connection::open(folder.path().join("showrunner.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Event, number and state of all effects in a ledger, in order.
async fn ledger(bench: Bench) -> Vec<String> {
    bench.pipeline.drain(Instant::now() + Duration::from_secs(60)).await;
    let folder = bench.close().await;
    let connection = rusqlite::Connection::open(folder.path().join("showrunner.db")).unwrap();
    let mut statement =
        connection.prepare("SELECT event_id || ' ' || number || ' ' || state FROM effects ORDER BY position").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

async fn outcome(plugin: &PluginHandle) -> Outcome {
    match given(plugin).await.0.event.clone() {
        Event::Outcome(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn moderation_is_carried_out_again_and_chat_is_not() {
    let folder =
        committed(&[batch("one", [say("hello"), remove("m1")]), batch("two", [remove("m2"), enqueue("t")])]).await;
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let mut bench = Bench::reopen(folder, &[&greeter]).await;
    bench.pipeline.recover().await.unwrap();
    for message_id in ["m1", "m2"] {
        let action = bench.performed.recv().await.unwrap();
        assert!(matches!(&action, Action::RemoveMessage { message_id: id, .. } if id == message_id), "{action:?}");
    }
    let told = outcome(&greeter).await;
    assert_eq!((&*told.event_id, told.effect, told.status), ("one", 0, OutcomeStatus::Uncertain));
    // Once is enough.
    bench.pipeline.recover().await.unwrap();
    assert_eq!(bench.sink.order(), ["remove m1", "remove m2"]);
    assert_eq!(ledger(bench).await, ["one 0 uncertain", "one 1 done", "two 0 done", "two 1 done"]);
}

#[tokio::test]
async fn moderation_that_is_too_old_expires() {
    let folder = committed(&[batch("old", [remove("m1")]), batch("young", [remove("m2")])]).await;
    change(&folder, &format!("UPDATE effects SET stored_ms = stored_ms - 11 * {MINUTE_MS} WHERE event_id = 'old'"));
    change(&folder, &format!("UPDATE effects SET stored_ms = stored_ms - 9 * {MINUTE_MS} WHERE event_id = 'young'"));
    let mut bench = Bench::reopen(folder, &[]).await;
    bench.pipeline.recover().await.unwrap();
    bench.performed.recv().await.unwrap();
    assert_eq!(bench.sink.order(), ["remove m2"]);
    assert_eq!(ledger(bench).await, ["old 0 expired", "young 0 done"]);
}

#[tokio::test]
async fn moderation_whose_account_is_gone_fails() {
    let elsewhere = Channel::new("retake", "5b7c");
    let action = Action::RemoveMessage { message_id: "m1".into(), reason: String::new() };
    let folder = committed(&[batch("one", [Effect::Platform { channel: elsewhere, action }])]).await;
    let bench = Bench::reopen(folder, &[]).await;
    bench.pipeline.recover().await.unwrap();
    assert_eq!(ledger(bench).await, ["one 0 failed"]);
}

#[tokio::test]
async fn what_is_in_the_ledger_is_not_carried_out_a_second_time() {
    let mut bench = Bench::new(&[]).await;
    let tasks = bench.serve_tasks(10);
    let first = batch("one", [remove("m1"), enqueue("t1")]);
    bench.pipeline.commit(first.clone());
    bench.performed.recv().await.unwrap();
    bench.pipeline.commit(batch("one", [remove("m1"), enqueue("t2"), remove("new")]));
    bench.performed.recv().await.unwrap();
    assert_eq!(bench.sink.order(), ["remove m1", "remove new"]);
    let listed = tasks.list(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|task| &*task.task_id).collect::<Vec<_>>(), ["t1"]);
    assert_eq!(ledger(bench).await, ["one 0 done", "one 1 done", "one 2 done"]);
}

#[tokio::test]
async fn a_batch_that_comes_again_says_nothing_and_does_the_rest() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome"]);
    let mut bench = Bench::new(&[&greeter]).await;
    let tasks = bench.serve_tasks(10);
    let kv = vec![KvWrite::Set { key: "k".into(), value: vec![7] }];
    let again = Batch { again: true, kv, ..batch("one", [say("hello"), remove("m1"), enqueue("t1")]) };
    bench.pipeline.commit(again);
    bench.performed.recv().await.unwrap();
    let told = outcome(&greeter).await;
    assert_eq!((told.effect, told.status), (0, OutcomeStatus::Uncertain));
    assert!(told.detail.contains("it is not sent again"), "{}", told.detail);
    assert_eq!(bench.sink.order(), ["remove m1"]);
    assert_eq!(tasks.list(None, 10).await.unwrap().len(), 1);
    assert_eq!(bench.store.kv(&"greeter".into()).await.unwrap()["k"], [7]);
    assert_eq!(ledger(bench).await, ["one 0 uncertain", "one 1 done", "one 2 done"]);
}

#[tokio::test]
async fn an_event_that_a_plugin_had_in_hand_comes_again() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    for id in ["done", "open"] {
        bench.accept(Draft { at_ms: now_ms(), ..chat(id, "hi") });
    }
    // What a stand-in takes it is done with; the other waits in its queue.
    assert_eq!(passed_id(&plugin).await, "done");
    // The word of that comes behind the journal.
    bench.store.flush().await.unwrap();
    let folder = bench.killed().await;

    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::reopen(folder, &[&plugin]).await;
    assert!(has_nothing(&plugin));
    bench.pipeline.recover().await.unwrap();
    let (delivery, _) = plugin.try_given_delivery().unwrap();
    assert_eq!((&*delivery.envelope.id, delivery.again), ("open", true));
    assert!(has_nothing(&plugin));
    // The platform repeats it, too.
    assert_eq!(bench.pipeline.accept(chat("open", "hi")), Accepted::Repeat);
    drop(delivery);
    assert_eq!(bench.store.unfinished().await.unwrap(), []);
}

async fn passed_id(plugin: &PluginHandle) -> String {
    given(plugin).await.0.id.as_ref().to_owned()
}

#[tokio::test]
async fn a_start_that_fails_before_it_gives_an_event_out_does_not_count() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    bench.accept(Draft { at_ms: now_ms(), ..chat("open", "hi") });
    let mut folder = bench.killed().await;
    for _ in 0..10 {
        folder = Bench::reopen(folder, &[]).await.close().await;
    }
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::reopen(folder, &[&plugin]).await;
    bench.pipeline.recover().await.unwrap();
    assert_eq!(all_given(&plugin), ["open"]);
}

#[tokio::test]
async fn an_event_that_is_too_old_does_not_come_again() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    bench.accept(Draft { at_ms: now_ms() - 11 * MINUTE_MS, ..chat("old", "hi") });
    let bench = Bench::reopen(bench.killed().await, &[]).await;
    bench.pipeline.recover().await.unwrap();
    assert_eq!(bench.store.unfinished().await.unwrap(), []);
}

#[tokio::test]
async fn an_event_of_before_a_killed_run_ended_may_come_again() {
    let plugin = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::new(&[&plugin]).await;
    let (killed, earlier_ms) = (bench.killed().await, now_ms() - 1);
    let closed = bench.close().await;
    for (folder, again) in [(killed, true), (closed, false)] {
        let bench = Bench::reopen(folder, &[&plugin]).await;
        bench.accept(Draft { at_ms: earlier_ms, ..chat("before", "hi") });
        assert_eq!(plugin.try_given_delivery().unwrap().0.again, again);
        bench.accept(Draft { at_ms: now_ms(), ..chat("after", "hi") });
        assert!(!plugin.try_given_delivery().unwrap().0.again);
    }
}

#[tokio::test]
async fn what_must_not_be_missed_waits_on_the_disk_for_each_plugin() {
    let (greeter, alerts) =
        (PluginHandle::stand_in("greeter", &["support"]), PluginHandle::stand_in("alerts", &["support"]));
    let down = PluginHandle::stand_in("down", &["support"]);
    down.stop_stand_in();
    let bench = Bench::new(&[&greeter, &alerts, &down]).await;
    bench.accept(tip("tip"));
    let envelope = given(&greeter).await.0;
    let effects = vec![NumberedEffect { number: 0, effect: say("thanks") }];
    bench.pipeline.commit(Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: envelope,
        effects,
        kv: vec![],
        again: false,
    });
    let bench = Bench::reopen(bench.killed().await, &[]).await;
    for (plugin, expected) in [("greeter", None), ("alerts", Some(true)), ("down", Some(false))] {
        let waiting = bench.store.take_backlog(&plugin.into()).await.unwrap();
        assert_eq!(waiting.first().map(crate::store::Waiting::again), expected, "{plugin}");
    }
    // The plugins have it from there, each for itself.
    bench.pipeline.recover().await.unwrap();
    assert_eq!(bench.store.unfinished().await.unwrap(), []);
}

#[tokio::test]
async fn a_fallback_gets_what_a_handler_had_in_hand_when_the_daemon_was_killed() {
    let tip = || Draft { at_ms: now_ms(), ..tip("tip") };
    let handler = PluginHandle::stand_in("greeter", &["support"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["support"]);
    let bench = Bench::new(&[&handler, &fallback]).await;
    bench.accept(tip());
    let in_hand = handler.try_given_delivery().unwrap();
    let folder = bench.killed().await;
    drop(in_hand);

    let handler = PluginHandle::stand_in("greeter", &["support"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["support"]);
    let bench = Bench::reopen(folder, &[&handler, &fallback]).await;
    // As the host does when it starts the plugin.
    for waiting in bench.store.take_backlog(handler.id()).await.unwrap() {
        handler.offer(Delivery::waiting(waiting), None);
    }
    bench.pipeline.recover().await.unwrap();
    let (delivery, ticket) = handler.try_given_delivery().unwrap();
    assert_eq!((&*delivery.envelope.id, delivery.again), ("tip", true));
    assert!(has_nothing(&handler), "it has it once");
    assert!(has_nothing(&fallback));
    drop((delivery, ticket));
    assert_eq!(all_given(&fallback), ["tip"]);
    assert_eq!(bench.store.unfinished().await.unwrap(), [], "the fallback has it in its inbox");
    let waiting = bench.store.take_backlog(fallback.id()).await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| &*waiting.envelope.id).collect::<Vec<_>>(), ["tip"]);
}

#[tokio::test]
async fn a_plugin_that_is_down_gets_what_it_had_begun_as_such() {
    let handler = PluginHandle::stand_in("greeter", &["support"]);
    let fallback = PluginHandle::fallback_stand_in("agent-queue", &["support"]);
    let bench = Bench::new(&[&handler, &fallback]).await;
    bench.accept(Draft { at_ms: now_ms(), ..tip("tip") });
    let in_hand = handler.try_given_delivery().unwrap();
    bench.pipeline.commit(Batch { cause: Arc::clone(&in_hand.0.envelope), ..batch("tip", [say("thanks")]) });
    let folder = bench.killed().await;
    drop(in_hand);

    handler.stop_stand_in();
    let bench = Bench::reopen(folder, &[&handler]).await;
    bench.pipeline.recover().await.unwrap();
    let waiting = bench.store.take_backlog(handler.id()).await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.again()).collect::<Vec<_>>(), [true]);
}

/// A message that review has held, and nobody has decided on.
async fn bench_that_holds() -> Bench {
    let on_failure = crate::config::settings::OnFailure::Pass;
    let reviewer = PluginHandle::reviewer_stand_in("moderation", &["chat"], on_failure);
    let mut bench = Bench::new(&[&reviewer]).await;
    bench.accept(Draft { at_ms: now_ms(), ..chat("a", "hm") });
    match reviewer.given().await {
        Given::Review(_, answer) => answer.send(Verdict::Hold { reason: "is it?".into() }).unwrap(),
        Given::Event(envelope, _) => panic!("given {}", envelope.id),
    }
    bench.performed.recv().await.unwrap();
    let (_, notice) = loop {
        let ids = bench.store.recent_event_ids(10).await.unwrap();
        if let [_, notice] = &*ids {
            break notice.clone();
        }
    };
    assert_eq!(&*notice, "a/held");
    bench
}

fn allow() -> Effect {
    on_channel(Action::ResolveHeld { message_id: "message-a".into(), allow: true })
}

#[tokio::test]
async fn a_release_that_was_on_its_way_is_carried_out() {
    let bench = bench_that_holds().await;
    bench.store.commit(&batch("later", [allow()]), 0).unwrap().await.unwrap();
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let bench = Bench::reopen(bench.killed().await, &[&handler]).await;
    bench.pipeline.recover().await.unwrap();
    assert_eq!(&*given(&handler).await.0.id, "a");
}

#[tokio::test]
async fn a_held_message_is_held_again_and_can_be_let_through() {
    let bench = bench_that_holds().await;
    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let mut bench = Bench::reopen(bench.killed().await, &[&handler]).await;
    bench.pipeline.recover().await.unwrap();
    assert!(has_nothing(&handler));
    // The removal was done, and its end not written yet.
    bench.pipeline.commit(batch("later", [allow()]));
    let envelope = given(&handler).await.0;
    assert_eq!(&*envelope.id, "a");
    bench.performed.close();
}

#[tokio::test]
async fn a_message_that_was_taken_away_is_not_reviewed_once_more() {
    let bench = Bench::new(&[]).await;
    let draft = Draft { at_ms: now_ms(), ..chat("spam", "buy") };
    let held = PluginHandle::stand_in("greeter", &["chat"]);
    let queue = Bench::reopen(bench.close().await, &[&held]).await;
    queue.accept(draft);
    let measure = NumberedEffect { number: u32::MAX, effect: remove("message-spam") };
    let measures = Batch { maker: Maker::Review, effects: vec![measure], ..batch("spam", []) };
    queue.store.commit(&measures, 0).unwrap().await.unwrap();

    let handler = PluginHandle::stand_in("greeter", &["chat"]);
    let mut bench = Bench::reopen(queue.killed().await, &[&handler]).await;
    bench.pipeline.recover().await.unwrap();
    assert_eq!(bench.performed.recv().await.unwrap().name(), "remove-message");
    assert!(has_nothing(&handler));
    assert_eq!(bench.store.unfinished().await.unwrap(), []);
}

#[tokio::test]
async fn the_engines_own_numbers_never_repeat() {
    let greeter = PluginHandle::stand_in("greeter", &["outcome", "system"]);
    let mut bench = Bench::new(&[&greeter]).await;
    let mut last = 0;
    for round in 0..3 {
        for number in 0..1500 {
            assert!(bench.pipeline.next_number() > last, "round {round}, number {number}");
            last = bench.pipeline.next_number();
        }
        bench.pipeline.commit(batch(&format!("cause {round}"), [say("hi")]));
        let (envelope, _) = given(&greeter).await;
        assert!(envelope.sequence > last);
        last = envelope.sequence;
        bench = Bench::reopen(bench.close().await, &[&greeter]).await;
    }
}

#[tokio::test]
async fn what_a_killed_run_may_have_missed_is_known_by_channel() {
    let bench = Bench::new(&[]).await;
    let heard_ms = now_ms();
    bench.accept(Draft { at_ms: heard_ms, ..chat("a", "hi") });
    let stale = Draft { channel: Channel::new("simulator", "stale"), at_ms: 1_000, ..chat("b", "hi") };
    bench.accept(stale);
    let (quiet, hours) = (Channel::new("simulator", "quiet"), |hours: u64| now_ms() - hours * 3_600_000);
    let follow = || Event::Follow(Follow { who: User::default() });
    bench.accept(Draft { channel: quiet.clone(), at_ms: hours(11), ..chat("c", "hi") });
    bench.accept(Draft::new(quiet.clone(), hours(10), follow()));
    bench.accept(Draft::new(Channel::new("simulator", "stale"), hours(13), follow()));
    let killed = Bench::reopen(bench.killed().await, &[]).await;
    let since_ms = killed.pipeline.missed_since(&channel()).unwrap();
    assert!(since_ms <= heard_ms && since_ms + 5_000 > heard_ms, "{since_ms} {heard_ms}");
    assert_eq!(killed.pipeline.missed_since(&Channel::new("simulator", "stale")), None, "too long ago");
    assert_eq!(killed.pipeline.missed_since(&Channel::new("simulator", "elsewhere")), None);
    assert_eq!(killed.pipeline.missed_since(&quiet), None);
    let since_ms = killed.pipeline.missed_events_since(&quiet).unwrap();
    assert!(since_ms.abs_diff(hours(10)) < 60_000, "the newest of any type");
    assert_eq!(killed.pipeline.missed_events_since(&Channel::new("simulator", "stale")), None);
    let closed = Bench::reopen(bench.close().await, &[]).await;
    assert_eq!(closed.pipeline.missed_since(&channel()), None);
    assert_eq!(closed.pipeline.missed_events_since(&channel()), None);
}
