//! Getting in, staying in, being put out: what the state says, what a person is told, and how often the service is
//! called.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use showrunner::config::settings::JoystickVersion::{V1, V2};
use showrunner::config::settings::{JoystickSettings, JoystickToken};
use showrunner::observation::ConnectionState;
use showrunner_tests::joystick::{CLIENT_SECRET, Confirm, FakeJoystick, Refused, SCOPES, STREAMER};
use showrunner_tests::service::{Answer, When};
use url::form_urlencoded;

use crate::scene::{Scene, bot};

/// A line is heard, over one socket.
async fn hears(scene: &mut Scene, text: &str) {
    scene.joystick.has_listeners(1).await;
    scene.joystick.room().say("alice", text);
    assert_eq!(scene.bot.chat_until(text).await, [text]);
    // The server may still be closing the one before.
    scene.joystick.saw(|joystick| joystick.sockets() == 1).await;
}

/// No secret in anything that was reported.
fn assert_no_secret(scene: &Scene, secrets: &[&str]) {
    for reported in &scene.bot.reported {
        for secret in secrets {
            assert!(!reported.contains(secret), "{reported}");
        }
    }
}

#[tokio::test]
async fn both_versions_are_heard_with_either_token() {
    for version in [V1, V2] {
        for token in [JoystickToken::Access, JoystickToken::Basic] {
            let mut scene = Scene::ready_with(version, |joystick, settings| {
                // The other kind would not do.
                joystick.take_tokens(token == JoystickToken::Access, token == JoystickToken::Basic);
                settings.gateway_token = token;
            })
            .await;
            hears(&mut scene, "gm").await;
            let reads = scene.tokens.reads.load(Ordering::SeqCst);
            assert_eq!(reads, usize::from(token == JoystickToken::Access), "a basic key needs no sign-in");
            assert_eq!(scene.joystick.asked_for("GET /cable").len(), 1);
        }
    }
}

