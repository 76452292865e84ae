-- The record: one log, its audit tree, and what is folded from it. See docs/reference/record.md.

-- +goose Up
CREATE TABLE meta (          -- what the record knows of itself: its name, its keys; never in the log
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE secret (        -- password hashes and tokens; outside replay
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE person_key (    -- one key a person; destroying it destroys the bodies under it
    name TEXT PRIMARY KEY,
    key  BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE label (         -- interned portion markings
    id      INTEGER PRIMARY KEY,
    marking TEXT NOT NULL UNIQUE
);

CREATE TABLE event (         -- the log; only a purge ever writes to a row again
    seq        INTEGER PRIMARY KEY,   -- 1, 2, 3 ... without a gap
    id         TEXT NOT NULL UNIQUE,
    time       TEXT NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    label      INTEGER NOT NULL REFERENCES label (id),
    key        TEXT NOT NULL,
    person     TEXT NOT NULL,
    body       BLOB,                  -- JSON; sealed with salt and cells where person is set; NULL once purged
    salt       BLOB,
    cells      BLOB,
    commitment BLOB NOT NULL
);
CREATE UNIQUE INDEX event_key ON event (key) WHERE key <> '';
CREATE INDEX event_subject ON event (subject, seq);
CREATE INDEX event_label ON event (label, seq);
CREATE INDEX event_person ON event (person) WHERE person <> '';

CREATE TABLE audit_hash (    -- the stored hashes of the Merkle tree, by tlog index
    n    INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

CREATE TABLE checkpoint (    -- signed notes: the latest, and one in about a thousand before it
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL
);

CREATE TABLE projection (    -- which generation of entities counts; stale: a purge has not been finished
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    gen   INTEGER NOT NULL,
    stale INTEGER NOT NULL
);
INSERT INTO projection VALUES (1, 1, 0);

CREATE TABLE entity (
    n        INTEGER PRIMARY KEY,
    gen      INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    mission  TEXT NOT NULL,
    parent   TEXT NOT NULL,
    label    INTEGER NOT NULL,
    standing TEXT NOT NULL,
    t_from   TEXT,
    t_to     TEXT,
    version  INTEGER NOT NULL,
    body     BLOB NOT NULL,
    UNIQUE (gen, kind, id)
);
CREATE INDEX entity_id ON entity (gen, id);
CREATE INDEX entity_parent ON entity (gen, kind, parent, id);
CREATE INDEX entity_mission ON entity (gen, kind, mission, id);
CREATE INDEX entity_version ON entity (gen, kind, version, id);

CREATE TABLE entity_cell (   -- S2 cell ids with the top bit flipped, so that signed order is theirs
    cell INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (cell, n)
) WITHOUT ROWID;
CREATE INDEX entity_cell_n ON entity_cell (n);
