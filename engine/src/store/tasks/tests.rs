use std::collections::HashSet;

use super::*;
use crate::store::Committed;
use crate::store::tests::{Place, asks_for, sql};

fn task(queue: &str, prompt: &str, priority: u8) -> Task {
    Task { queue: queue.to_owned(), prompt: prompt.to_owned(), context_json: Some("{}".to_owned()), priority }
}

async fn add(store: &Store, id: &str, priority: u8) {
    assert_eq!(add_within(1000, store, id, priority).await, Committed::default());
    // The store goes by the real clock, and these tests by their own.
    sql(store, "UPDATE tasks SET created_ms = 100, ready_at_ms = 100 WHERE created_ms > 100").await;
}

async fn add_within(bound: u32, store: &Store, id: &str, priority: u8) -> Committed {
    store.commit(&asks_for(id, task("agent", id, priority)), bound).unwrap().await.unwrap()
}

fn ids(leases: &[LeasedTask]) -> Vec<&str> {
    leases.iter().map(|lease| &*lease.task_id).collect()
}

#[tokio::test]
async fn the_first_are_those_of_the_lowest_priority_number_then_the_oldest() {
    let place = Place::new();
    let store = place.open();
    for (id, priority) in [("a", 5), ("b", 0), ("c", 5), ("d", 9)] {
        add(&store, id, priority).await;
    }
    let leases = store.lease_tasks("agent", 3, "l1".to_owned(), 200, 300).await.unwrap();
    assert_eq!(ids(&leases), ["b", "a", "c"]);
    assert_eq!(leases[0].task, task("agent", "b", 0));
    assert_eq!((leases[0].attempt, leases[0].lease_until_ms, leases[0].created_ms), (1, 300, 100));
    assert_eq!(store.lease_tasks("other", 3, "l2".to_owned(), 200, 300).await.unwrap(), []);
    assert_eq!(store.open_tasks("agent").await.unwrap(), 4);
}

#[tokio::test]
async fn a_task_is_never_leased_twice() {
    let place = Place::new();
    let store = place.open();
    for number in 0..300 {
        add(&store, &format!("task {number}"), 0).await;
    }
    let workers = (0..50).map(|worker| {
        let store = store.clone();
        tokio::spawn(async move { store.lease_tasks("agent", 10, format!("lease {worker}"), 200, 300).await.unwrap() })
    });
    let mut seen = HashSet::new();
    for worker in workers.collect::<Vec<_>>() {
        for lease in worker.await.unwrap() {
            assert!(seen.insert(lease.task_id.clone()), "{} was leased twice", lease.task_id);
        }
    }
    assert_eq!(seen.len(), 300);
}

#[tokio::test]
async fn the_bound_counts_what_waits_and_what_is_worked_on() {
    let place = Place::new();
    let store = place.open();
    add(&store, "a", 0).await;
    add(&store, "b", 0).await;
    store.lease_tasks("agent", 1, "l1".to_owned(), 200, 300).await.unwrap();
    let add = |id: &'static str| add_within(2, &store, id, 0);
    assert_eq!(add("c").await.refused, [0]);
    assert_eq!(add("a").await, Committed { known: vec![0], refused: vec![] }, "a repeat is no further task");
    store.ack_task("a", "l1", 250).await.unwrap();
    assert_eq!(add("d").await, Committed::default());
}

#[tokio::test]
async fn an_expired_lease_is_void() {
    let place = Place::new();
    let store = place.open();
    add(&store, "a", 0).await;
    store.lease_tasks("agent", 1, "first".to_owned(), 100, 200).await.unwrap();
    assert_eq!(store.sweep_tasks(2, 100, 199).await.unwrap().expired, []);
    let sweep = store.sweep_tasks(2, 199, 200).await.unwrap();
    assert_eq!(sweep.expired.iter().map(|task| (&*task.task_id, task.is_dead)).collect::<Vec<_>>(), [("a", false)]);

    store.lease_tasks("agent", 1, "second".to_owned(), 200, 300).await.unwrap();
    let refused = TaskChange::Refused { state: TaskState::Leased };
    assert_eq!(store.ack_task("a", "first", 210).await.unwrap(), refused);
    assert_eq!(store.nack_task("a", "first", 2, 210, 210).await.unwrap(), refused);
    let sweep = store.sweep_tasks(2, 200, 300).await.unwrap();
    assert!(sweep.expired[0].is_dead && sweep.expired[0].attempts == 2, "{sweep:?}");
}

#[tokio::test]
async fn tasks_outlive_a_restart_with_their_leases_and_answers() {
    let place = Place::new();
    let store = place.open();
    add(&store, "a", 0).await;
    add(&store, "b", 0).await;
    // The retention goes by the real clock and would take what ended in 1970.
    let now_ms = crate::event::now_ms();
    store.lease_tasks("agent", 1, "l1".to_owned(), now_ms, now_ms + 100).await.unwrap();
    let reply = AgentReply { task_id: "b".to_owned(), ok: false, text: "no idea".to_owned() };
    store.answer_task(reply.clone(), now_ms).await.unwrap();
    drop(store);

    let store = place.open();
    let tasks = store.list_tasks(Some("agent"), &[TaskState::Leased, TaskState::Done], 10).await.unwrap();
    assert_eq!(
        (tasks[0].state, tasks[0].lease_until_ms, tasks[0].attempts),
        (TaskState::Leased, Some(now_ms + 100), 1)
    );
    assert_eq!((tasks[1].state, tasks[1].answer.as_ref()), (TaskState::Done, Some(&reply)));
    assert_eq!(store.list_tasks(None, &[TaskState::Done], 10).await.unwrap().len(), 1);
    let waiting = store.take_backlog(&"greeter".into()).await.unwrap();
    assert_eq!((&*waiting[0].envelope.id, waiting[0].envelope.sequence, waiting[0].again()), ("agent:b", 0, false));
    assert_eq!(waiting[0].envelope.event, Event::Agent(reply));
    assert_eq!(store.count_tasks().await.unwrap(), [("agent".to_owned(), TaskState::Leased, 1)]);
    assert_eq!(
        store.ack_task("a", "l1", now_ms).await.unwrap(),
        TaskChange::Made { state: TaskState::Done, plugin: "greeter".into() }
    );
}

#[tokio::test]
async fn a_sweep_tells_of_delayed_tasks_whose_time_has_come() {
    let place = Place::new();
    let store = place.open();
    add(&store, "a", 0).await;
    assert!(store.sweep_tasks(3, 0, 100).await.unwrap().is_any_due, "left over from an earlier run");
    assert!(!store.sweep_tasks(3, 50, 100).await.unwrap().is_any_due, "whoever added it has told already");
    store.lease_tasks("agent", 1, "l1".to_owned(), 100, 200).await.unwrap();
    store.nack_task("a", "l1", 3, 150, 500).await.unwrap();
    assert!(!store.sweep_tasks(3, 100, 499).await.unwrap().is_any_due);
    assert_eq!(store.lease_tasks("agent", 1, "l2".to_owned(), 499, 600).await.unwrap(), []);
    assert!(store.sweep_tasks(3, 499, 500).await.unwrap().is_any_due);
    assert!(!store.sweep_tasks(3, 500, 505).await.unwrap().is_any_due);
}
