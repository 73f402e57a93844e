//! The words that a service manager hears.

use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use crate::daemon::Daemon;
use crate::lines::PATIENCE;
use crate::place::{ANY_PORT, Place};

/// What was said, in the order in which it came.
struct Heard {
    socket: UnixDatagram,
    messages: Vec<String>,
}

impl Heard {
    fn until(&mut self, word: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        while self.messages.iter().filter(|message| message.contains(word)).count() < times {
            let length = self.socket.recv(&mut buffer).unwrap_or_default();
            self.messages.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
            assert!(Instant::now() < deadline, "no {word}, only {:?}", self.messages);
        }
    }
}

#[test]
fn the_service_manager_hears_that_it_is_ready_lives_and_stops() {
    let place = Place::new(ANY_PORT);
    let path = place.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = place.command(&["run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "6000000");
    let daemon = Daemon::spawn(command);
    let mut heard = Heard { socket, messages: Vec::new() };
    heard.until("READY=1", 1);
    place.say(&["status"]).ok();
    heard.until("WATCHDOG=1", 2);
    // Where the first look came before the connection, the next one is 5 s later.
    heard.until("STATUS=1 of 1 connections are ready", 1);
    daemon.stop();
    heard.until("STOPPING=1", 1);
}
