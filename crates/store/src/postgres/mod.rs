//! Journals in a PostgreSQL database: for programmes that must outlive a machine. A commit is
//! answered when it is as durable as the server is set up to make it, and never less than on its
//! disk.

mod append;
mod connection;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{Connection, Row as _};
use tokio::sync::Mutex;

use append::{append, batches, millis};
use connection::{CONNECT_MAX, NO_DATABASE, bounded, connect, has_code, options, place};

use crate::database::{
    Database, DatabaseError, Lease, ProgrammeId, SnapshotHead, StoredProgramme, Taking, counted,
    hash, in_row, stored,
};
use crate::row::{Head, Row};
use crate::writing::Writing;

static MIGRATOR: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections for what needs no lease; there is one more for writing.
const OTHERS_MAX: u32 = 4;

/// Begins a journal: all of it or nothing, in one statement.
const CREATE: &str = "
    WITH created AS (
        INSERT INTO programmes (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING programme
    ), began AS (
        INSERT INTO writers (programme, seq, hash, token, holder, expires_at)
        SELECT programme, $2, $11, 0, '', '-infinity' FROM created
    ), wrote AS (
        INSERT INTO journal (programme, seq, entry, is_last, effective_at, recorded_at, command,
                             key, refused, body, hash)
        SELECT programme, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM created
    )
    SELECT programme FROM created";

const TAKE: &str = "
    UPDATE writers
    SET token = token + 1, holder = $2,
        expires_at = clock_timestamp() + $3 * INTERVAL '1 millisecond'
    WHERE programme = $1 AND expires_at <= clock_timestamp()
    RETURNING token, seq, hash";

const RETAKE: &str = "
    UPDATE writers
    SET token = token + 1, expires_at = clock_timestamp() + $3 * INTERVAL '1 millisecond'
    WHERE programme = $1 AND (token = $2 OR token > $2 AND holder = $4)
    RETURNING token, seq, hash";

const RENEW: &str = "
    UPDATE writers SET expires_at = clock_timestamp() + $3 * INTERVAL '1 millisecond'
    WHERE programme = $1 AND token = $2";

/// Makes chunks a snapshot and drops all others, in one statement.
const FINISH: &str = "
    WITH writer AS (
        SELECT programme FROM writers WHERE programme = $1 AND token = $5
    ), dropped AS (
        DELETE FROM snapshots WHERE seq <> $2 AND programme IN (SELECT programme FROM writer)
    ), dropped_chunks AS (
        DELETE FROM snapshot_chunks WHERE seq <> $2 AND programme IN (SELECT programme FROM writer)
    )
    INSERT INTO snapshots (programme, seq, chunks, hash)
    SELECT programme, $2, $3, $4 FROM writer
    ON CONFLICT (programme, seq) DO UPDATE SET chunks = excluded.chunks, hash = excluded.hash";

/// Journals in a PostgreSQL database.
///
/// Settings are made when a connection begins and statements are prepared on it: a pooler between
/// us and the server must keep connections whole («session mode»).
#[derive(Debug)]
pub struct Postgres {
    options: PgConnectOptions,
    /// For what must be durable. Nothing is here while the connection is in use and after it has
    /// failed: see [`Writing`].
    writer: Mutex<Option<PgConnection>>,
    /// For reading, and for snapshots, which may be lost: writing them must not delay a commit.
    others: PgPool,
}

impl Postgres {
    /// Opens the database that a URL names, `postgres://user:password@host:port/database`, and
    /// makes the schema if it is not there. The database itself must be.
    ///
    /// # Errors
    /// [`DatabaseError`] when it cannot be opened or its schema not be brought up to date.
    pub async fn create_or_open(url: &str) -> Result<Self, DatabaseError> {
        let options = options(url)?;
        let place = place(&options);
        let connection = connect(&options)
            .await
            .map_err(|source| DatabaseError::Open { place: place.clone(), source })?;
        Self::migrated(options, place, connection).await
    }

    /// Opens the database that a URL names.
    ///
    /// # Errors
    /// [`DatabaseError::Missing`] when there are no journals in it, or as
    /// [`Self::create_or_open`].
    pub async fn open(url: &str) -> Result<Self, DatabaseError> {
        let options = options(url)?;
        let place = place(&options);
        let opened = async {
            let mut connection = connect(&options).await?;
            let query = sqlx::query_scalar("SELECT to_regclass('journal') IS NOT NULL");
            let is_there: bool = bounded(query.fetch_one(&mut connection)).await?;
            Ok(is_there.then_some(connection))
        };
        match opened.await {
            Ok(Some(connection)) => Self::migrated(options, place, connection).await,
            Ok(None) => Err(DatabaseError::Missing { place }),
            Err(source) if has_code(&source, NO_DATABASE) => Err(DatabaseError::Missing { place }),
            Err(source) => Err(DatabaseError::Open { place, source }),
        }
    }

    async fn migrated(
        options: PgConnectOptions,
        place: String,
        mut connection: PgConnection,
    ) -> Result<Self, DatabaseError> {
        MIGRATOR
            .run(&mut connection)
            .await
            .map_err(|source| DatabaseError::Migrate { place, source })?;
        let others = PgPoolOptions::new()
            .max_connections(OTHERS_MAX)
            .acquire_timeout(CONNECT_MAX)
            .connect_lazy_with(options.clone());
        Ok(Self { options, writer: Mutex::new(Some(connection)), others })
    }

    async fn writer(&self) -> Result<Writing<'_, PgConnection>, sqlx::Error> {
        Writing::take(&self.writer, async || connect(&self.options).await).await
    }
}

