-- Plugins that are done with an unfinished event although no effect tells so: their handler only wrote to its memory. Gone
-- with the note of the event.
CREATE TABLE handled (
    event_id TEXT NOT NULL,
    plugin   TEXT NOT NULL,
    PRIMARY KEY (event_id, plugin)
) STRICT, WITHOUT ROWID;
