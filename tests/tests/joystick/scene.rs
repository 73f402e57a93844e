//! A fake service, somebody who is signed in there, and a bot.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use showrunner::auth::{Access, TokenError, Tokens};
use showrunner::config::settings::{JoystickSettings, JoystickVersion};
use showrunner::effect::Action;
use showrunner::event::{Channel, Draft, Event};
use showrunner::observation::ConnectionState;
use showrunner::platform::{ActionError, Receipt, joystick};
use showrunner_tests::bot::{Bot, install_tls};
use showrunner_tests::joystick::{CHANNEL, FakeJoystick, SCOPES, STREAMER};

/// Who is signed in. A refresh gives the next of the tokens that wait.
pub(crate) struct SignedIn {
    access: Mutex<Access>,
    next: Mutex<Vec<String>>,
    pub(crate) reads: AtomicUsize,
    pub(crate) refreshes: AtomicUsize,
    /// Whoever holds it lets a refresh wait.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

impl SignedIn {
    pub(crate) fn with(token: &str) -> Arc<Self> {
        Arc::new(Self {
            access: Mutex::new(access(token)),
            next: Mutex::default(),
            reads: AtomicUsize::new(0),
            refreshes: AtomicUsize::new(0),
            gate: tokio::sync::Mutex::default(),
        })
    }

    /// The token that a refresh will give; without one, only a person can help.
    pub(crate) fn will_get(&self, token: &str) {
        self.next.lock().unwrap().push(token.to_owned());
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.refreshes.load(Ordering::SeqCst)
    }
}

fn access(token: &str) -> Access {
    Access {
        token: SecretString::from(token),
        user_id: CHANNEL.to_owned(),
        login: STREAMER.to_owned(),
        scopes: SCOPES.split_whitespace().map(str::to_owned).collect(),
        expires_at_ms: None,
    }
}

#[async_trait]
impl Tokens for SignedIn {
    async fn read(&self) -> Result<Access, TokenError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.access.lock().unwrap().clone())
    }

    async fn refresh(&self, stale: &Access) -> Result<Access, TokenError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.lock().await;
        let mut access_now = self.access.lock().unwrap();
        assert_eq!(stale.token.expose_secret(), access_now.token.expose_secret());
        let mut next = self.next.lock().unwrap();
        if next.is_empty() {
            let (why, what_to_do) = ("nobody is signed in".to_owned(), "run `showrunner auth joystick`".to_owned());
            return Err(TokenError::SignIn { why, what_to_do });
        }
        *access_now = access(&next.remove(0));
        Ok(access_now.clone())
    }
}

pub(crate) struct Scene {
    pub(crate) joystick: FakeJoystick,
    pub(crate) tokens: Arc<SignedIn>,
    pub(crate) bot: Bot,
}

impl Scene {
    /// A bot that is being started. `prepare` may change the service and the config before.
    pub(crate) async fn start(
        version: JoystickVersion,
        prepare: impl FnOnce(&FakeJoystick, &mut JoystickSettings),
    ) -> Self {
        let joystick = FakeJoystick::start().await;
        let tokens = SignedIn::with(&joystick.grant(STREAMER, SCOPES).access);
        let mut settings = joystick.settings(version);
        prepare(&joystick, &mut settings);
        let bot = bot(&settings, &tokens);
        Self { joystick, tokens, bot }
    }

    /// A bot that hears.
    pub(crate) async fn ready(version: JoystickVersion) -> Self {
        Self::ready_with(version, |_, _| {}).await
    }

    pub(crate) async fn ready_with(
        version: JoystickVersion,
        prepare: impl FnOnce(&FakeJoystick, &mut JoystickSettings),
    ) -> Self {
        let mut scene = Self::start(version, prepare).await;
        scene.bot.until_ready().await;
        scene
    }

    /// Why the connection was lost. The bot is not made to try again before.
    pub(crate) async fn backs_off(&mut self) -> String {
        match self.bot.until(|state| matches!(state, ConnectionState::BackingOff { .. })).await {
            ConnectionState::BackingOff { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    /// The same, when the bot waits for what will not come: the test's clock runs ahead to the end of its patience.
    pub(crate) async fn gives_up(&mut self) -> String {
        tokio::time::pause();
        let why = self.backs_off().await;
        tokio::time::resume();
        why
    }

    /// Why it gave up, and what a person is to do.
    pub(crate) async fn stops(&mut self) -> (String, String) {
        match self.bot.until(|state| matches!(state, ConnectionState::Stopped { .. })).await {
            ConnectionState::Stopped { why, what_to_do } => (why, what_to_do),
            other => panic!("{other:?}"),
        }
    }

    /// Tries again at once, and hears.
    pub(crate) async fn is_back(&mut self) {
        self.bot.statuses.restart("joystick:pixel");
        self.bot.until_ready().await;
    }

    pub(crate) async fn event(&mut self) -> Event {
        self.bot.draft().await.event
    }

    /// All events up to the chat line with this text, without it.
    pub(crate) async fn events_until(&mut self, last: &str) -> Vec<Draft> {
        let mut drafts = Vec::new();
        loop {
            let draft = self.bot.draft().await;
            match &draft.event {
                Event::Chat(chat) if chat.text == last => return drafts,
                _ => drafts.push(draft),
            }
        }
    }

    pub(crate) async fn act(&self, action: Action) -> Result<Receipt, ActionError> {
        self.act_in(CHANNEL, action).await
    }

    pub(crate) async fn act_in(&self, channel: &str, action: Action) -> Result<Receipt, ActionError> {
        self.bot.sink.perform(&Channel::new("joystick", channel), &action).await
    }

    /// The last that was done there.
    pub(crate) fn did(&self) -> showrunner_tests::joystick::Did {
        self.joystick.did().pop().unwrap()
    }
}

pub(crate) fn bot(settings: &JoystickSettings, tokens: &Arc<SignedIn>) -> Bot {
    install_tls();
    Bot::run(joystick::account(settings, Arc::clone(tokens) as Arc<dyn Tokens>, joystick::client().unwrap()))
}

pub(crate) fn say(text: &str) -> Action {
    Action::Say { text: text.to_owned() }
}
