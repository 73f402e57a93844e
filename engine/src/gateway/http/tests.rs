use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::config::Secret;
use crate::gateway::Health;
use crate::gateway::metrics::Page;
use crate::observation::ConnectionState;
use crate::platform::supervisor::ConnectionStatus;

const TOKEN: &str = "a-token-for-this-test";

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(token: Option<&str>, state: ConnectionState, store: Result<(), String>) -> Running {
    let settings = HttpSettings { listen: Some("127.0.0.1:0".parse().unwrap()), token: token.map(Secret::from) };
    let server = HttpServer::bind(&settings).await.unwrap().unwrap();
    let connection = ConnectionStatus {
        name: "retake:room".into(),
        channels: Vec::new(),
        state,
        since_ms: 1000,
        last_event_ms: None,
        reconnects: 0,
    };
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = Page::new(recorder.handle(), move || {
        metrics::with_local_recorder(&recorder, || metrics::gauge!("showrunner_store_backlog").set(7.0));
        std::future::ready(())
    });
    let health = Health::new(move || vec![connection.clone()], move || store.clone());
    let state = Arc::new(State { health, metrics: Some(page) });
    let (address, shutdown) = (server.address(), CancellationToken::new());
    let task = tokio::spawn(server.run(state, shutdown.clone()));
    Running { address, shutdown, task }
}

impl Running {
    /// The whole answer as text.
    async fn ask(&self, route: &str, more: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = if more.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.address) };
        let request = format!("GET {route} HTTP/1.1\r\n{host}Connection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

fn ready() -> ConnectionState {
    ConnectionState::Ready { degraded: None }
}

#[tokio::test]
async fn a_healthy_engine_is_alive_and_ready() {
    let running = start(None, ready(), Ok(())).await;
    assert!(running.ask("/healthz", "").await.starts_with("HTTP/1.1 200 OK"));
    let answer = running.ask("/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""ready":true,"state":"ready""#), "{answer}");
    let answer = running.ask("/metrics", "").await;
    assert!(answer.contains("text/plain; version=0.0.4") && answer.contains("showrunner_store_backlog 7"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_dead_connection_is_named() {
    let stopped = ConnectionState::Stopped { why: "401".into(), what_to_do: "give it a new token".into() };
    let running = start(None, stopped, Ok(())).await;
    let answer = running.ask("/healthz", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""name":"retake:room""#), "{answer}");
    let answer = running.ask("/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("stopped: 401; give it a new token"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_sick_store_is_alive_and_not_ready() {
    let running = start(None, ready(), Err("the disk is full".into())).await;
    assert!(running.ask("/healthz", "").await.starts_with("HTTP/1.1 200"));
    let answer = running.ask("/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("the disk is full"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn with_a_token_every_route_asks_for_it() {
    let running = start(Some(TOKEN), ready(), Ok(())).await;
    for route in ["/healthz", "/readyz", "/metrics", "/no-such-route"] {
        let answer = running.ask(route, "").await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{route}: {answer}");
        assert!(answer.to_lowercase().contains("www-authenticate: bearer"), "{answer}");
    }
    let answer = running.ask("/readyz", &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn another_host_and_web_pages_are_turned_away() {
    let running = start(None, ready(), Ok(())).await;
    assert!(running.ask("/metrics", "Host: evil.example\r\n").await.starts_with("HTTP/1.1 403"));
    assert!(running.ask("/metrics", "Origin: https://evil.example\r\n").await.starts_with("HTTP/1.1 403"));
    running.stop().await;
}

#[tokio::test]
async fn a_taken_port_names_address_and_key() {
    let running = start(None, ready(), Ok(())).await;
    let settings = HttpSettings { listen: Some(running.address), token: None };
    let error = HttpServer::bind(&settings).await.err().unwrap();
    assert_eq!(error.to_string(), format!("http.listen: the address {} is taken by another program", running.address));
    assert!(error.help().contains("another port"));
    running.stop().await;
    assert!(HttpServer::bind(&HttpSettings { listen: None, token: None }).await.unwrap().is_none());
}

#[tokio::test]
async fn a_client_that_hangs_on_does_not_hold_up_the_stop() {
    let running = start(None, ready(), Ok(())).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    timeout(Duration::from_secs(30), running.stop()).await.unwrap();
}
