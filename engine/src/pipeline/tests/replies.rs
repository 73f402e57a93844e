//! Answers of the agent on their way to the plugin that asked.

use super::*;
use crate::effect::Task;
use crate::event::AgentReply;

/// A task of the plugin, answered.
async fn answered(bench: &Bench, plugin: &str) -> AgentReply {
    let tasks = bench.serve_tasks(10);
    let task = Task { queue: "chat".into(), prompt: "why?".into(), context_json: None, priority: 0 };
    let effects = vec![NumberedEffect { number: 0, effect: Effect::Enqueue { task_id: "t1".into(), task } }];
    let (maker, cause) = (Maker::Handler, cause("question"));
    let asking = Batch { plugin: plugin.into(), maker, cause, effects, kv: vec![], again: false };
    bench.store.commit(&asking, tasks.bound()).unwrap().await.unwrap();
    tasks.reply("t1", true, "42".into()).await.unwrap();
    AgentReply { task_id: "t1".into(), ok: true, text: "42".into() }
}

/// What waits for a plugin on the disk.
async fn waiting(store: &Store, plugin: &str) -> Vec<(Event, bool)> {
    let waiting = store.take_backlog(&plugin.into()).await.unwrap();
    waiting.into_iter().map(|waiting| (waiting.envelope.event, waiting.attempts > 0)).collect()
}

#[tokio::test]
async fn an_answer_goes_to_the_plugin_that_asked_and_stays_until_it_is_handled() {
    let asked = PluginHandle::stand_in("agent-queue", &["agent"]);
    let other = PluginHandle::stand_in("greeter", &["agent", "chat"]);
    let bench = Bench::new(&[&asked, &other]).await;
    let reply = answered(&bench, "agent-queue").await;
    let (envelope, _) = given(&asked).await;
    assert_eq!(envelope.event, Event::Agent(reply.clone()));
    assert_eq!((&envelope.channel, &*envelope.id), (&Channel::engine(), "agent:t1"));
    assert!(has_nothing(&other));
    assert_eq!(bench.store.recent_event_ids(10).await.unwrap().len(), 1);

    let killed = Bench::reopen(bench.killed().await, &[]).await;
    assert_eq!(waiting(&killed.store, "agent-queue").await, [(Event::Agent(reply), true)]);

    let (effects, kv) = (vec![], vec![KvWrite::Set { key: "k".into(), value: vec![1] }]);
    bench.pipeline.commit(Batch {
        plugin: "agent-queue".into(),
        maker: Maker::Handler,
        cause: envelope,
        effects,
        kv,
        again: false,
    });
    assert_eq!(waiting(&bench.store, "agent-queue").await, []);
}

#[tokio::test]
async fn an_answer_for_a_plugin_that_does_not_run_waits_for_it() {
    let bench = Bench::new(&[]).await;
    let reply = answered(&bench, "agent-queue").await;
    let killed = Bench::reopen(bench.killed().await, &[]).await;
    assert_eq!(waiting(&killed.store, "agent-queue").await, [(Event::Agent(reply), false)]);
    let numbered = bench.store.take_backlog(&"agent-queue".into()).await.unwrap();
    let journalled = bench.journal().await;
    assert_eq!(numbered[0].envelope.sequence, journalled[0].envelope.sequence);
}

#[tokio::test]
async fn an_answer_for_a_plugin_that_is_down_waits_in_its_queue_and_on_the_disk() {
    let asked = PluginHandle::stand_in("agent-queue", &["agent"]);
    asked.stop_stand_in();
    let bench = Bench::new(&[&asked]).await;
    let reply = answered(&bench, "agent-queue").await;
    assert_eq!(asked.waiting(), 1);
    assert_eq!(waiting(&bench.store, "agent-queue").await, [(Event::Agent(reply), false)]);
}

#[tokio::test]
async fn an_answer_that_its_plugin_does_not_listen_to_waits_for_nobody() {
    let asked = PluginHandle::stand_in("agent-queue", &["chat"]);
    let bench = Bench::new(&[&asked]).await;
    answered(&bench, "agent-queue").await;
    assert_eq!(waiting(&bench.store, "agent-queue").await, []);
}
