-- What a replay needs beside the events: see `recording.rs`.

-- Each time a version of a plugin took over. `memory` is its kv at that moment, where the operator wants it recorded.
CREATE TABLE starts (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    plugin    TEXT    NOT NULL,
    start     TEXT    NOT NULL,
    memory    TEXT,
    stored_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX starts_by_plugin ON starts (plugin, position);

-- What belongs to one event and one plugin. The event may be one that a plugin made for itself, as a timer, which is not
-- in the journal.
CREATE TABLE notes (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id  TEXT    NOT NULL,
    plugin    TEXT    NOT NULL,
    note      TEXT    NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX notes_by_event ON notes (event_id);
