//! What can stand in the writer's queue.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::error::StoreError;
use super::group::Group;
use crate::effect::{Action, Batch, Effect, EffectResult, KvWrite};
use crate::event::{Channel, Envelope, Event};

pub(super) enum Item {
    Event { envelope: Arc<Envelope>, own: bool },
    Result(EffectResult),
    Removed { channel: Channel, message_id: String },
    Batch(Box<Batch>),
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
    /// What of it may be large, in bytes: what plugins write, and what viewers do.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Event { envelope, .. } => event_bytes(envelope),
            Self::Batch(batch) => {
                let effects: usize = batch.effects.iter().map(|numbered| effect_bytes(&numbered.effect)).sum();
                effects + batch.kv.iter().map(kv_bytes).sum::<usize>()
            }
            Self::Result(_) | Self::Removed { .. } | Self::Request(_) => 0,
        }
    }

    /// The access that a request asks for; `None` for a write that nobody waits for.
    pub(super) fn access(&self) -> Option<Access> {
        match self {
            Self::Request(work) => Some(work.access()),
            _ => None,
        }
    }
}

fn event_bytes(envelope: &Envelope) -> usize {
    let extra = envelope.extra.as_ref().map_or(0, |extra| extra.len());
    extra
        + match &envelope.event {
            Event::Chat(message) | Event::Whisper(message) => message.text.len(),
            Event::Raw(raw) => raw.json.len(),
            _ => 0,
        }
}

fn effect_bytes(effect: &Effect) -> usize {
    match effect {
        Effect::Platform { action, .. } => match action {
            Action::Say { text }
            | Action::Reply { text, .. }
            | Action::Whisper { text, .. }
            | Action::Announce { text } => text.len(),
            Action::RemoveMessage { reason, .. } | Action::Suspend { reason, .. } | Action::Warn { reason, .. } => {
                reason.len()
            }
            Action::Shoutout { .. } | Action::Lift { .. } | Action::ResolveHeld { .. } => 0,
        },
        Effect::Alert(alert) => alert.title.len() + alert.text.len(),
        Effect::Enqueue { task, .. } => task.prompt.len() + task.context_json.as_ref().map_or(0, String::len),
        Effect::Publish { data_json, .. } => data_json.len(),
    }
}

const fn kv_bytes(write: &KvWrite) -> usize {
    match write {
        KvWrite::Set { key, value } => key.len() + value.len(),
        KvWrite::Remove { key } => key.len(),
    }
}
