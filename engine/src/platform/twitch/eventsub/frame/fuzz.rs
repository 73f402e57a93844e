//! Whatever comes in a frame, it is read or refused in a bounded way, and what we do not know changes nothing.

use serde_json::json;
use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

#[test]
fn twitch_frames() {
    // Small objects of JSON cost the most: a tree of one field for every eight bytes.
    fuzz_text!(768, |text| {
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return assert_one_short_line(&error.to_string()),
        };
        match &frame.body {
            Body::Welcome { session_id, keepalive } => {
                assert!(!session_id.is_empty());
                assert!((1..=600).contains(&keepalive.as_secs()));
            }
            Body::Unknown(kind) => assert_one_short_line(kind),
            Body::Revocation(subscription) => assert_one_short_line(&subscription.status),
            Body::Reconnect(url) => assert!(url.as_ref().is_none_or(|url| !url.is_empty())),
            Body::Keepalive | Body::Notification(_) => {}
        }
        let mut wider: Value = serde_json::from_str(text).unwrap();
        for part in ["metadata", "payload"] {
            if let Some(Value::Object(fields)) = wider.get_mut(part) {
                fields.insert("field-of-tomorrow".to_owned(), json!({ "text": ["x", 1] }));
            }
        }
        assert_eq!(Frame::parse(&wider.to_string()), Ok(frame));
    });
}
