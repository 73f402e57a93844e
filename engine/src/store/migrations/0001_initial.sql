-- The first schema. A released migration is never edited: a change is a new file beside this one.

-- The journal: every event in the order in which it was written. `position` never repeats, so that a reader can go on
-- where it stopped. `stored_ms` is our own clock, not the platform's: retention must not depend on a foreign clock.
-- `total_bytes` is a running sum over all that was ever journalled; the difference of two rows is the size between them.
CREATE TABLE events (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    platform    TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    sequence    INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    own         INTEGER NOT NULL,
    envelope    TEXT    NOT NULL,
    stored_ms   INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL
) STRICT;

-- The last sequence number of each channel; it must outlive the channel's events.
CREATE TABLE channels (
    platform      TEXT    NOT NULL,
    channel       TEXT    NOT NULL,
    last_sequence INTEGER NOT NULL,
    PRIMARY KEY (platform, channel)
) STRICT, WITHOUT ROWID;

-- The ledger: what plugins asked for, and how it ended. `state` is "pending" or an outcome.
CREATE TABLE effects (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id   TEXT    NOT NULL,
    plugin     TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    platform   TEXT,
    channel    TEXT,
    effect     TEXT    NOT NULL,
    state      TEXT    NOT NULL DEFAULT 'pending',
    detail     TEXT    NOT NULL DEFAULT '',
    message_id TEXT,
    stored_ms  INTEGER NOT NULL,
    ended_ms   INTEGER,
    UNIQUE (event_id, plugin, number)
) STRICT;

-- How far into the journal viewers and lines were drawn from it.
CREATE TABLE projection (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
) STRICT;

INSERT INTO projection (id, position) VALUES (1, 0);

-- Who was seen in live events. Identity is (platform, user id); logins change hands.
CREATE TABLE viewers (
    platform      TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    login         TEXT    NOT NULL,
    login_folded  TEXT    NOT NULL,
    display_name  TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    badges        TEXT    NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    messages      INTEGER NOT NULL,
    PRIMARY KEY (platform, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX viewers_by_login ON viewers (platform, login_folded);

-- The newest chat lines of each viewer in each channel.
CREATE TABLE lines (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    platform   TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    at_ms      INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    stored_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX lines_by_viewer ON lines (platform, user_id, channel);

-- The lines that were taken away. A table of its own, as an index by message would cost every line and serve few.
CREATE TABLE removals (
    platform   TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    stored_ms  INTEGER NOT NULL,
    PRIMARY KEY (platform, channel, message_id)
) STRICT;

-- The durable memory of plugins.
CREATE TABLE kv (
    plugin TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  BLOB NOT NULL,
    PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

-- Work for the agent.
CREATE TABLE tasks (
    position       INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    queue          TEXT    NOT NULL,
    plugin         TEXT    NOT NULL,
    prompt         TEXT    NOT NULL,
    context        TEXT,
    priority       INTEGER NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'leased', 'done', 'dead')),
    attempts       INTEGER NOT NULL DEFAULT 0,
    lease_id       TEXT,
    lease_until_ms INTEGER,
    ready_at_ms    INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    ended_ms       INTEGER,
    answer_ok      INTEGER,
    answer         TEXT
) STRICT;

CREATE INDEX tasks_by_queue ON tasks (queue, state, priority, position);
CREATE INDEX tasks_by_state ON tasks (state, position);

-- Events that a stopped plugin had still to handle.
CREATE TABLE backlog (
    plugin   TEXT    NOT NULL,
    place    INTEGER NOT NULL,
    envelope TEXT    NOT NULL,
    PRIMARY KEY (plugin, place)
) STRICT, WITHOUT ROWID;

-- What the operator and the host decided about a plugin, over restarts.
CREATE TABLE plugin_flags (
    plugin      TEXT NOT NULL PRIMARY KEY,
    enabled     INTEGER,
    quarantined TEXT,
    reason      TEXT
) STRICT, WITHOUT ROWID;
