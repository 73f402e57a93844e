//! A lively little stream: something happens on one of the platforms every now and then.

use fastrand::Rng;
use showrunner_tests::joystick::FakeJoystick;
use showrunner_tests::twitch::FakeTwitch;

use crate::Platforms;

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "hal"];

const LINES: [&str; 12] = [
    "hello everybody",
    "hi @streamer",
    "what keyboard is that?",
    "!hello",
    "gm",
    "Kappa",
    "that was close",
    "¿de dónde eres?",
    "わあ、すごい",
    "lol",
    "first time here, nice stream",
    "when is the next stream?",
];

pub(crate) struct Stream {
    chance: Rng,
}

impl Stream {
    /// The stream begins.
    pub(crate) fn new(platforms: &Platforms) -> Self {
        platforms.twitch.room().go_online();
        Self { chance: Rng::new() }
    }

    /// Something happens, where somebody listens. Returns what.
    pub(crate) fn step(&mut self, platforms: &Platforms) -> Option<String> {
        let Platforms { twitch, joystick } = platforms;
        let (on_twitch, on_joystick) = (!twitch.subscribed().is_empty(), joystick.listeners() > 0);
        match (on_twitch, on_joystick) {
            (false, false) => None,
            (true, true) if self.chance.bool() => Some(self.on_twitch(twitch)),
            (true, false) => Some(self.on_twitch(twitch)),
            (_, true) => Some(self.on_joystick(joystick)),
        }
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        self.chance.choice(among).copied().unwrap_or_default()
    }

    fn on_twitch(&mut self, twitch: &FakeTwitch) -> String {
        let room = twitch.room();
        let name = self.pick(&NAMES);
        let happened = match self.chance.u32(0..20) {
            0 => {
                room.follow(name);
                "follows".to_owned()
            }
            1 => {
                room.subscribe(name, "1000");
                "subscribes".to_owned()
            }
            2 => {
                room.resub(name, self.chance.u32(2..40), "still here Kappa");
                "has subscribed again".to_owned()
            }
            3 => {
                room.gift_bomb(Some(name), &["ida", "jon", "kim"]);
                "gives 3 subs".to_owned()
            }
            4 => {
                let bits = self.chance.u64(1..500);
                room.cheer(name, bits, "nice");
                format!("cheers {bits}")
            }
            5 => {
                let viewers = self.chance.u64(2..300);
                room.raid(name, viewers);
                format!("raids with {viewers}")
            }
            6 => {
                room.redeem(name, "Hydrate", "");
                "redeems Hydrate".to_owned()
            }
            7 => {
                room.hold(name, "something rude");
                "is held by AutoMod".to_owned()
            }
            _ => {
                let line = self.pick(&LINES);
                room.say(name, line);
                format!("says: {line}")
            }
        };
        format!("twitch   -> {name} {happened}")
    }

    fn on_joystick(&mut self, joystick: &FakeJoystick) -> String {
        let room = joystick.room();
        let name = self.pick(&NAMES);
        let happened = match self.chance.u32(0..16) {
            0 => {
                room.follow(name);
                "follows".to_owned()
            }
            1 => {
                room.subscribe(name);
                "subscribes".to_owned()
            }
            2 => {
                let tokens = self.chance.u64(1..500);
                room.tip(name, tokens, None);
                format!("tips {tokens}")
            }
            3 => {
                room.tip(name, 25, Some("Hydrate"));
                "tips 25 for Hydrate".to_owned()
            }
            4 => {
                let viewers = self.chance.u64(2..300);
                room.drop_in(name, viewers);
                format!("drops in with {viewers}")
            }
            5 => {
                room.enter(name);
                "enters".to_owned()
            }
            _ => {
                let line = self.pick(&LINES);
                room.say(name, line);
                format!("says: {line}")
            }
        };
        format!("joystick -> {name} {happened}")
    }
}
