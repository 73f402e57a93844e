//! `journal export`, `replay` and `moderation replay`: a stream is taken along, played again, and tells what another
//! build or other rules would do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::place::{ANY_PORT, Place, Said};

const GRANT: &str = "[plugins.probe]\ngrant = { chat = [\"say\"], moderation = [\"review\"], kv = [\"use\"] }\n";

/// However busy the machine is, no reviewer is late.
const PATIENT: &str = "[pipeline]\nreview = \"5s\"\n";

/// The plugin that does what it is told in chat: tests/fixtures/README.md.
fn probe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/probe")
}

fn with_probe(config: &str) -> Place {
    let place = Place::new(config);
    let folder = place.plugins().join("probe");
    fs::create_dir(&folder).unwrap();
    for file in ["plugin.toml", "plugin.wasm"] {
        fs::copy(probe().join(file), folder.join(file)).unwrap();
    }
    // A build that lies where a compiler left it, without a manifest.
    fs::copy(probe().join("plugin-v2.wasm"), place.path().join("next.wasm")).unwrap();
    place
}

/// A place with the file stream.jsonl of what these people said.
fn recorded(lines: &[(&str, &str)]) -> Place {
    let place = with_probe(&format!("{ANY_PORT}{PATIENT}{GRANT}"));
    let daemon = place.start();
    for (user, text) in lines {
        place.chat(user, text);
    }
    daemon.stop();
    place.say(&["journal", "export", "stream.jsonl"]).ok();
    place
}

fn replay(place: &Place, arguments: &[&str]) -> Said {
    place.say(&[&["replay", "stream.jsonl", "--plugin", "probe"], arguments].concat())
}

fn moderation(place: &Place, arguments: &[&str]) -> Said {
    place.say(&[&["moderation", "replay", "stream.jsonl", "--plugin", "probe"], arguments].concat())
}

/// What it told, when something differed.
#[track_caller]
fn differs(said: Said) -> String {
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{said:?}");
    said.out
}

#[test]
fn a_stream_is_told_as_it_was_and_the_same_each_time() {
    let place = recorded(&[("alice", "echo one"), ("bob", "hello"), ("carol", "count c")]);
    let told = replay(&place, &[]).ok();
    for part in [
        "plays probe 1.0.0 (sha256:",
        "with its memory of after the stream (1 keys)",
        "simulator:demo (test) alice: echo one\n         probe handled\n             → say \"one\" in simulator:demo\n",
        "bob: hello\n         probe passed\n",
        "carol: count c\n         probe handled\n             → say \"2\"",
        "2 handled, ",
        " 0 failed, 0 crashed, 0 caught in review; 2 effects.",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    assert_eq!(replay(&place, &[]).ok(), told);
    assert!(replay(&place, &["--kv", "empty"]).ok().contains("→ say \"1\""));

    let json = replay(&place, &["--json"]).ok();
    assert_eq!(replay(&place, &["--json"]).ok(), json);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["plays"], "probe");
    let of_alice = lines.iter().find(|line| line["event"]["event"]["text"] == "echo one").unwrap();
    assert_eq!(of_alice["decisions"][0]["verdict"], "handled");
    assert_eq!(of_alice["decisions"][0]["effects"][0]["action"]["text"], "one");
    assert_eq!(lines.last().unwrap()["summary"]["effects"], 2);
}

#[test]
fn a_database_is_played_as_the_file_that_was_exported_from_it() {
    let place = recorded(&[("alice", "hello"), ("bob", "what is a lifetime?")]);
    let of = |journal: &str| {
        // Two that ship, one of which takes what the other leaves.
        place.say(&["replay", journal, "--plugin", "agent-queue", "--plugin", "instant-replies"]).ok()
    };
    let told = of("stream.jsonl");
    assert!(told.contains("→ say \"Hello alice! 🤖\""), "{told}");
    assert!(told.contains("→ task main: what is a lifetime?"), "{told}");
    assert!(!told.contains("→ task main: hello"), "{told}");
    assert_eq!(of("showrunner-data/showrunner.db"), told);
    let alone = place.say(&["replay", "stream.jsonl", "--plugin", "agent-queue"]).ok();
    assert!(alone.contains("→ task main: what") && !alone.contains("→ task main: hello"), "{alone}");
}

