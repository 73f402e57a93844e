//! What is typed for Twitch.

use showrunner_tests::twitch::{DropReason, FakeTwitch, Room, STREAMER};

/// Whether there was anything to do.
pub(super) fn obey(twitch: &FakeTwitch, words: &[&str]) -> bool {
    happen(&twitch.room(), words) || go_wrong(twitch, words)
}

fn happen(room: &Room<'_>, words: &[&str]) -> bool {
    match words {
        ["say", name, text @ ..] if !text.is_empty() => drop(room.say(name, &text.join(" "))),
        ["whisper", name, text @ ..] if !text.is_empty() => drop(room.whisper(name, STREAMER, &text.join(" "))),
        ["mirror", name, text @ ..] if !text.is_empty() => {
            room.line(name, &text.join(" ")).mirrored_from("neighbour", "m-0").say();
        }
        ["hold", name, text @ ..] if !text.is_empty() => drop(room.hold(name, &text.join(" "))),
        ["title", text @ ..] if !text.is_empty() => room.retitle(&text.join(" ")),
        ["redeem", name, title @ ..] if !title.is_empty() => drop(room.redeem(name, &title.join(" "), "")),
        ["follow", name] => room.follow(name),
        ["sub", name] => room.subscribe(name, "1000"),
        ["ban", name] => room.ban(STREAMER, name, "typed"),
        ["unban", name] => room.unban(STREAMER, name),
        ["online"] => room.go_online(),
        ["offline"] => room.go_offline(),
        words => return count(room, words) || contest(room, words),
    }
    true
}

/// What has a number.
fn count(room: &Room<'_>, words: &[&str]) -> bool {
    let [what, name, number, text @ ..] = words else { return false };
    let Ok(number) = number.parse::<u32>() else { return false };
    match *what {
        "resub" => room.resub(name, number, "still here"),
        "give" => drop(room.cheer(name, number.into(), &text.join(" "))),
        "raid" => room.raid(name, number.into()),
        "gift" if (1..=1000).contains(&number) => {
            let recipients: Vec<String> = (1..=number).map(|number| format!("lucky{number}")).collect();
            let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
            room.gift_bomb(Some(name), &recipients);
        }
        _ => return false,
    }
    true
}

/// From the begin to the end.
fn contest(room: &Room<'_>, words: &[&str]) -> bool {
    match words {
        ["poll"] => {
            let poll = room.poll_begin("Tea?", &["yes", "no"]);
            room.poll_progress(&poll, &[1, 2]);
            room.poll_end(&poll, &[3, 4], "completed");
        }
        ["prediction"] => {
            let prediction = room.prediction_begin("Win?", &["yes", "no"]);
            room.prediction_progress(&prediction, &[100, 200]);
            room.prediction_lock(&prediction, &[100, 200]);
            room.prediction_end(&prediction, &[100, 200], Some(0));
        }
        ["train"] => {
            let train = room.hype_train_begin();
            room.hype_train_progress(&train, 2, 700);
            room.hype_train_end(&train, 3, 1200);
        }
        _ => return false,
    }
    true
}

fn go_wrong(twitch: &FakeTwitch, words: &[&str]) -> bool {
    match words {
        ["drop"] => twitch.drop_sockets(),
        ["close", code] => match code.parse() {
            Ok(code) => twitch.close(code),
            Err(_) => return false,
        },
        ["reconnect"] => twitch.reconnect(),
        ["revoke", name] => return twitch.revoke(name, "authorization_revoked") > 0,
        ["revoke", name, reason] => return twitch.revoke(name, reason) > 0,
        ["uninstall"] => twitch.disconnect(STREAMER),
        ["expire"] => twitch.expire_access_tokens(),
        ["rotate", switch @ ("on" | "off")] => twitch.rotate_refresh_tokens(*switch == "on"),
        ["keepalives", switch @ ("on" | "off")] => twitch.send_keepalives(*switch == "on"),
        ["refuse", code, text @ ..] => twitch.drop_next_lines([DropReason::new(code, &text.join(" "))]),
        ["login", name] => twitch.signs_in(name),
        _ => return false,
    }
    true
}
