//! The events that somebody still had in hand when the daemon was killed.
//!
//! Whoever has an event in hand holds an [`InFlight`]. Most events are done with before the writer even comes to
//! journal them, and cost nothing here. Only one that is still held then is noted as unfinished, and struck off when
//! the last hold is dropped. So what a killed run leaves noted is what was journalled and not done with. Beside it are
//! marked the plugins that are done with it, where their effects do not tell so.
//!
//! It relies on the order of the queue: an event comes before the batches that are made of it, and a hold is dropped
//! after they were queued.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::Store;
use super::error::StoreError;
use super::group::Group;
use super::item::{Access, Item};
use super::queue::Queue;
use crate::event::{Channel, Envelope};

/// Starts that give an event out again, at most: what brings the daemon down each time must not do so for ever. Most
/// that are unfinished only waited behind that one, and a supervisor starts a daemon every second or so.
const ATTEMPTS: u32 = 10;

/// Says, for as long as any clone of it lives, that an event is not done with.
#[derive(Clone)]
pub struct InFlight {
    shared: Arc<Shared>,
}

/// What the clones share.
pub(super) struct Shared {
    event_id: Arc<str>,
    /// Whether it stands in the database, or is about to.
    is_noted: AtomicBool,
    queue: Arc<Queue>,
}

/// The journal's end of a hold.
#[derive(Default)]
pub(super) struct WeakInFlight {
    shared: Weak<Shared>,
    event_id: Option<Arc<str>>,
    is_open: bool,
}

/// An event that an earlier run did not finish.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    pub envelope: Envelope,
    pub stage: Stage,
}

/// When a channel was last heard, by the platform's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastHeard {
    pub channel: Channel,
    /// The newest chat line.
    pub chat_ms: Option<u64>,
    /// The newest event that came from the platform, of whichever type.
    pub event_ms: u64,
}

/// How far an unfinished event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has ruled on it, or it passed.
    Open,
    /// Review holds it back until somebody decides.
    Held,
    /// Review took it away.
    TakenAway,
}

impl Store {
    /// For whoever has this event in hand.
    pub fn in_flight(&self, event_id: &Arc<str>) -> InFlight {
        self.make_in_flight(event_id, false)
    }

    /// The same for an event that an earlier run did not finish.
    pub fn in_flight_again(&self, event_id: &Arc<str>) -> InFlight {
        self.make_in_flight(event_id, true)
    }

    fn make_in_flight(&self, event_id: &Arc<str>, is_noted: bool) -> InFlight {
        let (event_id, queue) = (Arc::clone(event_id), Arc::clone(&self.inner.queue));
        InFlight { shared: Arc::new(Shared { event_id, is_noted: AtomicBool::new(is_noted), queue }) }
    }

    /// Journals an event that somebody has in hand; see [`Store::journal_event`].
    pub fn journal_in_flight(&self, envelope: Arc<Envelope>, in_flight: &InFlight) {
        let in_flight = WeakInFlight {
            shared: Arc::downgrade(&in_flight.shared),
            event_id: Some(Arc::clone(&in_flight.shared.event_id)),
            is_open: false,
        };
        self.write_behind(Item::Event { envelope, own: false, in_flight });
    }

