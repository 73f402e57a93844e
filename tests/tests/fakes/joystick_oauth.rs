//! Joystick's sign-in, and what REST answers to its tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use showrunner_tests::joystick::{CHANNEL, CLIENT_ID, FakeJoystick, PUBLIC_CLIENT_ID, SCOPES, STREAMER};

use super::client::{browse, http, post_form, value};

const REDIRECT: &str = "http://127.0.0.1:3000/oauth";

fn at(joystick: &FakeJoystick, path: &str) -> String {
    format!("http://{}{path}", joystick.address())
}

async fn token(joystick: &FakeJoystick, fields: &[(&str, &str)], basic: Option<&str>) -> (u16, Value) {
    post_form(&at(joystick, "/api/oauth/token"), fields, basic).await
}

async fn get(joystick: &FakeJoystick, path: &str, token: &str) -> (u16, Value) {
    let response = http().get(at(joystick, path)).bearer_auth(token).send().await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn a_client_with_a_secret_signs_in() {
    let joystick = FakeJoystick::start().await;
    let basic = joystick.basic_key();
    let page = at(&joystick, "/api/oauth/authorize");
    let query = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("scope", "bot"),
        ("redirect_uri", REDIRECT),
        ("state", "s"),
    ];
    let back = browse(&page, &query).await.unwrap();
    assert_eq!(value(&back, "state"), "s");
    let fields = [("grant_type", "authorization_code"), ("code", value(&back, "code")), ("redirect_uri", REDIRECT)];
    assert_eq!(token(&joystick, &fields, None).await.0, 401);
    let (status, tokens) = token(&joystick, &fields, Some(&basic)).await;
    assert_eq!((status, tokens["expires_in"].as_u64()), (200, Some(864_000)));
    assert_eq!(tokens["access_token"].as_str().unwrap().split('.').count(), 3, "a JWT");
    assert_eq!(token(&joystick, &fields, Some(&basic)).await.0, 400, "a code serves once");
    let (_, me) = get(&joystick, "/api/v1/me/identity", tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((&me["channel_id"], &me["username"]), (&json!(CHANNEL), &json!(STREAMER)));
    joystick.deny_sign_in(true);
    assert_eq!(value(&browse(&page, &query).await.unwrap(), "error"), "access_denied");
    joystick.set_granted("chat:read");
    let greedy =
        [("response_type", "code"), ("client_id", CLIENT_ID), ("scope", "chat:write"), ("redirect_uri", REDIRECT)];
    assert_eq!(browse(&page, &greedy).await, Err(400));
}

#[tokio::test]
async fn a_client_without_one_proves_itself() {
    let joystick = FakeJoystick::start().await;
    let page = at(&joystick, "/api/oauth/authorize");
    let verifier = "a-verifier-that-is-long-enough-to-be-one-0123456789";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let query = |method: &'static str| {
        [
            ("response_type", "code"),
            ("client_id", PUBLIC_CLIENT_ID),
            ("scope", "chat:read chat:write"),
            ("redirect_uri", REDIRECT),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", method),
        ]
    };
    assert_eq!(browse(&page, &query("plain")).await, Err(400));
    assert_eq!(browse(&page, &query("S256")[..4]).await, Err(400));
    for (verifier, status) in [("another", 400), (verifier, 200)] {
        let back = browse(&page, &query("S256")).await.unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", PUBLIC_CLIENT_ID),
            ("code", value(&back, "code")),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ];
        let (given, tokens) = token(&joystick, &fields, None).await;
        assert_eq!(given, status);
        assert_eq!(tokens["expires_in"].as_u64(), (status == 200).then_some(14_400));
    }
}

