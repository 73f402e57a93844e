use super::*;

fn problems(text: &str) -> Vec<String> {
    let error = parse(Path::new(FILE), text, fake_secret).map(|_| ()).unwrap_err();
    assert!(!error.to_string().contains(SECRET), "a secret is in {error}");
    error.problems().iter().map(ToString::to_string).collect()
}

/// Asserts that `text` has exactly one problem, at `place`, whose message holds `part`.
pub(super) fn assert_problem(text: &str, place: &str, part: &str) {
    let problems = problems(text);
    let [problem] = problems.as_slice() else { panic!("not one problem: {problems:#?}") };
    assert!(problem.starts_with(&format!("{FILE}:{place}: ")), "{place} is not where {problem}");
    assert!(problem.contains(part), "{part:?} is not in {problem}");
}

#[test]
fn a_wrong_key_is_named_with_the_right_ones() {
    assert_problem(
        "[http]\n  listn = \"off\"\n",
        "2:3",
        "http.listn: unknown field `listn`, expected `listen` or `token`",
    );
    assert_problem("\n[host.limits]\nmemory-mib = 3", "3:1", "host.limits.memory-mib: unknown field");
}

#[test]
fn an_unknown_table_is_named() {
    assert_problem("[log]\nfilter = \"info\"\n\n[twich]\nx = 1\n", "4:2", "twich: unknown field `twich`");
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    assert_problem(
        "[host]\nsafe-mode = \"yes\"\n",
        "2:13",
        "host.safe-mode = \"yes\": invalid type: string \"yes\", expected a boolean",
    );
    assert_problem(
        "[pipeline]\nreview = 50\n",
        "2:10",
        "pipeline.review = 50: invalid type: integer `50`, expected a time such as",
    );
    assert_problem(
        "[pipeline]\nreview = \"50\"\n",
        "2:10",
        "pipeline.review = \"50\": expected a time such as \"250ms\"",
    );
    assert_problem("[journal]\nkeep-size = \"1GB\"\n", "2:13", "expected a size such as");
    assert_problem(
        "[log]\nformat = \"xml\"\n",
        "2:10",
        "unknown variant `xml`, expected one of `auto`, `pretty`, `json`",
    );
    let no_channel = "plugins.a.channels[0] = \"x\": a channel is written as its platform and its id there";
    assert_problem("[plugins.a]\nchannels = [\"x\", \"y:1\"]\n", "2:13", no_channel);
    assert_problem(
        "[plugins.a]\nchannels = [\"x:1\", 3]\n",
        "2:20",
        "plugins.a.channels[1] = 3: invalid type: integer",
    );
    assert_problem("log = 3\n", "1:7", "log = 3: invalid type: integer `3`, expected a table");
    assert_problem("retake = { room = \"r\" }\n", "1:10", "retake: invalid type: table, expected a list, as in [");
    assert_problem(
        "[agent]\nwake = \"a b\"\n",
        "2:8",
        "agent.wake = \"a b\": invalid type: string \"a b\", expected a list",
    );
}

#[test]
fn a_value_out_of_range_says_the_range() {
    assert_problem("[pipeline]\nreview = \"1h\"\n", "2:10", "pipeline.review = \"1h\": expected 1ms to 5s");
    assert_problem(
        "[host.limits]\nmemory = \"5GiB\"\n",
        "2:10",
        "host.limits.memory = \"5GiB\": expected 1MiB to 4GiB",
    );
    assert_problem("[agent]\nattempts = 0\n", "2:12", "agent.attempts = 0: expected 1 to 100");
    assert_problem(
        "[agent]\nattempts = -1\n",
        "2:12",
        "agent.attempts = -1: invalid value: integer `-1`, expected u32",
    );
    assert_problem("[simulator]\npace = { burst = 0 }\n", "2:18", "simulator.pace.burst = 0: expected 1 to 10000");
    assert_problem("[simulator.pace]\nmessages-per-second = nan\n", "2:23", "expected 0 to 10000, 0 for no limit");
    assert_problem(
        "[host.limits]\nkv-size = \"2KiB\"\nkv-value-size = \"4KiB\"\n",
        "3:17",
        "can't be larger than all of them",
    );
}

#[test]
fn broken_toml_is_shown_by_line_without_its_text() {
    let text = format!("[http]\nlisten = \"off\"\ntoken = \"{SECRET}\n");
    assert_problem(&text, "3:34", "this is not TOML: ");
    assert_problem("[http]\nlisten = \"a\"\nlisten = \"b\"\n", "3:1", "duplicate key");
}

