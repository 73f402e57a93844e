//! Whatever comes, something sound is told.

use proptest::prelude::*;

use super::super::fuzz::assert_sound;
use super::*;

/// All places in a payload.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    all.push(path.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| paths(value, &format!("{path}/{name}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| paths(value, &format!("{path}/{index}"), all));
        }
        _ => {}
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let text = "ü".repeat(1 << 14);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(text)),
        Just(json!([])),
        Just(json!({ "text": "x", "id": 5 })),
        Just(json!([{ "type": "emote", "text": "ü" }, 5, null])),
        Just(json!("0000-00-00T99:99:99Z")),
    ]
}

proptest! {
    #[test]
    fn no_payload_makes_it_panic_or_vanish(
        index in any::<prop::sample::Index>(),
        places in prop::collection::vec((any::<prop::sample::Index>(), anything()), 1..4),
    ) {
        let (topic, mut event) = (*index.get(&samples())).clone();
        for (place, value) in places {
            let mut all = Vec::new();
            paths(&event, "", &mut all);
            let place: &String = place.get(&all);
            *event.pointer_mut(place).unwrap() = value;
        }
        let mut stage = Stage::new();
        let mut drafts = stage.hear(&topic, &event);
        drafts.extend(stage.rest());
        prop_assert!(!drafts.is_empty());
        drafts.iter().for_each(assert_sound);
    }

    #[test]
    fn spans_lie_within_the_text(
        line in "\\PC{0,20}",
        pieces in prop::collection::vec(("\\PC{0,6}", prop::sample::select(vec!["text", "emote", "mention", "new"])), 0..6),
    ) {
        let fragments: Vec<Value> = pieces.iter().map(|(text, kind)| json!({ "type": kind, "text": text })).collect();
        let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        for text in [line, whole] {
            let (topic, mut event) = sample("chat").remove(0);
            event["message"] = json!({ "text": text, "fragments": fragments });
            Stage::new().hear(&topic, &event).iter().for_each(assert_sound);
        }
    }
}

#[test]
fn an_event_is_no_larger_than_queues_can_hold() {
    let long = json!("ü".repeat(1 << 16));
    for (topic, event) in samples() {
        let mut all = Vec::new();
        paths(event, "", &mut all);
        let mut swollen = event.clone();
        for path in all {
            if let Some(value) = swollen.pointer_mut(&path).filter(|value| value.is_string()) {
                *value = long.clone();
            }
        }
        let mut stage = Stage::new();
        let mut drafts = stage.hear(topic, &swollen);
        drafts.extend(stage.rest());
        for draft in drafts {
            let bytes = format!("{draft:?}").len();
            assert!(bytes < 64 << 10, "{bytes} bytes of {topic}");
        }
    }
}
