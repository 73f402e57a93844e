-- Who is signed in where. The tokens are sealed; nothing else here is of use to a thief.
CREATE TABLE grants (
    platform   TEXT    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('bot', 'broadcaster')),
    -- The channel of a broadcaster; empty for the bot, of which a platform has one.
    account    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    login      TEXT    NOT NULL,
    -- The application that they signed in to.
    client_id  TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    -- The fingerprint of the key that opens it.
    key_id     TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    issued_ms  INTEGER NOT NULL,
    expires_ms INTEGER,
    state      TEXT    NOT NULL CHECK (state IN ('ready', 'refreshing', 'spent', 'signed-out')),
    -- Why it is in this state.
    reason     TEXT,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (platform, role, account)
) STRICT, WITHOUT ROWID;
