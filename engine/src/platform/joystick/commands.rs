//! Where the half that acts meets the half that has the socket: commands on their way out, and who waits for what
//! becomes of them.
//!
//! The service answers nothing. A line that was said comes back as an event like any other; a command that fails is
//! told in a frame that names none, so it is taken for the oldest that waits; and of everything else there is silence.
//! What is done in silence is remembered for a while, as its error may be late: then two commands may be meant, and the
//! one that waits is not said to be refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::wire::plain;
use crate::platform::{ActionError, Receipt};

/// Commands that the socket has not taken yet, at most: as many as an account may have under way.
const MOST_OUTGOING: usize = 256;
/// For so long what was taken for done may still be refused.
const LATE: Duration = Duration::from_secs(5);
/// Each takes away one layer of entities. Nobody writes so many, and a text of nothing else must not cost its square.
const MOST_READINGS: usize = 8;

type Outcome = Result<Receipt, ActionError>;

#[derive(Default)]
pub(super) struct CommandQueue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The way to the socket, while a subscription is confirmed.
    outgoing: Option<mpsc::Sender<Command>>,
    /// In the order in which they were given.
    waiting: VecDeque<Waiting>,
    /// Silent commands that nobody waits for any more, in the order in which they ended.
    ended: VecDeque<Ended>,
    count: u64,
}

struct Waiting {
    number: u64,
    channel: Arc<str>,
    awaits: Awaits,
    /// From then on nobody knows whether it arrived.
    is_written: bool,
    /// What the gateway said when it refused this command or one that had ended before.
    doubt: Option<String>,
    outcome: oneshot::Sender<Outcome>,
}

enum Awaits {
    /// This text, as [`comparable`] writes it.
    Echo(String),
    /// Nothing, by a command of this name.
    Silence(String),
}

/// A silent command that was taken for done, or that was given up.
struct Ended {
    name: String,
    channel: Arc<str>,
    at: Instant,
}

/// Whose a refusal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Who waits was told.
    Waiting,
    /// Of a command that was taken for done, as far as anybody can tell.
    Ended {
        name: String,
        channel: Arc<str>,
    },
    Nobody,
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
    /// No error comes within this time. The name is for errors that come later.
    Silence(&'text str, Duration),
}

