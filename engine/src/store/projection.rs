//! Viewers and their lines are projected from the journal, some seconds behind it: a busy chat touches the same rows
//! again and again, and one write of each page for thousands of lines costs a tenth of one for each.
//!
//! Nobody sees the delay, as whoever asks for a viewer first gets everything projected; and nothing is lost by a crash,
//! as the position that was reached is written with the rows, and the next start goes on from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::error::StoreError;
use super::group::Group;
use super::viewers::Seen;
use super::{lines, viewers};
use crate::event::{Envelope, Event, Origin};

/// An event that counts for its viewer, with its position in the journal.
pub(super) type Counted = (i64, Arc<Envelope>);

/// A test event must not touch live state, and we are not our own viewer.
pub(super) fn counts(envelope: &Envelope, own: bool) -> bool {
    envelope.origin == Origin::Live && !own && envelope.event.actor().is_some_and(|user| !user.id.is_empty())
}

/// What was journalled and not projected before the last end of the daemon: some seconds' worth after a crash.
pub(super) fn left_over(connection: &Connection) -> rusqlite::Result<Vec<Counted>> {
    let mut statement = connection.prepare(
        "SELECT position, envelope FROM events
         WHERE position > (SELECT position FROM projection) AND own = 0 ORDER BY position",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let mut events = Vec::new();
    for row in rows {
        let (position, json) = row?;
        match serde_json::from_str::<Envelope>(&json) {
            Ok(envelope) if counts(&envelope, false) => events.push((position, Arc::new(envelope))),
            Ok(_) => {}
            Err(error) => tracing::warn!(position, %error, "An entry of the journal can't be read; not counted."),
        }
    }
    Ok(events)
}

/// Draws the events and notes how far it came: all that a viewer did goes into its rows at once, and one viewer after
/// the other in the order of the tables, so that each page is touched once. What can't be projected is skipped, as it
/// would else stand in the way of all that comes after it.
pub(super) fn project<'e>(group: &Group<'_>, events: impl Iterator<Item = &'e Counted>) -> Result<(), StoreError> {
    let mut viewers: BTreeMap<(&str, &str), Seen<'_>> = BTreeMap::new();
    let mut reached = None;
    for (position, envelope) in events {
        reached = Some(*position);
        let Some(user) = envelope.event.actor() else { continue };
        let seen = viewers.entry((&envelope.channel.platform, &user.id)).or_default();
        match &envelope.event {
            Event::Chat(message) => seen.add_line(envelope, message),
            _ => seen.add(user, envelope.at_ms),
        }
    }
    let Some(reached) = reached else { return Ok(()) };
    for (done, ((platform, user_id), mut seen)) in viewers.into_iter().enumerate() {
        group.give_way(done);
        lines::drop_surplus(&mut seen.lines);
        for (envelope, message) in &seen.lines {
            skip_unless_the_file_fails(user_id, lines::write(group, envelope, message))?;
        }
        skip_unless_the_file_fails(user_id, count(group, platform, user_id, &seen))?;
    }
    group.prepare("UPDATE projection SET position = ?1")?.execute([reached])?;
    Ok(())
}

fn count(group: &Group<'_>, platform: &str, user_id: &str, seen: &Seen<'_>) -> Result<(), StoreError> {
    if seen.messages == 0 {
        return viewers::see(group, platform, user_id, seen);
    }
    let messages = viewers::count(group, platform, user_id, seen)?;
    lines::clear_surplus(group, platform, user_id, messages, seen.messages)
}

fn skip_unless_the_file_fails(user_id: &str, projected: Result<(), StoreError>) -> Result<(), StoreError> {
    match projected {
        Err(error) if !error.concerns_the_file() => {
            tracing::warn!(user_id, %error, "Something could not be counted for its viewer; skipped.");
            Ok(())
        }
        other => other,
    }
}