#[async_trait]
impl Database for Postgres {
    async fn programmes(&self) -> Result<Vec<StoredProgramme>, DatabaseError> {
        let query = sqlx::query("SELECT programme, name FROM programmes ORDER BY programme");
        let rows = bounded(query.fetch_all(&self.others)).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredProgramme { id: ProgrammeId(row.try_get(0)?), name: row.try_get(1)? })
            })
            .collect()
    }

    async fn create(&self, name: &str, first: &Row) -> Result<StoredProgramme, DatabaseError> {
        let mut writer = self.writer().await?;
        let query = sqlx::query_scalar(CREATE)
            .bind(name)
            .bind(stored(first.seq))
            .bind(stored(first.entry))
            .bind(first.is_last)
            .bind(first.effective_at)
            .bind(first.recorded_at)
            .bind(first.command.as_deref())
            .bind(first.key.as_deref())
            .bind(first.refused.as_deref())
            .bind(first.body.as_slice())
            .bind(first.hash.as_slice());
        let created = bounded(query.fetch_optional(&mut *writer)).await?;
        writer.keep();
        match created {
            Some(id) => Ok(StoredProgramme { id: ProgrammeId(id), name: name.to_owned() }),
            None => Err(DatabaseError::NameTaken { name: name.to_owned() }),
        }
    }

    async fn head(&self, programme: ProgrammeId) -> Result<Head, DatabaseError> {
        let query = sqlx::query("SELECT token, seq, hash FROM writers WHERE programme = $1")
            .bind(programme.0);
        Ok(token_and_head(&bounded(query.fetch_one(&self.others)).await?)?.1)
    }

    async fn take_lease(
        &self,
        programme: ProgrammeId,
        holder: &str,
        ttl: Duration,
    ) -> Result<Taking, DatabaseError> {
        // Looked at first: a standby asks again and again, and must not make the writer wait.
        let query = sqlx::query(
            "SELECT holder, CASE WHEN expires_at > clock_timestamp() THEN
                 CEIL(EXTRACT(EPOCH FROM expires_at - clock_timestamp()) * 1000)::BIGINT END
             FROM writers WHERE programme = $1",
        )
        .bind(programme.0);
        let held = bounded(query.fetch_one(&self.others)).await?;
        let left: Option<i64> = held.try_get(1)?;
        if let Some(left) = left {
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            return Ok(Taking::Held { holder: held.try_get(0)?, left });
        }
        let mut writer = self.writer().await?;
        let query = sqlx::query(TAKE).bind(programme.0).bind(holder).bind(millis(ttl));
        let taken = bounded(query.fetch_optional(&mut *writer)).await?;
        writer.keep();
        let Some(taken) = taken else {
            return Ok(Taking::Held { holder: held.try_get(0)?, left: ttl });
        };
        let (token, head) = token_and_head(&taken)?;
        Ok(Taking::Taken(Lease { programme, token, ttl, holder: holder.to_owned() }, head))
    }

    async fn retake_lease(&self, lease: &Lease) -> Result<(Lease, Head), DatabaseError> {
        // A commit that is still under way on an older connection holds the lock of the row: this
        // waits for it, and sees what has come of it. One that has not come so far finds the new
        // token. Where commits wait for a standby, this one's does too, and so vouches for the
        // older ones.
        let mut writer = self.writer().await?;
        let query = sqlx::query(RETAKE)
            .bind(lease.programme.0)
            .bind(lease.token)
            .bind(millis(lease.ttl))
            .bind(&lease.holder);
        let taken = bounded(query.fetch_optional(&mut *writer)).await?;
        writer.keep();
        let (token, head) = token_and_head(&taken.ok_or(DatabaseError::LeaseLost)?)?;
        Ok((Lease { token, ..lease.clone() }, head))
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let query =
            sqlx::query(RENEW).bind(lease.programme.0).bind(lease.token).bind(millis(lease.ttl));
        let renewed = bounded(query.execute(&mut *writer)).await?;
        writer.keep();
        is_ours(renewed.rows_affected())
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let query = sqlx::query(
            "UPDATE writers SET expires_at = '-infinity', token = token + 1
             WHERE programme = $1 AND token = $2",
        )
        .bind(lease.programme.0)
        .bind(lease.token);
        let released = bounded(query.execute(&mut *writer)).await?;
        writer.keep();
        is_ours(released.rows_affected())
    }

    // A commit can be answered with a warning: «canceling wait for synchronous replication», after
    // an administrator has cancelled a commit (`pg_cancel_backend`) that was waiting for a standby.
    // The rows are then on this server's disk and perhaps on no other, and the commit should count
    // as unknown. sqlx keeps no warnings, it only logs them (target `sqlx::postgres::notice`), so
    // it counts as done. The next commit that is done without one has the rows on the standby too:
    // the log is replayed there in order.
    async fn append(
        &self,
        lease: &Lease,
        after: Head,
        rows: Vec<Row>,
    ) -> Result<Head, DatabaseError> {
        let batches = batches(&rows);
        if batches.is_empty() {
            return Ok(after);
        }
        let mut writer = self.writer().await?;
        if batches.len() == 1 {
            let head = append(&mut writer, lease, after, &rows).await;
            if matches!(head, Ok(_) | Err(DatabaseError::LeaseLost)) {
                writer.keep();
            }
            return head;
        }
        let mut transaction = bounded(writer.begin()).await?;
        let mut head = after;
        for batch in batches {
            head = append(&mut transaction, lease, head, &rows[batch]).await?;
        }
        bounded(transaction.commit()).await?;
        writer.keep();
        Ok(head)
    }

    async fn rows(
        &self,
        programme: ProgrammeId,
        from: u64,
        rows_max: u32,
    ) -> Result<Vec<Row>, DatabaseError> {
        let query = sqlx::query(
            "SELECT seq, entry, is_last, effective_at, recorded_at, command, key, refused, body,
                 hash
             FROM journal WHERE programme = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        )
        .bind(programme.0)
        .bind(stored(from))
        .bind(i64::from(rows_max));
        bounded(query.fetch_all(&self.others)).await?.iter().map(read).collect()
    }

    async fn snapshot(
        &self,
        programme: ProgrammeId,
    ) -> Result<Option<SnapshotHead>, DatabaseError> {
        let query = sqlx::query(
            "SELECT seq, chunks, hash FROM snapshots WHERE programme = $1
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(programme.0);
        let Some(row) = bounded(query.fetch_optional(&self.others)).await? else {
            return Ok(None);
        };
        let chunks: i64 = row.try_get(1)?;
        Ok(Some(SnapshotHead {
            seq: counted(row.try_get(0)?)?,
            chunks: u32::try_from(chunks).map_err(|_| DatabaseError::Corrupt {
                what: format!("a snapshot of {chunks} chunks"),
            })?,
            hash: hash(row.try_get(2)?)?,
        }))
    }

    async fn chunk(
        &self,
        programme: ProgrammeId,
        seq: u64,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, DatabaseError> {
        let query = sqlx::query_scalar(
            "SELECT bytes FROM snapshot_chunks WHERE programme = $1 AND seq = $2 AND chunk = $3",
        )
        .bind(programme.0)
        .bind(stored(seq))
        .bind(i64::from(chunk));
        Ok(bounded(query.fetch_optional(&self.others)).await?)
    }

    async fn put_chunk(
        &self,
        lease: &Lease,
        seq: u64,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), DatabaseError> {
        let query = sqlx::query(
            "INSERT INTO snapshot_chunks (programme, seq, chunk, bytes)
             SELECT programme, $2, $3, $4 FROM writers WHERE programme = $1 AND token = $5
             ON CONFLICT (programme, seq, chunk) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(lease.programme.0)
        .bind(stored(seq))
        .bind(i64::from(chunk))
        .bind(bytes)
        .bind(lease.token);
        is_ours(bounded(query.execute(&self.others)).await?.rows_affected())
    }

    async fn finish_snapshot(
        &self,
        lease: &Lease,
        snapshot: &SnapshotHead,
    ) -> Result<(), DatabaseError> {
        let query = sqlx::query(FINISH)
            .bind(lease.programme.0)
            .bind(stored(snapshot.seq))
            .bind(i64::from(snapshot.chunks))
            .bind(snapshot.hash.as_slice())
            .bind(lease.token);
        is_ours(bounded(query.execute(&self.others)).await?.rows_affected())
    }

    async fn close(&self) {
        self.others.close().await;
        if let Some(connection) = self.writer.lock().await.take() {
            // Closed it is in any case; this only says good-bye.
            let _ = bounded(connection.close()).await;
        }
    }
}

fn is_ours(rows: u64) -> Result<(), DatabaseError> {
    if rows == 1 { Ok(()) } else { Err(DatabaseError::LeaseLost) }
}

fn token_and_head(row: &PgRow) -> Result<(i64, Head), DatabaseError> {
    let head = Head { seq: counted(row.try_get(1)?)?, hash: hash(row.try_get(2)?)? };
    Ok((row.try_get(0)?, head))
}

fn read(row: &PgRow) -> Result<Row, DatabaseError> {
    let seq = counted(row.try_get(0)?)?;
    columns(seq, row).map_err(|error| in_row(seq, error))
}

fn columns(seq: u64, row: &PgRow) -> Result<Row, DatabaseError> {
    Ok(Row {
        seq,
        entry: counted(row.try_get(1)?)?,
        is_last: row.try_get(2)?,
        effective_at: row.try_get(3)?,
        recorded_at: row.try_get(4)?,
        command: row.try_get(5)?,
        key: row.try_get(6)?,
        refused: row.try_get(7)?,
        body: row.try_get(8)?,
        hash: hash(row.try_get(9)?)?,
    })
}
