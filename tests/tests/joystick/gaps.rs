//! What a gap has cost is told late, once, as far as REST tells it.

use serde_json::json;
use showrunner::config::settings::JoystickVersion::{V1, V2};
use showrunner::config::settings::{JoystickSettings, JoystickToken};
use showrunner::event::{Broadcast, Draft, Event};
use showrunner_tests::joystick::FakeJoystick;
use showrunner_tests::service::Answer;

use crate::scene::Scene;

/// The last of what is looked up.
const LAST: &str = "GET /api/v1/subscribers";

/// A bot that knows the room as it was before the gap.
async fn before_the_gap(prepare: impl FnOnce(&FakeJoystick, &mut JoystickSettings)) -> Scene {
    let mut scene = Scene::start(V2, |joystick, settings| {
        joystick.room().follow_unheard("old");
        joystick.room().subscribe_unheard("old");
        prepare(joystick, settings);
    })
    .await;
    scene.bot.until_ready().await;
    scene.joystick.saw(|joystick| !joystick.asked_for(LAST).is_empty()).await;
    // It was taken in when a line after it is heard, as both come on one thread; and nothing was told of it.
    settle(&mut scene, "before").await;
    scene
}

/// All that was told until everything that was asked for has been answered.
async fn settle(scene: &mut Scene, text: &str) -> Vec<Draft> {
    let mut told = Vec::new();
    for number in 0..20 {
        let line = format!("{text} {number}");
        scene.joystick.room().say("alice", &line);
        told.extend(scene.events_until(&line).await);
    }
    told
}

/// The connection is lost, `happens`, and what is told when it is back.
async fn after_the_gap(scene: &mut Scene, happens: impl FnOnce(&Scene)) -> Vec<Draft> {
    scene.joystick.drop_sockets();
    scene.backs_off().await;
    happens(scene);
    let asked = scene.joystick.asked_for(LAST).len();
    scene.is_back().await;
    scene.joystick.saw(|joystick| joystick.asked_for(LAST).len() > asked).await;
    settle(scene, "after").await
}

