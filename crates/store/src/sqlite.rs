//! Journals in one SQLite file: the default. Write-ahead log, `synchronous = FULL`: a commit is on
//! disk before it is answered.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteExecutor};
use tokio::sync::Mutex;

use crate::database::{
    Database, DatabaseError, Lease, ProgrammeId, SnapshotHead, StoredProgramme, Taking, counted,
    hash, in_row, stored,
};
use crate::row::{Head, Row};
use crate::writing::Writing;

/// The file in the data folder.
const FILE: &str = "verdant.db";

/// Large pages: a journal is appended to and read in order.
const PAGE_BYTES: u32 = 16_384;

/// Pages in the write-ahead log before they are copied into the database: 4 MB. Commits wait for
/// the copying, so it is done often and little at a time.
const CHECKPOINT_PAGES: &str = "256";

/// Connections for reading; there is one more for writing.
const READERS_MAX: u32 = 4;

/// How long to wait for another process that is writing.
const BUSY_MAX: Duration = Duration::from_secs(10);

/// Rows in one statement, largest first: SQLite takes rows ten times as fast many at a time.
const ROWS_A_STATEMENT: [usize; 4] = [128, 32, 8, 1];

static INSERTS: LazyLock<[Arc<str>; 4]> = LazyLock::new(|| {
    ROWS_A_STATEMENT.map(|rows| {
        let values = vec!["(?,?,?,?,?,?,?,?,?,?,?)"; rows].join(",");
        format!("INSERT INTO journal VALUES {values}").into()
    })
});

