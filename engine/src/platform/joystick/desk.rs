//! Where the half that acts meets the half that has the socket: commands on their way out, and who waits for what becomes
//! of them.
//!
//! The service answers nothing. A line that was said comes back as an event like any other; a command that fails is told
//! in a frame that names none, so it is taken for the oldest that waits; and of everything else there is silence.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::wire::plain;
use crate::platform::{ActionError, Receipt};

/// Commands that the socket has not taken yet, at most: as many as an account may have under way.
const MOST_OUTGOING: usize = 256;

type Outcome = Result<Receipt, ActionError>;

#[derive(Default)]
pub(super) struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The way to the socket, while a subscription is confirmed.
    outgoing: Option<mpsc::Sender<Command>>,
    /// In the order in which they were given.
    waiting: VecDeque<Waiting>,
    count: u64,
}

struct Waiting {
    number: u64,
    channel: Arc<str>,
    /// What is to come back; `None` for what is done in silence.
    echo: Option<String>,
    /// From then on nobody knows whether it arrived.
    is_written: bool,
    outcome: oneshot::Sender<Outcome>,
}

/// What is to be written to the socket.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    number: u64,
    pub(super) data: Value,
}

/// How a command is known to be done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'text> {
    /// This text comes back within this time.
    Echo(&'text str, Duration),
    /// No error comes within this time.
    Silence(Duration),
}

impl Desk {
    /// Hands a command over, and waits until it is known what became of it.
    pub(super) async fn carry_out(&self, channel: &Arc<str>, data: Value, proof: Proof<'_>) -> Outcome {
        let (echo, patience) = match proof {
            Proof::Echo(text, patience) => (Some(comparable(text)), patience),
            Proof::Silence(patience) => (None, patience),
        };
        let (number, mut outcome) = self.submit(channel, data, echo)?;
        let slip = Slip { desk: self, number };
        match timeout(patience, &mut outcome).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(_)) => return Err(ActionError::Lost("the connection was closed".to_owned())),
            Err(_) => {}
        }
        match slip.withdraw() {
            // It came just now.
            None => {
                outcome.try_recv().unwrap_or_else(|_| Err(ActionError::Lost("the connection was closed".to_owned())))
            }
            Some(waiting) if !waiting.is_written => {
                Err(ActionError::Unreachable("the connection takes nothing at the moment".to_owned()))
            }
            Some(waiting) if waiting.echo.is_some() => {
                Err(ActionError::Lost(format!("it did not come back from the chat within {patience:?}")))
            }
            Some(_) => Ok(Receipt::default()),
        }
    }

    fn submit(
        &self,
        channel: &Arc<str>,
        data: Value,
        echo: Option<String>,
    ) -> Result<(u64, oneshot::Receiver<Outcome>), ActionError> {
        let mut state = self.state();
        let unreachable = |why: &str| ActionError::Unreachable(why.to_owned());
        let outgoing = state.outgoing.clone().ok_or_else(|| unreachable("there is no connection"))?;
        state.count += 1;
        let number = state.count;
        outgoing.try_send(Command { number, data }).map_err(|_| unreachable("too much waits for the connection"))?;
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(Waiting {
            number,
            channel: Arc::clone(channel),
            echo,
            is_written: false,
            outcome: sender,
        });
        Ok((number, receiver))
    }

    /// Takes commands until the value is dropped; then nothing more is taken, and who waits is told.
    pub(super) fn open(self: &Arc<Self>) -> OpenDesk {
        let (outgoing, commands) = mpsc::channel(MOST_OUTGOING);
        self.state().outgoing = Some(outgoing);
        OpenDesk { desk: Arc::clone(self), commands }
    }

    /// A line of our own was heard: the oldest that waits for it is done.
    pub(super) fn heard(&self, channel: &str, text: &str, message_id: &str) {
        let text = comparable(text);
        let mut state = self.state();
        let is_it = |waiting: &Waiting| *waiting.channel == *channel && waiting.echo.as_ref() == Some(&text);
        if let Some(waiting) = state.waiting.iter().position(is_it).and_then(|position| state.waiting.remove(position))
        {
            let message_id = Some(message_id.to_owned()).filter(|id| !id.is_empty());
            // Nobody waits any more for what was given up just now.
            let _ = waiting.outcome.send(Ok(Receipt { message_id }));
        }
    }

    /// The channel of the oldest line that waits for this text, for what comes back without a channel.
    pub(super) fn channel_of(&self, text: &str) -> Option<Arc<str>> {
        let text = comparable(text);
        let state = self.state();
        let waiting = state.waiting.iter().find(|waiting| waiting.echo.as_ref() == Some(&text));
        waiting.map(|waiting| Arc::clone(&waiting.channel))
    }

    /// A command was refused. Says whether one was waiting.
    pub(super) fn heard_refusal(&self, words: &str) -> bool {
        let mut state = self.state();
        let position = state.waiting.iter().position(|waiting| waiting.is_written);
        let Some(waiting) = position.and_then(|position| state.waiting.remove(position)) else { return false };
        let _ = waiting.outcome.send(Err(ActionError::Refused(words.to_owned())));
        true
    }

    fn withdraw(&self, number: u64) -> Option<Waiting> {
        let mut state = self.state();
        let position = state.waiting.iter().position(|waiting| waiting.number == number)?;
        state.waiting.remove(position)
    }

    fn close(&self) {
        let mut state = self.state();
        state.outgoing = None;
        for waiting in state.waiting.drain(..) {
            let why = "the connection was lost".to_owned();
            let error = if waiting.is_written { ActionError::Lost(why) } else { ActionError::Unreachable(why) };
            let _ = waiting.outcome.send(Err(error));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under this lock is whole before anything can fail.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The desk while there is a socket; held by whoever writes to it.
pub(super) struct OpenDesk {
    desk: Arc<Desk>,
    commands: mpsc::Receiver<Command>,
}

impl OpenDesk {
    /// The next command that somebody still waits for. From now on it counts as written. May be dropped at any await.
    pub(super) async fn next(&mut self) -> Command {
        loop {
            // The desk holds the other end for as long as this value lives.
            let Some(command) = self.commands.recv().await else { return std::future::pending().await };
            let mut state = self.desk.state();
            if let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.number == command.number) {
                waiting.is_written = true;
                return command;
            }
        }
    }
}

impl Drop for OpenDesk {
    fn drop(&mut self) {
        self.desk.close();
    }
}

/// Takes a command back when nobody waits for it any more.
struct Slip<'desk> {
    desk: &'desk Desk,
    number: u64,
}

impl Slip<'_> {
    fn withdraw(&self) -> Option<Waiting> {
        self.desk.withdraw(self.number)
    }
}

impl Drop for Slip<'_> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// A line as it may come back: with other spaces, or with its signs written as entities.
fn comparable(text: &str) -> String {
    plain(text)
}

#[cfg(test)]
mod tests;
