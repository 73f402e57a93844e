//! What adapters make of a draft.

use serde_json::{Value, json};

use super::{Channel, Draft, Event, Raw};

fn late(extra: Option<&str>) -> Value {
    let event = Event::Raw(Raw { kind: "x".to_owned(), json: "{}".to_owned() });
    let draft = Draft { extra: extra.map(str::to_owned), ..Draft::new(Channel::new("twitch", "1"), 5, event) };
    let late = draft.clone().late();
    assert_eq!(Draft { extra: draft.extra.clone(), ..late.clone() }, draft, "nothing but `extra` changes");
    serde_json::from_str(late.extra.as_deref().unwrap()).unwrap()
}

#[test]
fn what_is_late_says_so_beside_what_it_says_already() {
    assert_eq!(late(None), json!({ "late": true }));
    assert_eq!(late(Some(r#"{"gifter_id":"7"}"#)), json!({ "gifter_id": "7", "late": true }));
    assert_eq!(late(Some(r#"{"late":true}"#)), json!({ "late": true }));
}
