//! What the fake saw, for tests that ask and for tests that wait.

use serde_json::Value;

use super::FakeJoystick;
use super::event::Event;
use super::state::State;
use crate::service::Asked;

/// Something that a bot did, by the gateway or by REST. What does not belong to the action is "".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Did {
    /// `send_message`, `send_whisper`, `delete_message`, `mute_user`, `unmute_user`, `block_user`.
    pub action: String,
    pub channel_id: String,
    pub text: String,
    pub username: String,
    pub message_id: String,
}

#[derive(Default)]
pub(super) struct Record {
    pub(super) did: Vec<Did>,
    pub(super) told: Vec<Event>,
    /// Commands that nobody understood.
    pub(super) ignored: Vec<Value>,
}

impl State {
    pub(super) fn ignore(&self, command: &Value) {
        self.record().ignored.push(command.clone());
        self.requests.note_activity();
    }
}

impl FakeJoystick {
    /// Every request of any kind, the upgrade of sockets too.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.requests.asked()
    }

    /// Those after the first `count`.
    pub fn asked_since(&self, count: usize) -> Vec<Asked> {
        self.state.requests.asked_since(count)
    }

    /// Those whose line begins like this: "POST /api/oauth/token".
    pub fn asked_for(&self, line: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.line().starts_with(line)).collect()
    }

    /// All that bots did, in its order.
    pub fn did(&self) -> Vec<Did> {
        self.state.record().did.clone()
    }

    /// Those after the first `count`.
    pub fn did_since(&self, count: usize) -> Vec<Did> {
        self.state.record().did.iter().skip(count).cloned().collect()
    }

    /// The chat lines that bots sent.
    pub fn sent_texts(&self) -> Vec<String> {
        self.did().into_iter().filter(|did| did.action == "send_message").map(|did| did.text).collect()
    }

    /// Commands that were ignored, as they were not understood or for an identifier that is not subscribed.
    pub fn ignored(&self) -> Vec<Value> {
        self.state.record().ignored.clone()
    }

    /// All events that were told, whether or not anybody listened.
    pub fn told(&self) -> Vec<Event> {
        self.state.record().told.clone()
    }

    pub fn sockets(&self) -> usize {
        self.state.gateway().sockets.len()
    }

    /// Sockets that have at least one subscription.
    pub fn listeners(&self) -> usize {
        self.state.gateway().sockets.values().filter(|socket| !socket.subscriptions.is_empty()).count()
    }

    /// How many sockets there ever were at one time.
    pub fn most_sockets(&self) -> usize {
        self.state.gateway().most_sockets
    }

    /// How many sockets were ever opened.
    pub fn sockets_ever(&self) -> usize {
        usize::try_from(self.state.gateway().opened).unwrap()
    }

    /// How often anybody ever asked for a subscription.
    pub fn subscribes(&self) -> usize {
        self.state.gateway().subscribes
    }

    /// How often a refresh token was presented, whatever came of it.
    pub fn refreshes(&self) -> usize {
        self.state.tokens().refreshes
    }

    /// How often one was presented that had been used up: each cost an installation all its tokens.
    pub fn spent_refreshes(&self) -> usize {
        self.state.tokens().spent_again
    }

    /// Resolves when `is_enough` of whatever it saw until then.
    pub async fn saw(&self, is_enough: impl Fn(&Self) -> bool) {
        self.state.requests.activity.subscribe().wait_for(|()| is_enough(self)).await.unwrap();
    }

    /// Resolves when so many chat lines were sent.
    pub async fn has_sent(&self, count: usize) {
        self.saw(|joystick| joystick.sent_texts().len() >= count).await;
    }

    /// Resolves when so many sockets listen.
    pub async fn has_listeners(&self, count: usize) {
        self.saw(|joystick| joystick.listeners() == count).await;
    }
}
