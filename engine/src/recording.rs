//! What is kept beside the events themselves, so that a stream can be played again as it was: what a plugin was started
//! with, what the reviewers said, what a plugin was told by the world outside of it.
//!
//! Plain data: `plugin` and `pipeline` make it, `store` keeps it, `replay` reads it.

mod blob;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

pub use self::blob::Blob;
use crate::config::settings::{OnFailure, PluginSettings};
use crate::effect::{Effect, KvWrite, PluginId, Verdict};
use crate::event::{Channel, Envelope};
use crate::permission::Permissions;

/// A plugin's durable memory as it is written down.
pub type Memory = BTreeMap<String, Blob>;

/// Something to be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Recording {
    Start {
        start: Box<Start>,
        /// The plugin's memory at that moment, where the operator wants it to be recorded.
        memory: Option<Memory>,
    },
    /// Something that belongs to one event and to one plugin.
    Note { event_id: Arc<str>, plugin: PluginId, note: Note },
}

/// A version of a plugin took over, with what the operator said of it then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    pub plugin: PluginId,
    pub version: String,
    /// "sha256:<hex>" of the component.
    pub hash: String,
    #[serde(default)]
    pub reviewer: bool,
    #[serde(default)]
    pub fallback: bool,
    /// Whether its calls were recorded, see [`Call`].
    #[serde(default)]
    pub record: bool,
    /// `None` where the operator had not decided, as for what ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Permissions>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    #[serde(default)]
    pub on_failure: OnFailure,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

impl Start {
    /// What the operator said, as far as it matters to a replay: secrets are never written down.
    pub fn operator(&self) -> PluginSettings {
        PluginSettings {
            grant: self.grant.clone(),
            channels: self.channels.clone(),
            on_failure: self.on_failure,
            record: self.record,
            settings: self.settings.clone(),
            ..PluginSettings::default()
        }
    }

    /// Whether the operator said the same of it, as far as it matters to a replay.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let said = |start: &Self| (start.grant.clone(), start.channels.clone(), start.on_failure);
        said(self) == said(other) && self.settings == other.settings
    }
}

/// What is noted of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// A reviewer said something, or nothing in time. To let pass in time is not noted.
    Verdict {
        #[serde(flatten)]
        verdict: Verdict,
        /// It gave no answer, and the verdict is the operator's `on-failure`.
        #[serde(default, skip_serializing_if = "is_false")]
        late: bool,
    },
    Call(Call),
    /// The event was for this plugin only.
    Addressed,
    /// The event was held, and this plugin let it go its way then.
    Released {
        at_ms: u64,
    },
}

/// What a call into a plugin learned from outside, and what it wrote to its memory. Noted where the operator wants it
/// (`record = true`): it may hold whatever a web service answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<HostResult>,
    /// `None` for what was removed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kv: BTreeMap<String, Option<Blob>>,
}

impl Call {
    pub fn new(results: Vec<HostResult>, kv: &[KvWrite]) -> Self {
        let write = |write: &KvWrite| match write {
            KvWrite::Set { key, value } => (key.clone(), Some(Blob(value.clone()))),
            KvWrite::Remove { key } => (key.clone(), None),
        };
        Self { results, kv: kv.iter().map(write).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.results.is_empty() && self.kv.is_empty()
    }

    /// What a memory is after the call.
    pub fn apply_to(&self, memory: &mut Memory) {
        for (key, value) in &self.kv {
            match value {
                Some(value) => memory.insert(key.clone(), value.clone()),
                None => memory.remove(key),
            };
        }
    }
}

/// What the host answered to one function call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostResult {
    /// "http.send".
    pub function: String,
    /// A hash of the arguments: enough to know the same question again, and nothing to be read by others.
    pub asked: String,
    pub answer: Value,
}

/// How an http request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpAnswer {
    Response { status: u16, headers: Vec<(String, String)>, body: Blob },
    Failure { kind: String, message: String },
}

/// An event of the journal, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(rename = "event")]
    pub envelope: Arc<Envelope>,
    /// Written by one of our own accounts: no plugin ever got it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
    #[serde(flatten)]
    pub known: Known,
    /// The event that told the plugins of the reviewers' verdict on this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Box<Self>>,
}

/// What was noted of an event, and what plugins asked for because of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Noted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Done>,
}

/// The same of something that is not in the journal, as a plugin's timer: of one time that it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnCall {
    /// As [`cause`] spells it.
    pub cause: String,
    pub at_ms: u64,
    #[serde(flatten)]
    pub known: Known,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    pub plugin: PluginId,
    #[serde(flatten)]
    pub note: Note,
}

/// An effect as the ledger has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    pub plugin: PluginId,
    pub number: u32,
    pub effect: Effect,
    /// "pending", or how it ended.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
}

/// A part of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Up to this moment and without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<u64>,
    /// With the engine's own events, which belong to every channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

impl Window {
    pub fn shows(&self, envelope: &Envelope) -> bool {
        self.from_ms.is_none_or(|from| envelope.at_ms >= from)
            && self.to_ms.is_none_or(|to| envelope.at_ms < to)
            && self
                .channel
                .as_ref()
                .is_none_or(|channel| envelope.channel == *channel || envelope.channel == Channel::engine())
    }
}

/// By what an event is known again. The id of one that a plugin's actor made itself ends with what no other run will
/// make again; that end is left out.
pub fn cause(event_id: &str) -> &str {
    own_parts(event_id).map_or(event_id, |(cause, _)| cause)
}

/// Of the id of an event that a plugin's actor made itself: what it is known by, and the end, which rises with time.
pub fn own_parts(event_id: &str) -> Option<(&str, &str)> {
    event_id.rsplit_once(':').filter(|(_, unique)| is_own(event_id) && Uuid::try_parse(unique).is_ok())
}

/// Whether an event of this id was made for one plugin alone and is not in the journal.
pub fn is_own(event_id: &str) -> bool {
    ["timer:", "started:", "overflow:"].iter().any(|prefix| event_id.starts_with(prefix))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_an_actor_is_known_again_without_its_unique_end() {
        let id = Uuid::now_v7();
        assert_eq!(cause(&format!("timer:greeter:tick:{id}")), "timer:greeter:tick");
        assert_eq!(cause(&format!("timer:greeter:a:b:{id}")), "timer:greeter:a:b");
        assert_eq!(cause(&format!("started:greeter:{id}")), "started:greeter");
        for id in ["retake:5b7c", "timer:greeter:tick:1", &id.to_string()] {
            assert_eq!(cause(id), id);
        }
    }

    #[test]
    fn notes_survive_as_json() {
        let suspend = Verdict::Suspend { seconds: Some(60), reason: "links: \"spam.example\" (strike 2)".into() };
        let result = HostResult { function: "http.send".into(), asked: "00ff".into(), answer: Value::Bool(true) };
        let kv = [KvWrite::Set { key: "a".into(), value: vec![0xff] }, KvWrite::Remove { key: "b".into() }];
        let notes = [
            Note::Verdict { verdict: suspend, late: false },
            Note::Verdict { verdict: Verdict::Pass, late: true },
            Note::Call(Call::new(vec![result], &kv)),
            Note::Addressed,
            Note::Released { at_ms: 5 },
        ];
        for note in notes {
            let json = serde_json::to_string(&note).unwrap();
            assert_eq!(serde_json::from_str::<Note>(&json).unwrap(), note, "{json}");
        }
    }
}
