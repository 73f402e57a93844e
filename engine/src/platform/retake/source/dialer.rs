//! Opening the socket and joining the rooms. Rooms are the server's memory of one connection, so both belong
//! together: whoever dials must join again.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use uuid::Uuid;

use crate::config::settings::{RetakeGeneration, RetakeSettings};
use crate::platform::Backoff;
use crate::platform::backoff::YOUNG_OUTAGE;
use crate::platform::socketio::{Incoming, Options, Session, SocketError};
use crate::platform::websocket::DialError;

/// How long the answer to joinRoom is waited for. The second generation gives none, and there this only delays
/// what was missed.
const JOIN_WAIT: Duration = Duration::from_millis(500);
/// The listener that the first generation published gives up after this long.
const V1_HANDSHAKE: Duration = Duration::from_secs(10);
/// After so many events, whatever they are, the answer to joinRoom is not waited for any longer.
const MAX_EARLY: usize = 16;

pub(super) struct Dialer {
    url: Url,
    generation: RetakeGeneration,
    room: String,
}

impl Dialer {
    pub(super) fn new(settings: &RetakeSettings) -> Self {
        Self { url: settings.socket_url.clone(), generation: settings.generation, room: settings.room.clone() }
    }

    pub(super) async fn dial(&self) -> Result<Session, SocketError> {
        match self.generation {
            RetakeGeneration::V1 => {
                let client_id = Uuid::new_v4().to_string();
                let query = [("Client-ID", client_id.as_str()), ("Client-Type", "streamer")];
                let options = Options { handshake: V1_HANDSHAKE, ..Options::default() };
                Session::connect(&self.url, &query, &options).await
            }
            RetakeGeneration::V2 => Session::connect(&self.url, &[], &Options::default()).await,
        }
    }

    /// Tries until there is a session, with growing pauses. For as long as something else does the reading.
    ///
    /// A server that hung up may be one that restarts; one that refused has said what it wants.
    pub(super) async fn dial_until_accepted(&self, refusal: &SocketError) -> Session {
        let mut backoff = Backoff::new();
        let may_restart = !matches!(refusal, SocketError::Dial(DialError::Refused(_)));
        let young_until = Instant::now() + if may_restart { YOUNG_OUTAGE } else { Duration::ZERO };
        loop {
            if Instant::now() < young_until {
                backoff.reset();
            }
            sleep(backoff.draw()).await;
            match self.dial().await {
                Ok(session) => return session,
                Err(error) => tracing::debug!(%error, room = %self.room, "The socket is still refused."),
            }
        }
    }

    /// Joins and waits until the room answers, or a message shows that we are in it. Returns what came meanwhile.
    pub(super) async fn join(&self, session: &mut Session) -> Result<Vec<Incoming>, SocketError> {
        self.join_room(session, &self.room).await?;
        if self.generation == RetakeGeneration::V2 {
            // Where it tells of followers.
            self.join_room(session, &format!("live_{}", self.room)).await?;
        }
        let deadline = Instant::now() + JOIN_WAIT;
        let mut early = Vec::new();
        while early.len() < MAX_EARLY {
            let Ok(event) = timeout_at(deadline, session.next()).await else { break };
            let event = event?;
            if event.name == "joinedRoom" {
                break;
            }
            let shows_membership = event.name == "message";
            early.push(event);
            if shows_membership {
                break;
            }
        }
        Ok(early)
    }

    /// Joins the room of a stream's session, where the second generation tells of pinned messages.
    pub(super) async fn join_session(&self, session: &mut Session, session_id: &str) -> Result<(), SocketError> {
        match self.generation {
            RetakeGeneration::V1 => Ok(()),
            RetakeGeneration::V2 => self.join_room(session, &format!("{}/{session_id}", self.room)).await,
        }
    }

    async fn join_room(&self, session: &mut Session, room: &str) -> Result<(), SocketError> {
        session.emit("joinRoom", vec![json!({ "roomId": room })]).await
    }
}
