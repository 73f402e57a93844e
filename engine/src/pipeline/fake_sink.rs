//! A platform for the tests: answers as it is told to and remembers what it was asked, when, and how much at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::effect::Action;
use crate::event::Channel;
use crate::platform::{ActionError, Receipt, Sink};

type Answer = Result<Receipt, ActionError>;

pub(super) struct FakeSink {
    started: Instant,
    latency: Duration,
    state: Mutex<State>,
    performed: mpsc::UnboundedSender<Action>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    always: Option<ActionError>,
    panics: usize,
    calls: Vec<(Duration, Action)>,
    under_way: usize,
    peak: usize,
}

impl FakeSink {
    /// Each call takes so long; `Duration::MAX` never ends.
    pub(super) fn new(latency: Duration) -> (Arc<Self>, mpsc::UnboundedReceiver<Action>) {
        let (performed, receiver) = mpsc::unbounded_channel();
        let sink = Self { started: Instant::now(), latency, state: Mutex::default(), performed };
        (Arc::new(sink), receiver)
    }

    /// Answers the next calls like this; those after them are done.
    pub(super) fn answer(&self, answers: impl IntoIterator<Item = ActionError>) {
        self.state.lock().unwrap().answers.extend(answers.into_iter().map(Err));
    }

    pub(super) fn always_answer(&self, error: ActionError) {
        self.state.lock().unwrap().always = Some(error);
    }

    /// Panics in so many calls from now on.
    pub(super) fn panic_next(&self, calls: usize) {
        self.state.lock().unwrap().panics = calls;
    }

    /// What was asked, and how long after the start.
    pub(super) fn calls(&self) -> Vec<(Duration, String)> {
        let state = self.state.lock().unwrap();
        state.calls.iter().map(|(at, action)| (*at, describe(action))).collect()
    }

    pub(super) fn order(&self) -> Vec<String> {
        self.calls().into_iter().map(|(_, call)| call).collect()
    }

    pub(super) fn peak(&self) -> usize {
        self.state.lock().unwrap().peak
    }
}

/// A text says itself.
pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::Say { text } => text.clone(),
        Action::RemoveMessage { message_id, .. } => format!("remove {message_id}"),
        Action::Suspend { user_id, .. } => format!("suspend {user_id}"),
        other => other.name().to_owned(),
    }
}

#[async_trait]
impl Sink for FakeSink {
    async fn perform(&self, _: &Channel, action: &Action) -> Answer {
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.calls.push((self.started.elapsed(), action.clone()));
            let panics = std::mem::take(&mut state.panics);
            if panics > 0 {
                state.panics = panics - 1;
                drop(state);
                panic!("told so");
            }
            state.under_way += 1;
            state.peak = state.peak.max(state.under_way);
            let always = state.always.clone();
            state.answers.pop_front().unwrap_or_else(|| always.map_or_else(|| Ok(Receipt::default()), Err))
        };
        if self.latency == Duration::MAX {
            std::future::pending::<()>().await;
        } else if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        self.state.lock().unwrap().under_way -= 1;
        let _ = self.performed.send(action.clone());
        answer
    }
}
