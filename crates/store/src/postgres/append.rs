//! Rows into the journal, as many in a statement as are worth a round trip.

use std::ops::Range;
use std::time::Duration;

use sqlx::postgres::PgConnection;

use super::connection::bounded;
use crate::database::{DatabaseError, Lease, stored};
use crate::row::{Head, Row};

/// The longest lease: so that a time far beyond every calendar is no error.
const TTL_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What goes into one statement: enough that a round trip costs nothing beside it, and little
/// enough to hold in memory a few times over, here and in the server.
const ROWS_MAX: usize = 8_000;
const BYTES_MAX: usize = 4_000_000;

/// Moves the end of a journal and writes the rows up to it, if the token is the highest and the
/// journal ends where the writer says: otherwise it does nothing. Changing the row of `writers`
/// locks it, so of two writers the second waits, and then finds it changed. It is a transaction of
/// its own, unless it is run in one.
const APPEND: &str = "
    WITH moved AS (
        UPDATE writers
        SET seq = $4, hash = $5, expires_at = clock_timestamp() + $6 * INTERVAL '1 millisecond'
        WHERE programme = $1 AND token = $2 AND seq = $3 AND hash = $17
        RETURNING programme
    )
    INSERT INTO journal (programme, seq, entry, is_last, effective_at, recorded_at, command, key,
                         refused, body, hash)
    SELECT $1, seq, entry, is_last, effective_at, recorded_at, command, key, refused, body, hash
    FROM UNNEST($7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        AS rows (seq, entry, is_last, effective_at, recorded_at, command, key, refused, body, hash)
    WHERE EXISTS (SELECT FROM moved)";

/// Which rows go into which statement: in order, all of them, none of the ranges empty.
pub fn batches(rows: &[Row]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (end, row) in rows.iter().enumerate() {
        if end > begin && (end - begin == ROWS_MAX || bytes + row.size() > BYTES_MAX) {
            batches.push(begin..end);
            (begin, bytes) = (end, 0);
        }
        bytes += row.size();
    }
    if begin < rows.len() {
        batches.push(begin..rows.len());
    }
    batches
}

/// Appends rows with one statement, and says where the journal ends then.
pub async fn append(
    connection: &mut PgConnection,
    lease: &Lease,
    after: Head,
    rows: &[Row],
) -> Result<Head, DatabaseError> {
    let Some(head) = rows.last().map(|row| Head { seq: row.seq, hash: row.hash }) else {
        return Ok(after);
    };
    let query = sqlx::query(APPEND)
        .bind(lease.programme.0)
        .bind(lease.token)
        .bind(stored(after.seq))
        .bind(stored(head.seq))
        .bind(head.hash.as_slice())
        .bind(millis(lease.ttl))
        .bind(column(rows, |row| stored(row.seq)))
        .bind(column(rows, |row| stored(row.entry)))
        .bind(column(rows, |row| row.is_last))
        .bind(column(rows, |row| row.effective_at))
        .bind(column(rows, |row| row.recorded_at))
        .bind(column(rows, |row| row.command.as_deref()))
        .bind(column(rows, |row| row.key.as_deref()))
        .bind(column(rows, |row| row.refused.as_deref()))
        .bind(column(rows, |row| row.body.as_slice()))
        .bind(column(rows, |row| row.hash.as_slice()))
        .bind(after.hash.as_slice());
    let inserted = bounded(query.execute(connection)).await?.rows_affected();
    if inserted == 0 {
        return Err(DatabaseError::LeaseLost);
    }
    if inserted != rows.len() as u64 {
        let what = format!("something that lets only {inserted} of {} rows in", rows.len());
        return Err(DatabaseError::Corrupt { what });
    }
    Ok(head)
}

fn column<'a, T>(rows: &'a [Row], value: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A lease's length as the statements have it.
pub fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.min(TTL_MAX).as_millis()).unwrap_or(i64::MAX)
}
