//! One account under its supervisor, without the rest of the engine.

use std::sync::{Arc, Once};
use std::time::Duration;

use showrunner::config::settings::RetakeSettings;
use showrunner::effect::Action;
use showrunner::event::{Channel, ChatMessage, Draft, Event};
use showrunner::observation::{ConnectionState, Observation, Observer};
use showrunner::platform::supervisor::{Statuses, Supervision, supervise};
use showrunner::platform::{Account, ActionError, Receipt, Sink, retake};
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::retake::ROOM;

/// Longer than anything here takes; only a hung test meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An account under its supervisor, as the engine would run it, and what came of it.
pub struct Bot {
    pub events: mpsc::UnboundedReceiver<Draft>,
    states: broadcast::Receiver<Arc<Observation>>,
    pub statuses: Statuses,
    pub sink: Arc<dyn Sink>,
    /// Every state that was reported, as text.
    pub reported: Vec<String>,
    _shutdown: DropGuard,
}

impl Bot {
    pub fn start(settings: &RetakeSettings) -> Self {
        Self::with_client(settings, client(settings))
    }

    pub fn with_client(settings: &RetakeSettings, http: reqwest::Client) -> Self {
        Self::run(retake::account(settings, http, None))
    }

    /// Any account with one source.
    pub fn run(mut account: Account) -> Self {
        let (observer, statuses) = (Observer::default(), Statuses::default());
        let states = observer.watch();
        let (sender, events) = mpsc::unbounded_channel();
        let supervision = Supervision {
            name: account.name,
            channels: account.channels,
            accept: Arc::new(move |draft| drop(sender.send(draft))),
            observer,
            statuses: statuses.clone(),
        };
        let shutdown = CancellationToken::new();
        tokio::spawn(supervise(account.sources.remove(0).source, supervision, shutdown.clone()));
        let sink = account.sink;
        Self { events, states, statuses, sink, reported: Vec::new(), _shutdown: shutdown.drop_guard() }
    }

    /// Starts and waits until events will come.
    pub async fn ready(settings: &RetakeSettings) -> Self {
        let mut bot = Self::start(settings);
        bot.until_ready().await;
        bot
    }

    /// The next state that `is_wanted`. Waits of the supervisor are cut short: they have their own tests.
    pub async fn until(&mut self, is_wanted: impl Fn(&ConnectionState) -> bool) -> ConnectionState {
        loop {
            let observation = timeout(PATIENCE, self.states.recv()).await.expect("no state in time").unwrap();
            let Observation::Connection { name, state } = &*observation else { continue };
            self.reported.push(format!("{state} {state:?}"));
            if is_wanted(state) {
                return state.clone();
            }
            if matches!(state, ConnectionState::BackingOff { .. }) {
                self.statuses.restart(name);
            }
        }
    }

    pub async fn until_ready(&mut self) {
        self.until(|state| *state == ConnectionState::Ready { degraded: None }).await;
    }

    pub async fn until_degraded(&mut self) -> String {
        match self.until(|state| matches!(state, ConnectionState::Ready { degraded: Some(_) })).await {
            ConnectionState::Ready { degraded: Some(why) } => why,
            other => panic!("{other:?}"),
        }
    }

    pub async fn draft(&mut self) -> Draft {
        timeout(PATIENCE, self.events.recv()).await.expect("no event in time").unwrap()
    }

    /// The texts of all chat lines up to this one, which must be the last that was written.
    pub async fn chat_until(&mut self, last: &str) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            if let Event::Chat(chat) = self.draft().await.event {
                texts.push(chat.text);
            }
            if texts.last().is_some_and(|text| text == last) {
                return texts;
            }
        }
    }

    pub async fn chat(&mut self) -> (ChatMessage, bool) {
        let draft = self.draft().await;
        match draft.event {
            Event::Chat(chat) => (chat, draft.own),
            other => panic!("{other:?}"),
        }
    }

    pub async fn say(&self, text: &str) -> Result<Receipt, ActionError> {
        Self::say_by(&*self.sink, text).await
    }

    pub async fn say_by(sink: &dyn Sink, text: &str) -> Result<Receipt, ActionError> {
        sink.perform(&Channel::new("retake", ROOM), &Action::Say { text: text.into() }).await
    }
}

/// What the engine's main does before anything else.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn client(settings: &RetakeSettings) -> reqwest::Client {
    install_tls();
    retake::client(settings).unwrap()
}
