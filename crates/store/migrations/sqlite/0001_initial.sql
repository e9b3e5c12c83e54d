-- The control plane's state. Instants are microseconds since the Unix epoch, UTC.

-- One row a name: keys of the store itself and counters that only rise.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Everybody who was ever granted anything.
CREATE TABLE principal (
    name       TEXT PRIMARY KEY,
    first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pseudonyms join within a project; its key never leaves the control plane but to a gateway.
CREATE TABLE project (
    name       TEXT PRIMARY KEY,
    key        BLOB NOT NULL CHECK (length(key) = 32),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Effective policies by the hash of their content; the body is opaque here.
CREATE TABLE policy (
    id   TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    id            TEXT PRIMARY KEY,
    -- Order of creation, for paging.
    serial        INTEGER NOT NULL UNIQUE,
    principal     TEXT NOT NULL REFERENCES principal (name),
    database      TEXT NOT NULL,
    profile       TEXT NOT NULL,
    purpose       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    reveal        TEXT NOT NULL,
    block         TEXT NOT NULL,
    write         INTEGER NOT NULL CHECK (write IN (0, 1)),
    max_sessions  INTEGER NOT NULL,
    project       TEXT NOT NULL REFERENCES project (name),
    policy        TEXT NOT NULL REFERENCES policy (id),
    epoch         INTEGER NOT NULL CHECK (epoch >= 1),
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('active', 'expired', 'revoked')),
    ended_at      INTEGER,
    ended_by      TEXT,
    ended_reason  TEXT,
    -- The change that ended it.
    ended_version INTEGER,
    CHECK ((state = 'active') = (ended_at IS NULL)),
    CHECK ((state = 'active') = (ended_version IS NULL))
) STRICT;

CREATE INDEX grants_live ON grants (principal, database) WHERE state = 'active';
CREATE INDEX grants_due ON grants (expires_at) WHERE state = 'active';
CREATE INDEX grants_policy ON grants (policy) WHERE state = 'active';

-- An ended grant stays ended and its epoch only rises, whatever the program does.
CREATE TRIGGER grants_stay_ended BEFORE UPDATE ON grants
WHEN OLD.state <> 'active' OR NEW.epoch < OLD.epoch
BEGIN
    SELECT RAISE(ABORT, 'an ended grant stays ended and its epoch only rises');
END;

-- SCRAM-SHA-256 verifiers; a row dies with its grant.
CREATE TABLE credential (
    grant_id   TEXT PRIMARY KEY REFERENCES grants (id),
    stored_key BLOB NOT NULL CHECK (length(stored_key) = 32),
    server_key BLOB NOT NULL CHECK (length(server_key) = 32)
) STRICT, WITHOUT ROWID;

-- Ids that were revoked before they existed: they can never be granted.
CREATE TABLE tombstone (
    grant_id TEXT PRIMARY KEY,
    at       INTEGER NOT NULL,
    by       TEXT NOT NULL,
    reason   TEXT NOT NULL,
    version  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id               TEXT PRIMARY KEY,
    serial           INTEGER NOT NULL UNIQUE,
    grant_id         TEXT NOT NULL REFERENCES grants (id),
    principal        TEXT NOT NULL,
    database         TEXT NOT NULL,
    gateway          TEXT NOT NULL,
    -- The process of the gateway that opened it.
    instance         TEXT NOT NULL,
    client_address   TEXT NOT NULL,
    application_name TEXT NOT NULL,
    opened_at        INTEGER NOT NULL,
    ended_at         INTEGER,
    end_reason       TEXT,
    -- The change that killed it, if one did.
    killed_version   INTEGER,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;

CREATE INDEX session_live_grant ON session (grant_id) WHERE ended_at IS NULL;
CREATE INDEX session_live_gateway ON session (gateway) WHERE ended_at IS NULL;
CREATE INDEX session_of_grant ON session (grant_id, serial);

-- What gateways are told, in order. Versions have no gaps.
CREATE TABLE change (
    version    INTEGER PRIMARY KEY CHECK (version >= 1),
    kind       TEXT NOT NULL CHECK (kind IN ('grant_ended', 'session_killed', 'advance')),
    grant_id   TEXT,
    epoch      INTEGER,
    session_id TEXT,
    reason     TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

-- Gateways that may hold a lease: a restarted control plane waits for theirs to run out.
CREATE TABLE gateway (
    id          TEXT PRIMARY KEY,
    instance    TEXT NOT NULL,
    attached_at INTEGER NOT NULL,
    detached_at INTEGER
) STRICT, WITHOUT ROWID;

-- Audit leaves that are not known to be durable yet. Written with the change they tell of.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    at       INTEGER NOT NULL,
    event    TEXT NOT NULL
) STRICT;
