//! The whole engine on Joystick: a viewer is answered, and the config may change under it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use showrunner::auth::answer::{AuthAnswer, AuthRequest, Hidden};
use showrunner::auth::consent::Attempt;
use showrunner::auth::{GrantId, GrantView, Role};
use showrunner::config;
use showrunner::config::settings::JoystickVersion::V1;
use showrunner::event::OutcomeStatus;
use showrunner::gateway::control::{Request, Response};
use showrunner::observation::{ConnectionState, Observation};
use showrunner_tests::bot::install_tls;
use showrunner_tests::daemon::{Daemon, Stage};
use showrunner_tests::joystick::{BOT, CHANNEL, CLIENT_ID, CLIENT_SECRET, FakeJoystick};
use url::Url;

fn stage(joystick: &FakeJoystick, channels: &str) -> Stage {
    stage_with(joystick, channels, "basic")
}

fn stage_with(joystick: &FakeJoystick, channels: &str, gateway_token: &str) -> Stage {
    let mut stage = Stage::default();
    stage.set("plugins.instant-replies", "enabled", "true");
    stage.set("plugins.instant-replies.settings.commands.gm", "answers", "[\"gm, {user}!\"]");
    let secret = stage.path().join("joystick-secret");
    fs::write(&secret, CLIENT_SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let settings = joystick.settings(V1);
    for (key, value) in [
        ("client-id", CLIENT_ID),
        ("client-secret", "file:joystick-secret"),
        ("bot", BOT),
        ("version", "v1"),
        ("gateway-token", gateway_token),
        ("gateway-url", settings.gateway_url.as_str()),
        ("rest-base", settings.rest_base.as_str()),
        ("oauth-base", settings.oauth_base.as_str()),
        ("consent-url", settings.consent_url.as_str()),
    ] {
        stage.set("joystick", key, &format!("\"{value}\""));
    }
    stage.set("joystick", "channels", channels);
    stage.set("joystick.pace", "messages-per-second", "0");
    stage
}

async fn until_ready(daemon: &mut Daemon) {
    let ready = |seen: &Observation| match seen {
        Observation::Connection { name, state: ConnectionState::Ready { degraded: None } } => {
            (name == "joystick:pixel").then_some(())
        }
        _ => None,
    };
    daemon.until("a connection that is ready", ready).await;
}

#[tokio::test]
async fn a_viewer_is_answered_once_and_the_bot_never_itself() {
    let joystick = FakeJoystick::start().await;
    let mut daemon = stage(&joystick, &format!("[\"{CHANNEL}\"]")).start().await;
    until_ready(&mut daemon).await;
    joystick.room().say(BOT, "!gm");
    joystick.room().say("alice", "!gm");
    let outcome = |seen: &Observation| match seen {
        Observation::Outcome { result, .. } => Some(result.clone()),
        _ => None,
    };
    let outcome = daemon.until("an answer", outcome).await;
    assert_eq!(outcome.status, OutcomeStatus::Done, "{outcome:?}");
    daemon.stop().await;
    joystick.saw(|joystick| joystick.sockets() == 0).await;
    assert_eq!(joystick.sent_texts(), ["gm, alice!"]);
    assert_eq!(joystick.most_sockets(), 1);
}

#[tokio::test]
async fn a_reload_connects_and_disconnects() {
    let joystick = FakeJoystick::start().await;
    let mut daemon = stage(&joystick, "[]").start().await;
    assert_eq!(joystick.sockets_ever(), 0, "nobody knows a channel yet");
    daemon.stage.set("joystick", "channels", &format!("[\"{CHANNEL}\"]"));
    daemon.stage.write_config();
    let reloaded = daemon.reload_config().await;
    assert!(reloaded.applied.contains(&"joystick connects".to_owned()), "{reloaded:?}");
    until_ready(&mut daemon).await;
    joystick.room().say("alice", "!gm");
    joystick.has_sent(1).await;
    daemon.stage.set("joystick", "channels", "[]");
    daemon.stage.write_config();
    daemon.reload_config().await;
    joystick.saw(|joystick| joystick.sockets() == 0).await;
    daemon.stop().await;
    assert_eq!(joystick.most_sockets(), 1);
}

async fn ask(daemon: &mut Daemon, request: AuthRequest) -> AuthAnswer {
    match daemon.request(&Request::Auth(request)).await.unwrap() {
        Response::Auth(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// As the streamer does it in a browser. An error is what the consent page answers in place of a code.
async fn sign_in(daemon: &mut Daemon) -> Result<GrantView, u16> {
    install_tls();
    let redirect = "http://localhost:3000/oauth";
    let settings = config::load_without_secrets(&daemon.stage.config()).unwrap();
    let attempt = Attempt::new(&settings, "joystick").unwrap();
    let page = attempt.address(&settings, "joystick", Role::Broadcaster, redirect).unwrap();
    let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(page).send().await.unwrap();
    let Some(back) = answer.headers().get(LOCATION) else { return Err(answer.status().as_u16()) };
    let back = Url::parse(back.to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    let request = AuthRequest::Exchange {
        platform: "joystick".to_owned(),
        role: Role::Broadcaster,
        code: Hidden(code),
        redirect: redirect.to_owned(),
        verifier: None,
    };
    match ask(daemon, request).await {
        AuthAnswer::SignedIn(grant) => Ok(grant),
        other => panic!("{other:?}"),
    }
}

/// Waits until the connection that was ready says that somebody has to sign in; closing it comes before, and says
/// nothing.
async fn until_signed_out(daemon: &mut Daemon) {
    let is_signed_out = |state: &ConnectionState| match state {
        ConnectionState::Stopped { what_to_do, .. } => what_to_do.contains("run `showrunner auth joystick`"),
        _ => false,
    };
    loop {
        let states = daemon.so_far().iter().filter_map(|seen| match &**seen {
            Observation::Connection { state, .. } => Some(state),
            _ => None,
        });
        let mut since_ready = states.skip_while(|state| !matches!(state, ConnectionState::Ready { .. }));
        if since_ready.any(is_signed_out) {
            return;
        }
        daemon.next_observation().await;
    }
}

#[tokio::test]
async fn who_takes_the_sign_in_back_disconnects_it() {
    let joystick = FakeJoystick::start().await;
    let mut daemon = stage_with(&joystick, &format!("[\"{CHANNEL}\"]"), "access").start().await;
    sign_in(&mut daemon).await.unwrap();
    until_ready(&mut daemon).await;
    let id = GrantId::broadcaster("joystick", CHANNEL);
    let answer = ask(&mut daemon, AuthRequest::Revoke { id, forget: false }).await;
    assert_eq!(answer, AuthAnswer::Revoked { untold: None });
    until_signed_out(&mut daemon).await;
    joystick.saw(|joystick| joystick.sockets() == 0).await;
    sign_in(&mut daemon).await.unwrap();
    joystick.saw(|joystick| joystick.sockets() == 1).await;
    daemon.stop().await;
    assert_eq!(joystick.most_sockets(), 1);
}

#[tokio::test]
async fn a_bot_that_was_given_less_asks_for_what_it_has() {
    let joystick = FakeJoystick::start().await;
    joystick.set_granted("stream:read chat:read chat:write");
    let mut daemon = stage_with(&joystick, &format!("[\"{CHANNEL}\"]"), "access").start().await;
    assert_eq!(sign_in(&mut daemon).await.unwrap_err(), 400);
    daemon.configure("joystick", "scopes", "[\"bot\"]").await;
    let grant = sign_in(&mut daemon).await.unwrap();
    assert_eq!((grant.user_id.as_str(), grant.missing), (CHANNEL, Vec::new()));
    joystick.saw(|joystick| joystick.sockets() == 1).await;
    daemon.stop().await;
}

#[tokio::test]
async fn who_signs_in_again_opens_the_connection_with_the_new_token() {
    let joystick = FakeJoystick::start().await;
    let mut daemon = stage_with(&joystick, &format!("[\"{CHANNEL}\"]"), "access").start().await;
    sign_in(&mut daemon).await.unwrap();
    until_ready(&mut daemon).await;
    joystick.has_listeners(1).await;
    sign_in(&mut daemon).await.unwrap();
    joystick.saw(|joystick| joystick.sockets_ever() == 2).await;
    joystick.has_listeners(1).await;
    joystick.room().say("alice", "!gm");
    joystick.has_sent(1).await;
    daemon.stop().await;
    assert_eq!((joystick.sockets_ever(), joystick.most_sockets()), (2, 1));
}
