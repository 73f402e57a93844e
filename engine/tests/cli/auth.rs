//! Signing in, as a person does it: with a browser that follows the printed address, or with a code.

mod id_server;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::Url;

use self::id_server::{IdServer, SECRET};
use crate::daemon::Daemon;
use crate::lines::PATIENCE;
use crate::place::{ANY_PORT, Place};

fn twitch(server: &IdServer, more: &str) -> String {
    let base = server.base();
    format!(
        "{ANY_PORT}\n# Mine.\n[twitch]  # the stream\nclient-id = \"app\"\nclient-secret = \"cmd:echo {SECRET}-client\"\n\
         redirect = \"http://127.0.0.1:0/oauth\"\noauth-base = \"{base}/oauth2\"\neventsub-url = \"ws://127.0.0.1:9/ws\"\n\
         helix-base = \"http://127.0.0.1:9/\"\n{more}\n# The end.\n"
    )
}

fn joystick(server: &IdServer) -> String {
    let base = server.base();
    format!(
        "{ANY_PORT}\n[joystick]\nclient-id = \"app\"\nbot = \"pixel\"\nredirect = \"http://127.0.0.1:0/back\"\n\
         consent-url = \"{base}/authorize\"\noauth-base = \"{base}/oauth2\"\nrest-base = \"{base}/api/v1\"\n\
         gateway-url = \"ws://127.0.0.1:9/cable\"\n"
    )
}

/// The page that a person is to open, once it is printed.
fn page(signing_in: &Daemon) -> Url {
    let line = signing_in.out.wait_for(&["response_type=code"]);
    Url::parse(line.trim()).unwrap()
}

fn parameter(page: &Url, key: &str) -> String {
    page.query_pairs().find(|(name, _)| name == key).unwrap().1.into_owned()
}

