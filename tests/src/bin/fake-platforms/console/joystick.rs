//! What is typed for Joystick.

use std::time::Duration;

use showrunner_tests::joystick::{FakeJoystick, KINDS, Room, STREAMER};

/// Whether there was anything to do.
pub(super) fn obey(joystick: &FakeJoystick, words: &[&str]) -> bool {
    happen(&joystick.room(), words) || go_wrong(joystick, words)
}

fn happen(room: &Room<'_>, words: &[&str]) -> bool {
    match words {
        ["say", name, text @ ..] if !text.is_empty() => drop(room.say(name, &text.join(" "))),
        ["whisper", name, text @ ..] if !text.is_empty() => drop(room.whisper(name, &text.join(" "))),
        ["follow", name] => drop(room.follow(name)),
        ["sub", name] => drop(room.subscribe(name)),
        ["enter", name] => drop(room.enter(name)),
        ["leave", name] => drop(room.leave(name)),
        ["event", kind] if KINDS.contains(kind) => drop(room.sample(kind)),
        ["online"] => drop(room.go_online()),
        ["offline"] => drop(room.go_offline()),
        [what, name, number, ..] => return count(room, what, name, number),
        _ => return false,
    }
    true
}

/// What has a number.
fn count(room: &Room<'_>, what: &str, name: &str, number: &str) -> bool {
    let Ok(number) = number.parse() else { return false };
    match what {
        "resub" => room.resubscribe(name, number),
        "give" => room.tip(name, number, None),
        "raid" => room.drop_in(name, number),
        "gift" => room.gift_subscriptions(name, number),
        _ => return false,
    };
    true
}

fn go_wrong(joystick: &FakeJoystick, words: &[&str]) -> bool {
    match words {
        ["drop"] => joystick.drop_sockets(),
        ["close", code] => match code.parse() {
            Ok(code) => joystick.close(code),
            Err(_) => return false,
        },
        ["disconnect"] => joystick.disconnect(None, true),
        ["disconnect", reason] => joystick.disconnect(Some(reason), matches!(*reason, "server_restart" | "remote")),
        ["uninstall"] => joystick.uninstall(STREAMER),
        ["expire"] => joystick.expire_access_tokens(),
        ["keepalives", switch @ ("on" | "off")] => joystick.set_ping(Duration::from_secs(3), *switch == "on"),
        _ => return false,
    }
    true
}
