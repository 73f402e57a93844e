//! What comes of a code, whose tokens they are, and taking them back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

fn last_form(world: &World, grant_type: &str) -> std::collections::HashMap<String, String> {
    let is_meant = |form: &&std::collections::HashMap<String, String>| {
        form.get("grant_type").is_some_and(|kind| kind == grant_type)
    };
    world.server.book(|book| book.forms.iter().rev().find(is_meant).cloned().unwrap())
}

#[tokio::test]
async fn a_code_is_exchanged_as_each_service_wants_it() {
    let world = World::new(App::Twitch).await;
    let grant = world.sign_in(App::Twitch).await.unwrap();
    assert_eq!((grant.id, grant.login.as_str()), (App::Twitch.id(), "anna"));
    assert!(grant.missing.contains(&"bits:read".to_owned()) && !grant.missing.contains(&"channel:bot".to_owned()));
    let form = last_form(&world, "authorization_code");
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("app", "sekrit-client"));
    assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("sekrit-code", "http://localhost:3000/oauth"));

    let world = World::new(App::Joystick).await;
    let grant = world.sign_in(App::Joystick).await.unwrap();
    assert_eq!((grant.id, grant.user_id.as_str()), (App::Joystick.id(), "3f9a0c"));
    let form = last_form(&world, "authorization_code");
    assert!(!form.contains_key("client_secret") && !form.contains_key("client_id"));
    let basic = format!("Basic {}", STANDARD.encode("app:sekrit-client"));
    assert!(world.server.book(|book| book.asked.contains(&("/oauth2/token".to_owned(), basic))));

    let world = World::new(App::PublicJoystick).await;
    let request = AuthRequest::Exchange {
        platform: "joystick".to_owned(),
        role: Role::Broadcaster,
        code: Hidden("c".to_owned()),
        redirect: "http://127.0.0.1:1/".to_owned(),
        verifier: Some(Hidden("the-verifier".to_owned())),
    };
    assert!(!format!("{request:?}").contains("the-verifier"));
    world.grants.answer(request).await.unwrap();
    let form = last_form(&world, "authorization_code");
    assert_eq!((form["client_id"].as_str(), form["code_verifier"].as_str()), ("app", "the-verifier"));
    assert!(world.server.book(|book| book.asked.contains(&("/oauth2/token".to_owned(), String::new()))));
}

#[tokio::test]
async fn joystick_is_asked_in_the_older_way_too_and_the_config_has_the_last_word() {
    let world = World::new(App::Joystick).await;
    let old = json!({ "username": "old", "channel_id": "77aa", "live": false });
    world.server.book(|book| {
        book.answers.insert("/api/v1/me/identity".to_owned(), (403, json!({})));
        book.answers.insert("/api/users/stream-settings".to_owned(), (200, old));
    });
    let grant = world.sign_in(App::Joystick).await.unwrap();
    assert_eq!((grant.user_id.as_str(), grant.login.as_str()), ("77aa", "old"));

    world.server.book(|book| book.answers.insert("/api/users/stream-settings".to_owned(), (403, json!({}))));
    let refused = world.sign_in(App::Joystick).await.unwrap_err();
    assert!(refused.to_string().contains("does not say whose they are"), "{refused}");
    assert!(refused.help.unwrap().contains("`channels` in [joystick]"));
    let config = config(App::Joystick, &world.server.base()).replace("[joystick]", "[joystick]\nchannels = [\"c1\"]");
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let grant = world.sign_in(App::Joystick).await.unwrap();
    assert_eq!((grant.user_id.as_str(), grant.login.as_str()), ("c1", "pixel"));
}

