//! The key: lost, exchanged, put back; and what the database holds without it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::server::Fault;
use super::*;

fn holds_secret(path: &std::path::Path) -> bool {
    fs::read(path).unwrap().windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

fn sign_in_error(result: Result<Access, TokenError>) -> (String, String) {
    match result {
        Err(TokenError::SignIn { why, what_to_do }) => (why, what_to_do),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn neither_the_database_nor_a_backup_holds_a_token() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    tokens.refresh(&tokens.read().await.unwrap()).await.unwrap();
    let copy = world.folder.path().join("copy.db");
    store::backup::back_up(&world.database(), &copy, false).unwrap();
    assert!(!holds_secret(&copy));
    for file in fs::read_dir(&world.settings.data_dir).unwrap() {
        let path = file.unwrap().path();
        assert!(!holds_secret(&path), "{}", path.display());
    }
}

#[tokio::test]
async fn a_lost_key_costs_the_sign_ins_and_says_so() {
    let (world, _) = World::signed_in(App::Twitch).await;
    let key = key_file(&world.settings.data_dir);
    let aside = world.folder.path().join("aside");
    fs::rename(&key, &aside).unwrap();
    let world = world.restarted().await;
    let tokens = world.grants.tokens(&App::Twitch.id());
    let (why, what_to_do) = sign_in_error(tokens.read().await);
    assert!(why.contains("auth.key is gone"), "{why}");
    assert!(
        what_to_do.contains("put ") && what_to_do.contains(" back, or run `showrunner auth twitch`"),
        "{what_to_do}"
    );
    let overview = world.grants.overview().await.unwrap();
    assert!(overview.key.problem.unwrap().contains("is gone"));
    assert!(!key.exists(), "nothing but a sign-in makes a new one");

    // It is put back while the engine runs.
    fs::rename(&aside, &key).unwrap();
    tokens.read().await.unwrap();
}

/// Whoever looks at the status reads the key file.
#[tokio::test]
async fn another_key_in_the_file_costs_no_refresh_that_is_under_way() {
    let (world, tokens) = World::signed_in(App::Joystick).await;
    let stale = tokens.read().await.unwrap();
    world.server.will(Fault::Hang);
    let asking = tokio::spawn({
        let (tokens, stale) = (Arc::clone(&tokens), stale.clone());
        async move { tokens.refresh(&stale).await }
    });
    world.server.is_presented().await;
    fs::write(key_file(&world.settings.data_dir), "ab".repeat(32)).unwrap();
    assert_eq!(world.grants.shared.vault.view(true).problem, None);
    world.server.let_go();
    assert_eq!(token(&asking.await.unwrap().unwrap()), format!("{SECRET}-access-2"));
    assert_eq!(token(&tokens.read().await.unwrap()), format!("{SECRET}-access-2"));
    tokens.refresh(&tokens.read().await.unwrap()).await.unwrap();
    assert!(!world.server.book(|book| book.was_family_revoked));
}

#[tokio::test]
async fn a_key_that_is_refused_costs_no_code() {
    let (world, _) = World::signed_in(App::Joystick).await;
    let key = key_file(&world.settings.data_dir);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = world.sign_in(App::Joystick).await.unwrap_err();
    assert!(refused.to_string().contains("mode 644"), "{refused}");
    assert_eq!(world.server.book(|book| book.given), 1, "the code was not used");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    world.sign_in(App::Joystick).await.unwrap();
}

#[tokio::test]
async fn signing_in_again_replaces_what_a_lost_key_sealed_and_nothing_else() {
    let (world, _) = World::signed_in(App::Twitch).await;
    world.sign_in_as(App::Twitch, Role::Bot).await.unwrap();
    fs::remove_file(key_file(&world.settings.data_dir)).unwrap();
    let world = world.restarted().await;
    world.sign_in_as(App::Twitch, Role::Bot).await.unwrap();
    world.grants.tokens(&GrantId::bot("twitch")).read().await.unwrap();
    let (why, what_to_do) = sign_in_error(world.grants.tokens(&App::Twitch.id()).read().await);
    assert!(why.contains("sealed with another key"), "{why}");
    assert!(what_to_do.contains("or run `showrunner auth twitch`"), "{what_to_do}");
    assert_eq!(world.condition(App::Twitch).await, Condition::Unusable);
}

#[tokio::test]
async fn a_key_of_the_config_needs_no_file() {
    let key = "ab".repeat(32);
    let auth = format!("[auth]\nkey = \"cmd:echo {key}\"\n");
    let world = World::with_config(App::Twitch, &auth).await;
    world.sign_in(App::Twitch).await.unwrap();
    assert!(!key_file(&world.settings.data_dir).exists());
    let mut other = (*world.settings).clone();
    other.auth.key = Some("cd".repeat(32).into());
    let world = World { settings: Arc::new(other), ..world }.restarted().await;
    let (why, what_to_do) = sign_in_error(world.grants.tokens(&App::Twitch.id()).read().await);
    assert!(why.contains("another key than `auth.key` of the config"), "{why}");
    assert!(what_to_do.starts_with("put the right key back"), "{what_to_do}");
}

#[tokio::test]
async fn rows_that_were_exchanged_are_not_opened() {
    let (world, tokens) = World::signed_in(App::Twitch).await;
    world.sign_in_as(App::Twitch, Role::Bot).await.unwrap();
    world.sql("UPDATE grants SET sealed = (SELECT sealed FROM grants WHERE role = 'bot') WHERE role = 'broadcaster'");
    let (why, _) = sign_in_error(tokens.read().await);
    assert!(why.contains("damaged or were exchanged"), "{why}");
    world.grants.tokens(&GrantId::bot("twitch")).read().await.unwrap();
    world.sql("UPDATE grants SET user_id = '7' WHERE role = 'bot'");
    sign_in_error(world.grants.tokens(&GrantId::bot("twitch")).read().await);
}
