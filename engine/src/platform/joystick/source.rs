//! The half that listens, and writes what the other half wants written: one run is one connection.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::catch_up::CatchUp;
use super::commands::{CommandQueue, Refused};
use super::gateway::{Gateway, Pass, ended, is_refusal};
use super::reader::Reader;
use super::wire::{Heard, read};
use crate::event::Event;
use crate::observation::ConnectionState;
use crate::platform::actioncable::{CableError, Incoming, Session};
use crate::platform::{Disconnect, Link, Source};

/// A token that was good for this long was good.
const HELD: Duration = Duration::from_secs(30);

pub(super) struct JoystickSource {
    gateway: Gateway,
    reader: Reader,
    queue: Arc<CommandQueue>,
    catch_up: CatchUp,
}

impl JoystickSource {
    pub(super) fn new(gateway: Gateway, reader: Reader, queue: Arc<CommandQueue>, catch_up: CatchUp) -> Self {
        Self { gateway, reader, queue, catch_up }
    }
}

#[async_trait]
impl Source for JoystickSource {
    async fn run(&mut self, link: &Link) -> Disconnect {
        let (session, pass) = match self.connect(link).await {
            Ok(connected) => connected,
            Err(end) => return end,
        };
        let begun = Instant::now();
        let error = self.listen(session, &pass, link).await;
        if begun.elapsed() >= HELD {
            self.gateway.has_held();
        }
        if !is_refusal(&error) {
            return ended(&error);
        }
        // Nothing is heard any more, and another token may be long in coming.
        link.report(ConnectionState::Authenticating);
        match self.gateway.renew(&pass, &error).await {
            Ok(()) => Disconnect::Retry(format!("{error}; the access token was refreshed")),
            Err(end) => end,
        }
    }
}

impl JoystickSource {
    /// Dials and subscribes. A token that is refused is refreshed once.
    async fn connect(&mut self, link: &Link) -> Result<(Session, Pass), Disconnect> {
        loop {
            link.report(ConnectionState::Authenticating);
            let pass = self.gateway.pass().await?;
            match subscribe(&self.gateway, &pass, link).await {
                Ok(session) => return Ok((session, pass)),
                Err(error) if is_refusal(&error) => self.gateway.renew(&pass, &error).await?,
                Err(error) => return Err(ended(&error)),
            }
        }
    }

    /// Hands on what comes and writes what is to be done, until the connection ends.
    async fn listen(&mut self, mut session: Session, pass: &Pass, link: &Link) -> CableError {
        link.report(ConnectionState::Ready { degraded: None });
        let mut commands = self.queue.open();
        self.catch_up.begin(pass.access());
        loop {
            tokio::select! {
                incoming = session.next() => match incoming {
                    Ok(incoming) => self.hear(&incoming, link),
                    Err(error) => return error,
                },
                command = commands.next() => {
                    if let Err(error) = self.gateway.perform(&mut session, &command.data).await {
                        return error;
                    }
                }
                missed = self.catch_up.missed() => missed.into_iter().for_each(|draft| link.emit(draft)),
            }
        }
    }

    fn hear(&mut self, incoming: &Incoming, link: &Link) {
        if !self.gateway.is_ours(incoming) {
            tracing::debug!("What is of another subscription was skipped.");
            return;
        }
        let mut parsed = match read(&incoming.message) {
            Heard::Event(parsed) => *parsed,
            Heard::Error(words) => {
                self.hear_refusal(&words);
                return;
            }
        };
        // A line of our own that comes back without its channel is known by who waits for it.
        if let Event::Chat(message) = &parsed.event
            && parsed.channel.is_none()
            && self.reader.is_own(&parsed.event)
        {
            parsed.channel = self.queue.channel_of(&message.text).map(|channel| channel.to_string());
        }
        let Some(draft) = self.reader.draft(parsed) else { return };
        if let Some(line) = Reader::own_line(&draft) {
            self.queue.heard(&draft.channel.id, &line.text, &line.id);
        }
        if self.catch_up.hears(&draft) {
            tracing::debug!(channel = %draft.channel, "It was told before, when it was looked up.");
            return;
        }
        link.emit(draft);
    }

    fn hear_refusal(&self, words: &str) {
        match self.queue.heard_refusal(words) {
            Refused::Waiting => {}
            Refused::Ended { name, channel } => tracing::warn!(
                command = name,
                %channel,
                words,
                "The gateway refused a command late, when it was already taken for done, or the one that came after it."
            ),
            Refused::Nobody => tracing::warn!(words, "The gateway refused a command that nobody waits for any more."),
        }
    }
}

/// Until the subscription is confirmed nothing is known to work: a token that is refused may connect.
async fn subscribe(gateway: &Gateway, pass: &Pass, link: &Link) -> Result<Session, CableError> {
    let mut session = gateway.open(pass).await?;
    link.report(ConnectionState::Subscribing);
    gateway.subscribe(&mut session).await?;
    Ok(session)
}
