//! `/healthz`, `/readyz` and `/metrics` over HTTP.
//!
//! On loopback without a token these three are open to every user of the machine, and to nobody else: a web page that
//! a browser on this machine shows is kept out by its `Origin`, and by its `Host` when it points a name of its own at
//! loopback. With a token every route asks for it.

mod guard;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use tokio::net::TcpListener;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::guard::Guard;
use super::State;
use crate::config::settings::HttpSettings;
use crate::event::now_ms;

/// How often connections are looked at between requests.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

/// Answers take microseconds; a client that still hangs on after this does not hold up the stop.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("http.listen: the address {address} is taken by another program")]
    Taken { address: SocketAddr },
    #[error("http.listen: can't listen on {address}: {source}")]
    Bind { address: SocketAddr, source: io::Error },
}

impl HttpError {
    /// What to do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "stop the other program (another showrunner?), or choose another port or \"off\"",
            Self::Bind { .. } => "choose an address of this machine, a port above 1023, or \"off\"",
        }
    }
}

/// The open port. Opened early, so that a start fails before anything is connected.
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

impl HttpServer {
    /// `None` when it is switched off.
    pub async fn bind(settings: &HttpSettings) -> Result<Option<Self>, HttpError> {
        let Some(address) = settings.listen else { return Ok(None) };
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => HttpError::Taken { address },
            _ => HttpError::Bind { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(address, settings.token.clone());
        Ok(Some(Self { listener, address, guard }))
    }

    /// With the real port, where any was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, and lets the last answers out.
    pub async fn run(self, state: Arc<State>, shutdown: CancellationToken) {
        info!(address = %self.address, "Health and metrics are served.");
        let server = axum::serve(self.listener, routes(state.clone(), self.guard));
        let serving = server.with_graceful_shutdown(shutdown.clone().cancelled_owned()).into_future();
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => {
                if let Err(error) = ended {
                    warn!(%error, "Health and metrics are no longer served.");
                }
                return;
            }
            () = sample(&state, &shutdown) => {}
        }
        let _ = timeout(LAST_ANSWERS, serving).await;
    }
}

/// Until `shutdown`.
async fn sample(state: &State, shutdown: &CancellationToken) {
    let mut tick = interval(SAMPLE_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => drop(state.health.sample(now_ms())),
        }
    }
}

fn routes(state: Arc<State>, guard: Guard) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(state)
        // Outermost, so that it also covers what is no route.
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
}

async fn healthz(Extract(state): Extract<Arc<State>>) -> Response {
    let liveness = state.health.sample(now_ms());
    (status(liveness.alive), Json(liveness)).into_response()
}

async fn readyz(Extract(state): Extract<Arc<State>>) -> Response {
    let readiness = state.health.readiness();
    (status(readiness.ready), Json(readiness)).into_response()
}

async fn metrics(Extract(state): Extract<Arc<State>>) -> Response {
    match &state.metrics {
        Some(page) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page.render().await).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

const fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[cfg(test)]
mod tests;
