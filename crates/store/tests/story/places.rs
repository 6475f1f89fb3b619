//! Where a story is told: once in a folder, once on a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use store::{Database, DatabaseError, Postgres, Sqlite};

/// A place that nothing was stored in yet.
pub enum Place {
    Folder(PathBuf),
    Server(String),
}

impl Place {
    /// The database; made if it is not there.
    pub async fn open(&self) -> Arc<dyn Database> {
        match self {
            Self::Folder(folder) => Arc::new(Sqlite::create_or_open(folder).await.unwrap()),
            Self::Server(url) => Arc::new(Postgres::create_or_open(url).await.unwrap()),
        }
    }

    /// The database, if it is there.
    pub async fn open_existing(&self) -> Result<Arc<dyn Database>, DatabaseError> {
        Ok(match self {
            Self::Folder(folder) => Arc::new(Sqlite::open(folder).await?),
            Self::Server(url) => Arc::new(Postgres::open(url).await?),
        })
    }

    /// Runs a statement past the store.
    pub async fn run(&self, statement: &str) -> Result<(), sqlx::Error> {
        let statement = AssertSqlSafe(statement);
        match self {
            Self::Folder(folder) => {
                let file = Path::new(folder).join("verdant.db").display().to_string();
                let mut connection = SqliteConnection::connect(&format!("sqlite://{file}")).await?;
                sqlx::raw_sql(statement).execute(&mut connection).await?;
            }
            Self::Server(url) => {
                let mut connection = PgConnection::connect(url).await?;
                sqlx::raw_sql(statement).execute(&mut connection).await?;
            }
        }
        Ok(())
    }
}

/// Tells a story on both databases.
pub fn each(story: impl AsyncFn(&Place)) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(story(&Place::Folder(folder.path().join("data"))));
    let url = testbed::postgres::shared().fresh_database();
    runtime.block_on(story(&Place::Server(url)));
}
