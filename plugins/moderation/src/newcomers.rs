//! Who is in a channel for the first time and waits for a moderator's word, and who was let in.
//!
//! Kept in kv: whoever waits still waits after a restart. The engine forgets the messages themselves then.

use serde::{Deserialize, Serialize};
use showrunner_sdk::prelude::*;
use showrunner_sdk::viewers;

use crate::kept::{Keep, Kept, short};
use crate::people::Told;
use crate::speakers::Who;

/// Of one channel; above it the one that came first is forgotten.
const NEWCOMERS: usize = 200;
/// Messages that are let through when somebody is let in. An event causes 32 effects at most, and nobody reads more.
const MESSAGES: usize = 8;
const ID_BYTES: usize = 100;

/// Lines that the engine keeps of a viewer.
const LINES: u32 = 50;
/// Lines as fresh as this may be waiting for their review, too.
const FRESH_MS: u64 = 10_000;

/// Those of one channel.
pub(crate) struct Newcomers {
    newcomers: Kept<Newcomer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Newcomer {
    login: String,
    name: String,
    came_ms: u64,
    /// Those that wait, the oldest first.
    messages: Vec<String>,
    is_let_in: bool,
    /// Moderators were told.
    #[serde(default)]
    is_announced: bool,
    /// Why the last one waits. Not kept: a moderator asks soon or not at all.
    #[serde(skip)]
    last: Option<Told>,
}

/// What is known of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Waiting,
    LetIn,
    Unknown,
}

impl Keep for Newcomer {
    const PREFIX: &'static str = "newcomer/";
    const VERSION: u8 = 1;
    const NOUN: &'static str = "newcomer";