    /// What earlier runs did not finish, in the journal's order, but for what was given out too often. To read it is
    /// not to give it out: a start may yet fail before anybody sees it.
    pub async fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        self.request(Access::Durable, |group| {
            give_up(group)?;
            let mut statement = group.prepare(
                "SELECT unfinished.event_id, events.envelope,
                        EXISTS (SELECT 1 FROM effects WHERE effects.event_id = unfinished.event_id AND number >= ?1),
                        EXISTS (SELECT 1 FROM events AS notice WHERE notice.id = unfinished.event_id || '/held')
                 FROM unfinished JOIN events ON events.id = unfinished.event_id ORDER BY events.position",
            )?;
            let rows = statement.query_map([crate::effect::MEASURES_FROM], |row| {
                let stage = match (row.get(2)?, row.get(3)?) {
                    (false, _) => Stage::Open,
                    (true, true) => Stage::Held,
                    (true, false) => Stage::TakenAway,
                };
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, stage))
            })?;
            let mut unfinished = Vec::new();
            for row in rows {
                let (event_id, json, stage) = row?;
                match serde_json::from_str(&json) {
                    Ok(envelope) => unfinished.push(Unfinished { envelope, stage }),
                    Err(error) => tracing::warn!(event_id, %error, "An unfinished event can't be read; skipped."),
                }
            }
            Ok(unfinished)
        })
        .await
    }

    /// Marks these as given out once more, which happens in ten starts at most. What only waits for a person is not
    /// given out.
    pub async fn note_given(&self, event_ids: Vec<Arc<str>>) -> Result<(), StoreError> {
        if event_ids.is_empty() {
            return Ok(());
        }
        self.request(Access::Durable, move |group| {
            let mut statement = group.prepare("UPDATE unfinished SET attempts = attempts + 1 WHERE event_id = ?1")?;
            for event_id in &event_ids {
                statement.execute([&**event_id])?;
            }
            Ok(())
        })
        .await
    }

    /// The times of the newest that was journalled in each channel: from there on a killed run may have missed what the
    /// platform can still tell. What the engine itself makes says nothing of that. Looks at the newest events only.
    pub async fn last_heard(&self, newest: usize) -> Result<Vec<LastHeard>, StoreError> {
        self.request(Access::Read, move |group| {
            let mut statement = group.prepare(
                "SELECT platform, channel, max(CASE type WHEN 'chat' THEN at_ms END), max(at_ms) FROM (
                     SELECT platform, channel, at_ms, type FROM events ORDER BY position DESC LIMIT ?1)
                 WHERE type NOT IN ('outcome', 'agent', 'ai-chat', 'tool', 'library', 'timer', 'system')
                 GROUP BY platform, channel",
            )?;
            let rows = statement.query_map([super::to_integer(newest as u64)], |row| {
                let channel = Channel::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?);
                let chat_ms = row.get::<_, Option<i64>>(2)?.map(super::from_integer);
                Ok(LastHeard { channel, chat_ms, event_ms: super::from_integer(row.get(3)?) })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

/// Forgets what was given out too often, and what the journal no longer has.
fn give_up(group: &Group<'_>) -> Result<(), StoreError> {
    let mut statement = group.prepare("DELETE FROM unfinished WHERE attempts >= ?1 RETURNING event_id")?;
    let mut rows = statement.query([ATTEMPTS])?;
    while let Some(row) = rows.next()? {
        let event_id: String = row.get(0)?;
        tracing::error!(
            event_id,
            attempts = ATTEMPTS,
            "The daemon ended each time before it was done with this event, which is given up; it is in the journal."
        );
    }
    group.prepare("DELETE FROM unfinished WHERE event_id NOT IN (SELECT id FROM events)")?.execute([])?;
    group.prepare("DELETE FROM handled WHERE event_id NOT IN (SELECT event_id FROM unfinished)")?.execute([])?;
    Ok(())
}

pub(super) fn write(group: &Group<'_>, event_id: &str) -> Result<(), StoreError> {
    group.prepare("INSERT INTO unfinished (event_id) VALUES (?1) ON CONFLICT DO NOTHING")?.execute([event_id])?;
    Ok(())
}

/// Remembers of an event that is noted, and of no other, that a plugin is done with it.
pub(super) fn mark_handled(group: &Group<'_>, event_id: &str, plugin: &str) -> Result<(), StoreError> {
    group
        .prepare(
            "INSERT INTO handled (event_id, plugin) SELECT event_id, ?2 FROM unfinished WHERE event_id = ?1
             ON CONFLICT DO NOTHING",
        )?
        .execute((event_id, plugin))?;
    Ok(())
}

pub(super) fn strike_off(group: &Group<'_>, event_id: &str) -> Result<(), StoreError> {
    group.prepare("DELETE FROM unfinished WHERE event_id = ?1")?.execute([event_id])?;
    group.prepare("DELETE FROM handled WHERE event_id = ?1")?.execute([event_id])?;
    Ok(())
}

impl WeakInFlight {
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Called while the queue is locked, when the event is taken from it. `is_last`: nothing is left in the queue, so
    /// all that was ever made of an event which nobody holds goes to the disk together with it.
    pub(super) fn look(&mut self, is_last: bool) {
        let is_in_flight = self.shared.strong_count() > 0;
        self.is_open = self.event_id.is_some() && (is_in_flight || !is_last);
    }

    /// Called when the queue is not locked any more: sees to it that the note is struck off in time.
    pub(super) fn settle(&self, queue: &Queue) {
        let Some(event_id) = self.event_id.as_ref().filter(|_| self.is_open) else { return };
        match self.shared.upgrade() {
            // The last to drop it strikes it off, and that may be this very line.
            Some(shared) => shared.is_noted.store(true, Ordering::Release),
            None => strike_off_behind(queue, event_id),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.is_noted.load(Ordering::Acquire) {
            strike_off_behind(&self.queue, &self.event_id);
        }
    }
}

/// Behind all that was made of the event. When it is refused, the next start gives the event out once more; whoever
/// made anything of it is known and not asked again.
fn strike_off_behind(queue: &Queue, event_id: &Arc<str>) {
    let _ = queue.push_behind(Item::Finished(Arc::clone(event_id)));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::queue::{ENOUGH, GROUP, Taken};
    use super::super::tests::chat;
    use super::*;

    fn push(queue: &Arc<Queue>) -> InFlight {
        let event = chat("event", "anna", "hello");
        let shared = Arc::new(Shared {
            event_id: Arc::clone(&event.id),
            is_noted: AtomicBool::new(false),
            queue: Arc::clone(queue),
        });
        let in_flight =
            WeakInFlight { shared: Arc::downgrade(&shared), event_id: Some(Arc::clone(&event.id)), is_open: false };
        queue.push_behind(Item::Event { envelope: event, own: false, in_flight }).unwrap();
        InFlight { shared }
    }

    fn take(queue: &Queue) -> Vec<Item> {
        queue.close();
        match queue.take(Duration::ZERO) {
            Taken::Items(items) => items,
            Taken::Nothing | Taken::Closed => Vec::new(),
        }
    }

    fn is_noted(item: &Item) -> bool {
        matches!(item, Item::Event { in_flight, .. } if in_flight.is_open())
    }

    #[test]
    fn what_was_done_before_it_is_journalled_costs_nothing() {
        let queue = Arc::new(Queue::default());
        drop(push(&queue));
        let items = take(&queue);
        assert_eq!((items.len(), is_noted(&items[0])), (1, false));
        assert_eq!(queue.len(), 1, "nothing was added");
    }

    #[test]
    fn what_is_done_later_is_struck_off_then() {
        let queue = Arc::new(Queue::default());
        let in_flight = push(&queue);
        let items = match queue.take(Duration::ZERO) {
            Taken::Items(items) => items,
            Taken::Nothing | Taken::Closed => panic!("there is an event"),
        };
        assert!(is_noted(&items[0]));
        drop(in_flight.clone());
        assert_eq!(queue.len(), 1, "somebody has it still");
        drop(in_flight);
        assert!(matches!(&take(&queue)[..], [Item::Finished(id)] if &**id == "event"));
    }

    #[test]
    fn what_was_done_in_a_busy_chat_costs_nothing_either() {
        let queue = Arc::new(Queue::default());
        drop(push(&queue));
        // Some come while the writer wakes.
        for _ in 0..ENOUGH + ENOUGH / 2 {
            queue.push_behind(Item::Forgotten { plugin: "p".into(), event_id: "e".into() }).unwrap();
        }
        let Taken::Items(items) = queue.take(Duration::ZERO) else { panic!("there is a group") };
        assert!(!is_noted(&items[0]));
        assert_eq!(queue.len(), items.len() as u64, "nothing is left, and nothing was added");
    }

    /// Its batch may be in the part of the queue that is not taken: noted, and struck off behind that.
    #[test]
    fn what_was_done_while_much_waits_is_noted_until_that_is_written() {
        let queue = Arc::new(Queue::default());
        drop(push(&queue));
        for _ in 0..GROUP {
            queue.push_behind(Item::Forgotten { plugin: "p".into(), event_id: "e".into() }).unwrap();
        }
        let Taken::Items(items) = queue.take(Duration::ZERO) else { panic!("there is a group") };
        assert!(is_noted(&items[0]));
        let rest = take(&queue);
        assert!(matches!(&rest[..], [Item::Forgotten { .. }, Item::Finished(_)]), "{}", rest.len());
    }
}
