//! The port that the browser comes back to.
//!
//! Any page that a browser shows can call it, so nothing is believed without the state of this sign-in; what comes
//! without it is told so, and the wait goes on.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::{Host, Url};

use super::page::page;
use crate::auth::answer::{AuthError, Hidden};
use crate::auth::words::{INVALID_SCOPE, scopes_help};
use crate::web::one_line;

/// A browser that does not take its page in this time holds nobody up.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// An open port, until it is dropped.
pub struct Callback {
    redirect: String,
    arrivals: mpsc::Receiver<Result<Arrival, AuthError>>,
    closing: CancellationToken,
    servers: TaskTracker,
}

/// A browser with a code, which waits for what came of it.
pub struct Arrival {
    pub code: Hidden,
    outcome: oneshot::Sender<Result<String, String>>,
}

impl Arrival {
    /// Shows the person as whom they are signed in, or why not.
    pub fn tell(self, outcome: Result<&str, &str>) {
        // The browser may have gone away.
        let _ = self.outcome.send(outcome.map(str::to_owned).map_err(str::to_owned));
    }
}

struct Door {
    path: String,
    state: String,
    platform: String,
    arrivals: mpsc::Sender<Result<Arrival, AuthError>>,
    /// A code came, and it serves once: who comes after it, also by a reload, is told of no outcome.
    is_done: AtomicBool,
}

impl Callback {
    /// Opens the port of `redirect`. Port 0 is any that is free.
    pub(super) async fn bind(redirect: &str, state: &str, platform: &str) -> Result<Self, AuthError> {
        let mut url = Url::parse(redirect).map_err(|error| {
            AuthError::new(format!("`redirect` is no address: {error}"), "see config/showrunner.toml")
        })?;
        let listeners = listen(&url).await?;
        let port = listeners.first().and_then(|listener| listener.local_addr().ok()).map(|address| address.port());
        let redirect = if url.port() == Some(0) {
            // An address with a host can have a port.
            let _ = url.set_port(port);
            url.to_string()
        } else {
            redirect.to_owned()
        };
        let (sender, arrivals) = mpsc::channel(1);
        let (path, state, platform) = (url.path().to_owned(), state.to_owned(), platform.to_owned());
        let door = Arc::new(Door { path, state, platform, arrivals: sender, is_done: AtomicBool::new(false) });
        // A route could not hold every path.
        let routes = Router::new().fallback(get(arrive)).with_state(door);
        let (closing, servers) = (CancellationToken::new(), TaskTracker::new());
        for listener in listeners {
            let served =
                axum::serve(listener, routes.clone()).with_graceful_shutdown(closing.clone().cancelled_owned());
            servers.spawn(served.into_future());
        }
        servers.close();
        Ok(Self { redirect, arrivals, closing, servers })
    }

    /// Where the browser is to be sent, letter by letter as it was configured.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the browser of this sign-in. An error when the person did not agree.
    pub async fn arrival(&mut self) -> Result<Arrival, AuthError> {
        let closed = || AuthError { message: "the port for the browser was closed".to_owned(), help: None };
        self.arrivals.recv().await.ok_or_else(closed)?
    }

    /// Lets the last page out.
    pub async fn close(self) {
        self.closing.cancel();
        let _ = timeout(LAST_PAGE, self.servers.wait()).await;
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// A browser may take "localhost" for either address.
async fn listen(redirect: &Url) -> Result<Vec<TcpListener>, AuthError> {
    let hosts: Vec<IpAddr> = match redirect.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        _ => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let mut port = redirect.port_or_known_default().unwrap_or(80);
    let mut listeners = Vec::new();
    for host in hosts {
        let address = SocketAddr::new(host, port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |address| address.port());
                listeners.push(listener);
            }
            // The browser finds the other one.
            Err(error) if !listeners.is_empty() && is_unknown(&error) => {}
            Err(error) => return Err(not_bound(address, &error)),
        }
    }
    Ok(listeners)
}

/// Whether the machine knows no such address, which it says in several ways: it may have been booted without IPv6.
/// What is taken or forbidden is there.
fn is_unknown(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn not_bound(address: SocketAddr, error: &io::Error) -> AuthError {
    let help =
        "end what listens there, or choose another `redirect`, which must be registered with the application too";
    match error.kind() {
        io::ErrorKind::AddrInUse => AuthError::new(format!("`redirect`: {address} is taken by another program"), help),
        io::ErrorKind::PermissionDenied => {
            let help = "choose a port above 1023 in `redirect`, and register it with the application too";
            AuthError::new(format!("`redirect`: {address} is not for this user to listen on"), help)
        }
        _ => AuthError::new(format!("`redirect`: can't listen on {address}: {error}"), help),
    }
}

async fn arrive(State(door): State<Arc<Door>>, address: Uri, Query(query): Query<HashMap<String, String>>) -> Response {
    if address.path() != door.path {
        return page(StatusCode::NOT_FOUND, "Nothing is here", "The address of this page is not that of `redirect`.");
    }
    let word = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    if word("state") != Some(door.state.as_str()) {
        let text = "This page does not belong to the sign-in that waits. Open the address that Showrunner printed.";
        return page(StatusCode::BAD_REQUEST, "Not the right sign-in", text);
    }
    let Some(code) = word("code") else {
        let error = word("error");
        let why = one_line(word("error_description").or(error).unwrap_or("no code came back"));
        let help = match error {
            Some(INVALID_SCOPE) => scopes_help(&door.platform),
            _ => "sign in again, and agree on the page",
        };
        let denied = AuthError::new(format!("nobody was signed in: {why}"), help);
        // Whoever waited may have given up.
        let _ = door.arrivals.send(Err(denied)).await;
        return page(StatusCode::OK, "Not signed in", &why);
    };
    let (outcome, told) = oneshot::channel();
    let arrival = Arrival { code: Hidden(code.to_owned()), outcome };
    if door.is_done.swap(true, Ordering::Relaxed) || door.arrivals.try_send(Ok(arrival)).is_err() {
        let text = "This page was here before. What came of it stands where the sign-in was begun.";
        return page(StatusCode::OK, "Done already", text);
    }
    match told.await {
        Ok(Ok(who)) => page(
            StatusCode::OK,
            &format!("Signed in as {who}"),
            "You can close this page; Showrunner has all it needs.",
        ),
        Ok(Err(why)) => page(StatusCode::OK, "Not signed in", &why),
        Err(_) => page(StatusCode::OK, "Not signed in", "Showrunner ended before it was done."),
    }
}

#[cfg(test)]
mod tests;