/// What the browser shows when the service sends it back with this.
fn come_back(page: &Url, answer: &str) -> String {
    let redirect = Url::parse(&parameter(page, "redirect_uri")).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let state = parameter(page, "state");
    let path = redirect.path();
    write!(stream, "GET {path}?{answer}&state={state} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut shown = String::new();
    stream.read_to_string(&mut shown).unwrap();
    shown
}

#[test]
fn a_broadcaster_signs_in_beside_a_running_daemon() {
    let server = IdServer::start();
    let place = Place::new(&twitch(&server, ""));
    let daemon = Daemon::spawn({
        let mut command = place.command(&["run"]);
        command.env("RUST_LOG", "trace");
        command
    });
    daemon.wait_until_ready();
    let status = place.say(&["auth", "status"]).ok();
    assert!(
        status.contains("Twitch: the broadcaster\n  nobody is signed in; run `showrunner auth twitch`"),
        "{status}"
    );
    assert!(place.say(&["status"]).ok().contains("Signing in\n  Twitch: the broadcaster: nobody is signed in"));

    let mut signing_in = Daemon::spawn(place.command(&["auth", "twitch"]));
    let page = page(&signing_in);
    assert!(page.as_str().starts_with(&format!("{}/oauth2/authorize?", server.base())), "{page}");
    assert_eq!((parameter(&page, "client_id").as_str(), parameter(&page, "force_verify").as_str()), ("app", "true"));
    let scope = parameter(&page, "scope");
    assert!(scope.contains("channel:bot") && scope.contains("user:write:chat"), "one account is both: {scope}");
    assert!(parameter(&page, "state").len() > 30);
    let shown = come_back(&page, &format!("code={SECRET}-code&scope=x"));
    assert!(shown.contains("Signed in as anna") && shown.contains("You can close this page"), "{shown}");
    assert!(signing_in.wait().success(), "{}", signing_in.log.text());

    let form = server.form("/oauth2/token");
    assert_eq!(form["redirect_uri"], parameter(&page, "redirect_uri"));
    assert_eq!((form["code"].as_str(), form["client_secret"].as_str()), ("sekrit-code", "sekrit-client"));
    let said = signing_in.out.text();
    assert!(said.contains("Signed in as anna (Twitch: the broadcaster 141981764)."), "{said}");
    assert!(said.contains("Added the channel 141981764 to [twitch]"), "{said}");
    let config = fs::read_to_string(place.config()).unwrap();
    let end = "\n\n# The end.";
    let expected = twitch(&server, "").replace(end, &format!("\nchannels = [\"141981764\"]{end}"));
    assert_eq!(config, expected, "all else is as it was");
    assert!(signing_in.log.text().contains("warning: not all was granted"), "{}", signing_in.log.text());

    let status = place.say(&["auth", "status"]).ok();
    for part in
        ["key  ", "auth.key", "signed in as anna (id 141981764)", "holds for 3 h 59 min", "missing: ", "bits:read"]
    {
        assert!(status.contains(part), "{part:?} is not in\n{status}");
    }
    let json: Value = serde_json::from_str(&place.say(&["auth", "status", "--json"]).ok()).unwrap();
    assert_eq!((&json["grants"][0]["condition"], &json["key"]["problem"]), (&Value::from("signed-in"), &Value::Null));
    let key = place.data().join("auth.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    place.say(&["backup", "copy.db"]).ok();
    let copy = fs::read(place.path().join("copy.db")).unwrap();
    assert!(!copy.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));

    let log = daemon.stop().text();
    assert!(log.contains("Signed in."), "{log}");
    for text in [log, said, signing_in.log.text(), status, json.to_string()] {
        assert!(!text.contains(SECRET), "{}", text.lines().find(|line| line.contains(SECRET)).unwrap());
    }
}

#[test]
fn without_a_daemon_the_database_is_opened_for_it() {
    let server = IdServer::start();
    let place = Place::new(&joystick(&server));
    let mut signing_in = Daemon::spawn(place.command(&["auth", "joystick"]));
    let page = page(&signing_in);
    assert!(page.as_str().starts_with(&format!("{}/authorize?", server.base())), "{page}");
    assert_eq!(parameter(&page, "code_challenge_method"), "S256");
    assert!(come_back(&page, "code=abc").contains("Signed in as anna"));
    assert!(signing_in.wait().success(), "{}", signing_in.log.text());
    let form = server.form("/oauth2/token");
    let challenge = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(challenge), parameter(&page, "code_challenge"));
    assert!(fs::read_to_string(place.config()).unwrap().contains("channels = [\"3f9a0c\"]"));
    assert!(place.say(&["auth", "status"]).ok().contains("signed in as anna (id 3f9a0c)"));

    // A daemon finds it, and one that begins is not kept out.
    let daemon = place.start();
    assert!(place.say(&["auth", "status"]).ok().contains("signed in as anna (id 3f9a0c)"));
    daemon.stop();

    server.book(|book| book.is_away = true);
    let refusal = place.say(&["auth", "revoke", "joystick"]).refused(1);
    assert!(refusal.contains("nothing was deleted") && refusal.contains("--forget"), "{refusal}");
    server.book(|book| book.is_away = false);
    assert_eq!(place.say(&["auth", "revoke", "joystick"]).ok(), "Signed out, there and here.\n");
    let forms = server.book(|book| book.forms.clone());
    let revoked: Vec<&str> =
        forms.iter().filter(|(to, _)| to == "/oauth2/revoke").map(|(_, form)| form["token"].as_str()).collect();
    assert!(revoked.ends_with(&["sekrit-refresh-1", "sekrit-access-1"]), "{revoked:?}");
    let refusal = place.say(&["auth", "revoke", "joystick"]).refused(1);
    assert!(refusal.contains("no broadcaster is signed in at joystick"), "{refusal}");
}

#[test]
fn a_bot_that_was_given_less_is_told_what_to_set() {
    let server = IdServer::start();
    let place = Place::new(&joystick(&server));
    let refusals =
        [("error=invalid_scope", false, "nobody was signed in: invalid_scope"), ("code=abc", true, "refused what")];
    for (answer, refuses_scopes, message) in refusals {
        server.book(|book| book.refuses_scopes = refuses_scopes);
        let mut signing_in = Daemon::spawn(place.command(&["auth", "joystick"]));
        let page = page(&signing_in);
        let scope = parameter(&page, "scope");
        assert!(scope.contains("chat:whisper:write") && !scope.contains("stream:manage"), "{scope}");
        assert!(come_back(&page, answer).contains("Not signed in"));
        assert_eq!(signing_in.wait().code(), Some(1));
        let log = signing_in.log.text();
        assert!(log.contains(message) && log.contains("help: set `scopes` in [joystick]"), "{log}");
    }
    server.book(|book| book.refuses_scopes = false);
    place.configure(&joystick(&server).replace("bot = ", "scopes = [\"bot\"]\nbot = "));
    let mut signing_in = Daemon::spawn(place.command(&["auth", "joystick"]));
    let page = page(&signing_in);
    assert_eq!(parameter(&page, "scope"), "bot");
    come_back(&page, "code=abc");
    assert!(signing_in.wait().success(), "{}", signing_in.log.text());
    let status = place.say(&["auth", "status"]).ok();
    assert!(status.contains("granted: bot") && !status.contains("missing"), "{status}");
}

