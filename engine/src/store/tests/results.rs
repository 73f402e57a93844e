//! How effects end: whether its result comes with an effect or later, the ledger is the same.

use std::collections::HashSet;

use proptest::prelude::*;
use tokio::runtime;

use super::*;
use crate::effect::{Action, Effect, EffectKey, EffectResult, Maker, NumberedEffect};
use crate::event::OutcomeStatus;

const LEDGER: &str =
    "SELECT event_id, number, state, detail, message_id, ended_ms IS NULL FROM effects ORDER BY position";

fn batch(event: u32, numbers: impl IntoIterator<Item = u32>) -> Batch {
    let say = |number| {
        let action = Action::Say { text: "hi".to_owned() };
        NumberedEffect { number, effect: Effect::Platform { channel: channel(), action } }
    };
    let effects = numbers.into_iter().map(say).collect();
    Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: chat(&event.to_string(), "anna", "hello"),
        effects,
        kv: vec![],
        again: false,
    }
}

fn result(event: u32, number: u32, status: OutcomeStatus, detail: &str) -> EffectResult {
    let key = EffectKey { event_id: event.to_string().into(), plugin: "greeter".into(), number };
    EffectResult { key, status, message_id: Some(format!("{event}.{number}")), detail: detail.to_owned() }
}

#[tokio::test]
async fn an_effect_that_ends_at_once_is_written_once() {
    let place = Place::new();
    let store = place.open();
    sql(&store, "CREATE TRIGGER once BEFORE UPDATE ON effects BEGIN SELECT RAISE(ABORT, 'changed'); END").await;
    let held = hold_up(&store).await;
    store.commit_behind(&batch(1, [0, 1]));
    let durable = store.commit(&batch(2, [0]), 9).unwrap();
    store.journal_result(result(2, 0, OutcomeStatus::Done, ""));
    store.journal_result(result(1, 1, OutcomeStatus::Failed, "no such channel"));
    drop(held);

    durable.await.unwrap();
    let ended =
        "SELECT event_id, number, state, detail, message_id, ended_ms = stored_ms FROM effects ORDER BY position";
    let ended = rows(&store, ended).await.into_iter().map(|row| format!("{row:?}")).collect::<Vec<_>>();
    assert_eq!(
        ended,
        [
            r#"[Text("1"), Integer(0), Text("pending"), Text(""), Null, Null]"#,
            r#"[Text("1"), Integer(1), Text("failed"), Text("no such channel"), Text("1.1"), Integer(1)]"#,
            r#"[Text("2"), Integer(0), Text("done"), Text(""), Text("2.0"), Integer(1)]"#,
        ]
    );
    assert_eq!(store.lost_writes(), 0);
}

/// The group with it fails, and its items are done one by one.
#[tokio::test]
async fn a_bad_neighbour_takes_no_result_along() {
    let place = Place::new();
    let store = place.open();
    sql(
        &store,
        "CREATE TRIGGER bad BEFORE INSERT ON effects WHEN new.event_id = '7' BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .await;
    let held = hold_up(&store).await;
    store.commit_behind(&batch(1, [0]));
    store.commit_behind(&batch(7, [0]));
    store.journal_result(result(1, 0, OutcomeStatus::Done, ""));
    drop(held);
    assert_eq!(number(&store, "SELECT count(*) FROM effects WHERE event_id = '1' AND state = 'done'").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM effects").await, 1);
    assert_eq!(store.lost_writes(), 1);
}

#[derive(Debug, Clone)]
enum Step {
    Batch(u32, u32),
    Result(u32, u32, OutcomeStatus),
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![Just(OutcomeStatus::Done), Just(OutcomeStatus::Failed), Just(OutcomeStatus::Uncertain)];
    prop_oneof![
        (0..3_u32, 1..3_u32).prop_map(|(event, effects)| Step::Batch(event, effects)),
        (0..3_u32, 0..3_u32, status).prop_map(|(event, number, status)| Step::Result(event, number, status)),
    ]
}

async fn ledger(steps: &[Step], together: bool) -> Vec<Vec<rusqlite::types::Value>> {
    let place = Place::new();
    let store = place.open();
    let held = if together { Some(hold_up(&store).await) } else { None };
    let mut begun = HashSet::new();
    for (place, step) in steps.iter().enumerate() {
        match step {
            Step::Batch(event, effects) => {
                begun.extend((0..*effects).map(|number| (*event, number)));
                store.commit_behind(&batch(*event, 0..*effects));
            }
            // Nothing ends that was not handed over before.
            Step::Result(event, number, status) if begun.contains(&(*event, *number)) => {
                store.journal_result(result(*event, *number, *status, &place.to_string()));
            }
            Step::Result(..) => {}
        }
        if !together {
            rows(&store, LEDGER).await;
        }
    }
    drop(held);
    rows(&store, LEDGER).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Also where a batch comes again, and where a result does.
    #[test]
    fn one_group_leaves_the_ledger_that_many_leave(steps in proptest::collection::vec(step(), 1..24)) {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let (together, apart) = runtime.block_on(async { (ledger(&steps, true).await, ledger(&steps, false).await) });
        prop_assert_eq!(together, apart);
    }
}
