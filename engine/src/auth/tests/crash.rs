//! Where a crash or a disk comes between: what serves once is never presented twice, and nobody gets what is not saved.

use super::server::Fault;
use super::*;

const ROTATING: [App; 3] = [App::PublicTwitch, App::Joystick, App::PublicJoystick];

#[tokio::test]
async fn after_a_crash_over_a_refresh_the_old_refresh_token_is_never_presented() {
    for app in ROTATING {
        let (world, tokens) = World::signed_in(app).await;
        let stale = tokens.read().await.unwrap();
        world.server.will(Fault::Hang);
        let asking = tokio::spawn({
            let (tokens, stale) = (Arc::clone(&tokens), stale.clone());
            async move { tokens.refresh(&stale).await }
        });
        world.server.is_presented().await;
        let killed = world.after_kill().await;
        let tokens = killed.grants.tokens(&app.id());
        assert_eq!(token(&tokens.read().await.unwrap()), token(&stale), "it is used until it ends");
        let TokenError::SignIn { why, what_to_do } = tokens.refresh(&stale).await.unwrap_err() else { panic!() };
        assert!(why.contains("ended while it refreshed the token"), "{why}");
        assert!(what_to_do.starts_with(&format!("run `showrunner auth {}`", app.platform())), "{what_to_do}");
        assert!(tokens.read().await.is_err(), "it was refused by the platform");
        world.server.let_go();
        asking.await.unwrap().unwrap();
        assert_eq!(world.server.presented().len(), 1, "{app:?}");
        assert!(!world.server.book(|book| book.was_family_revoked));
    }
}

#[tokio::test]
async fn after_a_crash_a_refresh_token_that_may_be_used_again_is() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    let stale = tokens.read().await.unwrap();
    world.server.will(Fault::Hang);
    let asking = tokens.refresh(&stale);
    let killed = tokio::select! {
        _ = asking => panic!("the answer waits"),
        killed = async { world.server.is_presented().await; world.after_kill().await } => killed,
    };
    let tokens = killed.grants.tokens(&App::Twitch.id());
    assert_eq!(token(&tokens.refresh(&stale).await.unwrap()), format!("{SECRET}-access-3"));
}

#[tokio::test]
async fn what_was_given_out_is_there_after_a_crash() {
    for app in ROTATING {
        let (world, tokens) = World::signed_in(app).await;
        let fresh = tokens.refresh(&tokens.read().await.unwrap()).await.unwrap();
        let killed = world.after_kill().await;
        let tokens = killed.grants.tokens(&app.id());
        assert_eq!(token(&tokens.read().await.unwrap()), token(&fresh));
        tokens.refresh(&fresh).await.unwrap();
        assert!(!world.server.book(|book| book.was_family_revoked), "{app:?}");
    }
}

#[tokio::test]
async fn without_a_mark_on_the_disk_nothing_is_presented() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    world.sql("CREATE TRIGGER no_mark BEFORE UPDATE ON grants BEGIN SELECT RAISE(ABORT, 'no room'); END");
    let stale = tokens.read().await.unwrap();
    let refused = tokens.refresh(&stale).await.unwrap_err();
    assert!(matches!(&refused, TokenError::Later(why) if why.contains("no room")), "{refused}");
    assert!(world.server.presented().is_empty());
    world.sql("DROP TRIGGER no_mark");
    tokens.refresh(&stale).await.unwrap();
}

#[tokio::test]
async fn tokens_that_the_disk_does_not_take_are_kept_and_not_given_out() {
    for app in [App::Joystick, App::Twitch] {
        let (world, tokens) = World::signed_in(app).await;
        world.sql("CREATE TRIGGER no_save BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'no room'); END");
        let stale = tokens.read().await.unwrap();
        for _ in 0..2 {
            let refused = tokens.refresh(&stale).await.unwrap_err();
            assert!(matches!(&refused, TokenError::Later(why) if why.contains("can't be saved yet")), "{refused}");
            assert!(matches!(tokens.read().await, Err(TokenError::Later(_))));
        }
        world.sql("DROP TRIGGER no_save");
        assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-2"));
        assert_eq!(world.server.presented().len(), 1, "{app:?}");
        tokens.refresh(&tokens.read().await.unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn tokens_that_the_disk_takes_late_are_there_at_the_next_start() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    world.sql("CREATE TRIGGER no_save BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'no room'); END");
    tokens.refresh(&tokens.read().await.unwrap()).await.unwrap_err();
    world.sql("DROP TRIGGER no_save");
    // Nobody asks for it; the end saves it.
    let world = world.restarted().await;
    let tokens = world.grants.tokens(&App::Joystick.id());
    assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-2"));
}

#[tokio::test]
async fn a_copy_that_is_put_back_presents_no_old_refresh_token() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let copy = world.folder.path().join("copy.db");
    world.store.back_up(&world.database(), &copy, false).await.unwrap();
    let old = tokens.read().await.unwrap();
    tokens.refresh(&old).await.unwrap();
    world.grants.stop().await;
    world.store.close().await;
    store::backup::restore(&copy, &world.database()).unwrap();
    let world = world.restarted().await;
    let tokens = world.grants.tokens(&App::Joystick.id());
    let read = tokens.read().await.unwrap();
    assert_eq!(token(&read), token(&old));
    let TokenError::SignIn { why, .. } = tokens.refresh(&read).await.unwrap_err() else { panic!() };
    assert!(why.contains("backup"), "{why}");
    assert!(!world.server.book(|book| book.was_family_revoked));
}
