//! Who somebody is and what they wrote, beside a daemon and without one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use showrunner::config::settings::JournalSettings;
use showrunner::event::{Channel, ChatMessage, Envelope, Event, Origin, User};
use showrunner::store::{self, Store};

use crate::place::{ANY_PORT, Place};

/// As if a daemon had heard them.
fn lines_of_ada(data: &Path, texts: &[&str]) {
    std::fs::create_dir_all(data).unwrap();
    let settings = JournalSettings { keep_for: Duration::from_secs(3600), keep_bytes: 1 << 20 };
    let store = Store::open(&store::path(data), &settings).unwrap();
    for (text, sequence) in texts.iter().zip(1..) {
        let author = User { id: "42".into(), login: "ada".into(), display_name: "Ada".into(), ..User::default() };
        let message =
            ChatMessage { id: format!("m{sequence}"), author, text: (*text).into(), ..ChatMessage::default() };
        let envelope = Envelope {
            id: format!("e{sequence}").into(),
            sequence,
            at_ms: 1_767_607_872_000 + sequence,
            origin: Origin::Live,
            channel: Channel::new("twitch", "7"),
            event: Event::Chat(message),
            extra: None,
        };
        store.journal_event(Arc::new(envelope), false);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.close());
}

#[test]
fn a_viewer_is_found_by_any_name_beside_a_daemon_and_without_one() {
    let place = Place::new(ANY_PORT);
    let refused = place.say(&["viewers", "show", "ada"]).refused(1);
    assert!(refused.contains("there is no database"), "{refused}");
    lines_of_ada(&place.data(), &["hello there", "!dice"]);

    let alone = place.say(&["viewers", "show", "@ADA"]).ok();
    assert!(alone.starts_with("Ada (ada) on twitch, id 42\n") && alone.contains("messages 2"), "{alone}");
    assert!(alone.find("!dice").unwrap() < alone.find("hello there").unwrap(), "{alone}");

    let daemon = place.start();
    for name in ["ada", "Ada", "42"] {
        assert_eq!(place.say(&["viewers", "show", name]).ok(), alone);
    }
    let json = place.say(&["viewers", "show", "ada", "--json", "--lines", "1"]).ok();
    let viewer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&viewer["platform"], &viewer["messages"]), (&Value::from("twitch"), &Value::from(2)));
    assert_eq!(viewer["lines"][0]["lines"].as_array().unwrap().len(), 1);
    for nobody in [&["nobody"][..], &["ada", "--platform", "retake"]] {
        let refused = place.say(&[&["viewers", "show"], nobody].concat()).refused(1);
        assert!(refused.contains("was seen"), "{refused}");
    }
    daemon.stop();
}
