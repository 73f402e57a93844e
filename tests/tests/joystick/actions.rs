//! What is done there: each command in its words, what is known of it afterwards, and nothing twice.

use std::time::Duration;

use serde_json::Value;
use showrunner::config::settings::JoystickKeys;
use showrunner::config::settings::JoystickVersion::{V1, V2};
use showrunner::effect::Action;
use showrunner::platform::{ActionError, Receipt};
use showrunner_tests::joystick::{CHANNEL, Did, ErrorShape, SCOPES, STREAMER};
use showrunner_tests::service::When;

use crate::scene::{Scene, say};

fn refused(result: Result<Receipt, ActionError>) -> String {
    match result {
        Err(ActionError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Waits for what shall not come: the test's clock runs ahead to the end of the wait.
async fn in_vain<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let result = waiting.await;
    tokio::time::resume();
    result
}

/// Acts in a task, and returns when the service has done so many things.
async fn under_way(
    scene: &Scene,
    action: Action,
    count: usize,
) -> tokio::task::JoinHandle<Result<Receipt, ActionError>> {
    let sink = scene.bot.sink.clone();
    let channel = showrunner::event::Channel::new("joystick", CHANNEL);
    let acting = tokio::spawn(async move { sink.perform(&channel, &action).await });
    scene.joystick.saw(|joystick| joystick.did().len() >= count).await;
    acting
}

#[tokio::test]
async fn a_line_is_done_when_it_comes_back_with_its_id() {
    for version in [V1, V2] {
        let mut scene = Scene::ready(version).await;
        let text = "two\nlines, <3 & \"quotes\" {} 🎉";
        let message_id = scene.act(say(text)).await.unwrap().message_id.unwrap();
        assert_eq!(scene.joystick.sent_texts(), ["two lines, <3 & \"quotes\" {} 🎉"]);
        let (chat, own) = scene.bot.chat().await;
        assert!(own && chat.id == message_id);
        // An answer is a line like any other.
        let reply = Action::Reply { message_id, text: "and one more".into() };
        assert!(scene.act(reply).await.unwrap().message_id.is_some());
        assert!(scene.joystick.ignored().is_empty(), "{:?}", scene.joystick.ignored());
    }
}

#[tokio::test]
async fn each_command_is_understood_in_both_spellings() {
    for (keys, version) in [(JoystickKeys::Snake, V2), (JoystickKeys::Camel, V1)] {
        let mut scene = Scene::ready_with(version, |joystick, settings| {
            settings.command_keys = keys;
            joystick.know_camel_only(keys == JoystickKeys::Camel);
        })
        .await;
        let message_id = scene.joystick.room().say("Alice", "rude");
        scene.event().await;
        let (user_id, reason) = ("alice".to_owned(), String::new());
        let did = |action: &str, message_id: &str, username: &str, text: &str| Did {
            action: action.into(),
            channel_id: CHANNEL.into(),
            text: text.into(),
            username: username.into(),
            message_id: message_id.into(),
        };
        for (action, expected) in [
            (
                Action::Whisper { user_id: user_id.clone(), text: "psst".into() },
                did("send_whisper", "", "Alice", "psst"),
            ),
            (
                Action::RemoveMessage { message_id: message_id.clone(), reason: reason.clone() },
                did("delete_message", &message_id, "", ""),
            ),
            (
                Action::Suspend { user_id: user_id.clone(), seconds: Some(60), reason: reason.clone() },
                did("mute_user", &message_id, "", ""),
            ),
            (
                Action::Suspend { user_id: user_id.clone(), seconds: None, reason: reason.clone() },
                did("mute_user", &message_id, "", ""),
            ),
            (Action::Lift { user_id: user_id.clone() }, did("unmute_user", "", "Alice", "")),
            (Action::Block { user_id, reason }, did("block_user", &message_id, "", "")),
        ] {
            let count = scene.joystick.did().len() + 1;
            let acting = under_way(&scene, action, count).await;
            assert_eq!(scene.did(), expected);
            // What is done is done in silence.
            assert_eq!(in_vain(acting).await.unwrap(), Ok(Receipt::default()));
            // The server's pings don't come while the clock runs ahead, and this shows as well that it lives.
            scene.joystick.room().say("bob", "go on");
            scene.event().await;
        }
        assert!(scene.joystick.ignored().is_empty());
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let scene = Scene::ready(V2).await;
    let user_id = || "nobody".to_owned();
    for action in [
        Action::Suspend { user_id: user_id(), seconds: None, reason: String::new() },
        Action::Block { user_id: user_id(), reason: String::new() },
    ] {
        let why = refused(scene.act(action).await);
        assert!(why.contains("none of nobody was heard"), "{why}");
    }
    for action in [
        Action::Announce { text: "x".into() },
        Action::Shoutout { user_id: user_id() },
        Action::Warn { user_id: user_id(), reason: String::new() },
        Action::ResolveHeld { message_id: "m".into(), allow: true },
    ] {
        let name = action.name();
        let unsupported = ActionError::Unsupported { platform: "joystick", action: name };
        assert_eq!(scene.act(action).await, Err(unsupported));
    }
    assert!(refused(scene.act_in("strange", say("x")).await).contains("`channels`"));
    assert!(refused(scene.act(say(" ")).await).contains("empty"));
    assert!(scene.joystick.did().is_empty() && scene.joystick.ignored().is_empty());
}

#[tokio::test]
async fn a_line_that_does_not_come_back_is_uncertain_and_not_sent_again() {
    let scene = Scene::ready_with(V2, |joystick, settings| {
        joystick.set_echo(When::Never);
        // Well before the silence of a server whose pings do not keep up with this clock is noticed.
        settings.echo = Duration::from_secs(2);
    })
    .await;
    let saying = under_way(&scene, say("gm"), 1).await;
    match in_vain(saying).await.unwrap() {
        Err(ActionError::Lost(why)) => assert_eq!(why, "it did not come back from the chat within 2s"),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.joystick.sent_texts(), ["gm"]);
    assert_eq!(scene.tokens.refreshes(), 0);
}

#[tokio::test]
async fn echoes_may_come_late_and_in_another_order() {
    let scene = Scene::ready(V2).await;
    scene.joystick.hold_events();
    let first = under_way(&scene, say("first"), 1).await;
    let second = under_way(&scene, say("second"), 2).await;
    let same = under_way(&scene, say("first"), 3).await;
    scene.joystick.release_backwards();
    let mut ids = Vec::new();
    for saying in [first, second, same] {
        ids.push(saying.await.unwrap().unwrap().message_id.unwrap());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each line has an echo of its own");
}

#[tokio::test]
async fn an_echo_without_a_channel_is_known_by_who_waits_for_it() {
    for version in [V1, V2] {
        let mut scene = Scene::ready_with(version, |joystick, settings| {
            settings.channels.insert(0, joystick.room_of("other").channel().id.clone());
            joystick.echo_as_bot(true);
        })
        .await;
        assert!(scene.act(say("gm")).await.unwrap().message_id.is_some());
        let draft = scene.bot.draft().await;
        assert!(draft.own && *draft.channel.id == *CHANNEL);
    }
}

#[tokio::test]
async fn an_error_is_told_in_its_words_in_either_shape() {
    let mut scene = Scene::ready(V2).await;
    for shape in [ErrorShape::Bare, ErrorShape::Wrapped] {
        scene.joystick.set_error_shape(shape);
        scene.joystick.fail_next(["You are <b>muted</b>", "not a moderator"]);
        assert_eq!(refused(scene.act(say("gm")).await), "You are muted");
        let remove = Action::RemoveMessage { message_id: "m1".into(), reason: String::new() };
        assert_eq!(refused(scene.act(remove).await), "not a moderator");
    }
    // One that belongs to nothing is no event.
    scene.joystick.push_json(&serde_json::json!({"error": "of yesterday"}));
    scene.joystick.room().say("alice", "gm");
    assert_eq!(scene.bot.chat().await.0.text, "gm");
    assert!(scene.joystick.did().is_empty());
}

#[tokio::test]
async fn an_error_that_takes_its_time_is_still_the_commands() {
    let mut scene = Scene::ready(V2).await;
    let message_id = scene.joystick.room().say("alice", "rude");
    scene.event().await;
    let remove = Action::RemoveMessage { message_id, reason: String::new() };
    let slow = under_way(&scene, remove.clone(), 1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(500)).await;
    tokio::time::resume();
    scene.joystick.push_json(&serde_json::json!({"error": "not a moderator"}));
    assert_eq!(refused(slow.await.unwrap()), "not a moderator");

    // And one that is later than anybody waits is no refusal of what came after.
    let late = under_way(&scene, remove, 2).await;
    assert_eq!(in_vain(late).await.unwrap(), Ok(Receipt::default()));
    scene.joystick.hold_events();
    let saying = under_way(&scene, say("gm"), 3).await;
    scene.joystick.push_json(&serde_json::json!({"error": "not a moderator"}));
    scene.joystick.release_backwards();
    assert!(saying.await.unwrap().unwrap().message_id.is_some());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_told() {
    let scope_less = SCOPES.replace("chat:write", "").replace("chat:moderate", "");
    let scene = Scene::start(V2, |_, _| {}).await;
    scene.tokens.will_get(&scene.joystick.grant(STREAMER, &scope_less).access);
    let mut scene = scene;
    scene.bot.until_ready().await;
    scene.joystick.close(4401);
    scene.backs_off().await;
    scene.is_back().await;
    assert_eq!(refused(scene.act(say("gm")).await), "missing permission: chat:write");
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent_and_it_may_be_tried_again() {
    let mut scene = Scene::ready(V2).await;
    scene.joystick.go_away();
    scene.backs_off().await;
    assert_eq!(scene.act(say("gm")).await, Err(ActionError::Unreachable("there is no connection".into())));
    scene.joystick.come_back().await;
    scene.is_back().await;
    scene.act(say("gm")).await.unwrap();
    assert_eq!(scene.joystick.sent_texts(), ["gm"]);
}

#[tokio::test]
async fn a_connection_that_is_lost_leaves_uncertain_what_was_written() {
    let mut scene = Scene::ready_with(V2, |joystick, _| joystick.set_echo(When::Never)).await;
    let saying = under_way(&scene, say("gm"), 1).await;
    scene.joystick.drop_sockets();
    assert_eq!(saying.await.unwrap(), Err(ActionError::Lost("the connection was lost".into())));
    scene.backs_off().await;
    scene.joystick.set_echo(When::After(Duration::from_millis(50)));
    scene.is_back().await;
    scene.act(say("gn")).await.unwrap();
    assert_eq!(scene.joystick.sent_texts(), ["gm", "gn"]);
}

#[tokio::test]
async fn the_identifier_is_that_of_the_subscription_letter_by_letter() {
    let scene = Scene::ready(V2).await;
    scene.act(say("gm")).await.unwrap();
    // The fake ignores commands with any other.
    assert_eq!(scene.joystick.ignored(), Vec::<Value>::new());
}
