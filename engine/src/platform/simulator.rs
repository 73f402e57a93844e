//! A platform without a service: it takes what is injected, may play a script, and accepts every action.
//!
//! Everything it tells has the origin `test`, so nothing of it ever counts as the real thing. `showrunner simulate`
//! injects into it, the demo plays `config/demo-stream.toml`, and what plugins say comes back as our own line, so
//! that a terminal shows both sides. What it was asked for it can write into a file.

mod draft;
mod record;
mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

pub use self::draft::{Simulated, SimulationError, draft};
use self::record::Record;
pub use self::record::RecordError;
pub use self::script::{Beat, Script, ScriptError};
use super::{Account, ActionError, Disconnect, Link, Listener, Receipt, Sink, Source};
use crate::config::settings::SimulatorSettings;
use crate::effect::Action;
use crate::event::{Channel, ChatMessage, Draft, Event, Origin, Roles, User, now_ms};
use crate::observation::ConnectionState;

/// The name of the platform.
pub const PLATFORM: &str = "simulator";

/// Injected events that wait. An injector that is faster than the engine is told so.
const QUEUE: usize = 1024;

/// Why there is no simulator.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("simulator.script: {0}")]
    Script(#[from] ScriptError),
    #[error("simulator.record: {0}")]
    Record(#[from] RecordError),
}

/// Injects events into a running simulator. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimulatorHandle {
    events: mpsc::Sender<Draft>,
    channel: Channel,
}

impl SimulatorHandle {
    /// Hands over an event as if the platform had sent it. Never waits.
    pub fn inject(&self, draft: Draft) -> Result<(), SimulationError> {
        self.events.try_send(draft).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SimulationError::Busy,
            mpsc::error::TrySendError::Closed(_) => SimulationError::Closed,
        })
    }

    /// Makes the event that a person described and injects it.
    pub fn simulate(&self, simulated: &Simulated) -> Result<(), SimulationError> {
        self.inject(draft(simulated, &self.channel.id)?)
    }
}

/// The account that `settings` describe, and the way to inject into it.
pub fn account(settings: &SimulatorSettings) -> Result<(Account, SimulatorHandle), SimulatorError> {
    let script = settings.script.as_deref().map(Script::load).transpose()?;
    let record = settings.record.as_deref().map(Record::open).transpose()?;
    let channel = Channel::new(PLATFORM, settings.channel.as_str());
    let (sender, events) = mpsc::channel(QUEUE);
    let handle = SimulatorHandle { events: sender.clone(), channel: channel.clone() };
    let (name, channels) = (channel.to_string(), vec![channel.clone()]);
    let source = Box::new(SimulatorSource { events, script, channel });
    let account = Account {
        name: name.clone(),
        channels: channels.clone(),
        sources: vec![Listener { name, channels, source }],
        sink: Arc::new(SimulatorSink { echoes: sender, count: AtomicU64::new(0), record }),
        pace: settings.pace,
    };
    Ok((account, handle))
}

struct SimulatorSource {
    events: mpsc::Receiver<Draft>,
    script: Option<Script>,
    channel: Channel,
}

#[async_trait]
impl Source for SimulatorSource {
    async fn run(&mut self, link: &Link) -> Disconnect {
        link.report(ConnectionState::Ready { degraded: None });
        let Self { events, script, channel } = self;
        let play = async {
            if let Some(script) = script {
                play(script, &channel.id, link).await;
                tracing::debug!(channel = %channel, "The script of the simulator has come to its end.");
            }
            std::future::pending::<()>().await;
        };
        let inject = async {
            while let Some(draft) = events.recv().await {
                link.emit(draft);
            }
        };
        tokio::select! {
            () = play => {}
            () = inject => {}
        }
        Disconnect::Stop {
            why: "nobody can inject any more".to_owned(),
            what_to_do: "nothing is to be done".to_owned(),
        }
    }
}

/// Plays the script from its beginning; returns only when it does not loop.
async fn play(script: &Script, channel: &str, link: &Link) {
    let mut begin = Instant::now();
    for round in 0.. {
        for beat in script.round(round) {
            sleep_until(begin + beat.at).await;
            match draft(&beat.simulated, channel) {
                Ok(draft) => link.emit(draft),
                // Loading has tried every step.
                Err(error) => tracing::warn!(%error, "A step of the script can't be played."),
            }
        }
        let Some(length) = script.round_length() else { return };
        begin += length;
        sleep_until(begin).await;
    }
}

struct SimulatorSink {
    echoes: mpsc::Sender<Draft>,
    count: AtomicU64,
    record: Option<Record>,
}

#[async_trait]
impl Sink for SimulatorSink {
    async fn perform(&self, channel: &Channel, action: &Action) -> Result<Receipt, ActionError> {
        if let Some(record) = &self.record {
            record.write(channel, action)?;
        }
        let (text, reply_to) = match action {
            Action::Say { text } | Action::Announce { text } => (text, None),
            Action::Reply { message_id, text } => (text, Some(message_id.clone())),
            _ => return Ok(Receipt::default()),
        };
        let message_id = format!("own-{}", self.count.fetch_add(1, Ordering::Relaxed) + 1);
        let chat = ChatMessage {
            id: message_id.clone(),
            author: bot(),
            text: text.clone(),
            reply_to,
            ..ChatMessage::default()
        };
        let draft =
            Draft { origin: Origin::Test, own: true, ..Draft::new(channel.clone(), now_ms(), Event::Chat(chat)) };
        // The echo is only there to be seen; in a flood it may be missed.
        let _ = self.echoes.try_send(draft);
        Ok(Receipt { message_id: Some(message_id) })
    }
}

/// Ourselves, in the simulated chat.
fn bot() -> User {
    User {
        id: "simulated:showrunner".to_owned(),
        login: "showrunner".to_owned(),
        display_name: "Showrunner".to_owned(),
        roles: Roles { bot: true, ..Roles::default() },
        ..User::default()
    }
}

#[cfg(test)]
mod tests;
