//! However many events are projected at once, viewers and lines become the same.

use proptest::prelude::*;
use rusqlite::types::Value;
use tokio::runtime;

use super::*;
use crate::event::{Follow, Roles};

const VIEWERS: &str = "SELECT * FROM viewers ORDER BY platform, user_id";

/// Those that can be asked for. How many more there are depends on when they were cleared away.
const LINES: &str = "SELECT platform, channel, user_id, message_id, at_ms, text FROM (
         SELECT *, row_number() OVER (PARTITION BY platform, channel, user_id ORDER BY position DESC) AS age FROM lines)
     WHERE age <= 50 ORDER BY platform, channel, user_id, age";

#[tokio::test]
async fn of_a_flood_only_the_newest_lines_are_written() {
    let place = Place::new();
    let store = place.open();
    let held = hold_up(&store).await;
    for number in 0..120 {
        store.journal_event(chat(&number.to_string(), "anna", "buy now"), false);
    }
    drop(held);
    let viewer = store.viewer("retake", "anna").await.unwrap().unwrap();
    assert_eq!(viewer.messages, 120);
    let lines = store.recent_lines(&channel(), "anna", 100).await.unwrap();
    assert_eq!((lines.len(), &*lines[0].message_id, &*lines[49].message_id), (50, "message-119", "message-70"));
    assert_eq!(
        number(&store, "SELECT seq FROM sqlite_sequence WHERE name = 'lines'").await,
        50,
        "no more were written"
    );
}

/// What somebody does, so many times, and whether it is projected then.
#[derive(Debug, Clone)]
struct Deed {
    chats: bool,
    times: usize,
    user: User,
    channel: Channel,
    at_ms: u64,
    is_projected: bool,
}

fn user() -> impl Strategy<Value = User> {
    let badges = proptest::collection::vec("[a-z]{2}", 0..2);
    ("[ab]", "(|X|Yy)", "(|One|Two)", any::<[bool; 2]>(), badges).prop_map(
        |(id, login, display_name, [moderator, first_time], badges)| {
            let roles = Roles { moderator, first_time, ..Roles::default() };
            User { id, login, display_name, roles, badges, color: None }
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    let times = prop_oneof![9 => 1..3_usize, 1 => 30..70_usize];
    (any::<bool>(), times, user(), "[cd]", 0..9_u64, any::<bool>()).prop_map(
        |(chats, times, user, channel, at_ms, is_projected)| {
            let channel = Channel::new("retake", channel);
            Deed { chats, times, user, channel, at_ms, is_projected }
        },
    )
}

impl Deed {
    fn envelope(&self, number: usize) -> Envelope {
        let id = number.to_string();
        let event = if self.chats {
            Event::Chat(ChatMessage { author: self.user.clone(), ..message(&id, "", &id) })
        } else {
            Event::Follow(Follow { who: self.user.clone() })
        };
        Envelope { channel: self.channel.clone(), at_ms: self.at_ms, ..envelope(&id, event) }
    }
}

async fn projected(deeds: &[Deed], one_by_one: bool) -> [Vec<Vec<Value>>; 2] {
    let place = Place::new();
    let store = place.open();
    let mut number = 0;
    for deed in deeds {
        for _ in 0..deed.times {
            number += 1;
            store.journal_event(Arc::new(deed.envelope(number)), false);
            if one_by_one {
                store.viewer("retake", "a").await.unwrap();
            }
        }
        if deed.is_projected {
            store.viewer("retake", "a").await.unwrap();
        }
    }
    store.viewer("retake", "a").await.unwrap();
    [rows(&store, VIEWERS).await, rows(&store, LINES).await]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn projecting_one_by_one_and_many_at_once_is_the_same(deeds in proptest::collection::vec(deed(), 1..12)) {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let (many, one) = runtime.block_on(async { (projected(&deeds, false).await, projected(&deeds, true).await) });
        prop_assert_eq!(many, one);
    }
}