#[test]
fn a_code_is_typed_on_another_device() {
    let server = IdServer::start();
    server.book(|book| book.pending = 1);
    let place = Place::new(&twitch(&server, "accounts = \"both\""));
    let daemon = place.start();
    let mut signing_in = Daemon::spawn(place.command(&["auth", "twitch", "--bot", "--device"]));
    signing_in.out.wait_for(&["https://www.twitch.tv/activate?device-code=ABCDEFGH"]);
    assert!(signing_in.wait().success(), "{}", signing_in.log.text());
    assert!(signing_in.out.text().contains("Signed in as anna (Twitch: the bot)."), "{}", signing_in.out.text());
    let form = server.form("/oauth2/token");
    assert_eq!(form["device_code"], format!("{SECRET}-device"));
    assert!(form["scopes"].contains("user:write:chat") && !form["scopes"].contains("channel:bot"));
    assert!(!signing_in.out.text().contains(SECRET) && !daemon.stop().text().contains(SECRET));
    assert!(!fs::read_to_string(place.config()).unwrap().contains("channels"), "the bot is no channel");
    assert_eq!(place.say(&["auth", "revoke", "twitch", "--bot"]).ok(), "Signed out, there and here.\n");
}

#[test]
fn who_has_no_part_or_does_not_agree_is_told_so() {
    let server = IdServer::start();
    let place = Place::new(&twitch(&server, ""));
    let refusal = place.say(&["auth", "twitch", "--bot"]).refused(1);
    assert!(
        refusal.contains("accounts = \"broadcaster\"") && refusal.contains("help: set `accounts = \"both\"`"),
        "{refusal}"
    );
    let refusal = place.say(&["auth", "joystick"]).refused(1);
    assert!(refusal.contains("the config has no [joystick]"), "{refusal}");

    let mut signing_in = Daemon::spawn(place.command(&["auth", "twitch"]));
    let asked = page(&signing_in);
    let shown = come_back(&asked, "error=access_denied&error_description=The+user+denied+you+access");
    assert!(shown.contains("Not signed in") && shown.contains("denied you access"), "{shown}");
    assert_eq!(signing_in.wait().code(), Some(1));
    assert!(signing_in.log.text().contains("error: nobody was signed in: The user denied you access"));

    let mut signing_in = Daemon::spawn(place.command(&["auth", "twitch"]));
    signing_in.out.wait_for(&["Ctrl-C ends it"]);
    signing_in.signal("INT");
    assert_eq!(signing_in.wait().code(), Some(1));
    assert!(signing_in.log.text().contains("error: given up; nothing was changed"), "{}", signing_in.log.text());

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    place.configure(&twitch(&server, "").replace("127.0.0.1:0/oauth", &format!("127.0.0.1:{port}/oauth")));
    let refusal = place.say(&["auth", "twitch"]).refused(1);
    assert!(refusal.contains(&format!("127.0.0.1:{port} is taken by another program")), "{refusal}");
}

#[test]
fn a_lost_key_is_told_and_keeps_nothing_else_from_running() {
    let server = IdServer::start();
    let place = Place::new(&joystick(&server));
    let mut signing_in = Daemon::spawn(place.command(&["auth", "joystick"]));
    come_back(&page(&signing_in), "code=abc");
    assert!(signing_in.wait().success());
    fs::remove_file(place.data().join("auth.key")).unwrap();
    let daemon = place.start();
    let watch = place.watch(&["--json"]);
    place.chat("alice", "hello");
    watch.out.wait_for(&["hello"]);
    let status = place.say(&["status"]).ok();
    assert!(status.contains("auth.key is gone") && status.contains("or run `showrunner auth joystick`"), "{status}");
    let mut signing_in = Daemon::spawn(place.command(&["auth", "joystick"]));
    come_back(&page(&signing_in), "code=abc");
    assert!(signing_in.wait().success(), "{}", signing_in.log.text());
    assert!(!place.say(&["status"]).ok().contains("Signing in"));
    daemon.stop();
}