impl CommandQueue {
    /// Hands a command over, and waits until it is known what became of it.
    pub(super) async fn carry_out(&self, channel: &Arc<str>, data: Value, proof: Proof<'_>) -> Outcome {
        let (awaits, patience) = match proof {
            Proof::Echo(text, patience) => (Awaits::Echo(comparable(text)), patience),
            Proof::Silence(name, patience) => (Awaits::Silence(name.to_owned()), patience),
        };
        let (number, mut outcome) = self.submit(channel, data, awaits)?;
        let slip = Slip { queue: self, number };
        match timeout(patience, &mut outcome).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(_)) => return Err(ActionError::Lost("the connection was closed".to_owned())),
            Err(_) => {}
        }
        match slip.withdraw().map(|waiting| waiting.unanswered(patience)) {
            // It came just now.
            None => {
                outcome.try_recv().unwrap_or_else(|_| Err(ActionError::Lost("the connection was closed".to_owned())))
            }
            Some(unanswered) => unanswered,
        }
    }

    fn submit(
        &self,
        channel: &Arc<str>,
        data: Value,
        awaits: Awaits,
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
            awaits,
            is_written: false,
            doubt: None,
            outcome: sender,
        });
        Ok((number, receiver))
    }

    /// Takes commands until the value is dropped; then nothing more is taken, and who waits is told.
    pub(super) fn open(self: &Arc<Self>) -> OpenQueue {
        let (outgoing, commands) = mpsc::channel(MOST_OUTGOING);
        self.state().outgoing = Some(outgoing);
        OpenQueue { queue: Arc::clone(self), commands }
    }

    /// A line of our own was heard: the oldest that waits for it is done.
    pub(super) fn heard(&self, channel: &str, text: &str, message_id: &str) {
        let text = comparable(text);
        let mut state = self.state();
        let is_it = |waiting: &Waiting| *waiting.channel == *channel && waiting.awaits.is_echo(&text);
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
        let waiting = state.waiting.iter().find(|waiting| waiting.awaits.is_echo(&text));
        waiting.map(|waiting| Arc::clone(&waiting.channel))
    }

    /// A command was refused. Where it may have been one that has ended, the oldest that waits is only in doubt.
    pub(super) fn heard_refusal(&self, words: &str) -> Refused {
        let mut state = self.state();
        state.forget_ended();
        let position = state.waiting.iter().position(|waiting| waiting.is_written);
        if let Some(Ended { name, channel, .. }) = state.ended.pop_front() {
            if let Some(waiting) = position.and_then(|position| state.waiting.get_mut(position)) {
                waiting.doubt = Some(words.to_owned());
            }
            return Refused::Ended { name, channel };
        }
        let Some(waiting) = position.and_then(|position| state.waiting.remove(position)) else {
            return Refused::Nobody;
        };
        let _ = waiting.outcome.send(Err(ActionError::Refused(words.to_owned())));
        Refused::Waiting
    }

    fn withdraw(&self, number: u64) -> Option<Waiting> {
        let mut state = self.state();
        let position = state.waiting.iter().position(|waiting| waiting.number == number)?;
        let waiting = state.waiting.remove(position)?;
        state.forget_ended();
        if let Awaits::Silence(name) = &waiting.awaits
            && waiting.is_written
            && waiting.doubt.is_none()
        {
            let ended = Ended { name: name.clone(), channel: Arc::clone(&waiting.channel), at: Instant::now() };
            state.ended.push_back(ended);
        }
        Some(waiting)
    }

    fn close(&self) {
        let mut state = self.state();
        state.outgoing = None;
        state.ended.clear();
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

impl State {
    fn forget_ended(&mut self) {
        self.ended.retain(|ended| ended.at.elapsed() < LATE);
    }
}

impl Waiting {
    /// What is known of it when nothing was heard for as long as anybody waits.
    fn unanswered(self, patience: Duration) -> Outcome {
        if !self.is_written {
            return Err(ActionError::Unreachable("the connection takes nothing at the moment".to_owned()));
        }
        let refused = |words| format!("the gateway refused it, or a command before it, with \"{words}\"");
        match (self.awaits, self.doubt.map(refused)) {
            (Awaits::Silence(_), None) => Ok(Receipt::default()),
            (Awaits::Silence(_), Some(refused)) => Err(ActionError::Lost(refused)),
            (Awaits::Echo(_), doubt) => {
                let refused = doubt.map(|refused| format!("; {refused}")).unwrap_or_default();
                Err(ActionError::Lost(format!("it did not come back from the chat within {patience:?}{refused}")))
            }
        }
    }
}

impl Awaits {
    fn is_echo(&self, text: &str) -> bool {
        matches!(self, Self::Echo(echo) if echo == text)
    }
}

/// The queue while there is a socket; held by whoever writes to it.
pub(super) struct OpenQueue {
    queue: Arc<CommandQueue>,
    commands: mpsc::Receiver<Command>,
}

impl OpenQueue {
    /// The next command that somebody still waits for. From now on it counts as written. May be dropped at any await.
    pub(super) async fn next(&mut self) -> Command {
        loop {
            // The queue holds the other end for as long as this value lives.
            let Some(command) = self.commands.recv().await else { return std::future::pending().await };
            let mut state = self.queue.state();
            if let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.number == command.number) {
                waiting.is_written = true;
                return command;
            }
        }
    }
}

impl Drop for OpenQueue {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Takes a command back when nobody waits for it any more.
struct Slip<'queue> {
    queue: &'queue CommandQueue,
    number: u64,
}

impl Slip<'_> {
    fn withdraw(&self) -> Option<Waiting> {
        self.queue.withdraw(self.number)
    }
}

impl Drop for Slip<'_> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// A line as it may come back: with other spaces, with its signs written as entities, or without what looks like a tag.
/// So both sides are read until there is nothing left to read.
fn comparable(text: &str) -> String {
    let mut read = plain(text);
    for _ in 0..MOST_READINGS {
        let again = plain(&read);
        if again == read {
            break;
        }
        read = again;
    }
    read
}

#[cfg(test)]
mod tests;
