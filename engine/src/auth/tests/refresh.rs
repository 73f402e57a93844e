//! A refresh that goes well: once, whoever asks, and saved before anybody has it.

use futures_util::future::join_all;
use serde_json::json;

use super::server::Fault;
use super::*;

#[tokio::test]
async fn fifty_who_ask_at_once_get_one_new_token() {
    for app in [App::Twitch, App::PublicTwitch, App::Joystick, App::PublicJoystick] {
        let (world, tokens) = World::signed_in(app).await;
        let stale = tokens.read().await.unwrap();
        let others: Vec<_> = (0..25).map(|_| world.grants.tokens(&app.id())).collect();
        let asked = others.iter().chain(std::iter::repeat_n(&tokens, 25)).map(|tokens| tokens.refresh(&stale));
        let fresh: Vec<String> = join_all(asked).await.into_iter().map(|access| token(&access.unwrap())).collect();
        assert!(fresh.iter().all(|fresh| *fresh == world.server.book(|book| book.access.clone())), "{app:?}");
        assert_ne!(fresh[0], token(&stale));
        assert_eq!(world.server.presented().len(), 1, "{app:?}");
        assert_eq!(token(&tokens.read().await.unwrap()), fresh[0]);
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_refreshed_when_it_is_read() {
    let world = World::new(App::Joystick).await;
    world.server.book(|book| book.expires_in = json!(0));
    world.sign_in(App::Joystick).await.unwrap();
    world.server.book(|book| book.expires_in = json!(14_400));
    let tokens = world.grants.tokens(&App::Joystick.id());
    let read = join_all((0..50).map(|_| tokens.read())).await;
    let read: Vec<String> = read.into_iter().map(|access| token(&access.unwrap())).collect();
    assert!(read.iter().all(|read| read.ends_with("-access-2")), "{read:?}");
    assert_eq!(world.server.presented().len(), 1);
}

#[tokio::test]
async fn a_token_that_can_not_be_refreshed_is_used_until_it_ends() {
    let world = World::new(App::Twitch).await;
    let given = json!({ "access_token": format!("{SECRET}-access-9"), "expires_in": 14_400 });
    world.server.book(|book| {
        book.access = format!("{SECRET}-access-9");
        book.answers.insert("/oauth2/token".to_owned(), (200, given));
    });
    world.sign_in(App::Twitch).await.unwrap();
    let tokens = world.grants.tokens(&App::Twitch.id());
    // Hours later, in its last minutes.
    world.sql("UPDATE grants SET issued_ms = issued_ms - 14280000, expires_ms = expires_ms - 14280000");
    for _ in 0..2 {
        assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-9"));
    }
    world.sql("UPDATE grants SET expires_ms = issued_ms");
    let ended = tokens.read().await.unwrap_err();
    assert!(
        matches!(&ended, TokenError::SignIn { why, .. } if why.contains("gave none to refresh it with")),
        "{ended}"
    );
    assert!(world.server.presented().is_empty());
}

#[tokio::test]
async fn each_refresh_presents_the_refresh_token_of_the_one_before() {
    for app in [App::Twitch, App::Joystick] {
        let (mut world, _) = World::signed_in(app).await;
        for round in 0..3 {
            let tokens = world.grants.tokens(&app.id());
            let stale = tokens.read().await.unwrap();
            tokens.refresh(&stale).await.unwrap();
            if round == 1 {
                world = world.restarted().await;
            }
        }
        let last = if app.rotates() { 3 } else { 1 };
        let presented = world.server.presented();
        assert_eq!(presented.last().unwrap(), &format!("{SECRET}-refresh-{last}"), "{app:?}");
        assert!(!world.server.book(|book| book.was_family_revoked));
    }
}

#[tokio::test]
async fn who_gives_up_waiting_loses_nothing() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let stale = tokens.read().await.unwrap();
    world.server.will(Fault::Hang);
    tokio::select! {
        _ = tokens.refresh(&stale) => panic!("the answer waits"),
        () = world.server.is_presented() => {}
    }
    world.server.let_go();
    assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-2"));
    assert_eq!(world.server.presented().len(), 1);
}

#[tokio::test]
async fn an_end_waits_for_tokens_that_are_on_their_way() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let stale = tokens.read().await.unwrap();
    world.server.will(Fault::Hang);
    tokio::select! {
        _ = tokens.refresh(&stale) => panic!("the answer waits"),
        () = world.server.is_presented() => {}
    }
    let (grants, server) = (world.grants.clone(), &world.server);
    tokio::join!(grants.stop(), async { server.let_go() });
    let world = world.restarted().await;
    let tokens = world.grants.tokens(&App::Joystick.id());
    let read = tokens.read().await.unwrap();
    assert_eq!(token(&read), format!("{SECRET}-access-2"));
    tokens.refresh(&read).await.unwrap();
    assert!(!world.server.book(|book| book.was_family_revoked));
}

#[tokio::test]
async fn a_stale_token_of_somebody_who_is_late_costs_no_refresh() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let first = tokens.read().await.unwrap();
    let second = tokens.refresh(&first).await.unwrap();
    assert_eq!(token(&tokens.refresh(&first).await.unwrap()), token(&second));
    assert_eq!(world.server.presented().len(), 1);
}
