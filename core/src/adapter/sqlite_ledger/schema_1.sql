-- Version 1 of the ledger. Every value that is a hour counts hours since 1970, every moment counts milliseconds.
-- Rows say what happened; `totals` is their sum, kept so that a start need not add up years.

-- Whose ledger this is.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger_id TEXT NOT NULL,
    product_code TEXT NOT NULL,
    identity TEXT,
    platform TEXT,
    region TEXT,
    created INTEGER
) STRICT;

-- Single values that change. `epoch` counts leaders, `commits` counts transactions.
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    commits INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    newest_record INTEGER NOT NULL,
    entitled INTEGER NOT NULL
) STRICT;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    dimension TEXT NOT NULL,
    tags TEXT NOT NULL
) STRICT;

-- What a closed slab held. `dimension` is the counter's at that moment.
CREATE TABLE captures (
    sequence INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE counts (
    sequence INTEGER NOT NULL REFERENCES captures (sequence) ON DELETE CASCADE,
    series INTEGER NOT NULL,
    dimension TEXT NOT NULL,
    raw INTEGER NOT NULL CHECK (raw >= 0),
    PRIMARY KEY (sequence, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE relabels (
    number INTEGER PRIMARY KEY,
    from_hour INTEGER NOT NULL,
    to_hour INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Counts that no record holds.
CREATE TABLE waiting (
    dimension TEXT NOT NULL,
    hour INTEGER NOT NULL,
    series INTEGER NOT NULL,
    raw INTEGER NOT NULL CHECK (raw > 0),
    PRIMARY KEY (dimension, hour, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE provisional (hour INTEGER PRIMARY KEY) STRICT;

-- Frozen records, with their fate once it is known.
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    dimension TEXT NOT NULL,
    hour INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    units INTEGER NOT NULL,
    digits INTEGER NOT NULL,
    client_token TEXT NOT NULL,
    allocations TEXT NOT NULL,
    frozen_at INTEGER NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    fate TEXT CHECK (fate IN ('recorded', 'carried', 'missed', 'disputed', 'held')),
    why TEXT,
    record_id TEXT,
    request_id TEXT,
    settled_at INTEGER
) STRICT;
CREATE INDEX records_by_hour ON records (hour);
CREATE INDEX records_alive ON records (id) WHERE fate IS NULL;

-- Raw counts inside a record. `hour` is when they were counted: another one than the record's was carried.
CREATE TABLE parts (
    record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    series INTEGER NOT NULL,
    raw INTEGER NOT NULL CHECK (raw >= 0),
    PRIMARY KEY (record, hour, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
    record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (record, number)
) STRICT, WITHOUT ROWID;

-- Counts that no record will ever hold. `hour` is their label at that moment.
CREATE TABLE set_aside (
    number INTEGER PRIMARY KEY,
    dimension TEXT NOT NULL,
    hour INTEGER NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('missed', 'held')),
    raw INTEGER NOT NULL CHECK (raw >= 0),
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Other ledgers whose counts are in here.
CREATE TABLE taken_over (
    ledger TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE taken_lots (
    ledger TEXT NOT NULL REFERENCES taken_over (ledger) ON DELETE CASCADE,
    place TEXT NOT NULL CHECK (place IN ('waiting', 'disputed', 'missed')),
    dimension TEXT NOT NULL,
    hour INTEGER NOT NULL,
    series INTEGER NOT NULL,
    raw INTEGER NOT NULL CHECK (raw >= 0),
    PRIMARY KEY (ledger, place, hour, series)
) STRICT, WITHOUT ROWID;

-- Sums since the ledger was made, and the part of them whose rows are pruned.
CREATE TABLE totals (
    dimension TEXT PRIMARY KEY,
    added INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    disputed INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE pruned (
    dimension TEXT PRIMARY KEY,
    added INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    disputed INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Answers that said "entitled".
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    receipt TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Check outs that are not over. `token` and `expires` are known once AWS has answered.
CREATE TABLE leases (
    id INTEGER PRIMARY KEY,
    client_token TEXT,
    token TEXT,
    expires INTEGER,
    at INTEGER NOT NULL
) STRICT;
