use std::time::Duration;

use serde_json::{Value, json};
use showrunner_sdk::event::Roles;
use showrunner_sdk::testing::{Draft, Effect, Harness, Setup, event};

use super::InstantReplies;

fn setup() -> Setup {
    Setup::new().manifest(include_str!("../plugin.toml"))
}

fn start(settings: Value) -> Harness<InstantReplies> {
    Harness::start(setup().settings(settings)).unwrap()
}

fn start_error(settings: Value) -> String {
    Harness::<InstantReplies>::start(setup().settings(settings)).err().unwrap()
}

/// What one viewer reads after a line; the empty text when nobody answered.
fn answer(harness: &mut Harness<InstantReplies>, draft: Draft) -> String {
    let reaction = harness.push(draft);
    assert_eq!(reaction.error(), None);
    assert!(reaction.effects.len() <= 1);
    assert!(reaction.handled() || reaction.effects.is_empty(), "who answers has handled it");
    reaction.texts().concat()
}

fn manage(harness: &mut Harness<InstantReplies>, text: &str) -> String {
    answer(harness, event::chat("Mia", text).moderator())
}

#[test]
fn the_default_rules_answer_at_once() {
    let mut harness = start(json!({}));
    for (text, expected) in [
        ("hey", "Hey Ada! 👋"),
        (" HI ", "Hi Ada! 👋"),
        ("Hello", "Hello Ada! 🤖"),
        ("gm", "gm Ada! ☀️"),
        ("gn", "gn Ada! 🌙"),
        ("ping", "pong! 🏓"),
        ("pong", "ping! 🏓"),
        ("👋", "👋"),
        ("❤️", "❤️"),
        ("❤", "❤️"),
        ("🔥", "🔥"),
        ("so, are you LIVE?", "Yes I'm here Ada! What's up? 🤖"),
        ("anyone there", "Yes I'm here Ada! What's up? 🤖"),
        ("hey what is the plan", ""),
        ("!hey", ""),
        ("", ""),
    ] {
        assert_eq!(answer(&mut harness, event::chat("Ada", text)), expected, "{text}");
    }
}

#[test]
fn a_name_is_never_read_as_a_template() {
    let mut harness = start(json!({}));
    assert_eq!(answer(&mut harness, event::chat("{count}", "hi")), "Hi {count}! 👋");
}

#[test]
fn mirrored_messages_and_bots_are_left_alone() {
    let mut harness = start(json!({"commands": {"site": {"answers": ["example.org"]}}}));
    for text in ["hi", "!site", "!cmd list"] {
        assert!(harness.push(event::chat("Ada", text).moderator().mirrored_from("elsewhere")).passed());
        assert!(harness.push(event::chat("Botty", text).roles(Roles::BOT | Roles::MODERATOR)).passed());
    }
    harness.configure(json!({"ignore-bots": false})).unwrap();
    assert!(harness.push(event::chat("Botty", "hi").roles(Roles::BOT)).handled());
}

#[test]
fn answers_are_said_or_replied_as_configured() {
    let mut harness = start(json!({"rules": {"hi": {"answer-as": "reply"}}}));
    assert!(matches!(harness.push(event::chat("Ada", "hey")).effects[..], [Effect::Say { .. }]));
    let reaction = harness.push(event::chat("Ada", "hi").message_id("m1"));
    assert!(matches!(&reaction.effects[..], [Effect::Reply { message_id, .. }] if message_id == "m1"));
}

#[test]
fn rules_can_be_switched_off_added_and_limited_to_roles() {
    let mut harness = start(json!({"rules": {
        "hi": {"enabled": false},
        "order": {"regex": ["^(pizza|pasta)\\b.*\\d+$"], "answers": ["Coming, {login}."], "roles": ["vip"]},
    }}));
    assert_eq!(answer(&mut harness, event::chat("Ada", "hi")), "");
    assert_eq!(answer(&mut harness, event::chat("Ada", "Pizza for 4")), "");
    assert_eq!(answer(&mut harness, event::chat("Ada", "Pizza for 4").roles(Roles::VIP)), "Coming, ada.");
    assert_eq!(answer(&mut harness, event::chat("Ada", "Pizza for 4").broadcaster()), "Coming, ada.");
}

#[test]
fn a_rotation_gives_one_answer_after_the_other() {
    let mut harness = start(json!({"rules": {"hi": {"answers": ["one", "two"], "pick": "rotate"}}}));
    let answers: Vec<String> = (0..3).map(|_| answer(&mut harness, event::chat("Ada", "hi"))).collect();
    assert_eq!(answers, ["one", "two", "one"]);
}

