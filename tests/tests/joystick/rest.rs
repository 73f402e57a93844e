//! REST by itself: pages, both interfaces, and errors that show no token.

use secrecy::SecretString;
use serde_json::json;
use showrunner::platform::http::HttpError;
use showrunner::platform::joystick::client;
use showrunner::platform::joystick::rest::{Rest, StreamChange};
use showrunner_tests::bot::install_tls;
use showrunner_tests::joystick::{CHANNEL, FakeJoystick, SCOPES, STREAMER};
use showrunner_tests::service::Answer;

async fn start() -> (FakeJoystick, Rest, SecretString) {
    install_tls();
    let joystick = FakeJoystick::start().await;
    let settings = joystick.settings(showrunner::config::settings::JoystickVersion::V2);
    let rest = Rest::new(&settings.rest_base, client().unwrap());
    let token = joystick.grant(STREAMER, SCOPES).access.into();
    (joystick, rest, token)
}

#[tokio::test]
async fn a_stream_can_be_read_and_changed() {
    let (joystick, rest, token) = start().await;
    let stream = rest.stream(&token).await.unwrap();
    assert_eq!((stream.channel_id.as_deref(), stream.live), (Some(CHANNEL), Some(true)));
    let change = StreamChange { title: Some("Dance".into()), tags: Some(vec!["a".into()]), ..StreamChange::default() };
    assert_eq!(rest.set_stream(&change, &token).await.unwrap().title.as_deref(), Some("Dance"));
    assert_eq!(rest.stream(&token).await.unwrap().title.as_deref(), Some("Dance"));
    let body = joystick.asked_for("PUT /api/v1/me/stream").pop().unwrap().body;
    assert_eq!(body, json!({"stream_title": "Dance", "tags": ["a"]}), "what is not to change is not named");
    joystick.answer_always("PUT /api/v1/me/stream", Answer::status(404, "not found"));
    let older = StreamChange { title: Some("Sleep".into()), welcome: Some("Hi".into()), tags: None };
    assert_eq!(rest.set_stream(&older, &token).await.unwrap().title.as_deref(), Some("Sleep"));
}

#[tokio::test]
async fn all_pages_of_a_list_are_read_unless_there_are_too_many() {
    let (joystick, rest, token) = start().await;
    for number in 0..250 {
        joystick.room().follow_unheard(&format!("user{number}"));
    }
    joystick.room().add_moderator("mod");
    let followers = rest.followers(&token).await.unwrap();
    assert_eq!((followers.total, followers.names.map(|names| names.len())), (Some(250), Some(250)));
    assert_eq!(joystick.asked_for("GET /api/v1/followers").len(), 3);
    assert_eq!(rest.moderators(&token).await.unwrap().names.unwrap(), ["mod"]);
    for number in 250..1001 {
        joystick.room().follow_unheard(&format!("user{number}"));
    }
    let followers = rest.followers(&token).await.unwrap();
    assert_eq!((followers.total, followers.names), (Some(1001), None));
    assert_eq!(joystick.asked_for("GET /api/v1/followers").len(), 4, "the first page says how many there are");
}

#[tokio::test]
async fn pages_without_end_are_not_followed() {
    let (joystick, rest, token) = start().await;
    let page = |next: u32| Answer::Json(200, json!({"items": [{"username": "a"}], "pagination": {"next_page": next}}));
    joystick.answer_next("GET /api/v1/followers", [page(1)]);
    assert!(matches!(rest.followers(&token).await, Err(HttpError::Answer(_))));
    joystick.answer_next("GET /api/v1/followers", (2..20).map(page));
    assert_eq!(rest.followers(&token).await.unwrap().names, None);
    assert_eq!(joystick.asked_for("GET /api/v1/followers").len(), 11);
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_token() {
    let (joystick, rest, _) = start().await;
    let token = SecretString::from("swordfish");
    let wrong = [
        (Answer::Properly, "HTTP 401"),
        (Answer::status(403, "swordfish may not"), "HTTP 403, \"… may not\""),
        (Answer::Html(200), "it is no JSON"),
        (Answer::Json(200, json!([1])), "it is no object"),
        (Answer::Redirect("http://127.0.0.1:1/".into()), "HTTP 307"),
        (Answer::Cut, ""),
    ];
    for (answer, said) in wrong {
        joystick.answer_next("GET /api/v1/me/stream", [answer]);
        let error = rest.stream(&token).await.unwrap_err();
        assert!(error.to_string().contains(said) && !format!("{error:?}").contains("swordfish"), "{error:?}");
    }
}
