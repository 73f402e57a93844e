//! The whole engine on Joystick: a viewer is answered, and the config may change under it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use showrunner::config::settings::JoystickVersion::V1;
use showrunner::event::OutcomeStatus;
use showrunner::observation::{ConnectionState, Observation};
use showrunner_tests::daemon::{Daemon, Stage};
use showrunner_tests::joystick::{BOT, CHANNEL, CLIENT_ID, CLIENT_SECRET, FakeJoystick};

fn stage(joystick: &FakeJoystick, channels: &str) -> Stage {
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
        ("gateway-token", "basic"),
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
    assert_eq!(joystick.sent_texts(), ["gm, alice!"]);
    assert_eq!((joystick.most_sockets(), joystick.sockets()), (1, 0));
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
