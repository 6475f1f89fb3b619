-- The programmes whose journals are here. Every key of every table starts with a programme's
-- number: programmes share nothing.
CREATE TABLE programmes (
    programme INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE
) STRICT;

-- The journal: what was asked, what came of it, and a hash over all before. It is the truth; all
-- else here can be made from it again. An entry is one row, a settlement as many as it needs.
-- That there is the programme is seen to by `writers`, whose row each commit changes first.
CREATE TABLE journal (
    programme    INTEGER NOT NULL,
    seq          INTEGER NOT NULL,  -- the row's number, from 0 (the programme itself), without holes
    entry        INTEGER NOT NULL,  -- the number of the entry's first row
    is_last      INTEGER NOT NULL,  -- 1 where the entry is whole with this row
    effective_at INTEGER NOT NULL,  -- when it took effect, microseconds since 1970; never goes back
    recorded_at  INTEGER NOT NULL,  -- when it was written, microseconds since 1970; never goes back
    command      TEXT,              -- JSON; in the first row of an entry
    key          TEXT,              -- the idempotency key it came with
    refused      TEXT,              -- the reason, where the command was refused
    body         BLOB NOT NULL,     -- postings, balances after them, names (`verdant export` reads it)
    hash         BLOB NOT NULL,     -- SHA-256 of the row before and this one
    PRIMARY KEY (programme, seq)
) STRICT;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is never changed: correct by a new entry');
END;

CREATE TRIGGER journal_is_never_deleted BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is never deleted from');
END;

-- Where each journal ends, and who may write on. Every commit changes this row first, by token and
-- seq: a writer whose token is no longer the highest finds no row and can commit nothing.
CREATE TABLE writers (
    programme  INTEGER PRIMARY KEY REFERENCES programmes,
    seq        INTEGER NOT NULL,  -- the last row of the journal
    hash       BLOB NOT NULL,     -- and its hash
    token      INTEGER NOT NULL,  -- the fencing token
    holder     TEXT NOT NULL,     -- who has it, for people
    expires_at INTEGER NOT NULL   -- when others may take it, milliseconds since 1970
) STRICT;

-- What the journal comes to after some row, to start from. Only a cache: it may be deleted.
CREATE TABLE snapshots (
    programme INTEGER NOT NULL REFERENCES programmes,
    seq       INTEGER NOT NULL,  -- the row it was made after
    chunks    INTEGER NOT NULL,  -- how many chunks it has
    hash      BLOB NOT NULL,     -- SHA-256 of all of them
    PRIMARY KEY (programme, seq)
) STRICT;

CREATE TABLE snapshot_chunks (
    programme INTEGER NOT NULL REFERENCES programmes,
    seq       INTEGER NOT NULL,
    chunk     INTEGER NOT NULL,  -- from 0
    bytes     BLOB NOT NULL,
    PRIMARY KEY (programme, seq, chunk)
) STRICT;
