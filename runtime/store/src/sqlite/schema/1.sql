-- Format 1.
--
-- `seal` is a checksum of the other columns of its row. Times are nanoseconds since the Unix epoch.

-- What the store says of itself, and who writes it now.
CREATE TABLE store (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    id         TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    -- One more with each process that has written; a process whose epoch is not this one must not write.
    epoch      INTEGER NOT NULL,
    pid        INTEGER,
    since      INTEGER,
    seal       INTEGER NOT NULL
) STRICT;

CREATE TABLE programs (
    nr    INTEGER PRIMARY KEY,
    hash  BLOB    NOT NULL UNIQUE,
    bytes BLOB    NOT NULL,
    seal  INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    nr      INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT    NOT NULL UNIQUE,
    program BLOB    NOT NULL REFERENCES programs (hash),
    graph   TEXT    NOT NULL,
    meta    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    parent  TEXT,
    -- Whether it is a fork of its parent, and not a detached call of it.
    forked  INTEGER NOT NULL,
    session TEXT,
    ended   INTEGER,
    summary BLOB    NOT NULL,
    seal    INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_program ON runs (program);
CREATE INDEX runs_session ON runs (session) WHERE session IS NOT NULL;
CREATE INDEX runs_parent ON runs (parent) WHERE parent IS NOT NULL;
CREATE INDEX runs_ended ON runs (ended) WHERE ended IS NOT NULL;

-- What changes often in a run: apart, so that the runs of a group commit share a page.
CREATE TABLE heads (
    run   INTEGER PRIMARY KEY REFERENCES runs (nr) ON DELETE CASCADE,
    -- The number of the next record.
    next  INTEGER NOT NULL,
    -- The row of the last record.
    last  INTEGER NOT NULL,
    -- 0 queued, 1 running, 2 waiting, 3 done, 4 failed, 5 cancelled, 6 damaged.
    state INTEGER NOT NULL,
    wake  INTEGER,
    -- The checksum of the last record.
    sum   BLOB    NOT NULL,
    seal  INTEGER NOT NULL
) STRICT;
CREATE INDEX heads_unfinished ON heads (run) WHERE state < 3;

-- Records in the order in which they became durable, whatever run they belong to: a commit writes at one place.
CREATE TABLE records (
    id      INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    -- How many rows before this one the record before it stands; 0 for the first.
    back    INTEGER NOT NULL,
    -- Since the run was created.
    at      INTEGER NOT NULL,
    -- 256 more if the payload is the hash of a blob.
    kind    INTEGER NOT NULL,
    payload BLOB    NOT NULL,
    -- A checksum of this record and of the sum before it.
    sum     BLOB    NOT NULL
) STRICT;

-- Runs that were removed, whose records are taken away in small steps.
CREATE TABLE garbage (
    run  INTEGER PRIMARY KEY,
    -- The row of the last record that is still there; NULL if it is not known.
    last INTEGER
) STRICT;

CREATE TABLE blobs (
    nr    INTEGER PRIMARY KEY,
    hash  BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
) STRICT;

-- Which runs keep which blobs.
CREATE TABLE run_blobs (
    run  INTEGER NOT NULL REFERENCES runs (nr) ON DELETE CASCADE,
    blob INTEGER NOT NULL REFERENCES blobs (nr),
    seal INTEGER NOT NULL,
    PRIMARY KEY (run, blob)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_blobs_blob ON run_blobs (blob);

CREATE TABLE promises (
    nr     INTEGER PRIMARY KEY AUTOINCREMENT,
    run    INTEGER NOT NULL REFERENCES runs (nr) ON DELETE CASCADE,
    key    TEXT    NOT NULL,
    role   TEXT,
    asked  INTEGER NOT NULL,
    due    INTEGER,
    shown  BLOB    NOT NULL,
    -- 0 open, 1 answered, 2 withdrawn.
    state  INTEGER NOT NULL,
    by     TEXT,
    at     INTEGER,
    answer BLOB,
    seal   INTEGER NOT NULL,
    UNIQUE (run, key)
) STRICT;
CREATE INDEX promises_open ON promises (nr) WHERE state = 0;

CREATE TABLE once (
    nr     INTEGER PRIMARY KEY,
    call   TEXT    NOT NULL,
    value  BLOB    NOT NULL,
    run    TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    result BLOB,
    seal   INTEGER NOT NULL,
    UNIQUE (call, value)
) STRICT;

CREATE TABLE sessions (
    nr      INTEGER PRIMARY KEY,
    key     TEXT    NOT NULL UNIQUE,
    cells   BLOB    NOT NULL,
    version INTEGER NOT NULL,
    owner   TEXT,
    seal    INTEGER NOT NULL
) STRICT;

CREATE TABLE starts (
    scope TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    run   TEXT,
    at    INTEGER NOT NULL,
    seal  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX starts_at ON starts (at);
