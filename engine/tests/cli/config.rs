//! The config: what is wrong with it is told with file, line and key, at the start and while the daemon runs.

use crate::place::{ANY_PORT, Place};

const RETAKE: &str = "[[retake]]\nroom = \"r\"\nuser-id = \"u\"\n";

#[test]
fn a_wrong_config_is_refused_with_file_line_and_key() {
    let retake = |token: &str| format!("{ANY_PORT}{RETAKE}token = \"{token}\"\n");
    let cases = [
        ("[http\nlisten = 1\n".to_owned(), ":1:6: this is not TOML"),
        (format!("{ANY_PORT}[pipeline]\ncommand-prefx = \"!\"\n"), ":5:1: pipeline.command-prefx"),
        (format!("{ANY_PORT}[agent]\nqueue-bound = \"many\"\n"), ":5:15: agent.queue-bound = \"many\""),
        (format!("{ANY_PORT}[pipeline]\nreview = \"1h\"\n"), ":5:10: pipeline.review = \"1h\""),
        (retake("env:SHOWRUNNER_TEST_IS_NOT_SET"), ":7:9: retake[0].token: \"env:SHOWRUNNER_TEST_IS_NOT_SET\""),
        (retake("file:no-such-file"), ":7:9: retake[0].token: \"file:no-such-file\""),
        (retake("cmd:false"), ":7:9: retake[0].token: \"cmd:false\""),
        (format!("{ANY_PORT}[simulator]\nscript = \"no-such.toml\"\n"), ":5:10: simulator.script"),
        ("[http]\nlisten = \"0.0.0.0:7788\"\n".to_owned(), ":2:10: http.listen"),
        (
            format!("{ANY_PORT}[plugins.a]\ngrant = {{ chat = [\"shout\"] }}\n"),
            ":5:19: plugins.a.grant.chat[0] = \"shout\"",
        ),
    ];
    for (config, expected) in cases {
        let place = Place::new(&config);
        for command in [&["run"][..], &["config", "check"]] {
            let refusal = place.say(command).refused(2);
            let expected = format!("error: {}{expected}", place.config().display());
            assert!(refusal.starts_with(&expected), "{command:?}: {refusal}\nis not {expected}");
        }
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let place = Place::new("[http]\nlisten = \"here\"\n[agent]\nattempts = 0\nwake = \"a b\"\n");
    let refusal = place.say(&["run"]).refused(2);
    assert!(refusal.contains("the config has 3 problems"), "{refusal}");
    for part in [":2:10: http.listen", ":4:12: agent.attempts", ":5:8: agent.wake"] {
        assert!(refusal.contains(part), "{part:?} is not in {refusal}");
    }
}

#[test]
fn a_table_that_belongs_to_no_plugin_is_told() {
    let place = Place::new(&format!("{ANY_PORT}[plugins.instant-reply]\nenabled = false\n"));
    let check = place.say(&["config", "check"]);
    assert!(check.err.contains("warning: [plugins.instant-reply] belongs to no plugin"), "{check:?}");
    assert!(check.ok().contains("1 plugin table"));
}

#[test]
fn without_a_config_the_command_that_writes_one_is_named() {
    let refusal = Place::bare().say(&["run"]).refused(2);
    assert!(refusal.contains("can't read the config") && refusal.contains("showrunner init"), "{refusal}");
}

#[test]
fn what_is_shown_can_be_loaded_again_and_holds_no_secret() {
    let place = Place::new(&format!("{ANY_PORT}token = \"env:HTTP_TOKEN\"\n{RETAKE}token = \"env:BOT_TOKEN\"\n"));
    let show = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        let output =
            command.env("HTTP_TOKEN", "first-of-the-secrets").env("BOT_TOKEN", "second-of-the-secrets").output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for arguments in [&["config", "show", "--resolved"][..], &["config", "show"]] {
        let shown = show(arguments);
        assert!(shown.contains("env:BOT_TOKEN") && shown.contains("env:HTTP_TOKEN"), "{shown}");
        assert!(!shown.contains("of-the-secrets"), "{shown}");
    }
    let resolved = show(&["config", "show", "--resolved"]);
    assert!(resolved.contains("command-prefix = \"!\""), "{resolved}");
    place.configure(&resolved);
    assert_eq!(show(&["config", "show", "--resolved"]), resolved);
}

#[test]
fn a_saved_config_is_taken_over_and_says_what_needs_a_restart() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    let rule = "[plugins.instant-replies.settings.rules.hello]\nanswers = [\"Ahoy {user}!\"]\n";
    place.configure(&format!("{ANY_PORT}[agent]\nattempts = 2\n{rule}"));
    daemon.log.wait_for(&["The config was read again.", "plugins", "agent"]);
    let watch = place.watch(&[]);
    place.chat("alice", "hello");
    watch.out.wait_for(&["say \"Ahoy alice!\""]);
    // What waits for a restart is told again until there is one.
    assert!(place.say(&["config", "reload"]).ok().contains("These keys hold after a restart: agent"));
}

#[test]
fn what_needs_a_restart_is_not_taken_for_what_runs() {
    let place = Place::new(ANY_PORT);
    let _daemon = place.start();
    let watch = place.watch(&[]);
    place.configure(&format!("{ANY_PORT}[simulator]\nchannel = \"other\"\n"));
    for user in ["alice", "bob"] {
        let told = place.say(&["config", "reload"]).ok();
        assert!(told.contains("These keys hold after a restart: simulator"), "{told}");
        place.chat(user, "hello");
        watch.out.wait_for(&["Showrunner: ", &format!("Hello {user}!")]);
    }
}

#[test]
fn a_wrong_config_changes_nothing_in_a_running_daemon() {
    let place = Place::new(ANY_PORT);
    let daemon = place.start();
    let watch = place.watch(&[]);
    // While it is no TOML, the daemon is found all the same.
    let broken = [("[http\n", ":1:6: this is not TOML"), ("[http]\nport = 1\n", ":2:1: http.port")];
    for (number, (config, problem)) in broken.into_iter().enumerate() {
        place.configure(config);
        daemon.log.wait_for(&["The new config is wrong; the old one stays.", problem]);
        let refusal = place.say(&["config", "reload"]).refused(1);
        assert!(refusal.contains("the old one stays") && refusal.contains(problem), "{refusal}");
        let user = format!("user{number}");
        place.chat(&user, "hello");
        watch.out.wait_for(&["say", &format!("Hello {user}!")]);
    }
    // Mended, and now with something new.
    place.configure(&format!("{ANY_PORT}[log]\nfilter = \"debug\"\n"));
    daemon.log.wait_for(&["The config was read again.", "log.filter"]);
}
