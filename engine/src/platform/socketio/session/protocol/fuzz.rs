//! A server that says anything: each line of the input is a frame.

use showrunner_fuzz::{assert_one_short_line, fuzz_text};

use super::*;

/// Stands for a binary frame.
const BINARY: &str = "<binary>";
const EARLY_BYTES: usize = 4096;

/// Whatever the frames are, each event is told once and in order, and nothing is kept beyond its bound.
#[test]
fn socketio_sessions() {
    fuzz_text!(256, |text| {
        let mut protocol = Protocol::new(EARLY_BYTES);
        let mut told = Vec::new();
        let mut expected = Expected::default();
        for frame in text.lines() {
            let read = if frame == BINARY { protocol.take_attachment() } else { protocol.take_text(frame) };
            assert!(protocol.early.len() <= MAX_EARLY_EVENTS);
            assert!(protocol.is_connected() || protocol.early_bytes_left <= EARLY_BYTES);
            expected.take(frame);
            match read {
                Ok(Some(Read::Event(event))) => told.push(event),
                Ok(Some(Read::Connected)) => told.extend(std::iter::from_fn(|| protocol.take_early())),
                Ok(_) => {}
                Err(error) => return assert_one_short_line(&error.to_string()),
            }
            // An answer for a frame at most; the session sends it before it reads the next.
            assert!(protocol.due.len() <= 1);
            protocol.due.clear();
        }
        if protocol.is_connected() {
            let told: Vec<&str> = told.iter().map(|event| event.name.as_str()).collect();
            assert_eq!(told, expected.names);
        }
    });
}

/// The names of the events, read from the frames alone.
#[derive(Default)]
struct Expected {
    names: Vec<String>,
    /// Of the event that has attachments to come.
    incomplete: Option<String>,
    attachments: usize,
}

impl Expected {
    fn take(&mut self, frame: &str) {
        if frame == BINARY {
            self.attachments = self.attachments.saturating_sub(1);
        } else if let Some(packet) = frame.strip_prefix('4').and_then(|packet| Packet::parse(packet).ok()) {
            self.attachments = packet.attachments();
            if let (Body::Event { name, .. }, "") = (packet.body, packet.namespace.as_str()) {
                self.incomplete = Some(name);
            }
        }
        if self.attachments == 0 {
            self.names.extend(self.incomplete.take());
        }
    }
}
