//! Health and metrics over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use showrunner::metric;

use crate::daemon::Daemon;
use crate::lines::{PATIENCE, until};
use crate::place::{ANY_PORT, Place};

/// The status and the body. The headers are written as they are given.
pub(crate) fn get(daemon: &Daemon, path: &str, headers: &[&str]) -> (u16, String) {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

pub(crate) const HOST: &str = "Host: 127.0.0.1";

#[test]
fn health_is_open_on_loopback_and_closed_to_web_pages() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    assert_eq!(get(&daemon, "/healthz", &[HOST]), (200, "{\"alive\":true,\"dead\":[]}".to_owned()));
    let (status, body) =
        until("readiness", || Some(get(&daemon, "/readyz", &[HOST])).filter(|(status, _)| *status == 200));
    assert!(status == 200 && body.contains("simulator:demo"), "{body}");
    assert_eq!(get(&daemon, "/metrics", &["Host: LOCALHOST:1"]).0, 200);
    assert_eq!(get(&daemon, "/nowhere", &[HOST]).0, 404);
    for path in ["/healthz", "/readyz", "/metrics", "/nowhere"] {
        assert_eq!(get(&daemon, path, &["Host: evil.example"]).0, 403, "{path}");
        assert_eq!(get(&daemon, path, &[HOST, "Origin: http://127.0.0.1"]).0, 403, "{path}");
        assert_eq!(get(&daemon, path, &[HOST, "Origin: null"]).0, 403, "{path}");
    }
}

#[test]
fn with_a_token_every_route_asks_for_it() {
    let place = Place::new(&format!("{ANY_PORT}token = \"cmd:echo a-token-of-this-test\"\n"));
    let daemon = place.start();
    for path in ["/healthz", "/readyz", "/metrics", "/nowhere"] {
        let (status, body) = get(&daemon, path, &[HOST]);
        assert_eq!(status, 401, "{path}");
        assert!(body.contains("Authorization: Bearer") && !body.contains("a-token"), "{body}");
        assert_eq!(get(&daemon, path, &[HOST, "Authorization: Bearer another-token"]).0, 401, "{path}");
    }
    assert_eq!(get(&daemon, "/healthz", &[HOST, "Authorization: Bearer a-token-of-this-test"]).0, 200);
}

#[test]
fn an_account_that_is_not_connected_is_not_ready() {
    // Nobody listens there.
    let account = "[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"cmd:echo t\"\n\
                   rest-base = \"http://127.0.0.1:9/\"\nsocket-url = \"ws://127.0.0.1:9/socket.io/\"\n";
    let place = Place::new(&format!("{ANY_PORT}{account}"));
    let daemon = place.start();
    let (status, body) = get(&daemon, "/readyz", &[HOST]);
    assert!(status == 503 && body.contains("\"name\":\"retake:r\",\"ready\":false"), "{status} {body}");
    assert_eq!(get(&daemon, "/healthz", &[HOST]).0, 200, "it is alive, and tries");
    let status = place.say(&["status"]).ok();
    assert!(status.contains("retake:r: ") && !status.contains("retake:r: ready"), "{status}");
}

#[test]
fn every_metric_that_there_is_appears() {
    // Nobody is signed in there, so nothing is called.
    let place = Place::new(&format!("{ANY_PORT}[twitch]\nclient-id = \"app\"\nchannels = [\"1\"]\n"));
    let first = place.start();
    place.chat("alice", "a question that nobody answers");
    until("the task", || place.say(&["queue", "list"]).ok().contains("a question").then_some(()));
    first.stop();
    let daemon = place.start();
    let watch = place.watch(&[]);
    place.chat("bob", "hello");
    watch.out.wait_for(&["Showrunner: Hello bob!"]);
    let is_connected = "showrunner_connection_ready{name=\"simulator:demo\"} 1";
    let page = until("all metrics", || {
        let (_, page) = get(&daemon, "/metrics", &[HOST]);
        let has = |name| page.contains(&format!("# HELP {name} "));
        (page.contains(is_connected) && metric::TABLE.iter().all(|metric| has(metric.name))).then_some(page)
    });
    for metric in metric::TABLE {
        let samples = page.lines().filter(|line| line.starts_with(metric.name)).collect::<Vec<_>>();
        assert!(!samples.is_empty(), "{} is not in\n{page}", metric.name);
        for label in metric.labels {
            assert!(samples[0].contains(&format!("{label}=\"")), "{}", samples[0]);
        }
    }
    for sample in [
        "showrunner_events_total{platform=\"simulator\",type=\"chat\"} 2",
        "showrunner_tasks{queue=\"main\",state=\"waiting\"} 1",
        "showrunner_store_failing 0",
        "showrunner_plugin_crashes_total{plugin=\"instant-replies\"} 0",
    ] {
        assert!(page.contains(sample), "{sample} is not in\n{page}");
    }
}

#[test]
fn an_account_that_is_removed_is_no_longer_measured() {
    let place = Place::new(&format!("{ANY_PORT}[twitch]\nclient-id = \"app\"\nchannels = [\"1\"]\n"));
    let daemon = place.start();
    let sample = "showrunner_connection_ready{name=\"twitch:1\"}";
    assert!(get(&daemon, "/metrics", &[HOST]).1.contains(sample));
    place.configure(ANY_PORT);
    place.say(&["config", "reload"]).ok();
    until("an alert that ends", || (!get(&daemon, "/metrics", &[HOST]).1.contains(sample)).then_some(()));
}
