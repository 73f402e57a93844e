//! What a room remembers: its stream, its lines, who follows, who subscribes, who is banned, what was redeemed.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use super::users::User;

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) chatter: User,
    pub(super) text: String,
    /// The line that it answers.
    pub(super) parent: Option<String>,
    /// The first line of the thread that it belongs to.
    pub(super) thread: Option<(String, User)>,
}

#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) id: String,
    pub(super) started_at: Timestamp,
    pub(super) viewers: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) user: User,
    pub(super) tier: String,
    pub(super) gifter: Option<User>,
    pub(super) is_gift: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Reward {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) cost: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Redemption {
    pub(super) id: String,
    pub(super) reward: Reward,
    pub(super) user: User,
    pub(super) input: String,
    pub(super) status: String,
    pub(super) redeemed_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Ban {
    pub(super) ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Clip {
    pub(super) id: String,
    pub(super) broadcaster: User,
    pub(super) creator: User,
    pub(super) title: String,
    pub(super) created_at: Timestamp,
}

pub(super) struct RoomMemory {
    pub(super) title: String,
    pub(super) category: (String, String),
    pub(super) language: String,
    pub(super) tags: Vec<String>,
    pub(super) labels: Vec<String>,
    pub(super) live: Option<Live>,
    /// Oldest first, as all lists here.
    pub(super) lines: Vec<Line>,
    pub(super) held: Vec<Line>,
    pub(super) followers: Vec<(User, Timestamp)>,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) rewards: Vec<Reward>,
    pub(super) redemptions: Vec<Redemption>,
    /// By user id.
    pub(super) bans: BTreeMap<String, Ban>,
    pub(super) announced: Option<Instant>,
    /// Whom, and when.
    pub(super) shouted_out: Vec<(String, Instant)>,
}

impl Default for RoomMemory {
    fn default() -> Self {
        Self {
            title: "Something with a keyboard".to_owned(),
            category: ("509658".to_owned(), "Just Chatting".to_owned()),
            language: "en".to_owned(),
            tags: vec!["English".to_owned()],
            labels: Vec::new(),
            live: None,
            lines: Vec::new(),
            held: Vec::new(),
            followers: Vec::new(),
            subscribers: Vec::new(),
            rewards: Vec::new(),
            redemptions: Vec::new(),
            bans: BTreeMap::new(),
            announced: None,
            shouted_out: Vec::new(),
        }
    }
}

/// The categories that there are; a name must be exact, or nearly so where one searches.
pub(super) const CATEGORIES: [(&str, &str); 4] = [
    ("509658", "Just Chatting"),
    ("1469308723", "Software and Game Development"),
    ("27471", "Minecraft"),
    ("509660", "Art"),
];

#[derive(Default)]
pub(super) struct Rooms {
    by_broadcaster: HashMap<String, RoomMemory>,
    pub(super) clips: Vec<Clip>,
    /// From, to, text.
    pub(super) whispers: Vec<(String, String, String)>,
    pub(super) announcements: Vec<Value>,
}

impl Rooms {
    pub(super) fn of(&mut self, broadcaster_id: &str) -> &mut RoomMemory {
        self.by_broadcaster.entry(broadcaster_id.to_owned()).or_default()
    }

    /// The broadcaster in whose room a message is held.
    pub(super) fn holding(&self, message_id: &str) -> Option<String> {
        let found = self.by_broadcaster.iter().find(|(_, room)| room.held.iter().any(|line| line.id == message_id));
        found.map(|(broadcaster, _)| broadcaster.clone())
    }
}