#[test]
fn a_rule_that_cools_down_keeps_the_message_and_says_nothing() {
    let mut harness = start(json!({"cooldown": {"user-seconds": 30}}));
    assert_eq!(answer(&mut harness, event::chat("Ada", "hi")), "Hi Ada! 👋");
    let reaction = harness.push(event::chat("Ada", "hi"));
    assert!(reaction.handled() && reaction.effects.is_empty());
    assert_eq!(answer(&mut harness, event::chat("Bob", "hi")), "Hi Bob! 👋", "each person has an own cooldown");
    assert_eq!(answer(&mut harness, event::chat("Ada", "hey")), "Hey Ada! 👋", "each rule has an own cooldown");
    harness.advance(Duration::from_secs(30));
    assert_eq!(answer(&mut harness, event::chat("Ada", "hi")), "Hi Ada! 👋");
}

#[test]
fn commands_take_arguments_aliases_and_count_their_uses() {
    let mut harness = start(json!({"commands": {
        "hug": {"aliases": ["cuddle"], "answers": ["{user} hugs {target} ({count}; {args}; {2})"]},
    }}));
    assert_eq!(
        answer(&mut harness, event::chat("Ada", "!hug @Bob, \"so much\"")),
        "Ada hugs Bob (1; @Bob, \"so much\"; so much)"
    );
    assert_eq!(answer(&mut harness, event::chat("Ada", "!CUDDLE")), "Ada hugs Ada (2; ; )");
    assert_eq!(harness.remembered("count/hug"), Some(&b"2"[..]));
}

#[test]
fn an_answer_matters_more_than_its_number() {
    let mut harness = start(json!({"commands": {"hug": {"answers": ["hug {count}"]}}}));
    harness.refuse("kv.use", "over the quota");
    let reaction = harness.push(event::chat("Ada", "!hug"));
    assert_eq!(reaction.texts(), ["hug 0"]);
    assert!(reaction.logs.iter().any(|(_, line)| line.contains("over the quota")));
}

#[test]
fn moderators_make_change_and_remove_commands_in_chat() {
    let mut harness = start(json!({}));
    assert_eq!(manage(&mut harness, "!cmd list"), "There is no command yet; use !cmd add <name> <answer>");
    assert_eq!(manage(&mut harness, "!cmd add !Site See example.org, {user}"), "!site is there.");
    assert_eq!(answer(&mut harness, event::chat("Ada", "!site")), "See example.org, Ada");
    assert_eq!(
        manage(&mut harness, "!cmd add site other"),
        "That did not work: !site is already there; use !cmd edit site <answer>."
    );
    assert_eq!(manage(&mut harness, "!cmd edit site Now example.com"), "!site is changed.");
    assert_eq!(manage(&mut harness, "!cmd alias site web"), "!web now does what !site does.");
    assert_eq!(answer(&mut harness, event::chat("Ada", "!web")), "Now example.com");
    assert_eq!(manage(&mut harness, "!cmd show web"), "!site (made in chat, used 2 times, also !web): Now example.com");
    assert_eq!(manage(&mut harness, "!cmd list"), "!site");
    harness.restart().unwrap();
    assert_eq!(answer(&mut harness, event::chat("Ada", "!web")), "Now example.com", "it outlives a restart");
    assert_eq!(manage(&mut harness, "!cmd remove site"), "!site is gone.");
    assert!(harness.push(event::chat("Ada", "!site")).passed());
    assert!(harness.push(event::chat("Ada", "!web")).passed());
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
    assert_eq!(manage(&mut harness, "!cmd remove site"), "That did not work: there is no !site.");
}

#[test]
fn a_command_of_the_config_can_be_overridden_but_not_removed() {
    let mut harness = start(json!({"commands": {"boom": {"answers": ["config"], "roles": ["moderator"]}}}));
    assert_eq!(
        manage(&mut harness, "!cmd remove boom"),
        "That did not work: !boom is from the config; it can be edited here, not removed."
    );
    assert_eq!(manage(&mut harness, "!cmd edit boom chat"), "!boom now goes before the one in the config.");
    assert_eq!(manage(&mut harness, "!boom"), "chat");
    let reaction = harness.push(event::chat("Ada", "!boom"));
    assert!(reaction.handled() && reaction.effects.is_empty(), "the roles of the config still hold");
    assert_eq!(manage(&mut harness, "!cmd remove boom"), "!boom is as in the config again.");
    assert_eq!(manage(&mut harness, "!boom"), "config");
}

#[test]
fn only_moderators_and_the_broadcaster_manage() {
    let mut harness = start(json!({}));
    let reaction = harness.push(event::chat("Ada", "!cmd add x y").roles(Roles::VIP | Roles::SUBSCRIBER));
    assert!(reaction.handled() && reaction.effects.is_empty());
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
    assert_eq!(answer(&mut harness, event::chat("Eve", "!cmd add x y").broadcaster()), "!x is there.");
}

