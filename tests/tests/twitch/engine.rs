//! Twitch in a whole engine: it waits for somebody to sign in, works from then on, and follows the config.

use showrunner::auth::Role;
use showrunner::auth::answer::{AuthAnswer, AuthRequest};
use showrunner::event::Event;
use showrunner::gateway::control::{Request, Response};
use showrunner::observation::{ConnectionState, Observation};
use showrunner_tests::daemon::{Daemon, Stage};
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{DeviceAnswer, FakeTwitch, PUBLIC_CLIENT_ID, STREAMER_ID};

async fn start(twitch: &FakeTwitch) -> Daemon {
    let mut stage = Stage::with_probe();
    let urls = [
        ("eventsub-url", twitch.eventsub_url()),
        ("helix-base", twitch.helix_base()),
        ("oauth-base", twitch.oauth_base()),
    ];
    for (key, url) in urls {
        stage.set("twitch", key, &format!("\"{url}\""));
    }
    stage.set("twitch", "client-id", &format!("\"{PUBLIC_CLIENT_ID}\""));
    stage.set("twitch", "channels", &format!("[\"{STREAMER_ID}\"]"));
    stage.start().await
}

async fn until(daemon: &mut Daemon, what: &str, is_wanted: impl Fn(&ConnectionState) -> bool) {
    let pick = |seen: &Observation| match seen {
        Observation::Connection { name, state } if name == "twitch:1337" && is_wanted(state) => Some(()),
        _ => None,
    };
    daemon.until(what, pick).await;
}

async fn ask(daemon: &mut Daemon, request: AuthRequest) -> AuthAnswer {
    match daemon.request(&Request::Auth(request)).await.unwrap() {
        Response::Auth(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn sign_in(daemon: &mut Daemon) {
    let (platform, role) = ("twitch".to_owned(), Role::Broadcaster);
    let request = AuthRequest::DeviceCode { platform: platform.clone(), role };
    let AuthAnswer::DeviceCode { device_code, .. } = ask(daemon, request).await else { panic!("no code") };
    let request = AuthRequest::PollDevice { platform, role, device_code };
    let answer = ask(daemon, request).await;
    assert!(matches!(answer, AuthAnswer::SignedIn(_)), "{answer:?}");
}

#[tokio::test]
async fn it_waits_for_somebody_to_sign_in_and_answers_from_then_on() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_device(DeviceAnswer::After(0));
    let mut daemon = start(&twitch).await;
    until(&mut daemon, "nobody signed in", |state| matches!(state, ConnectionState::Stopped { .. })).await;
    assert_eq!(twitch.sockets_ever(), 0);
    sign_in(&mut daemon).await;
    until(&mut daemon, "a connection that is ready", |state| matches!(state, ConnectionState::Ready { .. })).await;
    twitch.room().say("alice", "echo hi");
    twitch.has_sent(1).await;
    assert_eq!(twitch.sent_texts(), ["hi"]);
    daemon.stop().await;
    twitch.saw(|twitch| twitch.sockets() == 0).await;
}

#[tokio::test]
async fn a_new_config_connects_anew_and_one_without_channels_closes() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_device(DeviceAnswer::After(0));
    let mut daemon = start(&twitch).await;
    sign_in(&mut daemon).await;
    until(&mut daemon, "a connection that is ready", |state| matches!(state, ConnectionState::Ready { .. })).await;
    let reloaded = daemon.configure("twitch", "subscriptions", "[\"channel.chat.message\"]").await;
    assert_eq!(reloaded.applied, ["twitch connects"]);
    twitch.saw(|twitch| twitch.subscribed().len() == 1 && twitch.sockets() == 1).await;
    twitch.room().say("alice", "echo still here");
    twitch.has_sent(1).await;
    daemon.configure("twitch", "channels", "[]").await;
    twitch.saw(|twitch| twitch.sockets() == 0).await;
    daemon.stop().await;
}

#[tokio::test]
async fn what_was_missed_before_and_during_a_reload_is_looked_up_after_it() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_device(DeviceAnswer::After(0));
    let mut daemon = start(&twitch).await;
    sign_in(&mut daemon).await;
    until(&mut daemon, "a connection that is ready", |state| matches!(state, ConnectionState::Ready { .. })).await;
    let followers = "GET /helix/channels/followers";
    twitch.answer_always(followers, Answer::status(503, "down"));
    twitch.drop_sockets();
    twitch.room().follow_unheard("dora");
    // It has begun to look, in vain.
    twitch.saw(|twitch| !twitch.asked_for(followers).is_empty()).await;
    daemon.configure("twitch.pace", "burst", "7").await;
    twitch.answer_always(followers, Answer::Properly);
    let follow = daemon.event("a follower", |envelope| matches!(envelope.event, Event::Follow(_))).await;
    assert_eq!(follow.event.actor().unwrap().login, "dora");
    daemon.stop().await;
}
