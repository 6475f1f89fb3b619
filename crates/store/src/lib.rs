//! The durable journal of a programme, and what is read from it.
//!
//! A [`Recorder`] turns the engine's entries into [`Row`]s: numbered, chained by hash, each with its
//! postings, the balances they left and the way back to the rows that touched the same accounts
//! before. A [`Database`] commits them, many at a time, for whoever holds the [`Lease`]; it is
//! SQLite or PostgreSQL, and nothing above knows which. A [`Book`] is what a journal comes to; it is
//! come to again from a snapshot and the rows after it, with every row compared.
//!
//! **Invariant**: a row, once committed, is never changed or deleted; nothing that is written
//! later needs it to be.

mod backup;
mod body;
mod book;
mod chain;
mod database;
mod difference;
mod directory;
mod fault;
mod feed;
mod holder;
mod keys;
mod load;
mod postgres;
mod reader;
mod recorder;
mod row;
mod snapshot;
mod sqlite;
mod verify;
mod writing;

pub use backup::{BackedUp, BackupError, backup, check_backup, restore};
pub use body::{Body, OrderFacts, Path, Touch, Unreadable};
pub use book::{Book, Restored};
pub use chain::{Balances, Chain, Links};
pub use database::{
    Database, DatabaseError, Lease, ProgrammeId, SnapshotHead, StoredProgramme, Taking,
};
pub use directory::Directory;
pub use fault::{Fault, LoadError};
pub use feed::Feed;
pub use holder::{Control, HOUSE, Holder, PerHolder};
pub use keys::Keys;
pub use load::{Loaded, load, load_paced};
pub use postgres::Postgres;
pub use reader::{AsOf, Line, NoPosition, Page, Position, ReadError, Reader, TrialBalance};
pub use recorder::{Discard, Recorder, RowSink, Stamp, Touched, first_row, written};
pub use row::{Hash, Head, Row, hex};
pub use snapshot::{load_snapshot, store_snapshot};
pub use sqlite::Sqlite;
pub use verify::{Verified, VerifyError, verify};