/// The clock of this database, in milliseconds since 1970.
const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Journals in a SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    options: SqliteConnectOptions,
    /// Nothing is here while the connection is in use and after it has failed.
    writer: Mutex<Option<SqliteConnection>>,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens the database in a folder, and makes both if they are not there.
    ///
    /// # Errors
    /// [`DatabaseError`] when it cannot be opened or its schema not be brought up to date.
    pub async fn create_or_open(folder: &Path) -> Result<Self, DatabaseError> {
        std::fs::create_dir_all(folder).map_err(|source| DatabaseError::Open {
            place: folder.display().to_string(),
            source: sqlx::Error::Io(source),
        })?;
        Self::connect(folder, true).await
    }

    /// Opens the database in a folder.
    ///
    /// # Errors
    /// [`DatabaseError`] when there is none, or as [`Self::create_or_open`].
    pub async fn open(folder: &Path) -> Result<Self, DatabaseError> {
        if folder.join(FILE).is_file() {
            return Self::connect(folder, false).await;
        }
        Err(DatabaseError::Missing { place: folder.display().to_string() })
    }

    async fn connect(folder: &Path, create: bool) -> Result<Self, DatabaseError> {
        let place = || folder.display().to_string();
        let failed = |source| DatabaseError::Open { place: place(), source };
        let options = SqliteConnectOptions::new()
            .filename(folder.join(FILE))
            .create_if_missing(create)
            .page_size(PAGE_BYTES)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_MAX)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .foreign_keys(true);
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        sqlx::migrate!("migrations/sqlite")
            .run(&mut writer)
            .await
            .map_err(|source| DatabaseError::Migrate { place: place(), source })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_lazy_with(options.clone().read_only(true).create_if_missing(false));
        let options = options.create_if_missing(false);
        Ok(Self { options, writer: Mutex::new(Some(writer)), readers })
    }

    /// After SQLite has rolled a transaction back by itself, sqlx would take it for open for ever:
    /// that is why a connection with an error is not used again.
    async fn writer(&self) -> Result<Writing<'_, SqliteConnection>, sqlx::Error> {
        Writing::take(&self.writer, async || SqliteConnection::connect_with(&self.options).await)
            .await
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn programmes(&self) -> Result<Vec<StoredProgramme>, DatabaseError> {
        let rows = sqlx::query("SELECT programme, name FROM programmes ORDER BY programme")
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredProgramme { id: ProgrammeId(row.try_get(0)?), name: row.try_get(1)? })
            })
            .collect()
    }

    async fn create(&self, name: &str, first: &Row) -> Result<StoredProgramme, DatabaseError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let created = sqlx::query(
            "INSERT INTO programmes (name) VALUES (?) ON CONFLICT DO NOTHING RETURNING programme",
        )
        .bind(name)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(created) = created else {
            return Err(DatabaseError::NameTaken { name: name.to_owned() });
        };
        let id = ProgrammeId(created.try_get(0)?);
        sqlx::query("INSERT INTO writers VALUES (?, ?, ?, 0, '', 0)")
            .bind(id.0)
            .bind(stored(first.seq))
            .bind(first.hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        insert(&mut transaction, id, vec![first.clone()]).await?;
        transaction.commit().await?;
        writer.keep();
        Ok(StoredProgramme { id, name: name.to_owned() })
    }

    async fn head(&self, programme: ProgrammeId) -> Result<Head, DatabaseError> {
        head(&self.readers, programme).await
    }

    async fn take_lease(
        &self,
        programme: ProgrammeId,
        holder: &str,
        ttl: Duration,
    ) -> Result<Taking, DatabaseError> {
        // Looked at first: a standby asks again and again, and must not make the writer wait.
        let held = sqlx::query(AssertSqlSafe(format!(
            "SELECT holder, expires_at - {NOW} FROM writers WHERE programme = ?"
        )))
        .bind(programme.0)
        .fetch_one(&self.readers)
        .await?;
        let left: i64 = held.try_get(1)?;
        if left > 0 {
            let left = Duration::from_millis(left.unsigned_abs());
            return Ok(Taking::Held { holder: held.try_get(0)?, left });
        }
        let mut writer = self.writer().await?;
        let taken = sqlx::query(AssertSqlSafe(format!(
            "UPDATE writers SET token = token + 1, holder = ?2, expires_at = {NOW} + ?3
             WHERE programme = ?1 AND expires_at <= {NOW} RETURNING token, seq, hash"
        )))
        .bind(programme.0)
        .bind(holder)
        .bind(millis(ttl))
        .fetch_all(&mut *writer)
        .await?;
        writer.keep();
        let Some(taken) = taken.first() else {
            return Ok(Taking::Held { holder: held.try_get(0)?, left: ttl });
        };
        let (token, head) = token_and_head(taken)?;
        Ok(Taking::Taken(Lease { programme, token, ttl, holder: holder.to_owned() }, head))
    }

    async fn retake_lease(&self, lease: &Lease) -> Result<(Lease, Head), DatabaseError> {
        let mut writer = self.writer().await?;
        let taken = sqlx::query(AssertSqlSafe(format!(
            "UPDATE writers SET token = token + 1, expires_at = {NOW} + ?3
             WHERE programme = ?1 AND (token = ?2 OR token > ?2 AND holder = ?4)
             RETURNING token, seq, hash"
        )))
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(millis(lease.ttl))
        .bind(&lease.holder)
        .fetch_all(&mut *writer)
        .await?;
        writer.keep();
        let taken = taken.first().ok_or(DatabaseError::LeaseLost)?;
        let (token, head) = token_and_head(taken)?;
        Ok((Lease { token, ..lease.clone() }, head))
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let renewed = sqlx::query(AssertSqlSafe(format!(
            "UPDATE writers SET expires_at = {NOW} + ?3 WHERE programme = ?1 AND token = ?2"
        )))
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(millis(lease.ttl))
        .execute(&mut *writer)
        .await?;
        writer.keep();
        is_ours(renewed.rows_affected())
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let released = sqlx::query(
            "UPDATE writers SET expires_at = 0, token = token + 1
             WHERE programme = ? AND token = ?",
        )
        .bind(lease.programme.0)
        .bind(lease.token)
        .execute(&mut *writer)
        .await?;
        writer.keep();
        is_ours(released.rows_affected())
    }

    async fn append(
        &self,
        lease: &Lease,
        after: Head,
        rows: Vec<Row>,
    ) -> Result<Head, DatabaseError> {
        let Some(head) = rows.last().map(|row| Head { seq: row.seq, hash: row.hash }) else {
            return Ok(after);
        };
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let moved = sqlx::query(AssertSqlSafe(format!(
            "UPDATE writers SET seq = ?4, hash = ?5, expires_at = {NOW} + ?6
             WHERE programme = ?1 AND token = ?2 AND seq = ?3 AND hash = ?7"
        )))
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(stored(after.seq))
        .bind(stored(head.seq))
        .bind(head.hash.as_slice())
        .bind(millis(lease.ttl))
        .bind(after.hash.as_slice())
        .execute(&mut *transaction)
        .await?;
        is_ours(moved.rows_affected())?;
        insert(&mut transaction, lease.programme, rows).await?;
        transaction.commit().await?;
        writer.keep();
        Ok(head)
    }

    async fn rows(
        &self,
        programme: ProgrammeId,
        from: u64,
        rows_max: u32,
    ) -> Result<Vec<Row>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT seq, entry, is_last, effective_at, recorded_at, command, key, refused, body,
                 hash
             FROM journal WHERE programme = ? AND seq >= ? ORDER BY seq LIMIT ?",
        )
        .bind(programme.0)
        .bind(stored(from))
        .bind(rows_max)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    async fn snapshot(
        &self,
        programme: ProgrammeId,
    ) -> Result<Option<SnapshotHead>, DatabaseError> {
        let row = sqlx::query(
            "SELECT seq, chunks, hash FROM snapshots WHERE programme = ? ORDER BY seq DESC LIMIT 1",
        )
        .bind(programme.0)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(SnapshotHead {
            seq: counted(row.try_get(0)?)?,
            chunks: row.try_get(1)?,
            hash: hash(row.try_get(2)?)?,
        }))
    }

    async fn chunk(
        &self,
        programme: ProgrammeId,
        seq: u64,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, DatabaseError> {
        let row = sqlx::query(
            "SELECT bytes FROM snapshot_chunks WHERE programme = ? AND seq = ? AND chunk = ?",
        )
        .bind(programme.0)
        .bind(stored(seq))
        .bind(chunk)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    async fn put_chunk(
        &self,
        lease: &Lease,
        seq: u64,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let put = sqlx::query(
            "INSERT OR REPLACE INTO snapshot_chunks
             SELECT programme, ?3, ?4, ?5 FROM writers WHERE programme = ?1 AND token = ?2",
        )
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(stored(seq))
        .bind(chunk)
        .bind(bytes)
        .execute(&mut *writer)
        .await?;
        writer.keep();
        is_ours(put.rows_affected())
    }

    async fn finish_snapshot(
        &self,
        lease: &Lease,
        snapshot: &SnapshotHead,
    ) -> Result<(), DatabaseError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let finished = sqlx::query(
            "INSERT OR REPLACE INTO snapshots
             SELECT programme, ?3, ?4, ?5 FROM writers WHERE programme = ?1 AND token = ?2",
        )
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(stored(snapshot.seq))
        .bind(snapshot.chunks)
        .bind(snapshot.hash.as_slice())
        .execute(&mut *transaction)
        .await?;
        is_ours(finished.rows_affected())?;
        for others in [
            "DELETE FROM snapshots WHERE programme = ? AND seq <> ?",
            "DELETE FROM snapshot_chunks WHERE programme = ? AND seq <> ?",
        ] {
            sqlx::query(others)
                .bind(lease.programme.0)
                .bind(stored(snapshot.seq))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        writer.keep();
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        // The last connection to go takes the write-ahead log with it.
        if let Some(writer) = self.writer.lock().await.take() {
            let _ = writer.close().await;
        }
    }
}

fn is_ours(rows: u64) -> Result<(), DatabaseError> {
    if rows == 1 { Ok(()) } else { Err(DatabaseError::LeaseLost) }
}

fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)
}

