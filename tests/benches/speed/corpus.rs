//! The events that everything is measured with: `tests/corpus/events`.

use std::sync::Arc;

use showrunner::event::{Draft, Envelope};

/// A kind of event, by the name of its file.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) envelope: Arc<Envelope>,
}

pub(crate) fn short_chat() -> Sample {
    sample("short chat", include_str!("../../corpus/events/short-chat.json"))
}

/// The greeters answer it.
pub(crate) fn command() -> Sample {
    sample("command", include_str!("../../corpus/events/command.json"))
}

pub(crate) fn all() -> [Sample; 5] {
    [
        short_chat(),
        sample("long chat", include_str!("../../corpus/events/long-chat.json")),
        command(),
        sample("gift of 20", include_str!("../../corpus/events/gift.json")),
        sample("raid", include_str!("../../corpus/events/raid.json")),
    ]
}

fn sample(name: &'static str, json: &str) -> Sample {
    Sample { name, envelope: Arc::new(serde_json::from_str(json).unwrap()) }
}

impl Sample {
    /// The same event once more, as a platform would hand it over, with an id of its own.
    pub(crate) fn draft(&self, number: usize) -> Draft {
        let Envelope { channel, event, extra, .. } = &*self.envelope;
        Draft {
            id: Some(format!("bench:{}:{number}", self.name).into()),
            extra: extra.clone(),
            ..Draft::new(channel.clone(), showrunner::event::now_ms(), event.clone())
        }
    }
}
