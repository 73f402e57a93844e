use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::*;

const BEFORE: &str = r#"# Mine. Do not touch.
[http]
listen = "off"   # nobody needs it

[plugins.greeter]   # says hello
enabled = false  # not yet
# What it may do:
grant = { chat = ["say"] }   # only this
channels = [
    "one",   # the first
]

# the end
"#;

fn grant(pairs: &[(&str, &[&str])]) -> Change {
    let values = |values: &[&str]| values.iter().map(ToString::to_string).collect();
    Change::Grant(pairs.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect())
}

fn edit(text: &str, plugin: &str, changes: &[Change]) -> String {
    edited(Path::new("showrunner.toml"), text, plugin, changes).unwrap()
}

#[test]
fn only_the_value_that_is_meant_changes() {
    let change = [Change::Enabled(true), grant(&[("chat", &["say", "reply"]), ("http", &["https://a.example/"])])];
    let expected = BEFORE
        .replace("enabled = false", "enabled = true")
        .replace(r#"{ chat = ["say"] }"#, r#"{ chat = ["say", "reply"], http = ["https://a.example/"] }"#);
    assert_eq!(edit(BEFORE, "greeter", &change), expected);
}

#[test]
fn a_plugin_without_an_entry_gets_one_at_the_end() {
    let after = edit("data-dir = \"d\"\n", "other", &[grant(&[("chat", &["say"])]), Change::Enabled(true)]);
    assert_eq!(after, "data-dir = \"d\"\n\n[plugins.other]\ngrant = { chat = [\"say\"] }\nenabled = true\n");
    let after = edit(BEFORE, "other", &[Change::Enabled(true)]);
    assert_eq!(after, format!("{BEFORE}\n[plugins.other]\nenabled = true\n"));
    assert_eq!(edit("", "other", &[Change::Enabled(true)]), "[plugins.other]\nenabled = true\n");
    let inline = edit("plugins = { a = { enabled = true } }\n", "b", &[Change::Enabled(true)]);
    assert_eq!(inline, "plugins = { a = { enabled = true } , b = { enabled = true } }\n");
    let odd = edit("", "not an id", &[Change::Enabled(true)]);
    assert_eq!(odd, "[plugins.\"not an id\"]\nenabled = true\n");
}

#[test]
fn the_explained_config_keeps_every_line() {
    let explained = include_str!("../../../../config/showrunner.toml");
    let after = edit(explained, "greeter", &[Change::Enabled(false)]);
    assert_eq!(after, format!("{explained}\n[plugins.greeter]\nenabled = false\n"));
}

#[test]
fn an_inline_entry_and_a_grant_that_is_a_table_are_understood() {
    let inline = edit("plugins = { a = { enabled = true } }\n", "a", &[Change::Enabled(false)]);
    assert_eq!(inline, "plugins = { a = { enabled = false } }\n");
    let added: DocumentMut = edit(&inline, "b", &[Change::Enabled(true)]).parse().unwrap();
    assert_eq!(added["plugins"]["b"]["enabled"].as_bool(), Some(true));
    let dotted: DocumentMut = edit("plugins.a.enabled = true\n", "b", &[Change::Enabled(true)]).parse().unwrap();
    assert_eq!(dotted["plugins"]["b"]["enabled"].as_bool(), Some(true));
    let table = edit("[plugins.a]\n[plugins.a.grant]\nchat = [\"say\"]\n", "a", &[grant(&[])]);
    assert_eq!(table.parse::<DocumentMut>().unwrap()["plugins"]["a"]["grant"].as_inline_table().unwrap().len(), 0);
}

#[test]
fn a_table_that_makes_way_leaves_the_comment_above_it() {
    let table = "[plugins.a]\n# only this\n[plugins.a.grant]\nchat = [\"say\"]\n\n# the end\n[log]\n";
    let after = edit(table, "a", &[grant(&[])]);
    assert_eq!(after, "[plugins.a]\n# only this\ngrant = {}\n\n# the end\n[log]\n");
}

#[test]
fn a_pin_comes_and_goes() {
    let pinned = edit("[plugins.a]\n", "a", &[Change::Pin("sha256:00".to_owned())]);
    assert_eq!(pinned, "[plugins.a]\npin = \"sha256:00\"\n");
    assert_eq!(edit(&pinned, "a", &[Change::Undecide]), "[plugins.a]\n");
}

#[test]
fn the_file_keeps_its_permissions_and_its_link() {
    let folder = TempDir::new().unwrap();
    let real = folder.path().join("real.toml");
    let link = folder.path().join("showrunner.toml");
    fs::write(&real, BEFORE).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
    symlink(&real, &link).unwrap();
    change_plugin(&link, "greeter", &[Change::Enabled(true)]).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&real).unwrap().contains("enabled = true  # not yet"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn what_is_no_table_or_no_toml_is_left_alone() {
    let path = Path::new("showrunner.toml");
    let error = edited(path, "plugins = 3\n", "a", &[]).unwrap_err();
    assert_eq!(error.to_string(), "plugins in showrunner.toml is not a table");
    assert!(edited(path, "plugins = ", "a", &[]).unwrap_err().to_string().contains("is not TOML"));
    assert!(change_plugin(Path::new("/no/such/file.toml"), "a", &[]).is_err());
}

fn channel(text: &str, platform: &str, id: &str) -> Result<String, EditError> {
    with_channel(Path::new("showrunner.toml"), text, platform, id)
}

#[test]
fn a_channel_joins_the_others_once() {
    let none = "[twitch]  # mine\nclient-id = \"a\" # the app\n\n[twitch.pace]\nburst = 3\n";
    let one = none.replace("# the app\n", "# the app\nchannels = [\"1\"]\n");
    assert_eq!(channel(none, "twitch", "1").unwrap(), one);
    assert_eq!(channel(&one, "twitch", "1").unwrap(), one, "it is there");
    assert_eq!(channel(&one, "twitch", "2").unwrap(), one.replace("[\"1\"]", "[\"1\", \"2\"]"));
    let long = "[twitch]\nchannels = [\n    \"1\", # one\n]\n";
    let longer = long.replace("# one\n", "# one\n    \"2\",\n");
    assert_eq!(channel(long, "twitch", "2").unwrap(), longer);
    assert_eq!(channel("twitch.client-id = \"a\"\n", "twitch", "1").unwrap().lines().count(), 2);
}

#[test]
fn a_channel_needs_its_platform_and_a_list() {
    let refused = |text| channel(text, "twitch", "1").unwrap_err().to_string();
    assert_eq!(refused("[joystick]\n"), "twitch in showrunner.toml is not a table");
    assert_eq!(refused("[twitch]\nchannels = \"1\"\n"), "twitch.channels in showrunner.toml is not a list");
}

#[test]
fn the_explained_config_takes_a_channel() {
    let explained = include_str!("../../../../config/showrunner.toml");
    let after = channel(explained, "twitch", "141981764").unwrap();
    assert_eq!(after.replacen("channels = [\"141981764\"]\n", "", 1), explained);
}
