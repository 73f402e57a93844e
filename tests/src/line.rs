//! A line between a client and a server that can go bad: it stalls, drips, breaks off, turns deaf or talks nonsense.
//!
//! It knows nothing of what it carries, so it stands before the fake platforms as well as before a web server that a
//! plugin calls. It runs on a runtime of its own: a test may stop its own clock, and the line goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

/// What is wrong with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Connections are taken, and nothing passes in either direction.
    Stalled,
    /// What the client sends is not read any more; what the server sends passes.
    Deaf,
    /// What the server sends passes byte by byte, with a pause after each.
    Drips(Duration),
    /// So many bytes of the server still pass on each connection; then it is closed, in the midst of whatever it was.
    BreaksAfter(usize),
    /// Connections are taken and closed at once.
    HangsUp,
}

pub struct BadLine {
    address: SocketAddr,
    state: Arc<State>,
    /// `None` once it ends.
    runtime: Option<Runtime>,
}

struct State {
    fault: watch::Sender<Fault>,
    /// Said to every client, between whatever the server says.
    nonsense: broadcast::Sender<Arc<[u8]>>,
    /// Connections that were ever taken, and that are open.
    taken: watch::Sender<usize>,
    open: watch::Sender<usize>,
}

impl BadLine {
    /// A line to `server`, good for now.
    pub async fn to(server: SocketAddr) -> Self {
        let state = Arc::new(State {
            fault: watch::Sender::new(Fault::None),
            nonsense: broadcast::Sender::new(16),
            taken: watch::Sender::new(0),
            open: watch::Sender::new(0),
        });
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listening = runtime.spawn(TcpListener::bind("127.0.0.1:0"));
        let listener = listening.await.unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(accept(listener, server, Arc::clone(&state)));
        Self { address, state, runtime: Some(runtime) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// For all connections, those that are open too.
    pub fn set(&self, fault: Fault) {
        self.state.fault.send_replace(fault);
    }

    /// Says these bytes to every client, as if the server had.
    pub fn say(&self, bytes: &[u8]) {
        self.state.nonsense.send(bytes.into()).unwrap();
    }

    /// How many connections were ever taken.
    pub fn taken(&self) -> usize {
        *self.state.taken.borrow()
    }

    /// Resolves when so many connections were taken.
    pub async fn has_taken(&self, count: usize) {
        self.state.taken.subscribe().wait_for(|taken| *taken >= count).await.unwrap();
    }

    /// Resolves when so many connections are open.
    pub async fn has_open(&self, count: usize) {
        self.state.open.subscribe().wait_for(|open| *open == count).await.unwrap();
    }
}

impl Drop for BadLine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: Arc<State>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let counted = Counted::new(Arc::clone(&state));
        if *state.fault.borrow() == Fault::HangsUp {
            continue;
        }
        tokio::spawn(carry(client, server, counted));
    }
}

/// A connection, as long as it is open.
struct Counted(Arc<State>);

impl Counted {
    fn new(state: Arc<State>) -> Self {
        state.taken.send_modify(|taken| *taken += 1);
        state.open.send_modify(|open| *open += 1);
        Self(state)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

/// Until either side, or the line, ends it; then both are closed.
async fn carry(client: TcpStream, server: SocketAddr, counted: Counted) {
    let state = &counted.0;
    let Ok(server) = TcpStream::connect(server).await else { return };
    for side in [&client, &server] {
        side.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry_up(from_client, to_server, state.fault.subscribe()) => {}
        () = carry_down(from_server, to_client, state.fault.subscribe(), state.nonsense.subscribe()) => {}
    }
}

async fn carry_up(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, mut fault: watch::Receiver<Fault>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let is_deaf = matches!(*fault.borrow_and_update(), Fault::Stalled | Fault::Deaf);
        tokio::select! {
            changed = fault.changed() => if changed.is_err() { return },
            read = client.read(&mut buffer), if !is_deaf => match read {
                Ok(bytes @ 1..) if server.write_all(&buffer[..bytes]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}

async fn carry_down(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    mut nonsense: broadcast::Receiver<Arc<[u8]>>,
) {
    let mut buffer = vec![0; 16 << 10];
    let mut passed = 0;
    loop {
        let now = *fault.borrow_and_update();
        let most = match now {
            Fault::Drips(_) => 1,
            Fault::BreaksAfter(bytes) if passed >= bytes => return,
            Fault::BreaksAfter(bytes) => buffer.len().min(bytes - passed),
            Fault::HangsUp => return,
            Fault::None | Fault::Stalled | Fault::Deaf => buffer.len(),
        };
        tokio::select! {
            changed = fault.changed() => {
                if changed.is_err() {
                    return;
                }
                passed = 0;
            }
            said = nonsense.recv() => if client.write_all(&said.unwrap()).await.is_err() { return },
            read = server.read(&mut buffer[..most]), if now != Fault::Stalled => match read {
                Ok(bytes @ 1..) if client.write_all(&buffer[..bytes]).await.is_ok() => {
                    passed += bytes;
                    if let Fault::Drips(pause) = now {
                        sleep(pause).await;
                    }
                }
                _ => return,
            },
        }
    }
}
