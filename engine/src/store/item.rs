//! What can stand in the writer's queue.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::error::StoreError;
use super::group::Group;
use super::unfinished::Holders;
use crate::effect::{Batch, EffectResult, PluginId};
use crate::event::{Channel, Envelope};
use crate::recording::Recording;

pub(super) enum Item {
    Event {
        envelope: Arc<Envelope>,
        own: bool,
        holders: Holders,
    },
    /// Nobody has this event in hand any more.
    Finished(Arc<str>),
    /// A plugin gets an event that it must not miss.
    Kept {
        plugin: PluginId,
        envelope: Arc<Envelope>,
        is_given: bool,
    },
    /// It has handled it.
    Forgotten {
        plugin: PluginId,
        event_id: Arc<str>,
    },
    /// A number of a channel was given to what is not journalled.
    Sequence {
        channel: Channel,
        sequence: u64,
    },
    Result(EffectResult),
    Removed {
        channel: Channel,
        message_id: String,
    },
    Batch(Box<Batch>),
    Recording(Box<Recording>),
    Request(Box<dyn Work>),
}

/// What a request needs of its group's commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    /// Its answer says that the write survives a loss of power.
    Durable,
}

/// A request, whatever its answer's type.
pub(super) trait Work: Send {
    fn access(&self) -> Access;
    /// Does the work within a transaction and keeps the answer.
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError>;
    /// Gives the answer, after the commit, or the error instead.
    fn finish(&mut self, outcome: Result<(), StoreError>);
}

pub(super) struct Request<T, F> {
    access: Access,
    work: F,
    value: Option<T>,
    answer: Option<oneshot::Sender<Result<T, StoreError>>>,
}

impl<T, F> Request<T, F> {
    pub(super) fn new(access: Access, work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { access, work, value: None, answer: Some(answer) }
    }
}

impl<T, F> Work for Request<T, F>
where
    T: Send,
    F: FnMut(&mut Group<'_>) -> Result<T, StoreError> + Send,
{
    fn access(&self) -> Access {
        self.access
    }

    fn run(&mut self, group: &mut Group<'_>) -> Result<(), StoreError> {
        self.value = Some((self.work)(group)?);
        Ok(())
    }

    fn finish(&mut self, outcome: Result<(), StoreError>) {
        let Some(answer) = self.answer.take() else { return };
        let value = match (outcome, self.value.take()) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone away meanwhile.
        let _ = answer.send(value);
    }
}

impl Item {
    /// The access that a request asks for; `None` for a write that nobody waits for.
    pub(super) fn access(&self) -> Option<Access> {
        match self {
            Self::Request(work) => Some(work.access()),
            _ => None,
        }
    }
}