/// Else the sign-in of another channel would take the place of the one that the config names.
#[tokio::test]
async fn a_service_that_fails_to_say_who_it_is_signs_nobody_in() {
    let world = World::new(App::Joystick).await;
    let config = config(App::Joystick, &world.server.base()).replace("[joystick]", "[joystick]\nchannels = [\"c1\"]");
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    for (newer, older) in [(503, 503), (503, 404), (403, 429)] {
        world.server.book(|book| {
            book.answers.insert("/api/v1/me/identity".to_owned(), (newer, json!({})));
            book.answers.insert("/api/users/stream-settings".to_owned(), (older, json!({})));
        });
        let refused = world.sign_in(App::Joystick).await.unwrap_err();
        assert!(refused.to_string().contains("does not say whose they are: "), "{refused}");
        assert!(refused.to_string().ends_with("; the tokens were revoked"), "{refused}");
        assert_eq!(refused.help.as_deref(), Some("sign in again"));
    }
    assert_eq!(world.server.book(|book| book.revoked.len()), 6, "two tokens each time");
    assert!(world.store.grants().await.unwrap().is_empty());
}

#[tokio::test]
async fn who_has_no_part_can_not_sign_in() {
    let world = World::new(App::Twitch).await;
    let config = config(App::Twitch, &world.server.base()).replace("\"both\"", "\"broadcaster\"");
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let refused = world.sign_in_as(App::Twitch, Role::Bot).await.unwrap_err();
    assert!(refused.to_string().contains("the bot has no account of its own"), "{refused}");
    assert!(refused.help.unwrap().contains("accounts = \"both\""));
    assert!(world.sign_in(App::Joystick).await.unwrap_err().to_string().contains("the config has no [joystick]"));
    let grant = world.sign_in(App::Twitch).await.unwrap();
    assert!(grant.missing.contains(&"user:write:chat".to_owned()), "one account is asked for both");
}

#[tokio::test]
async fn a_refused_code_is_told_without_it() {
    let world = World::new(App::Twitch).await;
    let said = json!({ "status": 400, "message": "Invalid authorization code sekrit-code" });
    world.server.book(|book| book.answers.insert("/oauth2/token".to_owned(), (400, said)));
    let refused = world.sign_in(App::Twitch).await.unwrap_err();
    assert_eq!(refused.to_string(), "Twitch refused the code: HTTP 400, \"Invalid authorization code …\"");
}

#[tokio::test]
async fn nothing_that_was_sent_is_told_back() {
    for app in [App::Joystick, App::PublicJoystick] {
        let world = World::new(app).await;
        let basic = STANDARD.encode("app:sekrit-client");
        let said = format!("no sekrit-code of the-verifier by {basic} and sekrit-client");
        world.server.book(|book| book.answers.insert("/oauth2/token".to_owned(), (400, json!({ "error": said }))));
        let request = AuthRequest::Exchange {
            platform: "joystick".to_owned(),
            role: Role::Broadcaster,
            code: Hidden(format!("{SECRET}-code")),
            redirect: "http://127.0.0.1:1/".to_owned(),
            verifier: (app == App::PublicJoystick).then(|| Hidden("the-verifier".to_owned())),
        };
        let refused = world.grants.answer(request).await.unwrap_err().to_string();
        let told = match app {
            App::Joystick => "no … of the-verifier by … and …".to_owned(),
            _ => format!("no … of … by {basic} and sekrit-client"),
        };
        assert!(refused.contains(&told), "{refused}");
    }
}

#[tokio::test]
async fn a_grant_is_taken_back_there_and_here() {
    for app in [App::Twitch, App::Joystick] {
        let (world, tokens) = World::signed_in(app).await;
        let answer = world.grants.answer(AuthRequest::Revoke { id: app.id(), forget: false }).await.unwrap();
        assert_eq!(answer, AuthAnswer::Revoked { untold: None });
        let revoked = world.server.book(|book| book.revoked.clone());
        let both = [format!("{SECRET}-refresh-1"), format!("{SECRET}-access-1")];
        assert_eq!(revoked, both[usize::from(app == App::Twitch)..]);
        assert!(tokens.read().await.is_err());
        let again = world.grants.answer(AuthRequest::Revoke { id: app.id(), forget: true }).await.unwrap_err();
        assert!(again.to_string().contains("nobody is signed in"), "{again}");
    }
}

