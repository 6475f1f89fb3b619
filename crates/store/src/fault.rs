use crate::database::DatabaseError;

/// A journal that does not say what its commands come to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The chain is broken: a row was changed, left out or put in.
    #[error("row {seq}: the hash is not that of the row and the one before it: {what}")]
    Hash {
        /// The row.
        seq: u64,
        /// What differs from what the commands before come to, as far as can be told.
        what: String,
    },
    /// A row is not the next one.
    #[error("row {expected} is missing: row {seq} is there instead")]
    Gap {
        /// The row that should be there.
        expected: u64,
        /// The one that is.
        seq: u64,
    },
    /// A row is not what it should be, though the chain has it so.
    #[error("row {seq}: {what}")]
    Row {
        /// The row.
        seq: u64,
        /// What is wrong.
        what: String,
    },
}

impl Fault {
    pub(crate) fn row(seq: u64, what: impl Into<String>) -> Self {
        Self::Row { seq, what: what.into() }
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The journal does not say what its commands come to.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Whoever asked for it wants it no longer.
    #[error("it was interrupted")]
    Interrupted,
}