fn is_late(draft: &Draft) -> bool {
    draft.extra.as_deref() == Some(r#"{"late":true}"#)
}

fn state(draft: &Draft) -> Option<(&str, Option<u32>)> {
    match &draft.event {
        Event::Broadcast(Broadcast { kind, count, .. }) => Some((kind.as_str(), *count)),
        _ => None,
    }
}

fn names(drafts: &[Draft]) -> Vec<String> {
    drafts.iter().filter_map(|draft| draft.event.actor()).map(|who| who.login.clone()).collect()
}

#[tokio::test]
async fn new_followers_and_subscribers_and_the_state_are_told_late() {
    let mut scene = before_the_gap(|_, _| {}).await;
    let told = after_the_gap(&mut scene, |scene| {
        let room = scene.joystick.room();
        room.follow_unheard("Mary");
        room.subscribe_unheard("Sue");
        room.go_offline();
    })
    .await;
    assert!(told.iter().all(is_late), "{told:?}");
    let states: Vec<_> = told.iter().filter_map(state).collect();
    assert_eq!(states, [("offline", None), ("followers", Some(2)), ("subscribers", Some(2))]);
    assert_eq!(names(&told), ["Mary", "Sue"]);
    assert!(matches!(&told[3].event, Event::Follow(it) if it.who.id == "mary"));
    assert!(matches!(&told[4].event, Event::Subscription(it) if it.kind == "new"));
    // A second gap in which nothing happens has cost nothing.
    assert_eq!(after_the_gap(&mut scene, |_| {}).await, []);
}

#[tokio::test]
async fn what_is_told_live_as_well_is_told_once() {
    let mut scene = before_the_gap(|_, _| {}).await;
    let told = after_the_gap(&mut scene, |scene| scene.joystick.room().follow_unheard("mary")).await;
    assert_eq!(names(&told), ["mary"]);
    // The service is late with what was just found, and tells it twice.
    let channel_id = scene.joystick.room().channel().id.clone();
    let follow = |id: &str| {
        json!({
            "v": 2, "type": "followed", "id": id, "channel_id": channel_id, "text": "",
            "data": { "who": "mary", "what": "followed" },
        })
    };
    for message in [follow("late"), follow("late")] {
        scene.joystick.room().tell_raw(message);
    }
    assert_eq!(settle(&mut scene, "then").await, []);
    scene.joystick.room().tell_raw(follow("another"));
    assert_eq!(names(&settle(&mut scene, "again").await), ["mary"]);
}

#[tokio::test]
async fn a_subscription_that_goes_on_is_told_beside_its_beginning() {
    let mut scene = before_the_gap(|_, _| {}).await;
    let told = after_the_gap(&mut scene, |scene| scene.joystick.room().subscribe_unheard("bob")).await;
    assert_eq!(names(&told), ["bob"]);
    scene.joystick.room().resubscribe("bob", 5);
    let told = settle(&mut scene, "then").await;
    assert!(matches!(&told[..], [Draft { event: Event::Subscription(it), .. }] if it.months == 5), "{told:?}");
}

#[tokio::test]
async fn a_state_that_is_told_live_as_well_is_told_once() {
    let mut scene = before_the_gap(|_, _| {}).await;
    let told = after_the_gap(&mut scene, |scene| {
        scene.joystick.room().go_offline();
    })
    .await;
    assert_eq!(told.iter().filter_map(state).collect::<Vec<_>>(), [("offline", None)]);
    scene.joystick.room().sample("Ended");
    assert_eq!(settle(&mut scene, "then").await, []);
    scene.joystick.room().go_online();
    let told = settle(&mut scene, "on again").await;
    assert_eq!(told.iter().filter_map(state).collect::<Vec<_>>(), [("online", None)]);
    assert_eq!(after_the_gap(&mut scene, |_| {}).await, []);
}

/// After an outage a service is likely to be asked too much.
#[tokio::test]
async fn a_list_that_was_not_answered_is_made_up_for_after_the_next_gap() {
    let mut scene = before_the_gap(|_, _| {}).await;
    let told = after_the_gap(&mut scene, |scene| {
        let room = scene.joystick.room();
        room.follow_unheard("mary");
        scene.joystick.answer_next("GET /api/v1/followers", [Answer::status(503, "unavailable")]);
    })
    .await;
    assert_eq!(names(&told), [""; 0]);
    let told = after_the_gap(&mut scene, |scene| scene.joystick.room().follow_unheard("sue")).await;
    assert_eq!(names(&told), ["sue", "mary"], "the newest first, as they are listed");
}

#[tokio::test]
async fn what_one_may_not_see_costs_nothing_else() {
    let mut scene = before_the_gap(|joystick, _| {
        joystick.answer_always("GET /api/v1/followers", Answer::status(403, "forbidden"));
        joystick.answer_always("GET /api/v1/me/stream", Answer::Html(502));
    })
    .await;
    let told = after_the_gap(&mut scene, |scene| {
        scene.joystick.room().follow_unheard("mary");
        scene.joystick.room().subscribe_unheard("sue");
    })
    .await;
    assert_eq!(names(&told), ["sue"]);
}

#[tokio::test]
async fn the_older_interface_does_as_well() {
    let missing = || Answer::status(404, "not found");
    let mut scene = before_the_gap(|joystick, _| {
        joystick.answer_always("GET /api/v1/me/stream", missing());
        joystick.answer_always("GET /api/v1/followers", missing());
        joystick.answer_always("GET /api/v1/subscribers", missing());
    })
    .await;
    let told = after_the_gap(&mut scene, |scene| {
        scene.joystick.room().follow_unheard("mary");
        scene.joystick.room().subscribe_unheard("sue");
    })
    .await;
    let states: Vec<_> = told.iter().filter_map(state).collect();
    assert_eq!(states, [("followers", Some(2)), ("subscribers", Some(2))], "{told:?}");
    assert_eq!(names(&told), ["sue"], "it has no list of followers");
}

#[tokio::test]
async fn with_a_basic_key_nothing_is_asked() {
    let mut scene = Scene::ready_with(V1, |_, settings| settings.gateway_token = JoystickToken::Basic).await;
    scene.joystick.drop_sockets();
    scene.backs_off().await;
    scene.is_back().await;
    assert_eq!(settle(&mut scene, "after").await, []);
    assert!(scene.joystick.asked_for("GET /api").is_empty());
}

#[tokio::test]
async fn the_token_of_a_strange_channel_tells_nothing_of_ours() {
    let mut scene = Scene::ready_with(V2, |joystick, settings| {
        settings.channels = vec![joystick.room_of("second").channel().id.clone()];
    })
    .await;
    scene.joystick.saw(|joystick| !joystick.asked_for(LAST).is_empty()).await;
    scene.joystick.drop_sockets();
    scene.backs_off().await;
    scene.joystick.room().follow_unheard("mary");
    scene.is_back().await;
    scene.joystick.saw(|joystick| joystick.asked_for(LAST).len() > 1).await;
    scene.joystick.room_of("second").say("alice", "gm");
    assert_eq!(scene.bot.chat().await.0.text, "gm");
}
