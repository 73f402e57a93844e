//! Grants against a small id server, on real databases.

mod crash;
mod failures;
mod keys;
mod refresh;
mod server;
mod sign_in;
mod validate;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use secrecy::ExposeSecret;
use tempfile::TempDir;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

use self::server::{IdServer, SECRET};
use super::answer::{AuthAnswer, AuthError, AuthRequest, Hidden};
use super::*;
use crate::config::settings::Settings;
use crate::store::{self, Store};

/// Which application of which platform a test is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum App {
    /// Its refresh tokens may be used again.
    Twitch,
    /// Without a secret: its refresh tokens serve once.
    PublicTwitch,
    Joystick,
    PublicJoystick,
}

impl App {
    pub(super) const fn platform(self) -> &'static str {
        match self {
            Self::Twitch | Self::PublicTwitch => "twitch",
            Self::Joystick | Self::PublicJoystick => "joystick",
        }
    }

    pub(super) const fn rotates(self) -> bool {
        !matches!(self, Self::Twitch)
    }

    pub(super) fn id(self) -> GrantId {
        let channel = if self.platform() == "twitch" { "141981764" } else { "3f9a0c" };
        GrantId::broadcaster(self.platform(), channel)
    }
}

/// A folder with a config, a database and an id server.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) server: IdServer,
    pub(super) settings: Arc<Settings>,
    pub(super) store: Store,
    pub(super) grants: Grants,
}

impl World {
    pub(super) async fn new(app: App) -> Self {
        Self::with_config(app, "").await
    }

    pub(super) async fn with_config(app: App, more: &str) -> Self {
        let server = IdServer::start(app.rotates()).await;
        let config = format!("{}{more}", config(app, &server.base()));
        let folder = tempfile::tempdir().unwrap();
        let settings = Arc::new(settings(&folder, &config));
        let store = open(&settings);
        let grants = Grants::new(store.clone(), &settings).unwrap();
        Self { folder, server, settings, store, grants }
    }

    /// The same with somebody signed in.
    pub(super) async fn signed_in(app: App) -> (Self, Arc<dyn Tokens>) {
        let world = Self::new(app).await;
        world.sign_in(app).await.unwrap();
        let tokens = world.grants.tokens(&app.id());
        (world, tokens)
    }

    pub(super) async fn sign_in(&self, app: App) -> Result<GrantView, AuthError> {
        self.sign_in_as(app, Role::Broadcaster).await
    }

    pub(super) async fn sign_in_as(&self, app: App, role: Role) -> Result<GrantView, AuthError> {
        let request = AuthRequest::Exchange {
            platform: app.platform().to_owned(),
            role,
            code: Hidden(format!("{SECRET}-code")),
            redirect: "http://localhost:3000/oauth".to_owned(),
            verifier: None,
        };
        match self.grants.answer(request).await? {
            AuthAnswer::SignedIn(grant) => Ok(grant),
            other => panic!("{other:?}"),
        }
    }

    /// As a daemon does it that ends and begins again.
    pub(super) async fn restarted(self) -> Self {
        self.grants.stop().await;
        self.store.close().await;
        let store = open(&self.settings);
        let grants = Grants::new(store.clone(), &self.settings).unwrap();
        Self { store, grants, ..self }
    }

    /// What the same daemon finds after it was killed now. The server goes on.
    pub(super) async fn after_kill(&self) -> Killed {
        self.store.flush().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for file in ["showrunner.db", "showrunner.db-wal", "auth.key"] {
            std::fs::copy(self.settings.data_dir.join(file), folder.path().join(file)).unwrap();
        }
        let settings = Arc::new(Settings { data_dir: folder.path().to_owned(), ..(*self.settings).clone() });
        let store = open(&settings);
        let grants = Grants::new(store.clone(), &settings).unwrap();
        Killed { _folder: folder, _store: store, grants }
    }

    pub(super) fn database(&self) -> PathBuf {
        store::path(&self.settings.data_dir)
    }

    /// Runs SQL beside the store.
    pub(super) fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(sql).unwrap();
    }

    pub(super) async fn condition(&self, app: App) -> Condition {
        let overview = self.grants.overview().await.unwrap();
        overview.grants.iter().find(|grant| grant.id == app.id()).unwrap().condition
    }
}

pub(super) struct Killed {
    _folder: TempDir,
    _store: Store,
    pub(super) grants: Grants,
}

fn open(settings: &Settings) -> Store {
    std::fs::create_dir_all(&settings.data_dir).unwrap();
    Store::open(&store::path(&settings.data_dir), &settings.journal).unwrap()
}

fn settings(folder: &TempDir, config: &str) -> Settings {
    let path = folder.path().join("showrunner.toml");
    std::fs::write(&path, config).unwrap();
    crate::config::load(&path).unwrap()
}

pub(super) fn config(app: App, base: &str) -> String {
    let secret = match app {
        App::Twitch | App::Joystick => format!("client-secret = \"cmd:echo {SECRET}-client\"\n"),
        App::PublicTwitch | App::PublicJoystick => String::new(),
    };
    match app.platform() {
        "twitch" => {
            format!("[twitch]\nclient-id = \"app\"\n{secret}oauth-base = \"{base}/oauth2/\"\naccounts = \"both\"\n")
        }
        _ => format!(
            "[joystick]\nclient-id = \"app\"\nbot = \"pixel\"\n{secret}consent-url = \"{base}/authorize\"\n\
             oauth-base = \"{base}/oauth2/\"\nrest-base = \"{base}/api/v1/\"\n"
        ),
    }
}

pub(super) fn token(access: &Access) -> String {
    access.token.expose_secret().to_owned()
}

/// What is logged in this thread, all of it.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn start() -> (Self, DefaultGuard) {
        // As long as there is one subscriber alone, a thread that has none can switch off for all what it logs first.
        static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));
        LazyLock::force(&ANOTHER);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(super) fn count(&self, part: &str) -> usize {
        self.text().matches(part).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
