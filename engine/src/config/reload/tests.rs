use std::path::Path;

use super::super::{parse, secret::Reference, secret::Secret, secret::SecretError};
use super::*;

/// The secret is the name that it is referred by, so that another reference is another secret.
fn by_name(reference: &Reference, _: &Path) -> Result<Secret, SecretError> {
    Ok(Secret::from(reference.to_string()))
}

fn settings(text: &str) -> Settings {
    parse(Path::new("/etc/showrunner.toml"), text, by_name).map_err(|error| error.to_string()).unwrap().1
}

fn changes(old: &str, new: &str) -> Changes {
    compare(&settings(old), &settings(new))
}

fn retake(room: &str, token: &str) -> String {
    format!("[[retake]]\nroom = \"{room}\"\nuser-id = \"me\"\ntoken = \"env:{token}\"\n")
}

#[test]
fn comments_order_and_written_defaults_change_nothing() {
    let one = format!("{}[http]\nlisten = \"127.0.0.1:7788\"\n", retake("a", "A"));
    assert!(changes(&retake("a", "A"), &format!("# new\n{one}")).is_empty());
}

#[test]
fn only_the_account_that_changed_is_named() {
    let old = [retake("a", "A"), retake("b", "B"), retake("c", "C")].concat();
    let new = [retake("d", "D"), retake("c", "C"), retake("b", "OTHER")].concat();
    let retake = Entries { added: vec!["d".to_owned()], removed: vec!["a".to_owned()], changed: vec!["b".to_owned()] };
    assert_eq!(changes(&old, &new), Changes { retake, ..Changes::default() });
}

#[test]
fn a_plugins_grant_settings_or_secret_change_that_plugin_alone() {
    let base = "[plugins.a]\n[plugins.b]\n";
    for change in
        ["grant = { chat = [\"say\"] }", "settings = { x = 1 }", "secrets = { k = \"env:K\" }", "enabled = false"]
    {
        let changes = changes(base, &format!("{base}{change}\n"));
        assert_eq!(changes.plugins.changed, [PluginId::from("b")], "{change}");
        assert_eq!(Changes { plugins: Entries::default(), ..changes }, Changes::default());
    }
}

#[test]
fn what_only_a_start_reads_is_named_by_its_key_or_section() {
    let new = "data-dir = \"d\"\n[log]\nfilter = \"debug\"\n[http]\nlisten = \"off\"\ntoken = \"env:A-LONG-ENOUGH-TOKEN\"\n[host]\nwatch = \"off\"\n";
    let several = changes("", new);
    assert_eq!(several.needs_restart, ["data-dir", "http.listen", "http.token", "host.watch"]);
    assert!(several.log_filter);
    assert_eq!(changes("", "[pipeline]\nreview = \"60ms\"\n").needs_restart, ["pipeline"]);
    assert_eq!(changes("", "[journal]\nkeep-for = \"1d\"\n").needs_restart, ["journal"]);
    assert_eq!(changes("", "[agent]\nattempts = 2\n").needs_restart, ["agent"]);
    assert_eq!(changes("", "[simulator]\nscript = \"demo\"\n").needs_restart, ["simulator"]);
}

#[test]
fn sections_that_can_change_while_running_are_told_apart() {
    assert!(changes("", "[host.limits]\neffects = 2\n").limits);
    assert!(changes("", "[host]\nsafe-mode = true\n").safe_mode);
    assert!(changes("", "[twitch]\nclient-id = \"app\"\n").twitch);
    assert!(changes("", "[joystick]\nclient-id = \"app\"\nbot = \"pixel\"\n").joystick);
}

#[test]
fn what_only_a_start_reads_stays_due_until_then() {
    let fixed = [
        "data-dir = \"d\"\n",
        "[log]\nformat = \"json\"\n",
        "[http]\nlisten = \"off\"\n",
        "[http]\ntoken = \"env:TOKEN\"\n",
        "[pipeline]\nreview = \"60ms\"\n",
        "[journal]\nkeep-for = \"1d\"\n",
        "[agent]\nattempts = 2\n",
        "[host]\nplugins-dir = \"p\"\n",
        "[host]\nwatch = \"off\"\n",
        "[host]\ndebounce = \"1s\"\n",
        "[auth]\nkey = \"env:KEY\"\n",
        "[simulator]\nchannel = \"other\"\n",
    ];
    let running = settings("");
    for text in fixed {
        let parsed =
            |text: &str| parse(Path::new("/etc/showrunner.toml"), text, a_key).map_err(|error| error.to_string());
        let new = parsed(text).unwrap().1;
        let due = compare(&running, &new);
        assert!(!due.is_empty(), "{text}");
        let kept = new.clone().keeping_fixed(&running);
        assert!(compare(&running, &kept).is_empty(), "{text}");
        assert_eq!(compare(&kept, &new), due, "{text}");
    }
    for text in ["[log]\nfilter = \"debug\"\n", "[host]\nsafe-mode = true\n", "[plugins.a]\n", &retake("a", "A")] {
        let kept = settings(text).keeping_fixed(&running);
        assert!(compare(&kept, &settings(text)).is_empty(), "{text}");
    }
}

/// As long as a token must be, and a key.
fn a_key(_: &Reference, _: &Path) -> Result<Secret, SecretError> {
    Ok(Secret::from("0a".repeat(32)))
}