#[tokio::test]
async fn an_access_token_that_has_ended_keeps_no_refresh_token_alive() {
    let (world, _) = World::signed_in(App::Joystick).await;
    world.server.book(|book| book.unknown.push(format!("{SECRET}-access-1")));
    let request = AuthRequest::Revoke { id: App::Joystick.id(), forget: false };
    assert_eq!(world.grants.answer(request).await.unwrap(), AuthAnswer::Revoked { untold: None });
    assert_eq!(world.server.book(|book| book.revoked.clone()), [format!("{SECRET}-refresh-1")]);
}

#[tokio::test]
async fn without_the_service_it_is_deleted_only_when_that_is_said() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    world.server.book(|book| book.answers.insert("/oauth2/revoke".to_owned(), (503, json!({}))));
    let refused = world.grants.answer(AuthRequest::Revoke { id: App::Twitch.id(), forget: false }).await.unwrap_err();
    assert!(refused.to_string().contains("nothing was deleted") && refused.help.unwrap().contains("--forget"));
    tokens.read().await.unwrap();
    let answer = world.grants.answer(AuthRequest::Revoke { id: App::Twitch.id(), forget: true }).await.unwrap();
    assert!(matches!(answer, AuthAnswer::Revoked { untold: Some(_) }), "{answer:?}");
    assert!(tokens.read().await.is_err());
}

#[tokio::test]
async fn an_overview_holds_what_is_wanted_and_what_is_there() {
    let world = World::new(App::Twitch).await;
    let names = |overview: &Overview| {
        overview.grants.iter().map(|grant| format!("{} {:?}", grant.name, grant.condition)).collect::<Vec<_>>()
    };
    let overview = world.grants.overview().await.unwrap();
    assert_eq!(names(&overview), ["Twitch: the bot Absent", "Twitch: the broadcaster Absent"]);
    assert!(overview.key.problem.is_none(), "none is needed yet");
    world.sign_in_as(App::Twitch, Role::Bot).await.unwrap();
    let config = config(App::Twitch, &world.server.base()).replace("[twitch]", "[twitch]\nchannels = [\"1\"]");
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let overview = world.grants.overview().await.unwrap();
    assert_eq!(names(&overview), ["Twitch: the bot SignedIn", "Twitch: the broadcaster 1 Absent"]);
    let text = serde_json::to_string(&overview).unwrap();
    assert!(!text.contains(SECRET) && serde_json::from_str::<Overview>(&text).unwrap() == overview);
}

#[tokio::test]
async fn what_is_not_subscribed_to_is_not_missing() {
    let world = World::new(App::Twitch).await;
    let narrowed = "[twitch]\nsubscriptions = [\"channel.cheer\"]";
    let config = config(App::Twitch, &world.server.base()).replace("[twitch]", narrowed);
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let grant = world.sign_in(App::Twitch).await.unwrap();
    assert_eq!(grant.missing, ["bits:read", "channel:manage:broadcast", "clips:edit"]);
}

#[tokio::test]
async fn of_joysticks_channels_only_the_first_has_to_be_signed_in() {
    let world = World::new(App::Joystick).await;
    world.sign_in(App::Joystick).await.unwrap();
    let channels = "[joystick]\nchannels = [\"c1\", \"c2\", \"3f9a0c\"]";
    let config = config(App::Joystick, &world.server.base()).replace("[joystick]", channels);
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let overview = world.grants.overview().await.unwrap();
    let shown: Vec<(&str, bool, Condition)> =
        overview.grants.iter().map(|grant| (grant.id.account.as_str(), grant.is_used, grant.condition)).collect();
    assert_eq!(shown, [("3f9a0c", false, Condition::SignedIn), ("c1", true, Condition::Absent)]);
}