#[tokio::test]
async fn an_old_refresh_token_costs_the_installation_everything() {
    let joystick = FakeJoystick::start().await;
    let basic = joystick.basic_key();
    let first = joystick.grant(STREAMER, SCOPES);
    let other = joystick.grant("another", SCOPES);
    let refresh = |token: &str| [("grant_type", "refresh_token".to_owned()), ("refresh_token", token.to_owned())];
    let ask = async |old: &str| {
        let fields = refresh(old);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        token(&joystick, &fields, Some(&basic)).await
    };
    let (status, second) = ask(&first.refresh).await;
    assert_eq!(status, 200);
    let (access, rotated) = (second["access_token"].as_str().unwrap(), second["refresh_token"].as_str().unwrap());
    assert_ne!(rotated, first.refresh);
    assert_eq!(get(&joystick, "/api/v1/me", access).await.0, 200);
    assert_eq!(ask(&first.refresh).await.0, 400);
    assert_eq!(get(&joystick, "/api/v1/me", access).await.0, 401);
    assert_eq!(ask(rotated).await.0, 400);
    assert_eq!(get(&joystick, "/api/v1/me", &other.access).await.0, 200, "another installation");
    assert_eq!((joystick.refreshes(), joystick.spent_refreshes()), (3, 1));
    joystick.expire_absolutely(true);
    let (_, tokens) = ask(&other.refresh).await;
    assert!(tokens["expires_in"].as_u64().unwrap() > 1_000_000_000);
}

#[tokio::test]
async fn tokens_are_introspected_and_revoked() {
    let joystick = FakeJoystick::start().await;
    let basic = joystick.basic_key();
    let tokens = joystick.grant(STREAMER, SCOPES);
    let fields = [("token", tokens.access.as_str())];
    let introspect = at(&joystick, "/api/oauth/introspect");
    let (_, known) = post_form(&introspect, &fields, Some(&basic)).await;
    assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &json!(CLIENT_ID)));
    let revoke = at(&joystick, "/api/oauth/revoke");
    assert_eq!(post_form(&revoke, &fields, Some(&basic)).await.0, 200);
    assert_eq!(post_form(&revoke, &[("token", "nonsense")], Some(&basic)).await.0, 200);
    assert_eq!(post_form(&introspect, &fields, Some(&basic)).await.1, json!({ "active": false }));
}

#[tokio::test]
async fn rest_has_pages_scopes_and_the_stream() {
    let joystick = FakeJoystick::start().await;
    for number in 0..3 {
        joystick.room().follow_unheard(&format!("follower{number}"));
    }
    joystick.room().subscribe_unheard("sue");
    let token = joystick.grant(STREAMER, "followers:read subscribers:read stream:read stream:manage chat:write").access;
    let (_, page) = get(&joystick, "/api/v1/followers?per_page=2", &token).await;
    assert_eq!(page["items"], json!([{ "username": "follower2" }, { "username": "follower1" }]));
    assert_eq!(
        page["pagination"],
        json!({ "next_page": 2, "previous_page": null, "total_items": 3, "total_pages": 2 })
    );
    assert_eq!(
        get(&joystick, "/api/v1/followers?per_page=2&page=2", &token).await.1["items"],
        json!([{ "username": "follower0" }])
    );
    assert_eq!(get(&joystick, "/api/v1/moderators", &token).await.0, 403);
    assert_eq!(get(&joystick, "/api/v1/me", "nonsense").await.0, 401);
    let client = http();
    let change =
        client.put(at(&joystick, "/api/v1/me/stream")).bearer_auth(&token).json(&json!({ "stream_title": "New" }));
    assert!(change.send().await.unwrap().status().is_success());
    assert_eq!(get(&joystick, "/api/v1/me/stream", &token).await.1["stream_title"], "New");
    assert_eq!(get(&joystick, "/api/users/stream-settings", &token).await.1["stream_title"], "New");
    assert_eq!(get(&joystick, "/api/users/subscriptions", &token).await.1["items"][0]["username"], "sue");
    let say = client.post(at(&joystick, "/api/v1/chat/messages")).bearer_auth(&token).json(&json!({ "text": "hi" }));
    let answer: Value = say.send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["sent"], &answer["text"]), (&json!(true), &json!("hi")));
    assert_eq!(joystick.sent_texts(), ["hi"]);
    let sample = json!({ "sample": { "event": "SendMessage", "data": "!test" } });
    let basic = format!("Basic {}", joystick.basic_key());
    let echo = client.post(at(&joystick, "/echo")).header("authorization", basic).json(&sample);
    assert!(echo.send().await.unwrap().status().is_success());
    assert_eq!(joystick.told().len(), 2);
}
