//! Asks for the pages of the history that a gap wants, one after the other, and again when one can't be had.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::time::{Sleep, sleep};

use super::super::history::{Gap, Next, Seen};
use super::super::rest::Rest;
use super::super::wire::Parsed;
use crate::platform::Backoff;
use crate::platform::http::HttpError;

/// Failures in a row before it is said: about half a minute of trying. A server that has just come back may take its
/// sockets before it can answer for its history.
const MANY_FAILURES: u32 = 6;

pub(super) type Page = Result<Vec<Parsed>, HttpError>;

pub(super) struct Fill {
    rest: Arc<Rest>,
    /// `None` when it is filled, or can't be.
    gap: Option<Gap>,
    before: Option<String>,
    state: State,
    backoff: Backoff,
    failures: u32,
}

enum State {
    Asking(BoxFuture<'static, Page>),
    Waiting(Pin<Box<Sleep>>),
    Over,
}

/// What became of the gap with the last page.
#[derive(Debug)]
pub(super) enum Progress {
    More,
    Complete(Gap),
    /// It will be asked for again, however long that takes.
    Later {
        error: HttpError,
        /// Has failed for so long that it should be said.
        is_lasting: bool,
    },
    /// It can't be had.
    Failed(HttpError),
}

impl Fill {
    pub(super) fn new(rest: Arc<Rest>, gap: Gap) -> Self {
        let mut fill =
            Self { rest, gap: Some(gap), before: None, state: State::Over, backoff: Backoff::new(), failures: 0 };
        fill.ask();
        fill
    }

    fn ask(&mut self) {
        let (rest, before) = (self.rest.clone(), self.before.clone());
        self.state = State::Asking(async move { rest.history(before.as_deref()).await }.boxed());
    }

    /// The next page. May be dropped and called again; never returns once the gap is closed.
    pub(super) async fn arrival(&mut self) -> Page {
        if let State::Waiting(sleep) = &mut self.state {
            sleep.await;
            self.ask();
        }
        match &mut self.state {
            State::Asking(page) => {
                let page = page.await;
                self.state = State::Over;
                page
            }
            State::Waiting(_) | State::Over => pending().await,
        }
    }

    pub(super) fn take(&mut self, page: Page, seen: &Seen) -> Progress {
        let Some(mut gap) = self.gap.take() else {
            return Progress::More;
        };
        match page {
            Ok(page) => {
                self.failures = 0;
                self.backoff.reset();
                match gap.take(page, seen) {
                    Next::Complete => return Progress::Complete(gap),
                    Next::Before(message_id) => self.before = Some(message_id),
                }
                self.gap = Some(gap);
                self.ask();
                Progress::More
            }
            Err(error) if error.is_passing() => {
                self.failures = self.failures.saturating_add(1);
                self.gap = Some(gap);
                let wait = self.backoff.draw().max(error.retry_after().unwrap_or_default());
                self.state = State::Waiting(Box::pin(sleep(wait)));
                Progress::Later { error, is_lasting: self.failures >= MANY_FAILURES }
            }
            Err(error) => Progress::Failed(error),
        }
    }
}
