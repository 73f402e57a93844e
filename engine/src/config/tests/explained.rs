//! `config/showrunner.toml` explains every key, and what it says of defaults and ranges is true.

use serde_json::Value;

use super::*;
use crate::config::raw::{Plugin, Retake};

const EXPLAINED: &str = include_str!("../../../../config/showrunner.toml");
const DEMO: &str = include_str!("../../../../config/demo.toml");

/// Keys that are shown by an example, for want of a default.
const EXAMPLES: [&str; 12] = [
    "http.token",
    "agent.queue-file",
    "agent.health-file",
    "auth.key",
    "twitch.client-secret",
    "twitch.channels",
    "twitch.subscriptions",
    "joystick.client-secret",
    "joystick.scopes",
    "joystick.channels",
    "simulator.script",
    "simulator.record",
];

/// A key that is switched off: `#` and the key, without a space.
fn is_switched_off(line: &str) -> bool {
    line.strip_prefix('#')
        .is_some_and(|rest| rest.starts_with(|first: char| first == '[' || first.is_ascii_lowercase()))
}

fn switched_on() -> String {
    EXPLAINED.lines().map(|line| if is_switched_off(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

fn raw(text: &str) -> Raw {
    parse(Path::new(FILE), text, fake_secret).map_err(|error| error.to_string()).unwrap().0
}

/// Every path to a value in what serde makes of the raw config, written or not.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                keys(field, &path, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| keys(item, path, found));
        }
        Value::Null => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn as_it_ships_it_changes_nothing() {
    assert_eq!(reload::compare(&settings(""), &settings(EXPLAINED)), reload::Changes::default());
}

#[test]
fn every_key_is_in_it() {
    let mut missing = Vec::new();
    let explained = raw(&switched_on());
    keys(&serde_json::to_value(&explained).unwrap(), "", &mut missing);
    let greeter = &explained.plugins["greeter"];
    assert!(!greeter.secrets.is_empty() && !greeter.settings.is_empty(), "maps are empty where they are not written");
    assert_eq!(missing, Vec::<String>::new(), "these keys are not explained in config/showrunner.toml");
}

#[test]
fn its_defaults_are_the_defaults() {
    let mut shown = switched_on().parse::<toml_edit::DocumentMut>().unwrap();
    for path in EXAMPLES {
        let (table, key) = path.split_once('.').unwrap();
        shown[table].as_table_mut().unwrap().remove(key).unwrap();
    }
    let needed = "[plugins.greeter]\n[[retake]]\nroom = \"streamer-user-id\"\nuser-id = \"bot-user-id\"\ntoken = \"env:RETAKE_TOKEN\"\n\
                  [twitch]\nclient-id = \"your-client-id\"\n[joystick]\nclient-id = \"your-client-id\"\nbot = \"pixel\"\n";
    let resolved = |text: &str| {
        let (raw, settings) = parse(Path::new(FILE), text, fake_secret).map_err(|error| error.to_string()).unwrap();
        let mut text: toml_edit::DocumentMut = show::render(raw, &settings, Depth::Resolved).parse().unwrap();
        for key in ["enabled", "grant", "pin", "secrets", "settings"] {
            text["plugins"]["greeter"].as_table_mut().unwrap().remove(key);
        }
        // Without a limit there is no burst to show.
        text["simulator"]["pace"].as_table_mut().unwrap().remove("burst");
        text.to_string()
    };
    assert_eq!(resolved(&shown.to_string()), resolved(needed));
    let burst = raw(&switched_on()).simulator.pace.burst;
    assert_eq!(burst, Some(defaults::SIMULATOR_PACE.burst));
}

/// Each number, time and size is replaced by one that is far too large, and the comment above it must say the range
/// that the error then names.
#[test]
fn its_ranges_are_the_ranges() {
    let lines: Vec<&str> = EXPLAINED.lines().collect();
    let mut checked = 0;
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| is_switched_off(line)) {
        let Some((key, value)) = line[1..].split_once(" = ") else { continue };
        let absurd = match value.trim_matches('"') {
            number if number.parse::<u32>().is_ok() => "4000000000",
            time if time.ends_with(['s', 'm', 'h', 'd']) && time.starts_with(|first: char| first.is_ascii_digit()) => {
                "\"99999d\""
            }
            size if size.ends_with("iB") => "\"9999999GiB\"",
            _ => continue,
        };
        let text: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(place, &line)| match (place == number, is_switched_off(line)) {
                (true, _) => format!("{key} = {absurd}"),
                (false, true) => line[1..].to_owned(),
                (false, false) => line.to_owned(),
            })
            .collect();
        let error = parse(Path::new(FILE), &text.join("\n"), fake_secret).map(|_| ()).unwrap_err();
        let message = error.problems()[0].message.clone();
        let range = message.strip_prefix("expected ").unwrap_or_else(|| panic!("{key}: {message}"));
        let explained = lines[..number]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("# "))
            .any(|line| line.contains(&format!("rom {range}")));
        assert!(explained, "the comment above {key} does not say \"From {range}\"");
        checked += 1;
    }
    assert!(checked > 35, "only {checked} ranges were found");
}

#[test]
fn the_demo_needs_no_account_and_is_not_reachable() {
    let settings = settings(DEMO);
    assert_eq!(settings.http.listen, None);
    assert_eq!(settings.simulator.script.as_deref(), Some(Path::new("demo")));
    assert!(settings.retake.is_empty());
    assert!(settings.plugins.values().all(|plugin| plugin.grant.as_ref().is_some_and(|grant| !grant.is_empty())));
}

#[test]
fn a_key_that_is_not_explained_would_be_found() {
    let empty = Raw {
        plugins: [("a".to_owned(), Plugin::default())].into(),
        retake: vec![Retake::default()],
        ..Raw::default()
    };
    let mut missing = Vec::new();
    keys(&serde_json::to_value(empty).unwrap(), "", &mut missing);
    for key in ["data-dir", "host.limits.timers", "plugins.a.pin", "retake.pace.expiry"] {
        assert!(missing.iter().any(|path| path == key), "{key}");
    }
}
