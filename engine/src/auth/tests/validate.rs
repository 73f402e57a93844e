//! Whether the grants still hold is asked at the start and every hour.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::auth::grants::Services;
use crate::auth::http::RequestError;
use crate::auth::service::{Authority, Consent, DeviceCode, Identity, Polled, TokenSet};

#[tokio::test]
async fn a_token_that_is_not_valid_any_more_is_refreshed_once_and_else_the_sign_in_is_over() {
    let (log, _guard) = Log::start();
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let grant = world.grants.grant(&App::Twitch.id());
    grant.validate().await.unwrap();
    assert!(world.server.presented().is_empty());

    world.server.book(|book| book.access = "revoked".to_owned());
    grant.validate().await.unwrap();
    assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-2"));

    world.server.book(|book| (book.access, book.refresh) = ("revoked".to_owned(), "revoked".to_owned()));
    for _ in 0..3 {
        let TokenError::SignIn { what_to_do, .. } = grant.validate().await.unwrap_err() else { panic!() };
        assert!(what_to_do.starts_with("run `showrunner auth twitch`"), "{what_to_do}");
    }
    assert_eq!(world.server.presented().len(), 2);
    assert_eq!(log.count("Nobody is signed in any more."), 1);
    assert!(log.text().contains("ERROR") && log.text().contains("showrunner auth twitch"));
    assert!(!log.text().contains(SECRET), "{}", log.text());
}

#[tokio::test]
async fn what_the_service_says_of_a_grant_is_noted() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let now = json!({ "login": "anna_new", "user_id": "141981764", "scopes": ["user:read:chat"] });
    world.server.book(|book| book.answers.insert("/oauth2/validate".to_owned(), (200, now)));
    world.grants.grant(&App::Twitch.id()).validate().await.unwrap();
    let read = tokens.read().await.unwrap();
    assert_eq!((read.login.as_str(), read.scopes.as_slice()), ("anna_new", &["user:read:chat".to_owned()][..]));
}

#[tokio::test]
async fn what_is_said_late_of_a_token_is_not_noted_of_the_next_one() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    world.grants.configure(&Arc::new(settings(&world.folder, &config(App::Twitch, &base))));
    let grant = world.grants.grant(&App::Twitch.id());
    let validating = tokio::spawn(async move { grant.validate().await });
    let (mut stream, _) = listener.accept().await.unwrap();
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    // Somebody signs in while the service thinks.
    world.grants.configure(&world.settings);
    world.sign_in(App::Twitch).await.unwrap();
    let now = json!({ "login": "bert", "user_id": "7", "scopes": ["bits:read"] }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", now.len());
    stream.write_all(format!("{head}{now}").as_bytes()).await.unwrap();
    validating.await.unwrap().unwrap();
    let read = tokens.read().await.unwrap();
    assert_eq!((read.login.as_str(), read.scopes.len()), ("anna", 2));
}

#[tokio::test]
async fn a_service_that_does_not_answer_ends_no_sign_in() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    world.server.book(|book| book.answers.insert("/oauth2/validate".to_owned(), (503, json!({}))));
    assert!(matches!(world.grants.grant(&App::Twitch.id()).validate().await, Err(TokenError::Later(_))));
    tokens.read().await.unwrap();
    assert!(world.server.presented().is_empty());
}

/// Tells when it was asked, and answers as it is told.
struct Clocked {
    began: Instant,
    asked: mpsc::UnboundedSender<Duration>,
    answers: Mutex<Vec<Result<Identity, RequestError>>>,
}

#[async_trait]
impl Authority for Clocked {
    fn name(&self) -> &'static str {
        "Twitch"
    }

    fn client_id(&self) -> &str {
        "app"
    }

    fn rotates(&self) -> bool {
        false
    }

    async fn validate(&self, _: &SecretString) -> Option<Result<Identity, RequestError>> {
        let _ = self.asked.send(self.began.elapsed());
        Some(self.answers.lock().unwrap().pop().unwrap_or_else(|| Ok(Identity::default())))
    }

    async fn identify(&self, _: &SecretString) -> Result<Identity, RequestError> {
        Ok(Identity { user_id: Some("141981764".to_owned()), ..Identity::default() })
    }

    async fn exchange(&self, _: Consent<'_>) -> Result<TokenSet, RequestError> {
        let access = SecretString::from("access");
        Ok(TokenSet { access, refresh: None, issued_ms: 0, expires_ms: None, scopes: None })
    }

    async fn refresh(&self, _: &SecretString) -> Result<TokenSet, RequestError> {
        Err(RequestError::Undone("nobody asks".to_owned()))
    }

    async fn revoke(&self, _: &SecretString, _: Option<&SecretString>) -> Result<(), RequestError> {
        Ok(())
    }

    async fn device_code(&self, _: &str) -> Option<Result<DeviceCode, RequestError>> {
        None
    }

    async fn poll_device(&self, _: &SecretString, _: &str) -> Result<Polled, RequestError> {
        Ok(Polled::Pending)
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_at_the_start_and_every_hour_and_sooner_when_nobody_answered() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Arc::new(settings(&folder, &config(App::Twitch, "http://127.0.0.1:9")));
    let (sender, mut asked) = mpsc::unbounded_channel();
    let away = Err(RequestError::Lost("away".to_owned()));
    // Taken from the end.
    let answers = Mutex::new(vec![away, Ok(Identity::default())]);
    let clocked = Arc::new(Clocked { began: Instant::now(), asked: sender, answers });
    let services = Services::from([("twitch", clocked as Arc<dyn Authority>)]);
    let http = http::client().unwrap();
    let grants = Grants::with_services(open(&settings), &settings, http, services);
    let request = AuthRequest::Exchange {
        platform: "twitch".to_owned(),
        role: Role::Broadcaster,
        code: Hidden("c".to_owned()),
        redirect: String::new(),
        verifier: None,
    };
    grants.answer(request).await.unwrap();
    let shutdown = CancellationToken::new();
    let looking = tokio::spawn(grants.clone().look_after(shutdown.clone()));
    let mut times = Vec::new();
    for _ in 0..4 {
        times.push(asked.recv().await.unwrap().as_secs());
    }
    assert_eq!(times, [0, 3600, 3660, 7260]);
    shutdown.cancel();
    looking.await.unwrap();
}
