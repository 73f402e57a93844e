//! Collects what the world outside answers within one call. The actor takes it when the call has ended, well or not.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::recording::HostResult;

/// What is kept of one call at most. A larger answer is not recorded, and a replay says so.
const CALL_BYTES: usize = 256 << 10;

#[derive(Default)]
pub(in crate::plugin) struct Recorder {
    call: Mutex<Collected>,
}

#[derive(Default)]
struct Collected {
    results: Vec<HostResult>,
    bytes: usize,
}

impl Recorder {
    pub(in crate::plugin) fn note(&self, function: &str, asked: String, answer: &impl Serialize) {
        let Ok(json) = serde_json::to_string(answer) else { return };
        let mut call = self.call();
        if call.bytes.saturating_add(json.len()) > CALL_BYTES {
            tracing::debug!(function, bytes = json.len(), "An answer is too large to be recorded.");
            return;
        }
        let Ok(answer) = serde_json::from_str(&json) else { return };
        call.bytes += json.len();
        call.results.push(HostResult { function: function.to_owned(), asked, answer });
    }

    pub(super) fn take(&self) -> Vec<HostResult> {
        std::mem::take(&mut *self.call()).results
    }

    fn call(&self) -> MutexGuard<'_, Collected> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether two questions are the same. A hash, because a question may hold what is nobody's business.
pub(in crate::plugin) fn fingerprint(function: &str, asked: &impl Serialize) -> String {
    let asked = serde_json::to_vec(asked).unwrap_or_default();
    let hash = Sha256::new().chain_update(function).chain_update([0]).chain_update(asked).finalize();
    let mut text = String::new();
    for byte in hash.iter().take(16) {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_taken_whole_and_bounded() {
        let recorder = Recorder::default();
        recorder.note("viewers.get", fingerprint("viewers.get", &("p", "1")), &Some(1));
        recorder.note("http.send", "asked".to_owned(), &"x".repeat(CALL_BYTES));
        recorder.note("clock.now-ms", "asked".to_owned(), &5u64);
        let taken: Vec<String> = recorder.take().into_iter().map(|result| result.function).collect();
        assert_eq!(taken, ["viewers.get", "clock.now-ms"]);
        assert_eq!(recorder.take(), []);
    }

    #[test]
    fn a_question_is_known_again_and_tells_nothing() {
        let one = fingerprint("viewers.get", &("twitch", "1"));
        assert_eq!(one, fingerprint("viewers.get", &("twitch", "1")));
        assert_ne!(one, fingerprint("viewers.get", &("twitch", "2")));
        assert_ne!(one, fingerprint("viewers.find", &("twitch", "1")));
        assert_eq!(one.len(), 32);
    }
}
