//! The id server.

use std::time::Duration;

use serde_json::{Value, json};
use showrunner_tests::service::Answer;
use showrunner_tests::twitch::{
    BOT, BOT_ID, CLIENT_ID, CLIENT_SECRET, DeviceAnswer, FakeTwitch, PUBLIC_CLIENT_ID, STREAMER_ID,
};

use super::client::{Helix, browse, http, post_form, value};

const REDIRECT: &str = "http://localhost:3000/oauth";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn at(twitch: &FakeTwitch, path: &str) -> String {
    twitch.oauth_base().join(path).unwrap().into()
}

async fn validate(twitch: &FakeTwitch, token: &str) -> (u16, Value) {
    let request = http().get(at(twitch, "validate")).header("authorization", format!("OAuth {token}"));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn refresh(twitch: &FakeTwitch, client: &str, token: &str) -> (u16, Value) {
    let mut fields = vec![("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
    if client == CLIENT_ID {
        fields.push(("client_secret", CLIENT_SECRET));
    }
    post_form(&at(twitch, "token"), &fields, None).await
}

#[tokio::test]
async fn a_browser_comes_back_with_a_code_that_serves_once() {
    let twitch = FakeTwitch::start().await;
    let query = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("scope", "user:read:chat bits:read"),
        ("state", "st&te"),
    ];
    let back = browse(&at(&twitch, "authorize"), &query).await.unwrap();
    assert_eq!(value(&back, "state"), "st&te");
    let exchange = |code: String, redirect: &'static str, secret: &'static str| {
        let url = at(&twitch, "token");
        async move {
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", CLIENT_ID),
                ("client_secret", secret),
                ("code", &code),
                ("redirect_uri", redirect),
            ];
            post_form(&url, &fields, None).await
        }
    };
    let code = value(&back, "code").to_owned();
    assert_eq!(exchange(code.clone(), REDIRECT, "wrong").await.0, 403);
    let (status, tokens) = exchange(code.clone(), REDIRECT, CLIENT_SECRET).await;
    assert_eq!((status, &tokens["token_type"]), (200, &json!("bearer")));
    assert_eq!(tokens["scope"], json!(["bits:read", "user:read:chat"]), "a list");
    assert_eq!(exchange(code, REDIRECT, CLIENT_SECRET).await.0, 400, "once");
    let (_, who) = validate(&twitch, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((&who["user_id"], &who["login"]), (&json!(STREAMER_ID), &json!("streamer")));

    let again = browse(&at(&twitch, "authorize"), &query).await.unwrap();
    assert_eq!(exchange(value(&again, "code").to_owned(), "http://localhost:3001/oauth", CLIENT_SECRET).await.0, 400);
    twitch.deny_sign_in(true);
    let denied = browse(&at(&twitch, "authorize"), &query).await.unwrap();
    assert_eq!(
        (value(&denied, "error"), value(&denied, "state"), value(&denied, "code")),
        ("access_denied", "st&te", "")
    );
    twitch.register_redirect("http://localhost:3000/other");
    assert_eq!(browse(&at(&twitch, "authorize"), &query).await, Err(400), "letter by letter");
}

#[tokio::test]
async fn a_refresh_token_stays_or_changes_as_it_is_told() {
    let twitch = FakeTwitch::start().await;
    let first = twitch.grant(BOT, "user:bot");
    let (status, second) = refresh(&twitch, CLIENT_ID, &first.refresh).await;
    assert_eq!((status, second["refresh_token"].as_str().unwrap()), (200, first.refresh.as_str()));
    assert_ne!(second["access_token"].as_str().unwrap(), first.access);
    twitch.rotate_refresh_tokens(true);
    let (_, third) = refresh(&twitch, CLIENT_ID, &first.refresh).await;
    let rotated = third["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(rotated, first.refresh);
    let (status, body) = refresh(&twitch, CLIENT_ID, &first.refresh).await;
    assert_eq!((status, body), (400, json!({ "status": 400, "message": "Invalid refresh token" })));
    assert_eq!(twitch.spent_refreshes(), 1);
    assert_eq!(validate(&twitch, third["access_token"].as_str().unwrap()).await.0, 200);
    twitch.revoke_families(true);
    refresh(&twitch, CLIENT_ID, &first.refresh).await;
    assert_eq!(validate(&twitch, third["access_token"].as_str().unwrap()).await.0, 401, "the family is gone");
    assert_eq!(refresh(&twitch, CLIENT_ID, &rotated).await.0, 400);
    assert_eq!((twitch.refreshes(), twitch.spent_refreshes()), (5, 2));
}

#[tokio::test]
async fn refresh_tokens_of_public_clients_serve_once() {
    let twitch = FakeTwitch::start().await;
    let first = twitch.grant_to(PUBLIC_CLIENT_ID, BOT, "user:bot");
    assert_eq!(refresh(&twitch, CLIENT_ID, &first.refresh).await.0, 400, "of another application");
    assert_eq!(refresh(&twitch, PUBLIC_CLIENT_ID, &first.refresh).await.0, 200);
    assert_eq!(refresh(&twitch, PUBLIC_CLIENT_ID, &first.refresh).await.0, 400);
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_too_old() {
    let twitch = FakeTwitch::start().await;
    twitch.set_token_lifetime(Duration::from_secs(100));
    let tokens = twitch.grant(BOT, "user:bot");
    let (status, who) = validate(&twitch, &tokens.access).await;
    assert_eq!((status, who["user_id"].as_str()), (200, Some(BOT_ID)));
    assert!(who["expires_in"].as_u64().unwrap() <= 100);
    let fields = [("client_id", CLIENT_ID), ("token", tokens.access.as_str())];
    assert_eq!(post_form(&at(&twitch, "revoke"), &fields, None).await.0, 200);
    let (status, body) = validate(&twitch, &tokens.access).await;
    assert_eq!((status, body), (401, json!({ "status": 401, "message": "invalid access token" })));
    let other = twitch.grant(BOT, "user:bot");
    twitch.expire_access_tokens();
    assert_eq!(validate(&twitch, &other.access).await.0, 401);
    assert_eq!(refresh(&twitch, CLIENT_ID, &other.refresh).await.0, 200);
    twitch.disconnect(BOT);
    assert_eq!(refresh(&twitch, CLIENT_ID, &other.refresh).await.0, 400);
}

#[tokio::test]
async fn a_device_waits_for_somebody() {
    let twitch = FakeTwitch::start().await;
    twitch.answer_device(DeviceAnswer::Never);
    twitch.signs_in(BOT);
    let ask = [("client_id", PUBLIC_CLIENT_ID), ("scopes", "user:bot")];
    let (_, device) = post_form(&at(&twitch, "device"), &ask, None).await;
    assert_eq!((device["expires_in"].as_u64(), device["interval"].as_u64()), (Some(1800), Some(5)));
    let code = device["device_code"].as_str().unwrap();
    let poll =
        [("client_id", PUBLIC_CLIENT_ID), ("scopes", "user:bot"), ("device_code", code), ("grant_type", DEVICE_CODE)];
    let pending = json!({ "status": 400, "message": "authorization_pending" });
    assert_eq!(post_form(&at(&twitch, "token"), &poll, None).await, (400, pending));
    let page = http().get(device["verification_uri"].as_str().unwrap()).send().await.unwrap();
    assert!(page.status().is_success());
    let (status, tokens) = post_form(&at(&twitch, "token"), &poll, None).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!(["user:bot"])));
    let invalid = json!({ "status": 400, "message": "invalid device code" });
    assert_eq!(post_form(&at(&twitch, "token"), &poll, None).await, (400, invalid));
    assert_eq!(validate(&twitch, tokens["access_token"].as_str().unwrap()).await.1["login"], BOT);
}

#[tokio::test]
async fn an_answer_may_be_wrong_slow_or_missing() {
    let twitch = FakeTwitch::start().await;
    let tokens = twitch.grant(BOT, "user:bot");
    twitch.rotate_refresh_tokens(true);
    twitch.answer_next("POST /oauth2/token", [Answer::status(503, "busy").with_header("retry-after", 7), Answer::Cut]);
    assert_eq!(refresh(&twitch, CLIENT_ID, &tokens.refresh).await.0, 503);
    let url = at(&twitch, "token");
    assert!(http().post(&url).body("x").send().await.is_err(), "cut");
    assert_eq!(twitch.refreshes(), 0, "nothing was done");
    twitch.answer_next("POST /oauth2/token", [Answer::DoneButCut]);
    let form = format!(
        "grant_type=refresh_token&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&refresh_token={}",
        tokens.refresh
    );
    let sent = http().post(&url).header("content-type", "application/x-www-form-urlencoded").body(form).send().await;
    assert!(sent.is_err());
    assert_eq!(twitch.refreshes(), 1, "it was done");
    let helix = Helix::new(&twitch, &tokens.access);
    twitch.answer_always("GET /helix/users", Answer::Html(200));
    assert_eq!(helix.get("users").await, (200, Value::Null));
    twitch.answer_always("GET /helix/users", Answer::Properly);
    assert_eq!(helix.get("users").await.1["data"][0]["id"], BOT_ID);
    assert_eq!(twitch.asked_for("GET /helix/users").len(), 2);
}
