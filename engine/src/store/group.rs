//! One transaction: what its items share, and how each kind of item is carried out.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use rusqlite::{CachedStatement, Connection};

use super::error::StoreError;
use super::item::Item;
use super::json::JsonBuffer;
use super::projection::Counted;
use super::queue::ENOUGH;
use super::{inbox, journal, ledger, lines, projection, recordings, tasks, to_integer, unfinished};
use crate::effect::{EffectKey, EffectResult};
use crate::event::{Channel, Envelope};

/// On a machine with one core, whoever answers chat would else wait until the writer's slice of time is used up. So
/// many items or viewers are some 100 µs of work, to which looking for somebody who waits adds less than one.
const GIVE_WAY_EVERY: usize = 16;

/// A transaction under way. What it counted is worth nothing until it is committed.
pub(super) struct Group<'a> {
    connection: &'a Connection,
    /// Whether there is any use in writing more than was asked for.
    can_write: bool,
    /// One reading of the clock for all of the group.
    pub(super) now_ms: u64,
    /// The running sum of the journal's bytes, this group's included.
    pub(super) total_bytes: u64,
    pub(super) json: JsonBuffer,
    /// What most rows need, looked up once for all of them.
    pub(super) insert_event: CachedStatement<'a>,
    pub(super) insert_effect: CachedStatement<'a>,
    sequences: HashMap<Channel, u64>,
    /// The last word on each effect that ends in this group. Those are taken out that were written with their effect.
    pub(super) results: HashMap<EffectKey, EffectResult>,
    /// How many tasks wait or are worked on in the queues that were looked at.
    open_tasks: HashMap<String, u32>,
    /// Journalled by earlier groups and by this one, in this order; of both together `projected` are done.
    waiting: &'a [Counted],
    fresh: Vec<Counted>,
    projected: usize,
    /// So much waits that the queue would overflow if all others went first.
    is_in_haste: bool,
}

/// What is left to remember when the group is committed.
pub(super) struct Outcome {
    pub(super) total_bytes: u64,
    pub(super) fresh: Vec<Counted>,
    pub(super) projected: usize,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        now_ms: u64,
        total_bytes: u64,
        waiting: &'a [Counted],
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            can_write: true,
            now_ms,
            total_bytes,
            json: JsonBuffer::default(),
            insert_event: connection.prepare_cached(journal::INSERT)?,
            insert_effect: connection.prepare_cached(ledger::INSERT)?,
            sequences: HashMap::new(),
            results: HashMap::new(),
            open_tasks: HashMap::new(),
            waiting,
            fresh: Vec::new(),
            projected: 0,
            is_in_haste: false,
        })
    }

    /// For a disk that takes nothing now: who only reads gets what is there, be it some seconds old.
    pub(super) fn without_projecting(self) -> Self {
        Self { can_write: false, ..self }
    }

    pub(super) fn into_outcome(self) -> Outcome {
        Outcome { total_bytes: self.total_bytes, fresh: self.fresh, projected: self.projected }
    }

    /// The connection itself, for a copy of all that it sees.
    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// A statement that is compiled once for the life of the connection.
    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.connection.prepare_cached(sql)
    }

    /// Carries out the items, in order. Most effects end within milliseconds, so that most results stand in the group
    /// of their effect, behind it: it is written once, with its end, rather than written and changed.
    pub(super) fn apply(&mut self, items: &mut [Item]) -> Result<(), StoreError> {
        for item in &*items {
            if let Item::Result(result) = item {
                self.results.insert(result.key.clone(), result.clone());
            }
        }
        self.is_in_haste = items.len() >= ENOUGH;
        for (done, item) in items.iter_mut().enumerate() {
            self.give_way(done);
            self.apply_one(item)?;
        }
        Ok(())
    }

    fn apply_one(&mut self, item: &mut Item) -> Result<(), StoreError> {
        match item {
            Item::Event { envelope, own, in_flight } => {
                journal::write(self, envelope, *own)?;
                if in_flight.is_open() { unfinished::write(self, &envelope.id) } else { Ok(()) }
            }
            Item::Finished(event_id) => unfinished::strike_off(self, event_id),
            Item::Kept { plugin, envelope, is_given } => inbox::write(self, plugin, envelope, *is_given),
            Item::Forgotten { plugin, event_id } => inbox::strike_off(self, plugin, event_id),
            Item::Sequence { channel, sequence } => {
                self.note_sequence(channel, *sequence);
                Ok(())
            }
            Item::Result(result) if self.results.contains_key(&result.key) => ledger::write_result(self, result),
            Item::Result(_) => Ok(()),
            Item::Removed { channel, message_id } => lines::mark_removed(self, channel, message_id),
            Item::Batch(batch) => ledger::write_batch(self, batch, 0).map(drop),
            Item::Recording(recording) => recordings::write(self, recording),
            Item::Request(work) => work.run(self),
        }
    }

    /// Notes the newest number of a channel, to be written once for the whole group.
    pub(super) fn note_sequence(&mut self, channel: &Channel, sequence: u64) {
        match self.sequences.get_mut(channel) {
            Some(last) => *last = sequence.max(*last),
            None => {
                self.sequences.insert(channel.clone(), sequence);
            }
        }
    }

    pub(super) fn write_sequences(&mut self) -> Result<(), StoreError> {
        for (channel, sequence) in self.sequences.drain() {
            self.connection
                .prepare_cached(
                    "INSERT INTO channels (platform, channel, last_sequence) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET last_sequence = max(last_sequence, excluded.last_sequence)",
                )?
                .execute((&*channel.platform, &*channel.id, to_integer(sequence)))?;
        }
        Ok(())
    }

    /// Takes room for one more task in a queue that holds `bound` at most. Says whether there was any.
    pub(super) fn claim_room(&mut self, queue: &str, bound: u32) -> Result<bool, StoreError> {
        let open = match self.open_tasks.get(queue) {
            Some(open) => *open,
            // Counted once for the group, as a burst of tasks would else count itself again and again.
            None => tasks::count_open(self, queue)?,
        };
        let has_room = open < bound;
        self.open_tasks.insert(queue.to_owned(), open + u32::from(has_room));
        Ok(has_room)
    }

    /// Something else has changed how many tasks are open.
    pub(super) fn recount_tasks(&mut self) {
        self.open_tasks.clear();
    }

    /// Remembers the event that was just journalled, to be counted later.
    pub(super) fn note_counted(&mut self, envelope: &Arc<Envelope>) {
        self.fresh.push((self.connection.last_insert_rowid(), Arc::clone(envelope)));
    }

    pub(super) const fn is_in_haste(&self) -> bool {
        self.is_in_haste
    }

    /// Lets other threads run, after so many pieces of work of a transaction.
    pub(super) fn give_way(&self, done: usize) {
        if !self.is_in_haste && done > 0 && done.is_multiple_of(GIVE_WAY_EVERY) {
            thread::yield_now();
        }
    }

    /// How many events are journalled and not yet counted.
    pub(super) fn unprojected(&self) -> usize {
        self.waiting.len() + self.fresh.len() - self.projected
    }

    /// Brings viewers and lines up to the journal.
    pub(super) fn project(&mut self) -> Result<(), StoreError> {
        if !self.can_write {
            return Ok(());
        }
        projection::project(self, self.waiting.iter().chain(&self.fresh).skip(self.projected))?;
        self.projected = self.waiting.len() + self.fresh.len();
        Ok(())
    }
}