#[test]
fn a_missing_secret_names_key_reference_and_remedy() {
    let part = "http.token: \"env:MISSING\" leads to no secret: the environment variable MISSING is not set\n    help: set MISSING where the daemon runs";
    assert_problem("[http]\ntoken = \"env:MISSING\"\n", "2:9", part);
    let text = "[plugins.a.secrets]\nweather = \"env:MISSING\"\n";
    assert_problem(text, "2:11", "plugins.a.secrets.weather: \"env:MISSING\" leads to no secret");
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    for text in [
        format!("[http]\nlisten = \"0.0.0.0:1\"\ntoken = \"{SECRET}\"\n"),
        format!("[plugins.a]\nsecrets = {{ k = \"{SECRET}\" }}\n"),
        format!("[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"{SECRET}\"\n"),
    ] {
        let problems = problems(&text);
        assert_eq!(problems.len(), 1, "it is not called missing as well: {problems:#?}");
        assert!(problems[0].contains("a secret must not stand in the config"), "{problems:#?}");
    }
    assert_problem("[http]\ntoken = 123456789\n", "2:9", "http.token: expected a reference to a secret, as text");
    assert!(!problems("[http]\ntoken = 123456789\n").concat().contains("123456789"));
}

#[test]
fn an_open_address_needs_a_token_and_a_token_needs_length() {
    let part = "http.listen = \"0.0.0.0:80\": other machines can reach this address";
    assert_problem("[http]\nlisten = \"0.0.0.0:80\"\n", "2:10", part);
    assert_problem("[http]\nlisten = \"[::]:80\"\n", "2:10", "http.token must be set");
    assert_problem("[http]\ntoken = \"env:SHORT\"\n", "2:9", "http.token: the token has fewer than 16 characters");
    assert_problem("[http]\nlisten = \"localhost\"\n", "2:10", "expected an address and a port");
    assert!(settings("[http]\nlisten = \"0.0.0.0:80\"\ntoken = \"env:T\"\n").http.token.is_some());
}

#[test]
fn what_has_no_default_is_asked_for_where_the_table_begins() {
    let problems =
        problems("[[retake]]\nroom = \"a\"\nuser-id = \"u\"\ntoken = \"env:T\"\n\n[[retake]]\nuser-id = \" \"\n");
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].starts_with(&format!("{FILE}:6:1: retake[1].room: this key is needed")), "{problems:#?}");
    assert!(problems[1].starts_with(&format!("{FILE}:6:1: retake[1].token: this key is needed")), "{problems:#?}");
    assert!(problems[2].starts_with(&format!("{FILE}:7:11: retake[1].user-id")), "{problems:#?}");
}

#[test]
fn a_token_is_never_sent_in_the_clear() {
    let account = "[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"env:T\"\n";
    assert_problem(&format!("{account}rest-base = \"http://retake.example/\"\n"), "5:13", "use https://");
    assert_problem(&format!("{account}socket-url = \"ws://127.0.0.1.example/\"\n"), "5:14", "use wss://");
    assert_problem(&format!("{account}rest-base = \"https://u:p@host/\"\n"), "5:13", "without user");
    assert_problem(&format!("{account}{account}"), "6:8", "another [[retake]] is in this room already");
}

#[test]
fn plugin_entries_are_checked() {
    assert_problem("[plugins.\"Not An Id\"]\n", "1:1", "plugins.\"Not An Id\": a plugin's id has 1 to 64 lower-case");
    assert_problem("[plugins.a]\npin = \"sha256:12\"\n", "2:7", "plugins.a.pin = \"sha256:12\": expected \"sha256:\"");
    assert_problem(
        "[plugins.a]\nsettings = { x = [inf] }\n",
        "2:19",
        "plugins.a.settings.x[0] = inf: plugins read this as JSON",
    );
    assert_problem("[simulator]\nscript = \"no-such.toml\"\n", "2:10", "there is no file /etc/showrunner/no-such.toml");
    assert_problem("[log]\nfilter = \"infoo\"\n", "2:10", "\"infoo\" is no level; the levels are error, warn, info");
    assert_problem("[log]\nfilter = \"a=b=c\"\n", "2:10", "log.filter = \"a=b=c\": expected a filter");
}

