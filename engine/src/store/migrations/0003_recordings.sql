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

-- What belongs to one event and one plugin. `cause` is the id of the event, or the part of it that another run makes again.
CREATE TABLE notes (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    cause     TEXT    NOT NULL,
    plugin    TEXT    NOT NULL,
    note      TEXT    NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX notes_by_cause ON notes (cause);
