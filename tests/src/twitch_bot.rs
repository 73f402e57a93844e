//! The accounts of a Twitch config under their supervisors, without the rest of the engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use showrunner::auth::{Access, Role, TokenError, Tokens};
use showrunner::config::settings::TwitchSettings;
use showrunner::effect::Action;
use showrunner::event::{Channel, Draft, Event};
use showrunner::observation::{ConnectionState, Observation, Observer};
use showrunner::platform::supervisor::{Statuses, Supervision, supervise};
use showrunner::platform::{ActionError, Receipt, Sink, twitch};
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::bot::install_tls;
use crate::twitch::{BOT_SCOPES, BROADCASTER_SCOPES, CLIENT_ID, CLIENT_SECRET, FakeTwitch, STREAMER, STREAMER_ID};

/// Longer than anything here takes; only a hung test meets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A grant at the fake, kept in memory.
pub struct TestTokens {
    http: reqwest::Client,
    oauth_base: Url,
    /// Id and login.
    user: Mutex<(String, String)>,
    now: Mutex<Result<crate::twitch::Tokens, TokenError>>,
}

impl TestTokens {
    pub fn new(twitch: &FakeTwitch, login: &str, scopes: &str) -> Arc<Self> {
        install_tls();
        Arc::new(Self {
            http: reqwest::Client::new(),
            oauth_base: twitch.oauth_base(),
            user: Mutex::new((twitch.user(login).id, login.to_owned())),
            now: Mutex::new(Ok(twitch.grant(login, scopes))),
        })
    }

    /// Somebody signs in again, with these scopes.
    pub fn sign_in_again(&self, twitch: &FakeTwitch, scopes: &str) {
        let (_, login) = self.user.lock().unwrap().clone();
        *self.now.lock().unwrap() = Ok(twitch.grant(&login, scopes));
    }

    /// Somebody else signs in.
    pub fn sign_in_as(&self, twitch: &FakeTwitch, login: &str, scopes: &str) {
        *self.user.lock().unwrap() = (twitch.user(login).id, login.to_owned());
        self.sign_in_again(twitch, scopes);
    }

    /// From now on there is none.
    pub fn fail(&self, error: TokenError) {
        *self.now.lock().unwrap() = Err(error);
    }
}

#[async_trait]
impl Tokens for TestTokens {
    async fn read(&self) -> Result<Access, TokenError> {
        let tokens = self.now.lock().unwrap().clone()?;
        let (user_id, login) = self.user.lock().unwrap().clone();
        Ok(Access {
            token: SecretString::from(tokens.access),
            user_id,
            login,
            scopes: tokens.scopes,
            expires_at_ms: None,
        })
    }

    async fn refresh(&self, stale: &Access) -> Result<Access, TokenError> {
        let tokens = self.now.lock().unwrap().clone()?;
        if tokens.access != stale.token.expose_secret() {
            return self.read().await;
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", &tokens.refresh),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.oauth_base.join("token").unwrap());
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let text = |field: &str| answer.get(field).and_then(Value::as_str).map(str::to_owned);
        let (Some(access), Some(refresh)) = (text("access_token"), text("refresh_token")) else {
            return Err(TokenError::SignIn { why: "the grant is gone".into(), what_to_do: "sign in again".into() });
        };
        *self.now.lock().unwrap() = Ok(crate::twitch::Tokens { access, refresh, ..tokens });
        self.read().await
    }
}

pub struct TwitchBot {
    pub events: mpsc::UnboundedReceiver<Draft>,
    states: broadcast::Receiver<Arc<Observation>>,
    pub statuses: Statuses,
    /// By the name of the account.
    pub sinks: BTreeMap<String, Arc<dyn Sink>>,
    /// Every state that was reported, as text.
    pub reported: Vec<String>,
    _shutdown: DropGuard,
}

impl TwitchBot {
    /// The broadcaster with every scope there is.
    pub fn start(twitch: &FakeTwitch) -> Self {
        let scopes = format!("{BOT_SCOPES} {BROADCASTER_SCOPES}");
        Self::start_with(&twitch.settings(), &TestTokens::new(twitch, STREAMER, &scopes))
    }

    /// The same tokens, whoever asks.
    pub fn start_with(settings: &TwitchSettings, tokens: &Arc<TestTokens>) -> Self {
        Self::start_as(settings, |_, _| Arc::clone(tokens), |_| None)
    }