#[test]
fn mistakes_of_moderators_are_told() {
    let mut harness = start(json!({}));
    let long = "x".repeat(401);
    for (text, told) in [
        ("!cmd", "Please use !cmd add|edit|remove|list|show|alias|unalias"),
        ("!cmd frob x", "Please use !cmd add|edit|remove|list|show|alias|unalias"),
        ("!cmd add", "use !cmd add <name> <answer>"),
        ("!cmd add x", "use !cmd add <name> <answer>"),
        ("!cmd add cmd x", "!cmd manages the commands"),
        ("!cmd add x Hey {usr}", "{usr} is no placeholder"),
        ("!cmd add x /ban ada", "can't begin with a command of the platform"),
        (&format!("!cmd add x {long}"), "at most 400 characters"),
        (&format!("!cmd add {long} y"), "at most 32 characters"),
        ("!cmd edit x y", "there is no !x; use !cmd add x <answer>"),
        ("!cmd alias x y", "there is no !x"),
        ("!cmd unalias x", "no alias"),
        ("!cmd show x", "there is no !x"),
    ] {
        let answer = manage(&mut harness, text);
        assert!(answer.contains(told), "{text}: {answer}");
    }
    assert_eq!(harness.remembered_keys(), Vec::<&str>::new());
}

#[test]
fn what_can_not_be_kept_is_said_and_not_there() {
    let mut harness = start(json!({}));
    harness.refuse("kv.use", "over the quota of 1 MiB");
    assert_eq!(manage(&mut harness, "!cmd add x y"), "That did not work: over the quota of 1 MiB.");
    harness.allow("kv.use");
    assert!(harness.push(event::chat("Ada", "!x")).passed());
}

#[test]
fn a_change_stays_when_its_answer_can_not_be_sent() {
    let mut harness = start(json!({}));
    harness.deny("chat.reply");
    let reaction = harness.push(event::chat("Mia", "!cmd add x y").moderator());
    assert!(reaction.handled() && reaction.effects.is_empty());
    assert_eq!(answer(&mut harness, event::chat("Ada", "!x")), "y");
}

#[test]
fn a_long_list_comes_in_pages() {
    let mut harness = start(json!({}));
    for number in 0..60 {
        manage(&mut harness, &format!("!cmd add command-{number:02} x"));
    }
    let first = manage(&mut harness, "!cmd list");
    assert!(first.starts_with("!command-00 ") && first.ends_with("(1 of 3; !cmd list <page>)"), "{first}");
    assert!(manage(&mut harness, "!cmd list 3").contains("!command-59"));
    assert!(manage(&mut harness, "!cmd list 99").contains("!command-59"));
}

#[test]
fn what_is_kept_by_a_newer_version_or_broken_costs_one_command() {
    let setup = setup()
        .remembered("command/new", &json!({"v": 2, "text": "?"}))
        .remembered("command/newer", &json!({"v": 2, "answers": ["?"]}))
        .remembered("command/good", &json!({"v": 1, "answers": ["good"]}))
        .remembered("alias/fine", &json!({"v": 1, "command": "good"}))
        .remembered("alias/lost", &json!({"v": 1, "command": "gone"}));
    let mut harness: Harness<InstantReplies> = Harness::start(setup).unwrap();
    assert_eq!(harness.started().logs.len(), 2);
    assert_eq!(answer(&mut harness, event::chat("Ada", "!fine")), "good");
    assert!(harness.push(event::chat("Ada", "!lost")).passed());
    assert!(harness.push(event::chat("Ada", "!new")).passed());
    assert!(harness.remembered("command/new").is_some(), "it is left for the version that can read it");
}

#[test]
fn mistakes_in_the_settings_name_their_place() {
    for (settings, told) in [
        (json!({"anwser-as": "say"}), "settings: unknown field `anwser-as`"),
        (json!({"answer-as": "shout"}), "settings: unknown variant `shout`"),
        (json!({"rules": {"hi": {"answers": ["{usr}"]}}}), "rule `hi`: {usr} is no placeholder"),
        (json!({"rules": {"hi": {"answers": []}}}), "rule `hi`: it has no answer"),
        (json!({"rules": {"x": {"answers": ["y"]}}}), "rule `x`: it matches nothing"),
        (json!({"rules": {"x": {"regex": ["("], "answers": ["y"]}}}), "rule `x`: the regex `(` can't be used: "),
        (json!({"rules": {"x": {"exact": [""], "answers": ["y"]}}}), "rule `x`: an empty text"),
        (json!({"rules": {"hi": {"roles": ["boss"]}}}), "rule `hi`: `boss` is no role"),
        (json!({"rules": {"hi": {"exakt": ["x"]}}}), "rule `hi`: unknown field `exakt`"),
        (json!({"commands": {"a b": {"answers": ["y"]}}}), "command `a b`: a name is one word"),
        (json!({"commands": {"cmd": {"answers": ["y"]}}}), "command `cmd`: `cmd` is the command that manages"),
    ] {
        let error = start_error(settings);
        assert!(error.starts_with(told), "{error}");
    }
}
