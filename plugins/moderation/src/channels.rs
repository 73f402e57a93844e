//! What is remembered of each channel. Simulated and replayed events have channels of their own here, which are in
//! memory only: what is tried out never counts against anybody, and never hides what is real.

use std::collections::BTreeMap;

use showrunner_sdk::event::Origin;
use showrunner_sdk::prelude::*;

use crate::kept;
use crate::newcomers::Newcomers;
use crate::people::People;
use crate::speakers::Speakers;
use crate::waves::Waves;

/// More than one operator has; above it the one that was quiet for longest is forgotten.
const CHANNELS: usize = 256;

pub(crate) struct Channels {
    channels: BTreeMap<Key, Channel>,
}

/// Whether it is real, the platform, and its id of the channel.
type Key = (Kind, String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Live,
    Test,
    Replay,
}

pub(crate) struct Channel {
    kind: Kind,
    heard_ms: u64,
    pub(crate) speakers: Speakers,
    pub(crate) waves: Waves,
    pub(crate) people: People,
    pub(crate) newcomers: Newcomers,
}

impl From<Origin> for Kind {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Live => Self::Live,
            Origin::Test => Self::Test,
            Origin::Replay => Self::Replay,
        }
    }
}

impl Channels {
    /// With what is kept in kv. What can't be read is told, left where it is, and not there.
    pub(crate) fn recall() -> Self {
        let mut channels = Self { channels: BTreeMap::new() };
        kept::recall(|place, user_id, person| channels.of(Kind::Live, place).people.put_back(user_id, person));
        kept::recall(|place, user_id, newcomer| {
            channels.of(Kind::Live, place).newcomers.put_back(user_id, newcomer);
        });
        channels
    }

    /// The channel of an event.
    pub(crate) fn at(&mut self, envelope: &Envelope) -> &mut Channel {
        let channel = self.of(envelope.origin.into(), Place::from(envelope));
        channel.heard_ms = channel.heard_ms.max(envelope.at_ms);
        channel
    }

    fn of(&mut self, kind: Kind, place: Place<'_>) -> &mut Channel {
        let key = (kind, place.platform.to_owned(), place.channel.to_owned());
        if self.channels.len() >= CHANNELS && !self.channels.contains_key(&key) {
            self.forget_quietest();
        }
        self.channels.entry(key).or_insert_with(|| Channel::new(kind, place))
    }

    fn forget_quietest(&mut self) {
        let quietest = self.channels.iter().min_by_key(|(_, channel)| channel.heard_ms).map(|(key, _)| key.clone());
        quietest.and_then(|key| self.channels.remove(&key));
    }
}

impl Channel {
    fn new(kind: Kind, place: Place<'_>) -> Self {
        let kept_as = (kind == Kind::Live).then_some(place);
        Self {
            kind,
            heard_ms: 0,
            speakers: Speakers::default(),
            waves: Waves::default(),
            people: People::new(kept_as),
            newcomers: Newcomers::new(kept_as),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.kind == Kind::Live
    }
}