#[test]
fn two_builds_are_compared_and_only_the_changed_answer_is_told() {
    let place = recorded(&[("alice", "echo one"), ("bob", "version"), ("carol", "echo two")]);
    let told = differs(replay(&place, &["--against", "next.wasm"]));
    let expected = "bob: version\n         probe handled\n-            → say \"1\" in simulator:demo\n+            → say \"2\" in simulator:demo\n";
    assert!(told.contains(expected), "{told}");
    assert!(!told.contains("echo"), "{told}");
    assert!(told.contains("1 of ") && told.contains(": 0 in the verdict, 1 in effects, 0 in the log."), "{told}");
    assert!(replay(&place, &["--against", "plugins/probe"]).ok().contains("0 of "));

    let json = differs(replay(&place, &["--against", "next.wasm", "--json"]));
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["plays"], &lines[1]["against"]), (&"probe".into(), &"probe".into()));
    assert_eq!(lines[2]["event"]["event"]["text"], "version");
    assert_eq!(lines[2]["plays"]["decisions"][0]["effects"][0]["action"]["text"], "1");
    assert_eq!(lines[2]["against"]["decisions"][0]["effects"][0]["action"]["text"], "2");
    assert_eq!(lines[3]["summary"]["different"], 1);
    assert_eq!(lines.len(), 4);
}

#[test]
fn another_config_gives_other_settings_and_rights() {
    let place = recorded(&[("alice", "version"), ("bob", "count c")]);
    fs::write(place.path().join("other.toml"), format!("{GRANT}settings = {{ version = \"9\" }}\n")).unwrap();
    assert!(replay(&place, &["--config", "other.toml"]).ok().contains("→ say \"9\""));
    let told = differs(replay(&place, &["--against-config", "other.toml"]));
    assert!(told.contains("-            → say \"1\"") && told.contains("+            → say \"9\""), "{told}");
    fs::write(place.path().join("less.toml"), GRANT.replace(", kv = [\"use\"]", "")).unwrap();
    let told = replay(&place, &["--config", "less.toml"]).ok();
    assert!(told.contains("→ say \"denied: kv.use was not granted by the operator\""), "{told}");
    let refusal = replay(&place, &["--config", "none.toml"]).refused(2);
    assert!(refusal.contains("none.toml"), "{refusal}");
}

#[test]
fn a_plugin_that_never_ends_is_ended_and_told() {
    let place = recorded(&[("alice", "spin"), ("bob", "echo alive")]);
    let told = replay(&place, &[]).ok();
    assert!(told.contains("alice: spin\n         probe crashed: it ran longer than 1000 ms"), "{told}");
    assert!(told.contains("→ say \"alive\""), "{told}");
    assert!(told.contains(" 1 crashed, "), "{told}");
}

#[test]
fn a_change_of_settings_in_the_midst_is_told_and_not_replayed() {
    let place = with_probe(&format!("{ANY_PORT}{PATIENT}{GRANT}"));
    let daemon = place.start();
    place.chat("alice", "version");
    daemon.stop();
    fs::write(place.config(), format!("{ANY_PORT}{PATIENT}{GRANT}settings = {{ version = \"9\" }}\n")).unwrap();
    let daemon = place.start();
    place.chat("bob", "version");
    daemon.stop();
    place.say(&["journal", "export", "stream.jsonl"]).ok();
    let told = replay(&place, &[]).ok();
    let (_, changed) = told.split_once("probe was started anew with other settings at ").unwrap();
    assert!(changed.ends_with("; this replay goes on with those of the beginning.\n"), "{told}");
    assert!(!told.contains("→ say \"9\""), "{told}");
    assert!(moderation(&place, &[]).ok().contains("probe was started anew"));
    let told = replay(&place, &["--config", "showrunner.toml"]).ok();
    assert!(told.contains("→ say \"9\"") && !told.contains("anew"), "{told}");
}

#[test]
fn without_a_database_there_is_nothing_to_export() {
    let refusal = Place::new(ANY_PORT).say(&["journal", "export", "-"]).refused(1);
    assert!(refusal.contains("there is no database") && refusal.contains("a daemon makes one"), "{refusal}");
}

