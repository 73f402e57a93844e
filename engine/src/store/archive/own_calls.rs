//! What is known of the events that plugins made for themselves: timers above all, which are not in the journal.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::{Archive, bounds, done, plugin, readable};
use crate::recording::{self, Done, Known, Noted, OwnCall, Window};
use crate::store::{StoreError, from_integer};

/// All ids between "timer:" and "timer;" begin with the former.
const NOTES: &str = "SELECT plugin, note, event_id, stored_ms FROM notes
    WHERE stored_ms >= ?1 AND stored_ms < ?2 AND (event_id BETWEEN 'timer:' AND 'timer;'
        OR event_id BETWEEN 'started:' AND 'started;' OR event_id BETWEEN 'overflow:' AND 'overflow;')
    ORDER BY position";

const EFFECTS: &str =
    "SELECT plugin, number, effect, state, message_id, detail, ended_ms, event_id, stored_ms FROM effects
    WHERE stored_ms >= ?1 AND stored_ms < ?2 AND (event_id BETWEEN 'timer:' AND 'timer;'
        OR event_id BETWEEN 'started:' AND 'started;' OR event_id BETWEEN 'overflow:' AND 'overflow;')
    ORDER BY position";

/// By the end of their ids, which rises with time.
type Calls = BTreeMap<String, OwnCall>;

impl Archive {
    /// In the order in which they came.
    pub fn own_calls(&self, window: &Window) -> Result<Vec<OwnCall>, StoreError> {
        let (from, to, ..) = bounds(window);
        let mut calls = Calls::new();
        let notes = self.collect(NOTES, (from, to), |row| {
            let (plugin, note) = (plugin(row, 0)?, readable(row.get(1)?));
            Ok(note.map(|note| Noted { plugin, note }).zip(Some(place(row, 2)?)))
        })?;
        for (noted, place) in notes {
            call_at(&mut calls, &place, |known: &mut Known| known.notes.push(noted));
        }
        let effects: Vec<(Done, Place)> =
            self.collect(EFFECTS, (from, to), |row| Ok(done(row)?.zip(Some(place(row, 7)?))))?;
        for (done, place) in effects {
            call_at(&mut calls, &place, |known: &mut Known| known.effects.push(done));
        }
        Ok(calls.into_values().collect())
    }
}

/// The id of the event, and when the row was written.
type Place = (String, u64);

fn place(row: &Row<'_>, index: usize) -> rusqlite::Result<Place> {
    Ok((row.get(index)?, from_integer(row.get(index + 1)?)))
}

fn call_at(calls: &mut Calls, (event_id, at_ms): &Place, add: impl FnOnce(&mut Known)) {
    let Some((cause, unique)) = recording::own_parts(event_id) else { return };
    let new = || OwnCall { cause: cause.to_owned(), at_ms: *at_ms, known: Known::default() };
    add(&mut calls.entry(unique.to_owned()).or_insert_with(new).known);
}
