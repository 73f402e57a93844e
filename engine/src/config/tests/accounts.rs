//! `[twitch]`, `[joystick]`: what makes an account, and what keeps it from being one.

use super::errors::assert_problem;
use super::*;
use crate::config::settings::{JoystickToken, JoystickVersion, TwitchAccounts};

const TWITCH: &str = "[twitch]\nclient-id = \"app\"\n";
const JOYSTICK: &str = "[joystick]\nclient-id = \"app\"\nbot = \"pixel\"\n";

#[test]
fn a_client_id_makes_a_twitch_and_the_rest_has_defaults() {
    assert!(settings("").twitch.is_none());
    assert!(settings("[twitch]\n[twitch.pace]\n").twitch.is_none(), "the sections stand in every config");
    let twitch = settings(TWITCH).twitch.unwrap();
    assert_eq!((twitch.accounts, twitch.channels.len()), (TwitchAccounts::Broadcaster, 0));
    assert_eq!(twitch.eventsub_url.as_str(), "wss://eventsub.wss.twitch.tv/ws");
    assert_eq!(twitch.helix_base.as_str(), "https://api.twitch.tv/helix/");
    assert_eq!(twitch.oauth_base.as_str(), "https://id.twitch.tv/oauth2/");
    assert_eq!(twitch.redirect.as_str(), "http://localhost:3000/oauth");
}

#[test]
fn a_joystick_needs_its_bots_name() {
    assert!(settings("[joystick]\n[joystick.pace]\n").joystick.is_none());
    let joystick = settings(JOYSTICK).joystick.unwrap();
    assert_eq!((joystick.version, joystick.gateway_token), (JoystickVersion::V2, JoystickToken::Access));
    assert_eq!(joystick.gateway_url.as_str(), "wss://api.joystick.tv/cable");
    assert_eq!(joystick.pace.messages.map(|rate| rate.per_second), Some(1.0));
    assert_problem("[joystick]\nclient-id = \"app\"\n", "1:1", "joystick.bot: this key is needed: the username");
    assert_problem("[joystick]\nbot = \"pixel\"\n", "1:1", "joystick.client-id: this key is needed");
    assert_problem(&format!("{JOYSTICK}gateway-token = \"basic\"\n"), "4:17", "`client-secret` is needed");
}

#[test]
fn channels_are_ids_and_stand_there_once() {
    assert_problem(&format!("{TWITCH}channels = [\"streamer\"]\n"), "3:12", "expected user ids, which are numbers");
    assert_problem(&format!("{TWITCH}channels = [\"1\", \"1\"]\n"), "3:12", "one of them stands here twice");
    assert_problem(&format!("{JOYSTICK}channels = [\"\"]\n"), "4:12", "expected channel ids");
}

#[test]
fn a_bot_has_no_more_channels_than_twitch_lets_it_read() {
    let with = |accounts: &str, count: usize| {
        let channels: Vec<String> = (0..count).map(|id| format!("\"{id}\"")).collect();
        format!("{TWITCH}accounts = \"{accounts}\"\nchannels = [{}]\n", channels.join(", "))
    };
    for accounts in ["bot", "both"] {
        assert_problem(&with(accounts, 34), "4:12", "Twitch lets one bot read 33 channels, and these are 34");
        assert_eq!(settings(&with(accounts, 33)).twitch.unwrap().channels.len(), 33);
    }
    assert_eq!(settings(&with("broadcaster", 34)).twitch.unwrap().channels.len(), 34);
}

#[test]
fn what_a_sign_in_asks_for_is_words() {
    assert_eq!(settings(JOYSTICK).joystick.unwrap().scopes, None);
    let scopes = settings(&format!("{JOYSTICK}scopes = [\"bot\"]\n")).joystick.unwrap().scopes;
    assert_eq!(scopes, Some(vec!["bot".to_owned()]));
    assert_problem(&format!("{JOYSTICK}scopes = []\n"), "4:10", "nothing would be asked for");
    assert_problem(&format!("{JOYSTICK}scopes = [\"chat:read chat:write\"]\n"), "4:10", "expected words such as");
}

#[test]
fn a_browser_comes_back_to_this_machine_alone() {
    for redirect in ["https://localhost:3000/oauth", "http://example.com/oauth", "http://localhost/?x=1", "oauth"] {
        assert_problem(
            &format!("{TWITCH}redirect = \"{redirect}\"\n"),
            "3:12",
            "expected an http address on this machine",
        );
    }
}

#[test]
fn tokens_are_never_sent_in_the_clear() {
    for key in ["eventsub-url = \"ws", "helix-base = \"http", "oauth-base = \"http"] {
        let text = format!("{TWITCH}{key}://twitch.example/\"\n");
        assert!(parse(Path::new(FILE), &text, fake_secret).is_err(), "{key}");
        let text = format!("{TWITCH}{key}://127.0.0.1:1/\"\n");
        assert!(parse(Path::new(FILE), &text, fake_secret).is_ok(), "{key}");
    }
}
