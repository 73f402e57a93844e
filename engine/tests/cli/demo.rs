//! `showrunner demo`: what is saved while it runs changes the next answer, and a broken file changes nothing.

use std::fs;

use crate::daemon::Daemon;
use crate::place::{Place, greeter, share_compiled};

#[test]
fn saving_a_change_changes_the_next_answer_and_a_broken_file_says_why() {
    let place = Place::bare();
    let folder = place.path().join("demo");
    fs::create_dir(&folder).unwrap();
    share_compiled(&folder.join("data"));
    let demo = Daemon::spawn(place.command(&["demo", "--dir", "demo"]));
    demo.out.wait_for(&["simulator:demo", "online: Building a bot, live"]);
    let config = folder.join("showrunner.toml");
    let say = |user: &str, text: &str| {
        let config = config.to_str().unwrap();
        place.say(&["simulate", "chat", "--user", user, "--text", text, "--config", config]).ok();
    };
    demo.out.wait_for(&["simulate chat --user you --text hello --config", config.to_str().unwrap()]);
    demo.out.wait_for(&["its code:", folder.join("plugins/instant-replies/plugin.wasm").to_str().unwrap()]);
    say("ann", "hello");
    demo.out.wait_for(&["Showrunner: Hello ann!"]);

    // The lines at the end of the config, with their two `#` taken away.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("#[plugins", "[plugins").replace("#answers", "answers")).unwrap();
    demo.out.wait_for(&["plugin instant-replies reloaded"]);
    say("ben", "hello");
    demo.out.wait_for(&["Showrunner: Ahoy ben!"]);

    let component = folder.join("plugins/instant-replies/plugin.wasm");
    let good = fs::read(&component).unwrap();
    // In one step, as a half that were written by halves would be two failures.
    let broken = folder.join("broken.wasm");
    fs::write(&broken, &good[..good.len() / 2]).unwrap();
    fs::rename(broken, &component).unwrap();
    demo.out.wait_for(&["plugin instant-replies failed", "plugin.wasm can't be compiled", "(version 0.1.0 goes on)"]);
    say("cem", "hello");
    demo.out.wait_for(&["Showrunner: Ahoy cem!"]);

    // Another component in its place, which may do what the old one might.
    let another = folder.join("another.wasm");
    fs::copy(greeter().join("plugin.wasm"), &another).unwrap();
    fs::rename(another, &component).unwrap();
    demo.out.wait_for_many(2, &["plugin instant-replies reloaded"]);
    say("dan", "!hello");
    demo.out.wait_for(&["Showrunner: Hello dan!"]);
    assert_eq!(demo.out.count("plugin-"), 0, "what happens to plugins is told once\n{}", demo.out.text());
    demo.stop();
}

#[test]
fn the_demo_ends_by_itself_and_leaves_nothing_behind() {
    let place = Place::bare();
    let temporary = place.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = place.command(&["demo", "--seconds", "1"]).env("TMPDIR", &temporary).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}");
    assert!(out.contains("plugin instant-replies loaded: 0.1.0"), "{out}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "its folder is removed");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "nothing went wrong");
}