#[tokio::test]
async fn ready_means_that_the_subscription_is_confirmed() {
    let mut scene = Scene::start(V2, |joystick, _| joystick.confirm_next([Confirm::Unheard, Confirm::Unheard])).await;
    scene.bot.until_ready().await;
    assert!(scene.joystick.subscribes() >= 3, "it was asked for again until it was heard");
    let reported: Vec<&str> = scene.bot.reported.iter().filter_map(|state| state.split(' ').next()).collect();
    assert_eq!(reported, ["connecting", "authenticating", "subscribing", "ready"]);
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn a_confirmation_that_is_lost_costs_the_socket_and_no_more() {
    let mut scene = Scene::start(V2, |joystick, _| joystick.confirm_next([Confirm::Unsaid])).await;
    scene.joystick.saw(|joystick| joystick.subscribes() > 0).await;
    let why = scene.gives_up().await;
    // The server's pings don't come while the clock runs ahead.
    assert!(why.contains("not confirmed within 10s") || why.contains("nothing was heard for 6s"), "{why}");
    scene.is_back().await;
    hears(&mut scene, "gm").await;
    assert_eq!(scene.tokens.refreshes(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_welcome_is_left() {
    let mut scene = Scene::start(V2, |joystick, _| joystick.set_welcome(When::Never)).await;
    scene.joystick.saw(|joystick| joystick.sockets() > 0).await;
    let why = scene.gives_up().await;
    assert!(why.contains("no welcome within 10s"), "{why}");
    assert_eq!(scene.joystick.subscribes(), 0, "nothing is sent before the welcome");
    scene.joystick.set_welcome(When::After(Duration::from_millis(300)));
    scene.is_back().await;
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn silence_is_noticed() {
    let mut scene = Scene::ready_with(V1, |joystick, _| joystick.set_ping(Duration::from_secs(3), false)).await;
    let why = scene.gives_up().await;
    assert!(why.contains("nothing was heard for 6s"), "{why}");
    scene.joystick.set_ping(Duration::from_secs(3), true);
    scene.is_back().await;
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn a_server_that_ends_it_is_called_again() {
    type End = fn(&FakeJoystick);
    let ends: [(End, &str); 6] = [
        (|joystick| joystick.disconnect(Some("server_restart"), true), "server_restart"),
        (|joystick| joystick.disconnect(Some("remote"), true), "remote"),
        (|joystick| joystick.disconnect(None, true), "disconnected"),
        (|joystick| joystick.close(1000), "code 1000"),
        (|joystick| joystick.close(1011), "code 1011"),
        (FakeJoystick::drop_sockets, "lost"),
    ];
    let mut scene = Scene::ready(V2).await;
    for (number, (end, named)) in ends.into_iter().enumerate() {
        end(&scene.joystick);
        let why = scene.backs_off().await;
        assert!(why.contains(named), "{named}: {why}");
        scene.is_back().await;
        hears(&mut scene, &format!("gm {number}")).await;
    }
    assert_eq!(scene.tokens.refreshes(), 0);
    assert_eq!(scene.joystick.sockets_ever(), 7);
}

#[tokio::test]
async fn a_server_that_does_not_want_us_back_is_left_alone() {
    let mut scene = Scene::ready(V2).await;
    scene.joystick.disconnect(Some("remote"), false);
    let (why, what_to_do) = scene.stops().await;
    assert!(why.contains("remote") && what_to_do.contains("installed"), "{why}; {what_to_do}");
    assert_eq!(scene.joystick.sockets_ever(), 1);
}

#[tokio::test]
async fn a_stale_token_is_refreshed_once_and_then_works() {
    for refused in [Refused::Close, Refused::Disconnect] {
        let mut scene = Scene::start(V2, |joystick, _| {
            joystick.expire_access_tokens();
            joystick.set_refused(refused);
        })
        .await;
        scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
        scene.bot.until_ready().await;
        hears(&mut scene, "gm").await;
        assert_eq!((scene.tokens.refreshes(), scene.joystick.sockets_ever()), (1, 2));
    }
}

#[tokio::test]
async fn a_token_that_ends_while_it_is_used_is_refreshed() {
    let mut scene = Scene::ready(V2).await;
    scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
    scene.joystick.close(4401);
    let why = scene.backs_off().await;
    assert!(why.contains("4401") && why.contains("refreshed"), "{why}");
    scene.is_back().await;
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn while_a_token_is_refreshed_nobody_is_told_that_all_is_well() {
    let mut scene = Scene::ready(V2).await;
    scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
    let tokens = Arc::clone(&scene.tokens);
    let shut = tokens.gate.lock().await;
    scene.joystick.close(4401);
    scene.bot.until(|state| *state == ConnectionState::Authenticating).await;
    drop(shut);
    let why = scene.backs_off().await;
    assert!(why.contains("refreshed"), "{why}");
    scene.is_back().await;
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn a_token_that_stays_refused_stops_the_bot_and_says_what_to_run() {
    for refused in [Refused::Close, Refused::Disconnect] {
        let mut scene = Scene::start(V2, |joystick, _| {
            joystick.take_tokens(false, false);
            joystick.set_refused(refused);
        })
        .await;
        scene.tokens.will_get("of-no-use-either");
        let (why, what_to_do) = scene.stops().await;
        assert!(why.contains("after it was refreshed"), "{why}");
        assert_eq!(what_to_do, "run `showrunner auth joystick`");
        assert_eq!((scene.tokens.refreshes(), scene.joystick.sockets_ever()), (1, 2), "never a loop");
        // Somebody signed in anew.
        scene.joystick.take_tokens(true, true);
        scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
        scene.is_back().await;
        hears(&mut scene, "gm").await;
        assert_no_secret(&scene, &["of-no-use-either"]);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_what_to_run() {
    let mut scene = Scene::start(V2, |joystick, _| joystick.take_tokens(false, false)).await;
    let (why, what_to_do) = scene.stops().await;
    assert_eq!((why.as_str(), what_to_do.as_str()), ("nobody is signed in", "run `showrunner auth joystick`"));
    assert_eq!(scene.joystick.sockets_ever(), 1);
}

#[tokio::test]
async fn a_rejected_subscription_is_a_matter_of_the_token_too() {
    let mut scene = Scene::start(V2, |joystick, _| joystick.set_confirm(Confirm::Rejected)).await;
    scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
    let (why, what_to_do) = scene.stops().await;
    assert!(why.contains("rejected the subscription"), "{why}");
    assert!(what_to_do.contains("showrunner auth joystick") && what_to_do.contains("version = \"v1\""), "{what_to_do}");
    assert_eq!(scene.tokens.refreshes(), 1, "never a loop");
}

#[tokio::test]
async fn a_basic_key_that_is_refused_stops_the_bot_at_once() {
    let basic = |settings: &mut JoystickSettings| settings.gateway_token = JoystickToken::Basic;
    let mut scene = Scene::start(V1, |joystick, settings| {
        basic(settings);
        joystick.take_tokens(true, false);
    })
    .await;
    let (why, what_to_do) = scene.stops().await;
    assert!(why.contains("basic key") && what_to_do.contains("`client-secret`"), "{why}; {what_to_do}");
    assert_eq!((scene.tokens.refreshes(), scene.joystick.sockets_ever()), (0, 1));
    assert_no_secret(&scene, &[CLIENT_SECRET, &scene.joystick.basic_key()]);
}

#[tokio::test]
async fn another_server_at_that_address_is_named() {
    let mut scene =
        Scene::start(V2, |joystick, settings| settings.gateway_url = joystick.gateway_url().join("/no-cable").unwrap())
            .await;
    let why = scene.backs_off().await;
    assert!(why.contains("HTTP 404") && why.contains("gateway-url"), "{why}");
}

/// Servers tell back what they were asked, and what is reported is logged and shown.
#[tokio::test]
async fn what_a_server_tells_back_of_the_address_is_not_reported() {
    let basic = |settings: &mut JoystickSettings| settings.gateway_token = JoystickToken::Basic;
    let mut scene = Scene::start(V1, |joystick, settings| {
        let key = joystick.basic_key();
        let encoded: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let said = format!("{} GET /cable?token={encoded} with {key}", "x".repeat(150));
        joystick.answer_next("GET /cable", [Answer::status(404, &said)]);
        basic(settings);
    })
    .await;
    let key = scene.joystick.basic_key();
    let why = scene.backs_off().await;
    assert!(why.contains("HTTP 404") && why.contains("token=…"), "{why}");
    scene.is_back().await;
    scene.joystick.disconnect(Some(&format!("who is {key}?")), true);
    let why = scene.backs_off().await;
    assert!(why.contains("who is …?"), "{why}");
    // So that the beginning of a key that was cut is found too.
    assert_no_secret(&scene, &[key.get(..8).unwrap()]);
}

/// What stands before the service knows no token, and each refresh uses one up.
#[tokio::test]
async fn a_network_that_turns_everybody_away_costs_no_token() {
    for token in [JoystickToken::Access, JoystickToken::Basic] {
        let answers = [Answer::Html(403), Answer::status(403, "forbidden"), Answer::Html(401)];
        let count = answers.len();
        let mut scene = Scene::start(V2, |joystick, settings| {
            joystick.answer_next("GET /cable", answers);
            settings.gateway_token = token;
        })
        .await;
        for number in 0..count {
            let why = scene.backs_off().await;
            assert!(why.contains("HTTP 40") && why.contains("is kept"), "{number}: {why}");
            scene.bot.statuses.restart("joystick:pixel");
        }
        scene.bot.until_ready().await;
        hears(&mut scene, "gm").await;
        assert_eq!((scene.tokens.refreshes(), scene.joystick.sockets_ever()), (0, 1));
    }
}

#[tokio::test]
async fn a_token_that_the_upgrade_refuses_is_refreshed() {
    let refusal = Answer::status(401, "unauthorized");
    let mut scene = Scene::start(V2, |joystick, _| joystick.answer_next("GET /cable", [refusal])).await;
    scene.tokens.will_get(&scene.joystick.grant(STREAMER, SCOPES).access);
    scene.bot.until_ready().await;
    hears(&mut scene, "gm").await;
    assert_eq!((scene.tokens.refreshes(), scene.joystick.sockets_ever()), (1, 1));
}

#[tokio::test]
async fn what_happens_while_the_service_is_away_is_survived() {
    let mut scene = Scene::ready(V2).await;
    scene.joystick.go_away();
    scene.backs_off().await;
    let why = scene.backs_off().await;
    assert!(why.contains("can't reach the server"), "{why}");
    scene.joystick.come_back().await;
    scene.is_back().await;
    hears(&mut scene, "gm").await;
}

#[tokio::test]
async fn frames_of_no_meaning_change_nothing() {
    let mut scene = Scene::ready(V2).await;
    for frame in
        [json!({}), json!([1]), json!({"type": "of-tomorrow"}), json!({"type": "confirm_subscription"}), json!(7)]
    {
        scene.joystick.push_json(&frame);
    }
    let other = json!({"identifier": "{\"channel\":\"Other\"}", "message": {"event": "ChatMessage", "text": "no"}});
    scene.joystick.push_json(&other);
    hears(&mut scene, "gm").await;
}

/// Each bot has one socket, also when the service restarts under several of them.
#[tokio::test]
async fn several_bots_come_back_one_by_one() {
    let scene = Scene::ready(V2).await;
    let settings = scene.joystick.settings(V2);
    let mut bots = [bot(&settings, &scene.tokens), bot(&settings, &scene.tokens)];
    for bot in &mut bots {
        bot.until_ready().await;
    }
    scene.joystick.has_listeners(3).await;
    scene.joystick.disconnect(Some("server_restart"), true);
    scene.joystick.saw(|joystick| joystick.sockets_ever() == 6 && joystick.listeners() == 3).await;
    assert_eq!(scene.joystick.most_sockets(), 3);
}
