//! A router on a port of its own, on a runtime of its own: going away really closes everything, as a killed server
//! would.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;
use url::Url;

pub(crate) struct Server {
    router: Router,
    address: SocketAddr,
    /// Bound and never open, so that nobody else gets the port while the server is away.
    _reserved: TcpSocket,
    /// `None` while it is away.
    runtime: Option<Runtime>,
}

impl Server {
    /// Returns when the port is open.
    pub(crate) async fn start(router: Router, address: SocketAddr) -> Self {
        let reserved = TcpSocket::new_v4().unwrap();
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(address).unwrap();
        let address = reserved.local_addr().unwrap();
        let runtime = serve(router.clone(), address).await;
        Self { router, address, _reserved: reserved, runtime: Some(runtime) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, scheme: &str, path: &str) -> Url {
        Url::parse(&format!("{scheme}://{}{path}", self.address)).unwrap()
    }

    /// Closes the port and everything that is open on it, as if killed.
    pub(crate) fn go_away(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Is back on the same port.
    pub(crate) async fn come_back(&mut self) {
        assert!(self.runtime.is_none(), "it is there");
        self.runtime = Some(serve(self.router.clone(), self.address).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_away();
    }
}

async fn serve(router: Router, address: SocketAddr) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = runtime.spawn(async move {
        let listener = bind(address).await;
        tokio::spawn(async move { axum::serve(listener, router).await });
    });
    bound.await.unwrap();
    runtime
}

/// The runtime that went away may not have closed the port yet, so it is tried for some seconds.
async fn bind(address: SocketAddr) -> TcpListener {
    for _ in 0..5000 {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => sleep(Duration::from_millis(1)).await,
            bound => return bound.unwrap(),
        }
    }
    panic!("somebody else has {address}");
}
