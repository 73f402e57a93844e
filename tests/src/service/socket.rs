//! One WebSocket of a fake, whatever it speaks: what happens next on it, and how it ends.

use std::future::pending;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until, timeout};

pub(crate) enum Next<O, D> {
    Heard(Message),
    Ordered(O),
    Due(D),
    /// The client is gone, or whoever gave orders.
    Gone,
}

/// What comes first of all that may come.
pub(crate) async fn next<O, D, const N: usize>(
    socket: &mut WebSocket,
    orders: &mut UnboundedReceiver<O>,
    deadlines: [(Option<Instant>, D); N],
) -> Next<O, D> {
    let first = deadlines.into_iter().filter_map(|(at, due)| Some((at?, due))).min_by_key(|(at, _)| *at);
    let deadline = async {
        match first {
            Some((at, due)) => {
                sleep_until(at).await;
                due
            }
            None => pending().await,
        }
    };
    tokio::select! {
        heard = socket.recv() => match heard {
            Some(Ok(message)) => Next::Heard(message),
            _ => Next::Gone,
        },
        order = orders.recv() => order.map_or(Next::Gone, Next::Ordered),
        due = deadline => Next::Due(due),
    }
}

/// Closes it, calls `closed`, and waits for the client's answer, though not for long.
pub(crate) async fn close(socket: &mut WebSocket, code: u16, reason: &'static str, closed: impl FnOnce()) {
    let frame = CloseFrame { code, reason: reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_err() {
        return;
    }
    closed();
    let answered = async { while socket.recv().await.is_some_and(|heard| heard.is_ok()) {} };
    let _ = timeout(Duration::from_secs(1), answered).await;
}
