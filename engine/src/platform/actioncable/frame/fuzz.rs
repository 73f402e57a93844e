//! A server that says anything.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

/// Whatever a frame is, an unknown field changes nothing, and what is told of it is one short line.
#[test]
fn cable_frames() {
    // Small objects of JSON cost the most: a tree of one field for every eight bytes.
    fuzz_text!(768, |text| {
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return assert_one_short_line(&error.to_string()),
        };
        if let Frame::Foreign(value) = &frame {
            return assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *value);
        }
        let mut wider: Value = serde_json::from_str(text).unwrap();
        wider["field-of-tomorrow"] = json!([1]);
        assert_eq!(Frame::parse(&wider.to_string()).unwrap(), frame);
    });
}
