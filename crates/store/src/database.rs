use std::time::Duration;

use async_trait::async_trait;

use crate::row::{Hash, Head, Row};

/// A programme's number in the database: the first column of every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgrammeId(pub(crate) i64);

/// A programme that has a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProgramme {
    /// Its number.
    pub id: ProgrammeId,
    /// What it is called; no two have one name.
    pub name: String,
}

/// The right to write a programme's journal, until somebody else takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose journal.
    pub programme: ProgrammeId,
    /// The fencing token: each taking has a higher one, and only the highest can commit.
    pub token: i64,
    /// How long it lasts without being renewed; every commit renews it.
    pub ttl: Duration,
    /// Who has it, as they called themselves: no two may have one name.
    pub holder: String,
}

/// What trying to take a lease came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taking {
    /// It is ours, and the journal ends here.
    Taken(Lease, Head),
    /// Somebody else has it.
    Held {
        /// Who, as they called themselves.
        holder: String,
        /// How long until it lapses, unless it is renewed.
        left: Duration,
    },
}

/// A snapshot that is stored whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The journal's row it was made after.
    pub seq: u64,
    /// How many chunks it has.
    pub chunks: u32,
    /// The SHA-256 of all chunks, one after the other.
    pub hash: Hash,
}

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Somebody else has taken the lease: nothing was written, and nothing more will be.
    #[error("another process has taken over as the writer")]
    LeaseLost,
    /// There is a programme of this name.
    #[error("there is a programme {name:?} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The database cannot be opened.
    #[error("cannot open the database {place}")]
    Open {
        /// Where it was looked for.
        place: String,
        /// What it said.
        source: sqlx::Error,
    },
    /// There is no database there.
    #[error("there is no database in {place}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// The schema cannot be brought up to date.
    #[error("cannot bring the schema of {place} up to date")]
    Migrate {
        /// Which database.
        place: String,
        /// What it said.
        source: sqlx::migrate::MigrateError,
    },
    /// The database did not do as it was told. Of a commit, this says nothing about whether it
    /// happened: [`Database::retake_lease`] finds out.
    #[error("the database failed")]
    Failed(sqlx::Error),
    /// What is stored is not what this program stores.
    #[error("the database holds {what}, which cannot be")]
    Corrupt {
        /// What it holds.
        what: String,
    },
}

/// What cannot be read is not what was written; anything else is a failure that may pass.
impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt { what: error.to_string() }
            }
            error => Self::Failed(error),
        }
    }
}

/// Where journals are stored. Few methods, each for many rows; both implementations pass the same
/// tests (`tests/story`).
#[async_trait]
pub trait Database: Send + Sync + std::fmt::Debug {
    /// The programmes that have a journal, in order of creation.
    async fn programmes(&self) -> Result<Vec<StoredProgramme>, DatabaseError>;

    /// Begins a journal with its first row.
    async fn create(&self, name: &str, first: &Row) -> Result<StoredProgramme, DatabaseError>;

    /// The end of a journal.
    async fn head(&self, programme: ProgrammeId) -> Result<Head, DatabaseError>;

    /// Takes the right to write, if nobody has it or its holder has let it lapse.
    async fn take_lease(
        &self,
        programme: ProgrammeId,
        holder: &str,
        ttl: Duration,
    ) -> Result<Taking, DatabaseError>;

    /// Changes a lease we hold for a new one, and says where the journal ends. Whatever was being
    /// committed with the old one is then either in the journal or never will be: this answers a
    /// commit whose outcome is unknown. If its own answer is lost, it can be asked for again.
    async fn retake_lease(&self, lease: &Lease) -> Result<(Lease, Head), DatabaseError>;

    /// Says that we are still here.
    async fn renew_lease(&self, lease: &Lease) -> Result<(), DatabaseError>;

    /// Lets others take over at once.
    async fn release_lease(&self, lease: &Lease) -> Result<(), DatabaseError>;

    /// Commits rows after `after`, all or none, in one transaction.
    ///
    /// # Errors
    /// [`DatabaseError::LeaseLost`] when the lease is no longer ours or the journal does not end at
    /// `after`: nothing is committed. Any other error leaves open whether it is.
    async fn append(
        &self,
        lease: &Lease,
        after: Head,
        rows: Vec<Row>,
    ) -> Result<Head, DatabaseError>;

    /// At most `rows_max` rows from `from` on, in order. Stops early rather than skip a row.
    async fn rows(
        &self,
        programme: ProgrammeId,
        from: u64,
        rows_max: u32,
    ) -> Result<Vec<Row>, DatabaseError>;

    /// The newest snapshot stored whole.
    async fn snapshot(&self, programme: ProgrammeId)
    -> Result<Option<SnapshotHead>, DatabaseError>;

    /// One of its chunks, counted from 0.
    async fn chunk(
        &self,
        programme: ProgrammeId,
        seq: u64,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, DatabaseError>;

    /// Stores a chunk of a snapshot that is not whole yet. Only the writer may.
    async fn put_chunk(
        &self,
        lease: &Lease,
        seq: u64,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), DatabaseError>;

    /// Makes the chunks a snapshot, and drops those of all others. Only the writer may.
    async fn finish_snapshot(
        &self,
        lease: &Lease,
        snapshot: &SnapshotHead,
    ) -> Result<(), DatabaseError>;

    /// Ends every connection.
    async fn close(&self);
}

/// A number as databases have it. Ours count rows: 63 bits are enough.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row number out of a database.
pub(crate) fn counted(number: i64) -> Result<u64, DatabaseError> {
    u64::try_from(number)
        .map_err(|_| DatabaseError::Corrupt { what: format!("the number {number}") })
}

/// Says which row is not as it was written.
pub(crate) fn in_row(seq: u64, error: DatabaseError) -> DatabaseError {
    match error {
        DatabaseError::Corrupt { what } => {
            DatabaseError::Corrupt { what: format!("{what} in row {seq}") }
        }
        error => error,
    }
}

/// A hash out of a database.
pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, DatabaseError> {
    let len = bytes.len();
    Hash::try_from(bytes)
        .map_err(|_| DatabaseError::Corrupt { what: format!("a hash of {len} bytes") })
}
