//! The half that listens: one run is one connection, by socket or, while that is refused, by polling.

mod dialer;
mod fill;
mod reader;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::dialer::Dialer;
use self::fill::{Fill, Progress};
use self::reader::Reader;
use super::rest::Rest;
use crate::config::settings::RetakeSettings;
use crate::event::Channel;
use crate::observation::ConnectionState;
use crate::platform::http::HttpError;
use crate::platform::sent::Sent;
use crate::platform::socketio::{Incoming, Session, SocketError};
use crate::platform::websocket::DialError;
use crate::platform::{Disconnect, Link, Source};

/// A history that is asked more often than this is attacked.
const SHORTEST_POLL: Duration = Duration::from_millis(200);

pub(super) struct RetakeSource {
    dialer: Dialer,
    reader: Reader,
    rest: Arc<Rest>,
    poll: Duration,
}

impl RetakeSource {
    pub(super) fn new(
        settings: &RetakeSettings,
        channel: Channel,
        rest: Arc<Rest>,
        sent: Arc<Sent>,
        missed_since: Option<u64>,
    ) -> Self {
        Self {
            dialer: Dialer::new(settings),
            reader: Reader::new(settings, channel, sent, missed_since),
            rest,
            poll: settings.poll.max(SHORTEST_POLL),
        }
    }
}

#[async_trait]
impl Source for RetakeSource {
    async fn run(&mut self, link: &Link) -> Disconnect {
        self.reader.begin_connection();
        let session = match self.dialer.dial().await {
            Ok(session) => session,
            Err(error) if is_refusal(&error) => match self.poll_until_dialled(&error, link).await {
                Ok(session) => session,
                Err(end) => return end,
            },
            Err(error) => return Disconnect::Retry(error.to_string()),
        };
        self.listen(session, link).await
    }
}

impl RetakeSource {
    /// Joins, fills the gap and hands on what comes, until the socket ends.
    async fn listen(&mut self, mut session: Session, link: &Link) -> Disconnect {
        link.report(ConnectionState::Subscribing);
        let early = match self.dialer.join(&mut session).await {
            Ok(early) => early,
            Err(error) => return Disconnect::Retry(error.to_string()),
        };
        link.report(ConnectionState::Ready { degraded: None });
        self.reader.begin_connection();
        // Live events wait for what was missed, so that all are told in their order.
        self.reader.hold();
        for event in &early {
            if let Err(error) = self.hear(&mut session, event, link).await {
                return self.lost(&error, link);
            }
        }
        let mut fill = Fill::new(self.rest.clone(), self.reader.gap());
        let mut degraded = None;
        loop {
            tokio::select! {
                event = session.next() => {
                    let heard = match event {
                        Ok(event) => self.hear(&mut session, &event, link).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = heard {
                        return self.lost(&error, link);
                    }
                }
                page = fill.arrival() => self.take_page(&mut fill, page, &mut degraded, link),
            }
        }
    }

    /// Hands on an event, and joins the room of a new session of the stream.
    async fn hear(&mut self, session: &mut Session, event: &Incoming, link: &Link) -> Result<(), SocketError> {
        match self.reader.hear(event, link) {
            Some(session_id) => self.dialer.join_session(session, &session_id).await,
            None => Ok(()),
        }
    }

    fn lost(&mut self, error: &SocketError, link: &Link) -> Disconnect {
        self.reader.release(link);
        Disconnect::Retry(error.to_string())
    }

    fn take_page(&mut self, fill: &mut Fill, page: fill::Page, degraded: &mut Option<String>, link: &Link) {
        let now = match fill.take(page, self.reader.seen()) {
            Progress::More => return,
            Progress::Complete(gap) => {
                self.reader.close_gap(gap, link);
                None
            }
            // The chat goes on; what was missed will be told late.
            Progress::Later { error, is_lasting } => {
                tracing::debug!(%error, room = %self.reader.channel(), "The history can't be read yet.");
                self.reader.release(link);
                if !is_lasting {
                    return;
                }
                Some(format!("what was missed while it was away can't be read yet: {error}"))
            }
            Progress::Failed(error) => {
                self.reader.give_up_gap(link);
                Some(format!("what was missed while it was away can't be read: {}", self.rest.explain(&error)))
            }
        };
        if *degraded != now {
            degraded.clone_from(&now);
            link.report(ConnectionState::Ready { degraded: now });
        }
    }

    /// Reads the history again and again until the socket is no longer refused.
    async fn poll_until_dialled(&mut self, refusal: &SocketError, link: &Link) -> Result<Session, Disconnect> {
        let degraded = format!("reading by polling, because {refusal}");
        tokio::select! {
            session = self.dialer.dial_until_accepted(refusal) => Ok(session),
            end = poll(&mut self.reader, &self.rest, self.poll, degraded, link) => Err(end),
        }
    }
}

/// Whether the server is there and does not want the socket, so that it is of use to read the history instead.
/// A server that is overloaded or restarting is left alone.
fn is_refusal(error: &SocketError) -> bool {
    match error {
        SocketError::Dial(DialError::Refused(refusal)) => refusal.status < 500 && refusal.status != 429,
        SocketError::Dial(DialError::HungUp | DialError::Unsupported(_))
        | SocketError::ConnectError { .. }
        | SocketError::Unsupported(_) => true,
        _ => false,
    }
}

async fn poll(reader: &mut Reader, rest: &Arc<Rest>, every: Duration, degraded: String, link: &Link) -> Disconnect {
    loop {
        reader.begin_connection();
        let mut fill = Fill::new(rest.clone(), reader.gap());
        let mut pause = every;
        loop {
            let page = fill.arrival().await;
            match fill.take(page, reader.seen()) {
                Progress::More => {}
                Progress::Complete(gap) => {
                    reader.close_gap(gap, link);
                    link.report(ConnectionState::Ready { degraded: Some(degraded.clone()) });
                    break;
                }
                Progress::Later { error, .. } => match error.retry_after() {
                    Some(wait) => {
                        pause = wait.max(every);
                        break;
                    }
                    None => return Disconnect::Retry(format!("{degraded}; then: {error}")),
                },
                Progress::Failed(error) => return unreadable(&degraded, &error, rest),
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// Neither the socket nor the history can be read. Only a token that is wrong needs a person; whatever else the
/// service refuses, it may take back.
fn unreadable(degraded: &str, error: &HttpError, rest: &Rest) -> Disconnect {
    if rest.refuses_token(error) {
        return Disconnect::Stop {
            why: format!("the socket is refused, and the history too: {error}"),
            what_to_do: "put a valid access token in the config".to_owned(),
        };
    }
    Disconnect::Retry(format!("{degraded}; then: {}", rest.explain(error)))
}
