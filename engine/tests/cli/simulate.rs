//! `simulate` and `watch`: what is played in is seen, answered and marked as a test.

use serde_json::Value;

use crate::place::{ANY_PORT, Place};

/// A room that nobody serves.
const RETAKE: &str = "[[retake]]\nroom = \"5b7c\"\nuser-id = \"u\"\ntoken = \"cmd:echo unused\"\n\
    rest-base = \"http://127.0.0.1:1/\"\nsocket-url = \"ws://127.0.0.1:1/\"\n";

#[test]
fn every_kind_is_seen_with_its_answers() {
    let place = Place::new(&format!("{ANY_PORT}{RETAKE}"));
    let _daemon = place.start();
    let watch = place.watch(&[]);
    let cases: [(&[&str], &str); 10] = [
        (&["chat", "--user", "alice", "--text", "hello"], "alice: hello"),
        (&["chat", "--user", "ines", "--text", "-_-"], "ines: -_-"),
        (&["tip", "--user", "bob", "--amount", "12.50 EUR", "--text", "nice"], "bob gives 12.5 EUR (tip): nice"),
        (&["follow", "--user", "carol"], "carol follows"),
        (&["sub", "--user", "dora"], "dora subscribes (new, tier 1000)"),
        (&["resub", "--user", "dora", "--months", "3"], "dora subscribes (resub, tier 1000, 3 months)"),
        (&["gift", "--user", "emil", "--count", "50"], "emil gives 50 subscriptions"),
        (&["raid", "--user", "fritz", "--count", "120"], "fritz raids with 120"),
        (&["dropin", "--user", "greta"], "greta joins"),
        (&["chat", "--user", "hans", "--text", "gm", "--channel", "retake:5b7c"], "hans: gm"),
    ];
    for (arguments, expected) in cases {
        let mut command = vec!["simulate"];
        command.extend(arguments);
        assert!(place.say(&command).ok().starts_with("Played in as "), "{arguments:?}");
        watch.out.wait_for(&["(test)", expected]);
    }
    watch.out.wait_for(&["→ say \"Hello alice! 🤖\" in simulator:demo"]);
    watch.out.wait_for(&["simulator:demo (own) Showrunner: Hello alice!"]);
    watch.out.wait_for(&["→ task main: nice"]);
    watch.out.wait_for(&["retake:5b7c (test) hans: gm"]);
    watch.out.wait_for(&["Showrunner: Thank you for the sub, dora! ⭐"]);
    watch.out.wait_for(&["alert raid: fritz raids!: 120 viewers"]);
    // It was quiet for some seconds.
    watch.out.wait_for(&["Showrunner: emil gives 50 subs to the community! 🤯🎁"]);
}

#[test]
fn a_gift_bomb_outlives_a_reload_and_is_one_thank_you() {
    // However slow this machine is, the bomb is not taken for ended before it is.
    let patient = "[plugins.tip-alerts.settings]\ngift-bombs = { quiet-seconds = 600, longest-seconds = 600 }\n";
    let place = Place::new(&format!("{ANY_PORT}{patient}"));
    let _daemon = place.start();
    let watch = place.watch(&[]);
    let gift = |more: &[&str]| place.say(&[&["simulate", "gift", "--user", "emil"], more].concat()).ok();
    gift(&["--count", "3"]);
    gift(&["--text", "Ann"]);
    gift(&["--text", "Bob"]);
    place.say(&["plugins", "reload", "tip-alerts"]).ok();
    gift(&["--text", "Cem"]);
    watch.out.wait_for(&["Showrunner: emil gives 3 subs to Ann, Bob, Cem! 🎁"]);
    assert_eq!(watch.out.count("Showrunner: emil"), 1, "once\n{}", watch.out.text());
}

#[test]
fn what_is_missing_or_unknown_is_told() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let cases: [(&[&str], &str); 10] = [
        (&["simulate", "tip", "--user", "bob"], "tip needs --amount"),
        (&["simulate", "tip", "--amount", "much"], "--amount \"much\" is of no use"),
        (&["simulate", "follow", "--months", "3"], "follow has no --months"),
        (&["simulate", "tip", "--amount", "-5 USD"], "--amount \"-5 USD\" is of no use: a number above 0"),
        (&["simulate", "tip", "--amount", "0 USD"], "--amount \"0 USD\" is of no use: a number above 0"),
        (&["simulate", "gift", "--count", "0"], "--count \"0\" is of no use: how many are given"),
        (&["simulate", "follow", "--channel", ":5b7c"], "--channel \":5b7c\" is no channel"),
        (&["simulate", "follow", "--channel", "retake:5b7c"], "no account is in the channel retake:5b7c"),
        (&["simulate", "follow", "--channel", "twitch:1337"], "there are simulator:demo"),
        (&["simulate", "dance"], "there is no \"dance\" to simulate; there are"),
    ];
    for (command, expected) in cases {
        let refusal = place.say(command).refused(2);
        assert!(refusal.contains(expected), "{command:?}: {refusal}");
    }
}

#[test]
fn programs_watch_in_json_and_no_text_of_a_viewer_commands_the_terminal() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let (json, text) = (place.watch(&["--json"]), place.watch(&[]));
    place.chat("mallory", "\u{1b}[2J\u{202e}evil\n12:00:00 simulator:demo admin: fake");
    let line = json.out.wait_for(&["evil", "\"observed\":\"event\""]);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["envelope"]["origin"], "test");
    assert_eq!(line["envelope"]["event"]["author"]["login"], "mallory");
    let line = text.out.wait_for(&["mallory: ", "evil"]);
    assert!(line.contains("␛[2J<202E>evil⏎12:00:00"), "{line}");
}