#[test]
fn a_grant_in_words_that_do_not_exist_is_told_word_by_word() {
    assert_problem(
        "[plugins.a]\ngrant = { chat = [\"say\", \"shout\"], kv = [\"use\"] }\n",
        "2:26",
        "plugins.a.grant.chat[1] = \"shout\": `chat` has no \"shout\"; it has announce, reply, say, shoutout, whisper",
    );
    assert_problem(
        "[plugins.a.grant]\nkv = [\"use\"]\nchats = [\"say\"]\n",
        "3:1",
        "plugins.a.grant.chats: there is no permission `chats`; there are agent, alerts, chat, gateway",
    );
    assert_problem(
        "[plugins.a]\ngrant = { http = [\"ftp://x/\"] }\n",
        "2:19",
        "only http:// and https:// can be called",
    );
    assert_eq!(problems("[plugins.a]\ngrant = { chat = [\"sing\", \"shout\"], kvs = [] }\n").len(), 3);
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_in_the_order_of_the_file() {
    let text = "oops = 1\n[http]\nlisten = 3\ntoken = \"env:MISSING\"\n[pipeline]\nreview = \"1h\"\ndrain = \"soon\"\n[[retake]]\nroom = \"r\"\nuser-id = \"u\"\ntoken = \"env:T\"\npoll = 3\n";
    let problems = problems(text);
    let places: Vec<&str> =
        problems.iter().filter_map(|problem| problem.strip_prefix(FILE)?.split(": ").next()).collect();
    assert_eq!(places, [":1:1", ":3:10", ":4:9", ":6:10", ":7:9", ":12:8"], "{problems:#?}");
    let error = parse(Path::new(FILE), text, fake_secret).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("the config has 6 problems\n"));
}

#[test]
fn a_key_is_64_digits_and_is_never_shown() {
    let text = "[auth]\nkey = \"env:KEY\"\n";
    let parsed = |secret: ReadSecret| parse(Path::new(FILE), text, secret).map(|(_, settings)| settings);
    assert!(parsed(|_, _| Ok("0a".repeat(32).into())).is_ok());
    assert!(parsed(secret::leave).is_ok(), "where it is not read it is not missed");
    let wrong: [ReadSecret; 2] = [|_, _| Ok("0a0b0c".into()), |_, _| Ok("zz".repeat(32).into())];
    for wrong in wrong {
        let error = parsed(wrong).map(|_| ()).unwrap_err();
        let told = format!("{error} {:?}", error.problems());
        assert!(told.contains("auth.key") && told.contains("the key is not 64 hexadecimal digits"), "{told}");
        assert!(told.contains("openssl rand -hex 32") && !told.contains("0a0b0c") && !told.contains("zzzz"), "{told}");
    }
    for typed in [format!("[auth]\nkey = \"{SECRET}\"\n"), format!("[twitch]\nclient-secret = [\"{SECRET}\"]\n")] {
        assert!(problems(&typed).iter().any(|problem| problem.contains("secret")), "{typed}");
    }
}

#[test]
fn of_a_file_that_is_something_else_the_first_problems_are_told() {
    let long = "=\n".repeat(MAX_BYTES as usize / 2);
    let rooms = "[[retake]]\n".repeat(1_000);
    let keys: String = (0..1_000).map(|number| format!("key{number} = 1\n")).collect();
    for text in [long, rooms, keys] {
        let error = parse(Path::new(FILE), &text, fake_secret).map(|_| ()).unwrap_err();
        assert_eq!(error.problems().len(), 50);
        assert!(error.to_string().starts_with("the config has 50 problems or more\n"), "{error}");
    }
}

#[test]
fn a_line_and_a_column_are_counted_in_characters() {
    assert_problem("# \u{e4}\r\n[log]\nfilter = \"\u{e4}\" oops\n", "3:14", "this is not TOML");
    assert_problem("[log]\nfilter = \"info", "2:15", "this is not TOML");
}

#[test]
fn no_program_is_asked_for_a_secret_when_the_file_is_wrong_already() {
    let asked: ReadSecret = |reference, folder| match reference {
        Reference::Command(_) => Err(SecretError::Empty),
        other => fake_secret(other, folder),
    };
    let keys = |text: &str| {
        let error = parse(Path::new(FILE), text, asked).map(|_| ()).unwrap_err();
        error.problems().iter().map(|problem| problem.key.clone()).collect::<Vec<_>>()
    };
    let secrets = "[http]\ntoken = \"cmd:pass show http\"\n[auth]\nkey = \"env:MISSING\"\n";
    assert_eq!(keys(secrets), ["http.token", "auth.key"]);
    assert_eq!(keys(&format!("oops = 1\n{secrets}")), ["oops", "auth.key"]);
}
