//! What can stand in the writer's queue.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::group::Group;
use super::unfinished::WeakInFlight;
use crate::effect::{Batch, EffectResult, KvWrite, PluginId};
use crate::event::{Channel, Envelope, Event};
use crate::recording::{Call, Note, Recording};

pub(super) enum Item {
    Event {
        envelope: Arc<Envelope>,
        own: bool,
        in_flight: WeakInFlight,
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
    /// What it holds in memory for that long, where it may be much.
    fn bytes(&self) -> usize;
    /// Whose durable memory it reads, if it does that.
    fn reads_memory_of(&self) -> Option<&PluginId>;
    /// What of it is written when the disk takes it again, though nobody waits for that.
    fn left_behind(&mut self) -> Option<Item>;
}

pub(super) struct Request<T, F> {
    access: Access,
    work: F,
    value: Option<T>,
    reads_memory_of: Option<PluginId>,
    rest: Option<Item>,
    bytes: usize,
    answer: Option<oneshot::Sender<Result<T, StoreError>>>,
}

impl<T, F> Request<T, F> {
    pub(super) fn new(access: Access, work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { access, work, value: None, reads_memory_of: None, rest: None, bytes: 0, answer: Some(answer) }
    }

    /// It must not be answered while something that this plugin wrote waits for the disk.
    pub(super) fn reading_memory_of(self, plugin: PluginId) -> Self {
        Self { reads_memory_of: Some(plugin), ..self }
    }

    /// What is to be written later when the disk refuses the whole.
    pub(super) fn with_rest(self, rest: Item) -> Self {
        // The work holds as much again, and so does whoever waits.
        Self { bytes: 3 * rest.bytes(), rest: Some(rest), ..self }
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

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn reads_memory_of(&self) -> Option<&PluginId> {
        self.reads_memory_of.as_ref()
    }

    fn left_behind(&mut self) -> Option<Item> {
        self.rest.take()
    }
}

impl Item {
    /// What of it may be large, in bytes: what plugins write, and what viewers do.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Event { envelope, .. } | Self::Kept { envelope, .. } => event_bytes(envelope),
            Self::Batch(batch) => {
                let effects: usize = batch.effects.iter().map(|numbered| numbered.effect.bytes()).sum();
                effects + batch.kv.iter().map(kv_bytes).sum::<usize>()
            }
            Self::Result(result) => result.bytes(),
            Self::Recording(recording) => recording_bytes(recording),
            Self::Finished(_) | Self::Forgotten { .. } | Self::Sequence { .. } | Self::Removed { .. } => 0,
            Self::Request(work) => work.bytes(),
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

const fn kv_bytes(write: &KvWrite) -> usize {
    match write {
        KvWrite::Set { key, value } => key.len() + value.len(),
        KvWrite::Remove { key } => key.len(),
    }
}

fn recording_bytes(recording: &Recording) -> usize {
    match recording {
        Recording::Start { memory, .. } => memory.iter().flatten().map(|(key, value)| key.len() + value.0.len()).sum(),
        Recording::Note { note: Note::Call(Call { results, kv }), .. } => {
            let written = kv.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |value| value.0.len()));
            written.sum::<usize>() + results.iter().map(|result| value_bytes(&result.answer)).sum::<usize>()
        }
        Recording::Note { .. } => 0,
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(value_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + value_bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<Value>(),
    }
}