#[test]
fn a_running_daemon_is_exported_up_to_this_moment_and_only_its_owner_may_read_it() {
    let place = with_probe(ANY_PORT);
    let _daemon = place.start();
    place.chat("alice", "a line of just now");
    let told = place.say(&["journal", "export", "now.jsonl", "--channel", "simulator:demo"]).ok();
    assert!(told.starts_with("now.jsonl: ") && told.contains(" events, "), "{told}");
    let file = place.path().join("now.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("a line of just now"), "{text}");
    assert!(text.lines().next().unwrap().contains("\"format\":1") && text.lines().last().unwrap().contains("\"end\""));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let refusal = place.say(&["journal", "export", "now.jsonl"]).refused(1);
    assert!(refusal.contains("can't make now.jsonl") && refusal.contains("name another file"), "{refusal}");
    let elsewhere = place.say(&["journal", "export", "-", "--channel", "retake:5b7c"]).ok();
    assert!(!elsewhere.contains("a line of just now"), "{elsewhere}");
    let earlier = place.say(&["journal", "export", "-", "--to", "1h"]).ok();
    assert_eq!(earlier.lines().last(), Some("{\"line\":\"end\",\"events\":0}"), "{earlier}");
}

#[test]
fn a_journal_that_is_broken_says_where_and_what_to_do() {
    let place = recorded(&[("alice", "hello")]);
    let file = place.path().join("stream.jsonl");
    let good = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let place_of_alice = lines.iter().position(|line| line.contains("alice")).unwrap();
    let with = |place: usize, line: &str| {
        let mut changed = lines.clone();
        changed[place] = line;
        changed.join("\n") + "\n"
    };
    let half = &lines[place_of_alice][..lines[place_of_alice].len() / 2];
    let at = format!("stream.jsonl:{}:", place_of_alice + 1);
    let cases = [
        (with(place_of_alice, half), vec![at.as_str(), "EOF while parsing", "export the journal again"]),
        (with(place_of_alice, "{\"line\":\"party\"}"), vec![at.as_str(), "unknown variant `party`"]),
        (good[..good.len() - lines.last().unwrap().len() - 1].to_owned(), vec!["it was cut off", "export the journal"]),
        (good[..good.len() - 5].to_owned(), vec!["it was cut off", "export the journal again"]),
        (
            with(0, "{\"line\":\"journal\",\"format\":2,\"engine\":\"9.9.9\"}"),
            vec!["newer Showrunner (9.9.9)", "format 2"],
        ),
        ("hello\n".to_owned(), vec!["stream.jsonl is no journal", "showrunner journal export"]),
        (String::new(), vec!["stream.jsonl is no journal", "it is empty"]),
        (with(place_of_alice, lines[0]), vec![at.as_str(), "it belongs before the first event"]),
    ];
    for (text, expected) in cases {
        fs::write(&file, &text).unwrap();
        let said = replay(&place, &[]);
        assert_eq!(said.code, 2, "{said:?}");
        for part in expected {
            assert!(said.err.contains(part), "{part:?} is not in\n{}", said.err);
        }
    }
    let folder = place.say(&["replay", "plugins", "--plugin", "probe"]);
    assert!(
        folder.err.contains("can't read the journal plugins") && folder.err.contains("journal export"),
        "{folder:?}"
    );
    fs::write(&file, with(place_of_alice, "")).unwrap();
    assert!(!replay(&place, &[]).ok().contains("alice"), "a line may be taken out");
}

#[test]
fn what_can_not_be_played_is_told() {
    let place = recorded(&[]);
    fs::write(place.path().join("text.wasm"), "hello").unwrap();
    fs::copy(probe().join("plugin.wasm"), place.path().join("bare.wasm")).unwrap();
    fs::write(place.path().join("stubborn.toml"), format!("{GRANT}settings = {{ init = \"error\" }}\n")).unwrap();
    fs::write(place.path().join("none.toml"), "[plugins.probe]\ngrant = {}\n").unwrap();
    let denied = "none.toml does not grant moderation.review to probe";
    let moderation = ["moderation", "replay", "stream.jsonl", "--plugin", "probe"];
    let config = [&moderation[..], &["--config", "none.toml"]].concat();
    let against = [&moderation[..], &["--config", "showrunner.toml", "--against-config", "none.toml"]].concat();
    let cases: [(&[&str], &str); 9] = [
        (&config, denied),
        (&against, denied),
        (&["replay", "none.jsonl", "--plugin", "probe"], "can't read the journal none.jsonl"),
        (&["replay", "stream.jsonl", "--plugin", "nobody"], "there is no plugin nobody"),
        (&["replay", "stream.jsonl", "--plugin", "bare.wasm"], "there is no plugin.toml beside bare.wasm"),
        (&["replay", "stream.jsonl", "--plugin", "probe", "--against", "text.wasm"], "is no WebAssembly component"),
        (&["replay", "stream.jsonl", "--plugin", "probe", "--plugin", "plugins/probe"], "probe is given twice"),
        (&["replay", "stream.jsonl", "--plugin", "probe", "--config", "stubborn.toml"], "does not start"),
        (&["moderation", "replay", "stream.jsonl", "--plugin", "instant-replies"], "instant-replies reviews nothing"),
    ];
    for (command, expected) in cases {
        let refusal = place.say(command);
        assert_eq!(refusal.code, 2, "{refusal:?}");
        assert!(refusal.err.contains(expected), "{command:?}: {}", refusal.err);
    }
    let refusal = place.say(&["replay", "stream.jsonl", "--plugin", "probe", "--from", "soon"]).refused(2);
    assert!(refusal.contains("--from \"soon\" is no time"), "{refusal}");
}

#[test]
fn other_rules_are_tried_on_what_was_said_and_compared_with_what_was_done() {
    let place = recorded(&[("alice", "hi all"), ("mallory", "buy SPAM now"), ("trudy", "FLAG this")]);
    let same = moderation(&place, &[]).ok();
    assert!(
        same.contains("3 lines: 0 newly caught, 0 no longer caught, 0 changed; 2 caught and 1 passed as before."),
        "{same}"
    );

    let lenient = format!("{GRANT}settings = {{ lenient = true }}\n");
    fs::write(place.path().join("lenient.toml"), lenient).unwrap();
    let told = differs(moderation(&place, &["--config", "lenient.toml"]));
    for part in [
        "alice: hi all\n         then  passed\n         now   flag: lenient\n",
        "mallory: buy SPAM now\n         then  remove: spam\n         now   flag: lenient\n",
        "3 lines: 1 newly caught, 0 no longer caught, 2 changed; 0 caught and 0 passed as before.",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    assert_eq!(differs(moderation(&place, &["--config", "lenient.toml"])), told);

    let json = differs(moderation(&place, &["--config", "lenient.toml", "--json"]));
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["change"], "newly-caught");
    assert_eq!((&lines[2]["then"]["verdict"], &lines[2]["now"]["verdict"]), (&"remove".into(), &"flag".into()));
    assert_eq!(lines[2]["event"]["event"]["author"]["login"], "mallory");
    assert_eq!(lines.last().unwrap()["summary"]["newly-caught"], 1);

    // Two configs with each other, whatever was done then.
    let two = ["--config", "lenient.toml", "--against-config", "lenient.toml"];
    assert!(moderation(&place, &two).ok().contains("3 caught and 0 passed as before"));
    let two = ["--config", "showrunner.toml", "--against-config", "lenient.toml"];
    let told = differs(moderation(&place, &two));
    assert!(told.contains("alice: hi all\n         then  flag: lenient\n         now   passed\n"), "{told}");
    assert!(told.contains("0 newly caught, 1 no longer caught, 2 changed"), "{told}");
}

#[test]
fn where_it_is_recorded_even_chance_is_that_of_then() {
    let answers: Vec<String> = (0..50).map(|number| format!("\"answer {number}\"")).collect();
    let settings = format!("[plugins.instant-replies.settings.rules.hello]\nanswers = [{}]\n", answers.join(", "));
    let place = Place::new(&format!("{ANY_PORT}[plugins.instant-replies]\nrecord = true\n{settings}"));
    let daemon = place.start();
    let watch = place.watch(&[]);
    let users = ["anna", "ben", "cleo", "dan"];
    let said: Vec<String> = users
        .iter()
        .enumerate()
        .map(|(number, user)| {
            place.chat(user, "hello");
            watch.out.wait_for_many(number + 1, &["→ say \"answer "]).remove(number)
        })
        .collect();
    daemon.stop();
    let told = place.say(&["replay", "showrunner-data/showrunner.db", "--plugin", "instant-replies"]).ok();
    assert!(told.contains("with its memory as recorded at the beginning (0 keys)"), "{told}");
    let again: Vec<&str> = told.lines().filter(|line| line.contains("→ say \"answer ")).collect();
    assert_eq!(again, said);
}
