//! The socket that is read, and the other one that there is for a while when Twitch moves us elsewhere.
//!
//! The old socket is read until the new one was welcomed, and then until what was under way on it has come: nothing is
//! lost by a move, and what came on both is known by its id, further on.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::End;
use super::frame::{Body, Frame};
use super::socket::{Socket, Welcome};
use crate::platform::websocket::DialError;

/// For so long Twitch waits for us at the new address.
const GRACE: Duration = Duration::from_secs(30);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_secs(1);
/// What is under way on the connection that we came from arrives within this time.
const GOODBYE: Duration = Duration::from_secs(5);
/// Writing the few bytes of a farewell.
const FAREWELL: Duration = Duration::from_secs(1);

/// What came.
#[derive(Debug)]
pub(in super::super) enum Heard {
    Frame(Frame),
    /// We are at another address; what is subscribed came along.
    Moved(Welcome),
}

pub(in super::super) struct Connection {
    /// `None` when it ended while we move.
    live: Option<Socket>,
    moving: Option<Moving>,
    /// The one we came from, until it has ended.
    old: Option<Old>,
    /// Whether the base address is encrypted; then no other goes.
    is_encrypted: bool,
}

/// On the way to another address.
struct Moving {
    address: String,
    until: Instant,
    attempt: BoxFuture<'static, Result<(Socket, Welcome), End>>,
}

/// Left, and still read.
struct Old {
    socket: Socket,
    until: Instant,
    knows: bool,
}

impl Old {
    async fn next(&mut self) -> Option<Frame> {
        let rest = async {
            if !self.knows {
                self.socket.say_goodbye().await;
                self.knows = true;
            }
            self.socket.next().await.ok()
        };
        timeout_at(self.until, rest).await.ok().flatten()
    }
}

impl Moving {
    fn new(address: String) -> Self {
        Self { until: Instant::now() + GRACE, attempt: dial(address.clone(), Duration::ZERO), address }
    }

    async fn arrival(&mut self) -> Result<(Socket, Welcome), End> {
        tokio::select! {
            biased;
            arrival = &mut self.attempt => arrival,
            () = sleep_until(self.until) => Err(End::NotMoved(format!("nobody answered there within {GRACE:?}"))),
        }
    }
}

fn dial(address: String, after: Duration) -> BoxFuture<'static, Result<(Socket, Welcome), End>> {
    async move {
        sleep(after).await;
        Socket::connect(&address).await
    }
    .boxed()
}

impl Connection {
    pub(in super::super) async fn open(address: &str) -> Result<(Self, Welcome), End> {
        let (live, welcome) = Socket::connect(address).await?;
        let is_encrypted = address.starts_with("wss:");
        Ok((Self { live: Some(live), moving: None, old: None, is_encrypted }, welcome))
    }

    /// What comes next, on either socket. May be dropped at any await and called again.
    pub(in super::super) async fn next(&mut self) -> Result<Heard, End> {
        loop {
            let is_moving = self.moving.is_some();
            tokio::select! {
                frame = next_of(&mut self.live) => match frame {
                    Ok(Frame { body: Body::Reconnect(address), .. }) => self.move_to(address)?,
                    Ok(frame) => return Ok(Heard::Frame(frame)),
                    Err(end) if is_moving => {
                        tracing::debug!(%end, "The old connection ended before the new one was there.");
                        self.live = None;
                    }
                    Err(end) => return Err(end),
                },
                arrival = arrival_of(&mut self.moving) => {
                    if let Some(welcome) = self.take_arrival(arrival)? {
                        return Ok(Heard::Moved(welcome));
                    }
                }
                frame = next_of_old(&mut self.old) => match frame {
                    Some(frame) => return Ok(Heard::Frame(frame)),
                    None => self.old = None,
                },
            }
        }
    }

    /// Says that we go, so that Twitch need not wait to find out.
    pub(in super::super) async fn close(self) {
        for mut socket in self.live.into_iter().chain(self.old.map(|old| old.socket)) {
            let _ = timeout(FAREWELL, socket.say_goodbye()).await;
        }
    }

    fn move_to(&mut self, address: Option<String>) -> Result<(), End> {
        let address = address.ok_or_else(|| End::NotMoved("it was not told where to".to_owned()))?;
        if self.is_encrypted && !address.starts_with("wss:") {
            return Err(End::NotMoved("it is not encrypted".to_owned()));
        }
        tracing::debug!("Twitch moves the connection to another address.");
        self.moving = Some(Moving::new(address));
        Ok(())
    }

    /// Goes over to the new socket, or tries again for as long as the old one is there.
    fn take_arrival(&mut self, arrival: Result<(Socket, Welcome), End>) -> Result<Option<Welcome>, End> {
        let moving = self.moving.take();
        match arrival {
            Ok((socket, welcome)) => {
                let until = Instant::now() + GOODBYE;
                self.old = self.live.replace(socket).map(|socket| Old { socket, until, knows: false });
                Ok(Some(welcome))
            }
            Err(end) => {
                let is_final = match &end {
                    End::NotMoved(_) => return Err(end),
                    End::Closed(close) => close.is_invalid_move(),
                    End::Dial(DialError::Address(_)) => true,
                    _ => false,
                };
                match moving {
                    Some(Moving { address, until, .. }) if !is_final && self.live.is_some() => {
                        let attempt = dial(address.clone(), PAUSE);
                        self.moving = Some(Moving { address, until, attempt });
                        Ok(None)
                    }
                    _ => Err(End::NotMoved(end.to_string())),
                }
            }
        }
    }
}

async fn next_of(socket: &mut Option<Socket>) -> Result<Frame, End> {
    match socket {
        Some(socket) => socket.next().await,
        None => pending().await,
    }
}

async fn next_of_old(old: &mut Option<Old>) -> Option<Frame> {
    match old {
        Some(old) => old.next().await,
        None => pending().await,
    }
}

async fn arrival_of(moving: &mut Option<Moving>) -> Result<(Socket, Welcome), End> {
    match moving {
        Some(moving) => moving.arrival().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
