//! Whatever comes through the control socket: a line is read, refused, or too long, and nothing more of it is kept.

use futures_util::FutureExt;
use serde_json::Value;
use showrunner_fuzz::fuzz_bytes;

use super::*;
use crate::gateway::control::{Request, Response};

const MOST: usize = 512;

#[test]
fn control_requests() {
    fuzz_bytes!(64, |input| {
        for request in lines::<Request>(input, MOST) {
            assert_eq!(lines::<Request>(&line_of(&request), usize::MAX), [request]);
        }
    });
}

#[test]
fn control_answers() {
    fuzz_bytes!(64, |input| {
        for response in lines::<Response>(input, MOST) {
            let line = line_of(&response);
            let again = lines::<Response>(&line, usize::MAX);
            assert_eq!(again.iter().map(line_of).collect::<Vec<_>>(), [line]);
        }
    });
}

/// What can be read, as a session of the server reads it: it goes on behind a line that is not understood.
fn lines<T: DeserializeOwned>(mut input: &[u8], most: usize) -> Vec<T> {
    let longest = input.len().min(most);
    let mut buffer = Vec::new();
    let mut values = Vec::new();
    loop {
        let read = read::<T>(&mut input, &mut buffer, longest).now_or_never().expect("all of it is there");
        assert!(buffer.len() <= longest + 1);
        match read {
            Ok(Some(value)) => values.push(value),
            Ok(None) => return values,
            Err(LineError::Malformed(_)) => {}
            Err(_) => return values,
        }
    }
}

fn line_of(value: &impl Serialize) -> Vec<u8> {
    let line = serde_json::to_vec(value).unwrap();
    assert!(!line.contains(&b'\n'));
    assert!(serde_json::from_slice::<Value>(&line).is_ok());
    line
}