    fn login(&self) -> &str {
        &self.login
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Whether somebody has written here before, as far as the engine knows. Lines that were taken away don't count.
pub(crate) fn has_written(envelope: &Envelope, user_id: &str) -> bool {
    let Some(viewer) = viewers::get(&envelope.platform, user_id) else { return false };
    let lines = viewers::recent_messages(envelope, user_id, LINES);
    let is_old = |at_ms: u64| at_ms.saturating_add(FRESH_MS) <= envelope.at_ms;
    viewer.messages > LINES || lines.iter().any(|line| !line.removed && is_old(line.at_ms))
}

impl Newcomers {
    pub(crate) fn new(kept_as: Option<Place<'_>>) -> Self {
        Self { newcomers: Kept::new(kept_as) }
    }

    pub(crate) fn put_back(&mut self, user_id: String, newcomer: Newcomer) {
        self.newcomers.put_back(user_id, newcomer);
    }

    pub(crate) fn standing(&self, user_id: &str) -> Standing {
        match self.newcomers.get(user_id) {
            Some(newcomer) if newcomer.is_let_in => Standing::LetIn,
            Some(_) => Standing::Waiting,
            None => Standing::Unknown,
        }
    }

    /// Somebody waits, with one more message.
    pub(crate) fn hold(&mut self, author: &User, message_id: &str, told: Told) {
        let is_first = !self.newcomers.contains(&author.id);
        let newcomer = self.enter(&author.id, &author.login, &author.display_name, told.at_ms);
        newcomer.last = Some(told);
        if newcomer.messages.len() < MESSAGES && message_id.len() <= ID_BYTES {
            newcomer.messages.push(message_id.to_owned());
            self.newcomers.keep(&author.id);
        } else if is_first {
            self.newcomers.keep(&author.id);
        }
    }

    /// Whether somebody waits of whom moderators were not told yet.
    pub(crate) fn is_unannounced(&self, user_id: &str) -> bool {
        self.newcomers.get(user_id).is_some_and(|newcomer| !newcomer.is_let_in && !newcomer.is_announced)
    }

    /// Moderators were told of somebody.
    pub(crate) fn announce(&mut self, user_id: &str) {
        if let Some(newcomer) = self.newcomers.get_mut(user_id) {
            newcomer.is_announced = true;
            self.newcomers.keep(user_id);
        }
    }

    /// Those who wait, the longest first: the login, and how many messages.
    pub(crate) fn waiting(&self) -> Vec<(&str, usize)> {
        let mut waiting: Vec<&Newcomer> =
            self.newcomers.iter().map(|(_, newcomer)| newcomer).filter(|newcomer| !newcomer.is_let_in).collect();
        waiting.sort_by_key(|newcomer| newcomer.came_ms);
        waiting.into_iter().map(|newcomer| (newcomer.login.as_str(), newcomer.messages.len())).collect()
    }

    /// How many messages of somebody wait, and why the last one does.
    pub(crate) fn waits_with(&self, user_id: &str) -> Option<(usize, Option<&Told>)> {
        let newcomer = self.newcomers.get(user_id).filter(|newcomer| !newcomer.is_let_in)?;
        Some((newcomer.messages.len(), newcomer.last.as_ref()))
    }

    /// Somebody may write from now on. Returns the messages that waited.
    pub(crate) fn let_in(&mut self, who: &Who, at_ms: u64) -> Vec<String> {
        let newcomer = self.enter(&who.id, &who.login, &who.name, at_ms);
        newcomer.is_let_in = true;
        let messages = std::mem::take(&mut newcomer.messages);
        self.newcomers.keep(&who.id);
        messages
    }

    /// Somebody is no newcomer any more. Returns the messages that waited.
    pub(crate) fn forget(&mut self, user_id: &str) -> Vec<String> {
        self.newcomers.forget(user_id).map(|newcomer| newcomer.messages).unwrap_or_default()
    }

    pub(crate) fn named(&self, login: &str) -> Option<Who> {
        self.newcomers.named(login)
    }

    fn enter(&mut self, user_id: &str, login: &str, name: &str, at_ms: u64) -> &mut Newcomer {
        if self.newcomers.len() >= NEWCOMERS && !self.newcomers.contains(user_id) {
            let oldest =
                self.newcomers.iter().min_by_key(|(_, newcomer)| newcomer.came_ms).map(|(id, _)| id.to_owned());
            if let Some(oldest) = oldest {
                self.forget(&oldest);
            }
        }
        self.newcomers.enter(user_id, || Newcomer {
            login: short(login),
            name: short(name),
            came_ms: at_ms,
            messages: Vec::new(),
            is_let_in: false,
            is_announced: false,
            last: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use showrunner_sdk::testing::event::user;

    use super::*;
    use crate::kept::KEYS;

    fn who(user: &User) -> Who {
        Who { id: user.id.clone(), login: user.login.clone(), name: user.display_name.clone(), roles: user.roles }
    }

    fn told(at_ms: u64) -> Told {
        Told { at_ms, reason: "because".into(), gives_way: true }
    }

    #[test]
    fn newcomers_wait_until_they_are_let_in() {
        let mut newcomers = Newcomers::new(None);
        let ada = user("ada");
        assert_eq!(newcomers.standing(&ada.id), Standing::Unknown);
        newcomers.hold(&ada, "m1", told(0));
        newcomers.hold(&ada, "m2", told(1));
        assert_eq!(newcomers.standing(&ada.id), Standing::Waiting);
        assert_eq!(newcomers.waits_with(&ada.id), Some((2, Some(&told(1)))));
        assert_eq!(newcomers.let_in(&who(&ada), 2), ["m1", "m2"]);
        assert_eq!(newcomers.standing(&ada.id), Standing::LetIn);
        assert_eq!(newcomers.let_in(&who(&ada), 3), Vec::<String>::new());
        assert_eq!(newcomers.waits_with(&ada.id), None);
        newcomers.hold(&user("bob"), "m3", told(4));
        assert_eq!(newcomers.waiting(), [("bob", 1)]);
        assert_eq!(newcomers.forget("id-bob"), ["m3"]);
        assert_eq!(newcomers.standing("id-bob"), Standing::Unknown);
    }

    #[test]
    fn what_is_kept_outlives_an_update_of_the_plugin() {
        let mut newcomers = Newcomers::new(Some(Place::new("twitch", "1")));
        newcomers.hold(&user("ada"), "m1", told(7));
        newcomers.announce("id-ada");
        let kept = kv::get_bytes("newcomer/twitch/1/id-ada").unwrap();
        let expected = concat!(
            r#"{"v":1,"platform":"twitch","channel":"1","user_id":"id-ada","login":"ada","name":"ada","#,
            r#""came_ms":7,"messages":["m1"],"is_let_in":false,"is_announced":true}"#,
        );
        assert_eq!(String::from_utf8(kept).unwrap(), expected);
    }

    #[test]
    fn a_crowd_does_not_grow_the_memory() {
        let mut newcomers = Newcomers::new(Some(Place::new("twitch", "1")));
        for number in 0..2 * NEWCOMERS as u64 {
            for message in 0..2 * MESSAGES {
                let long = User { display_name: "🔥".repeat(99), ..user(&number.to_string()) };
                newcomers.hold(&long, &format!("{message:0>100}"), told(number));
                newcomers.announce(&long.id);
            }
        }
        let keys = kv::keys(Newcomer::PREFIX, KEYS);
        let bytes: usize = keys.iter().map(|key| key.len() + kv::get_bytes(key).unwrap().len()).sum();
        assert!(keys.len() <= NEWCOMERS && bytes < 256 * 1024, "{} with {bytes} bytes", keys.len());
    }
}
