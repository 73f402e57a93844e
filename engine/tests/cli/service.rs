//! The words that a service manager hears.

use std::os::unix::net::UnixDatagram;

use crate::daemon::Daemon;
use crate::lines::PATIENCE;
use crate::place::{ANY_PORT, Place};

/// The messages up to the first with this word.
fn hear_until(socket: &UnixDatagram, word: &str) -> Vec<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while !heard.iter().any(|message: &String| message.contains(word)) {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {word} ({error}), only {heard:?}"));
        heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    heard
}

#[test]
fn the_service_manager_hears_that_it_is_ready_lives_and_stops() {
    let place = Place::new(ANY_PORT);
    let path = place.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = place.command(&["run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let daemon = Daemon::spawn(command);
    hear_until(&socket, "READY=1");
    place.say(&["status"]).ok();
    hear_until(&socket, "WATCHDOG=1");
    hear_until(&socket, "WATCHDOG=1");
    hear_until(&socket, "STATUS=1 of 1 connections are ready");
    daemon.signal("TERM");
    hear_until(&socket, "STOPPING=1");
    daemon.stop();
}
