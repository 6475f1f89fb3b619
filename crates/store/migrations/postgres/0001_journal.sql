-- Everything is stored as UTF-8, whatever a member's name is written in; another encoding would
-- refuse some rows of a journal, and could not be left later.
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database has the encoding %, not UTF8',
            current_setting('server_encoding');
    END IF;
END
$$;

-- The programmes whose journals are here. Every key of every table starts with a programme's
-- number: programmes share nothing.
CREATE TABLE programmes (
    programme BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- "C": an index in the order of the bytes outlives every upgrade of the operating system.
    name      TEXT COLLATE "C" NOT NULL UNIQUE
);

-- The journal: what was asked, what came of it, and a hash over all before. It is the truth; all
-- else here can be made from it again. An entry is one row, a settlement as many as it needs.
-- The columns of eight bytes come first: so none is padded. That there is the programme is seen to
-- by `writers`, whose row each commit changes first; to look again for each row would cost a third.
CREATE TABLE journal (
    programme    BIGINT NOT NULL,
    seq          BIGINT NOT NULL,   -- the row's number, from 0 (the programme itself), without holes
    entry        BIGINT NOT NULL,   -- the number of the entry's first row
    effective_at BIGINT NOT NULL,   -- when it took effect, microseconds since 1970; never goes back
    recorded_at  BIGINT NOT NULL,   -- when it was written, microseconds since 1970; never goes back
    is_last      BOOLEAN NOT NULL,  -- true where the entry is whole with this row
    command      TEXT,              -- JSON; in the first row of an entry
    key          TEXT,              -- the idempotency key it came with
    refused      TEXT,              -- the reason, where the command was refused
    body         BYTEA NOT NULL,    -- postings, balances after them, names (`verdant export` reads it)
    hash         BYTEA NOT NULL,    -- SHA-256 of the row before and this one
    PRIMARY KEY (programme, seq)
);

-- Nearly every body is a few hundred bytes and stays in its row. Those of some kilobytes are moved
-- out of it, and not compressed first: they are packed already, it would come to nothing.
ALTER TABLE journal ALTER COLUMN body SET STORAGE EXTERNAL;

-- Rows never change, so pages are filled (the default) and frozen by the first vacuum that sees
-- them: the server never has to come back to old pages to save its transaction numbers.
ALTER TABLE journal SET (autovacuum_freeze_min_age = 0);

CREATE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
    FOR EACH STATEMENT
    EXECUTE FUNCTION journal_refuses('the journal is never changed: correct by a new entry');

CREATE TRIGGER journal_is_never_deleted BEFORE DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT
    EXECUTE FUNCTION journal_refuses('the journal is never deleted from');

-- Where each journal ends, and who may write on. Every commit changes this row first, by token and
-- seq: a writer whose token is no longer the highest finds no row and can commit nothing.
-- The pages are left nearly empty: each new version of a row finds room beside the old one and
-- needs no new entry in the index (a HOT update).
CREATE TABLE writers (
    programme  BIGINT PRIMARY KEY REFERENCES programmes,
    seq        BIGINT NOT NULL,      -- the last row of the journal
    hash       BYTEA NOT NULL,       -- and its hash
    token      BIGINT NOT NULL,      -- the fencing token
    holder     TEXT NOT NULL,        -- who has it, for people
    expires_at TIMESTAMPTZ NOT NULL  -- when others may take it, by this server's clock
) WITH (fillfactor = 10);

-- What the journal comes to after some row, to start from. Only a cache: it may be deleted.
CREATE TABLE snapshots (
    programme BIGINT NOT NULL REFERENCES programmes,
    seq       BIGINT NOT NULL,  -- the row it was made after
    chunks    BIGINT NOT NULL,  -- how many chunks it has
    hash      BYTEA NOT NULL,   -- SHA-256 of all of them
    PRIMARY KEY (programme, seq)
);

CREATE TABLE snapshot_chunks (
    programme BIGINT NOT NULL REFERENCES programmes,
    seq       BIGINT NOT NULL,
    chunk     BIGINT NOT NULL,  -- from 0
    bytes     BYTEA NOT NULL,
    PRIMARY KEY (programme, seq, chunk)
);

-- Written once, read once: compressing them would cost more time than it saves.
ALTER TABLE snapshot_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
