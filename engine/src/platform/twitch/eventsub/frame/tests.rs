use serde_json::json;

use super::*;

fn parse(frame: &Value) -> Frame {
    Frame::parse(&frame.to_string()).unwrap()
}

fn with_type(kind: &str, payload: &Value) -> Value {
    json!({ "metadata": { "message_id": "m1", "message_type": kind,
        "message_timestamp": "2026-01-05T10:11:12.634234626Z", "subscription_type": "channel.follow",
        "subscription_version": "2", "field-of-tomorrow": {} }, "payload": payload, "more": [1] })
}

#[test]
fn a_welcome_has_a_session_and_a_time_down_to_nanoseconds() {
    let frame = parse(&with_type(
        "session_welcome",
        &json!({ "session": { "id": "s1", "status": "connected", "keepalive_timeout_seconds": 30, "recovery_url": null } }),
    ));
    assert_eq!(frame.at_ms, Some(1_767_607_872_634));
    assert_eq!(frame.message_id, "m1");
    assert_eq!(frame.body, Body::Welcome { session_id: "s1".into(), keepalive: Duration::from_secs(30) });
}

#[test]
fn a_welcome_that_tells_nonsense_of_its_keepalive_is_one_all_the_same() {
    for (told, kept) in [(json!(null), 10), (json!("30"), 10), (json!(0), 1), (json!(1_000_000), 600), (json!(-5), 10)]
    {
        let frame =
            with_type("session_welcome", &json!({ "session": { "id": "s1", "keepalive_timeout_seconds": told } }));
        let Body::Welcome { keepalive, .. } = parse(&frame).body else { panic!("{frame}") };
        assert_eq!(keepalive, Duration::from_secs(kept), "{told}");
    }
}

#[test]
fn a_notification_is_one_event_or_a_batch_of_them() {
    let subscription =
        json!({ "type": "channel.follow", "version": "2", "status": "enabled", "condition": { "a": "1" } });
    let one = parse(&with_type("notification", &json!({ "subscription": subscription, "event": { "x": 1 } })));
    let Body::Notification(one) = one.body else { panic!("{one:?}") };
    assert_eq!(one.events, [(None, json!({ "x": 1 }))]);
    assert_eq!(one.subscription.condition, json!({ "a": "1" }));
    let batch = json!({ "subscription": subscription, "events": [{ "id": "e1", "data": { "x": 1 } }, { "x": 2 }] });
    let Body::Notification(batch) = parse(&with_type("notification", &batch)).body else { panic!() };
    assert_eq!(batch.events, [(Some("e1".into()), json!({ "x": 1 })), (None, json!({ "x": 2 }))]);
}

#[test]
fn what_was_subscribed_may_stand_in_either_place() {
    let bare = json!({ "metadata": { "message_type": "revocation" },
        "payload": { "subscription": { "type": "channel.raid", "version": "1", "status": "user_removed" } } });
    let Body::Revocation(revoked) = parse(&bare).body else { panic!() };
    assert_eq!((&*revoked.topic, &*revoked.version, &*revoked.status), ("channel.raid", "1", "user_removed"));
    let Body::Revocation(revoked) = parse(&with_type("revocation", &json!(null))).body else { panic!() };
    assert_eq!((&*revoked.topic, &*revoked.version, &*revoked.status), ("channel.follow", "2", ""));
}

#[test]
fn unknown_types_pass_and_what_is_no_frame_is_refused() {
    assert_eq!(parse(&with_type("session_of_tomorrow", &json!(7))).body, Body::Unknown("session_of_tomorrow".into()));
    assert_eq!(parse(&with_type("session_reconnect", &json!({ "session": {} }))).body, Body::Reconnect(None));
    assert_eq!(Frame::parse("{"), Err(FrameError::Json));
    assert_eq!(Frame::parse("[]"), Err(FrameError::Untyped));
    assert_eq!(Frame::parse(&with_type("session_welcome", &json!({})).to_string()), Err(FrameError::NoSession));
}