    pub fn start_as(
        settings: &TwitchSettings,
        tokens: impl Fn(Role, &str) -> Arc<TestTokens>,
        missed_since: impl Fn(&Channel) -> Option<u64>,
    ) -> Self {
        install_tls();
        let http = twitch::client(settings).unwrap();
        let tokens = |role, channel: &str| tokens(role, channel) as Arc<dyn Tokens>;
        let memory = Arc::new(twitch::Memory::default());
        for channel in settings.channels.iter().map(|id| Channel::new(twitch::PLATFORM, id.as_str())) {
            if let Some(since_ms) = missed_since(&channel) {
                memory.missed_since(&channel, since_ms);
            }
        }
        let accounts = twitch::accounts(settings, tokens, &http, &memory);
        let (observer, statuses) = (Observer::default(), Statuses::default());
        let states = observer.watch();
        let (sender, events) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let mut sinks = BTreeMap::new();
        for account in accounts {
            sinks.insert(account.name, account.sink);
            for listener in account.sources {
                let sender = sender.clone();
                let supervision = Supervision {
                    name: listener.name,
                    channels: listener.channels,
                    accept: Arc::new(move |draft| drop(sender.send(draft))),
                    observer: observer.clone(),
                    statuses: statuses.clone(),
                };
                tokio::spawn(supervise(listener.source, supervision, shutdown.clone()));
            }
        }
        Self { events, states, statuses, sinks, reported: Vec::new(), _shutdown: shutdown.drop_guard() }
    }

    pub async fn ready(twitch: &FakeTwitch) -> Self {
        let mut bot = Self::start(twitch);
        bot.until_ready().await;
        bot
    }

    /// The next state that `is_wanted`, of whichever connection. Waits of the supervisor are cut short: they have
    /// their own tests.
    pub async fn until(&mut self, is_wanted: impl Fn(&str, &ConnectionState) -> bool) -> ConnectionState {
        loop {
            let observation = timeout(PATIENCE, self.states.recv()).await;
            let observation = observation.unwrap_or_else(|_| panic!("no state in time after {:#?}", self.reported));
            let observation = observation.unwrap();
            let Observation::Connection { name, state } = &*observation else { continue };
            self.reported.push(format!("{name}: {state} {state:?}"));
            if is_wanted(name, state) {
                return state.clone();
            }
            if matches!(state, ConnectionState::BackingOff { .. }) {
                self.statuses.restart(name);
            }
        }
    }

    pub async fn until_ready(&mut self) {
        self.until(|_, state| *state == ConnectionState::Ready { degraded: None }).await;
    }

    pub async fn until_degraded(&mut self) -> String {
        match self.until(|_, state| matches!(state, ConnectionState::Ready { degraded: Some(_) })).await {
            ConnectionState::Ready { degraded: Some(why) } => why,
            other => panic!("{other:?}"),
        }
    }

    /// Why it stopped, and what is to be done.
    pub async fn until_stopped(&mut self) -> (String, String) {
        match self.until(|_, state| matches!(state, ConnectionState::Stopped { .. })).await {
            ConnectionState::Stopped { why, what_to_do } => (why, what_to_do),
            other => panic!("{other:?}"),
        }
    }

    /// Why it was lost.
    pub async fn until_lost(&mut self) -> String {
        match self.until(|_, state| matches!(state, ConnectionState::BackingOff { .. })).await {
            ConnectionState::BackingOff { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    pub async fn draft(&mut self) -> Draft {
        let draft = timeout(PATIENCE, self.events.recv()).await;
        draft.unwrap_or_else(|_| panic!("no event in time; {:#?}", self.reported)).unwrap()
    }

    /// The next event that is of use.
    pub async fn next<T>(&mut self, is_wanted: impl Fn(&Draft) -> Option<T>) -> T {
        loop {
            if let Some(found) = is_wanted(&self.draft().await) {
                return found;
            }
        }
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

    /// By the only account there is, in the room of the streamer.
    pub async fn perform(&self, action: Action) -> Result<Receipt, ActionError> {
        let sink = self.sinks.values().next().unwrap();
        sink.perform(&Channel::new(twitch::PLATFORM, STREAMER_ID), &action).await
    }

    pub async fn say(&self, text: &str) -> Result<Receipt, ActionError> {
        self.perform(Action::Say { text: text.to_owned() }).await
    }
}
