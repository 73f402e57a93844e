-- What a start must know to take up what a killed run left half done.

-- Whether the last run closed the database: 0 while one runs, and after it was killed.
CREATE TABLE run (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    closed INTEGER NOT NULL
) STRICT;

INSERT INTO run (id, closed) VALUES (1, 0);

-- Effects that have not ended are looked for at each start, and are few among many.
CREATE INDEX effects_pending ON effects (position) WHERE state = 'pending';

-- Events that were journalled while somebody still had them in hand. `attempts` counts the starts that gave them out again.
CREATE TABLE unfinished (
    event_id TEXT    NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Events that one plugin has still to handle: written when it gets them, gone with the batch that it makes of them.
-- `given` counts how often a running plugin was given the event.
CREATE TABLE inbox (
    place     INTEGER PRIMARY KEY AUTOINCREMENT,
    plugin    TEXT    NOT NULL,
    event_id  TEXT    NOT NULL,
    envelope  TEXT    NOT NULL,
    given     INTEGER NOT NULL DEFAULT 0,
    stored_ms INTEGER NOT NULL,
    UNIQUE (plugin, event_id)
) STRICT;

INSERT OR IGNORE INTO inbox (plugin, event_id, envelope, stored_ms)
    SELECT plugin, envelope ->> 'id', envelope, unixepoch() * 1000 FROM backlog ORDER BY plugin, place;

DROP TABLE backlog;
