//! A journal in a SQLite file, changed behind the program's back.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::{Database, ProgrammeId, Row, Sqlite};

/// Whoever can write to the file can do this.
pub struct Tampered {
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
}

impl Tampered {
    /// Opens the only journal in a data folder, and takes its triggers away.
    pub fn open(folder: &Path) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.join("verdant.db"));
        let connection = runtime.block_on(SqliteConnection::connect_with(&options)).unwrap();
        let mut tampered = Self { runtime, connection };
        tampered.sql("DROP TRIGGER journal_is_never_changed");
        tampered.sql("DROP TRIGGER journal_is_never_deleted");
        tampered
    }

    /// Runs a statement that must change something, but for a table's definition.
    pub fn sql(&mut self, text: &str) {
        let query = sqlx::query(AssertSqlSafe(text.to_owned())).execute(&mut self.connection);
        let done = self.runtime.block_on(query).unwrap();
        assert!(text.starts_with("DROP") || done.rows_affected() > 0, "{text} changed nothing");
    }

    /// One value.
    pub fn number(&mut self, text: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(text.to_owned()));
        self.runtime.block_on(query.fetch_one(&mut self.connection)).unwrap()
    }

    /// Changes a value of bytes.
    pub fn change(&mut self, table: &str, column: &str, which: &str, f: impl FnOnce(&mut Vec<u8>)) {
        let select = format!("SELECT {column} FROM {table} WHERE {which}");
        let query = sqlx::query_scalar(AssertSqlSafe(select));
        let mut bytes: Vec<u8> =
            self.runtime.block_on(query.fetch_one(&mut self.connection)).unwrap();
        f(&mut bytes);
        let update = format!("UPDATE {table} SET {column} = ? WHERE {which}");
        let query = sqlx::query(AssertSqlSafe(update)).bind(bytes);
        self.runtime.block_on(query.execute(&mut self.connection)).unwrap();
    }

    /// Writes rows over those of the same numbers, and notes the last as the end.
    pub fn write(&mut self, rows: &[Row]) {
        for row in rows {
            let query = sqlx::query("UPDATE journal SET body = ?, hash = ? WHERE seq = ?")
                .bind(row.body.clone())
                .bind(row.hash.to_vec())
                .bind(i64::try_from(row.seq).unwrap());
            self.runtime.block_on(query.execute(&mut self.connection)).unwrap();
        }
        let hash = rows.last().unwrap().hash.to_vec();
        let query = sqlx::query("UPDATE writers SET hash = ?").bind(hash);
        self.runtime.block_on(query.execute(&mut self.connection)).unwrap();
    }

    pub fn close(self) {
        self.runtime.block_on(self.connection.close()).unwrap();
    }
}

/// All rows of the only journal in a data folder.
pub fn rows(folder: &Path) -> Vec<Row> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(async {
        let database: Arc<dyn Database> = Arc::new(Sqlite::open(folder).await.unwrap());
        let id: ProgrammeId = database.programmes().await.unwrap()[0].id;
        let rows = database.rows(id, 0, 100_000).await.unwrap();
        database.close().await;
        rows
    });
    // The last connection is closed in the background; the folder can be copied when it is.
    while folder.join("verdant.db-wal").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    rows
}

/// Chains rows by hash anew, as a forger does who wants nobody to see it.
pub fn chain_again(rows: &mut [Row]) {
    let mut before = [0; 32];
    for row in rows {
        row.hash = row.chained(&before);
        before = row.hash;
    }
}
