//! A web server on this machine that plugins call, and that can be slow, large and misleading.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// The size of the answer to `/large`.
pub const LARGE: usize = 4096;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub path: String,
    pub key: Option<String>,
}

/// Ends with the test's runtime.
pub struct Web {
    pub port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
    arrivals: mpsc::UnboundedReceiver<Call>,
    gate: Arc<Semaphore>,
}

#[derive(Clone)]
struct Shared {
    calls: Arc<Mutex<Vec<Call>>>,
    arrived: mpsc::UnboundedSender<Call>,
    gate: Arc<Semaphore>,
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let gate = Arc::new(Semaphore::new(0));
        let shared = Shared { calls: Arc::clone(&calls), arrived, gate: Arc::clone(&gate) };
        let router = Router::new().fallback(answer).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, calls, arrivals, gate }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request, as soon as it is there.
    pub async fn arrival(&mut self) -> Call {
        tokio::time::timeout(crate::daemon::PATIENCE, self.arrivals.recv()).await.expect("nobody calls").unwrap()
    }

    pub fn paths(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|call| call.path.clone()).collect()
    }

    /// Lets one request to `/gate` be answered.
    pub fn open_gate(&self) {
        self.gate.add_permits(1);
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let key = request.headers().get("x-key").map(|value| value.to_str().unwrap().to_owned());
    let call = Call { path: request.uri().path().to_owned(), key };
    // Whoever hangs up in the midst of it has not called.
    let Ok(_) = axum::body::to_bytes(request.into_body(), usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    shared.calls.lock().unwrap().push(call.clone());
    // The test may not wait for arrivals at all.
    let _ = shared.arrived.send(call.clone());
    match call.path.as_str() {
        "/gate" => shared.gate.acquire().await.unwrap().forget(),
        "/large" => return "x".repeat(LARGE).into_response(),
        "/elsewhere" => return (StatusCode::FOUND, [(header::LOCATION, "/target")]).into_response(),
        _ => {}
    }
    "here".into_response()
}