async fn head(
    connection: impl SqliteExecutor<'_>,
    programme: ProgrammeId,
) -> Result<Head, DatabaseError> {
    let row = sqlx::query("SELECT 0, seq, hash FROM writers WHERE programme = ?")
        .bind(programme.0)
        .fetch_one(connection)
        .await?;
    Ok(token_and_head(&row)?.1)
}

fn token_and_head(row: &SqliteRow) -> Result<(i64, Head), DatabaseError> {
    let head = Head { seq: counted(row.try_get(1)?)?, hash: hash(row.try_get(2)?)? };
    Ok((row.try_get(0)?, head))
}

async fn insert(
    connection: &mut SqliteConnection,
    programme: ProgrammeId,
    rows: Vec<Row>,
) -> Result<(), DatabaseError> {
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    while left > 0 {
        // The last size is 1, so there is always one that fits.
        let size = ROWS_A_STATEMENT.iter().position(|&size| size <= left).unwrap_or(3);
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&INSERTS[size])));
        for row in rows.by_ref().take(ROWS_A_STATEMENT[size]) {
            query = query
                .bind(programme.0)
                .bind(stored(row.seq))
                .bind(stored(row.entry))
                .bind(row.is_last)
                .bind(row.effective_at)
                .bind(row.recorded_at)
                .bind(row.command)
                .bind(row.key)
                .bind(row.refused)
                .bind(row.body)
                .bind(row.hash.to_vec());
        }
        query.execute(&mut *connection).await?;
        left -= ROWS_A_STATEMENT[size];
    }
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Row, DatabaseError> {
    let seq = counted(row.try_get(0)?)?;
    columns(seq, row).map_err(|error| in_row(seq, error))
}

fn columns(seq: u64, row: &SqliteRow) -> Result<Row, DatabaseError> {
    // SQLite has no truth values: any number would be taken for one.
    let is_last = match row.try_get(2)? {
        0_i64 => false,
        1 => true,
        other => return Err(DatabaseError::Corrupt { what: format!("is_last {other}") }),
    };
    Ok(Row {
        seq,
        entry: counted(row.try_get(1)?)?,
        is_last,
        effective_at: row.try_get(3)?,
        recorded_at: row.try_get(4)?,
        command: row.try_get(5)?,
        key: row.try_get(6)?,
        refused: row.try_get(7)?,
        body: row.try_get(8)?,
        hash: hash(row.try_get(9)?)?,
    })
}
