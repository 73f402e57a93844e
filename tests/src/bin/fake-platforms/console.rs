//! What can be typed: things that happen, and things that go wrong.

mod joystick;
mod twitch;

use crate::Platforms;

const HELP: &str = "\
things that happen, on both platforms unless `twitch` or `joystick` stands before them:
  say NAME TEXT…             whisper NAME TEXT…         follow NAME
  sub NAME                   resub NAME MONTHS          gift NAME COUNT
  give NAME AMOUNT [TEXT…]   raid NAME VIEWERS          online | offline
on Twitch:
  redeem NAME TITLE          hold NAME TEXT…            ban NAME | unban NAME
  poll | prediction | train  mirror NAME TEXT…          title TEXT…
on Joystick:
  enter NAME | leave NAME    event KIND                 (Tipped, WheelSpinClaimed, …)
things that go wrong:
  drop                       every connection breaks off
  restart                    both go away and come back
  close CODE                 sockets are closed with a code: 4000 to 4007, 4401, 1000
  reconnect                  Twitch asks to move to another socket
  revoke TYPE [REASON]       Twitch ends a subscription: revoke channel.follow user_removed
  disconnect [REASON]        Joystick disconnects: server_restart, remote, unauthorized
  uninstall                  the streamer takes everything back, on both
  expire                     all access tokens are too old
  rotate on|off              whether Twitch's refresh tokens change, as Joystick's always do
  keepalives on|off          whether Twitch sends keepalives, and Joystick pings
  refuse CODE [TEXT…]        Twitch drops the next chat line: refuse msg_duplicate
  login NAME                 who signs in on Twitch from now on
quit";

pub(crate) enum Next {
    Said(String),
    Quit,
}

/// Carries out a line.
pub(crate) async fn obey(platforms: &mut Platforms, line: &str) -> Next {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [] => return Next::Said(String::new()),
        ["quit" | "exit"] => return Next::Quit,
        ["help"] => return Next::Said(HELP.to_owned()),
        ["restart"] => {
            platforms.twitch.go_away();
            platforms.joystick.go_away();
            platforms.twitch.come_back().await;
            platforms.joystick.come_back().await;
            return Next::Said("both are back".to_owned());
        }
        _ => {}
    }
    let Platforms { twitch, joystick } = platforms;
    let done = match words.as_slice() {
        ["twitch", rest @ ..] => vec![("twitch", twitch::obey(twitch, rest))],
        ["joystick", rest @ ..] => vec![("joystick", joystick::obey(joystick, rest))],
        all => vec![("twitch", twitch::obey(twitch, all)), ("joystick", joystick::obey(joystick, all))],
    };
    let on: Vec<&str> = done.into_iter().filter(|(_, is_done)| *is_done).map(|(name, _)| name).collect();
    Next::Said(match on.as_slice() {
        [] => format!("can't do \"{line}\"; \"help\" says what can be done"),
        on => format!("done on {}", on.join(" and ")),
    })
}
