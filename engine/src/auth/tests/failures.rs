//! Services that refuse, fail, or do not answer.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::server::Fault;
use super::*;

async fn refresh(tokens: &Arc<dyn Tokens>, stale: &Access) -> TokenError {
    tokens.refresh(stale).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_was_lost_uses_up_what_serves_once() {
    for fault in [Fault::Swallow(500, "oops"), Fault::Swallow(200, "<html>"), Fault::Swallow(502, "{}")] {
        let (world, tokens) = World::signed_in(App::Joystick).await;
        let stale = tokens.read().await.unwrap();
        world.server.will(fault.clone());
        let TokenError::SignIn { why, what_to_do } = refresh(&tokens, &stale).await else { panic!("{fault:?}") };
        assert!(why.contains("may be used up"), "{why}");
        assert!(what_to_do.starts_with("run `showrunner auth joystick`"), "{what_to_do}");
        assert_eq!(world.condition(App::Joystick).await, Condition::Ending);
        let world = world.restarted().await;
        let tokens = world.grants.tokens(&App::Joystick.id());
        assert_eq!(token(&tokens.read().await.unwrap()), token(&stale), "it is used until it ends");
        refresh(&tokens, &stale).await;
        assert_eq!(world.server.presented().len(), 1, "{fault:?}");
        world.sign_in(App::Joystick).await.unwrap();
        assert_eq!(world.condition(App::Joystick).await, Condition::SignedIn);
        tokens.refresh(&tokens.read().await.unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_loss_where_the_refresh_token_may_be_used_again() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let stale = tokens.read().await.unwrap();
    world.server.will(Fault::Swallow(500, "oops"));
    assert!(matches!(refresh(&tokens, &stale).await, TokenError::Later(why) if why.contains("HTTP 500")));
    assert_eq!(token(&tokens.refresh(&stale).await.unwrap()), format!("{SECRET}-access-3"));
}

#[tokio::test]
async fn what_never_arrived_is_tried_again() {
    for app in [App::Joystick, App::PublicTwitch, App::Twitch] {
        let (world, tokens) = World::signed_in(app).await;
        let stale = tokens.read().await.unwrap();
        for status in [429, 404, 302] {
            world.server.will(Fault::Status(status, Value::Null));
            assert!(matches!(refresh(&tokens, &stale).await, TokenError::Later(_)), "{status}");
        }
        // After a restart too: the mark was cleared.
        let world = world.restarted().await;
        let tokens = world.grants.tokens(&app.id());
        tokens.refresh(&stale).await.unwrap();
        assert!(!world.server.book(|book| book.was_family_revoked), "{app:?}");
    }
}

/// A server that is away, and one that hangs up on a request.
#[tokio::test]
async fn a_broken_connection_is_told_from_one_that_was_refused() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let stale = tokens.read().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let away = Arc::new(settings(&world.folder, &config(App::Joystick, &base)));
    world.grants.configure(&away);
    assert!(matches!(refresh(&tokens, &stale).await, TokenError::Later(_)));
    assert!(matches!(refresh(&tokens, &stale).await, TokenError::Later(_)), "the mark was cleared");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let rude = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    });
    world.grants.configure(&Arc::new(settings(&world.folder, &config(App::Joystick, &base))));
    assert!(matches!(refresh(&tokens, &stale).await, TokenError::SignIn { .. }));
    rude.await.unwrap();
    world.grants.configure(&world.settings);
    refresh(&tokens, &stale).await;
    assert!(world.server.presented().is_empty(), "it may have arrived");
}

/// What stands before a service may turn everybody away for a while. The service knows nothing of it.
#[tokio::test]
async fn a_page_that_turns_away_costs_no_refresh_token() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let stale = tokens.read().await.unwrap();
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let network = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            let page = "\n<html>Attention required</html>";
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", page.len());
            stream.write_all(format!("{head}{page}").as_bytes()).await.unwrap();
        });
        world.grants.configure(&Arc::new(settings(&world.folder, &config(App::Joystick, &base))));
        assert!(matches!(refresh(&tokens, &stale).await, TokenError::Later(why) if why.contains("a page")), "{status}");
        network.await.unwrap();
    }
    // After a restart too: the mark was cleared.
    let world = world.restarted().await;
    world.grants.tokens(&App::Joystick.id()).refresh(&stale).await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_what_to_run_and_is_told_once() {
    let (log, _guard) = Log::start();
    let world = World::new(App::Twitch).await;
    world.sign_in_as(App::Twitch, Role::Bot).await.unwrap();
    let tokens = world.grants.tokens(&GrantId::bot("twitch"));
    let stale = tokens.read().await.unwrap();
    world.server.book(|book| book.refresh = "another".to_owned());
    for _ in 0..3 {
        let TokenError::SignIn { why, what_to_do } = refresh(&tokens, &stale).await else { panic!() };
        assert!(why.contains("Invalid refresh token …"), "{why}");
        assert_eq!(what_to_do, "run `showrunner auth twitch --bot`");
    }
    assert_eq!(world.server.presented().len(), 1, "it is not asked again");
    assert_eq!(log.count("Nobody is signed in any more."), 1, "{}", log.text());
    let world = world.restarted().await;
    let overview = world.grants.overview().await.unwrap();
    let bot = overview.grants.iter().find(|grant| grant.id == GrantId::bot("twitch")).unwrap();
    assert_eq!((bot.condition, bot.login.as_str()), (Condition::SignedOut, "anna"));
    assert!(!log.text().contains(SECRET), "{}", log.text());
}

#[tokio::test]
async fn an_application_that_is_not_known_is_not_a_sign_in_that_ended() {
    for app in [App::Twitch, App::Joystick] {
        let (world, tokens) = World::signed_in(app).await;
        let stale = tokens.read().await.unwrap();
        world.server.will(Fault::Status(403, json!({ "status": 403, "message": "invalid client secret" })));
        let TokenError::SignIn { why, what_to_do } = refresh(&tokens, &stale).await else { panic!() };
        assert!(why.contains("does not know this application"), "{why}");
        assert_eq!(what_to_do, "check `client-id` and `client-secret`");
        assert_eq!(world.condition(app).await, Condition::SignedIn);
        tokens.refresh(&stale).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_is_signed_in_until_somebody_is() {
    let world = World::new(App::Twitch).await;
    let TokenError::SignIn { why, what_to_do } = world.grants.tokens(&App::Twitch.id()).read().await.unwrap_err()
    else {
        panic!()
    };
    assert!(why.contains("nobody is signed in"), "{why}");
    assert_eq!(what_to_do, "run `showrunner auth twitch` as the broadcaster 141981764 at Twitch");
    let elsewhere = world.grants.tokens(&App::Joystick.id()).read().await;
    assert!(matches!(elsewhere, Err(TokenError::SignIn { .. })));
}

#[tokio::test]
async fn another_application_needs_another_sign_in() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let config = config(App::Twitch, &world.server.base()).replace("\"app\"", "\"other\"");
    world.grants.configure(&Arc::new(settings(&world.folder, &config)));
    let TokenError::SignIn { why, .. } = tokens.read().await.unwrap_err() else { panic!() };
    assert!(why.contains("another application"), "{why}");
}
