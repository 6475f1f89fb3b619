use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::book::{Book, Restored};
use crate::database::{Database, ProgrammeId};
use crate::fault::{Fault, LoadError};
use crate::feed::Feed;
use crate::recorder::RowSink;
use crate::row::Head;
use crate::snapshot::load_snapshot;

/// Rows applied between two looks at whether to go on: a few milliseconds.
const ROWS_A_BREATH: u64 = 1_024;

/// A journal come to again.
#[derive(Debug)]
pub struct Loaded {
    /// What it comes to.
    pub book: Book,
    /// Entries that were applied again: those after the snapshot.
    pub entries: u64,
    /// Whether the journal broke off within an entry, whose missing rows went to the sink.
    pub is_completed: bool,
    /// The row of the snapshot it began from; 0 where there was none.
    pub snapshot: u64,
}

/// Comes to the end of a journal, `head`, from the newest snapshot and the rows after it. If the
/// journal breaks off within a settlement, its rows that are missing are handed to `rest`. To be
/// called outside of the runtime's own threads.
///
/// # Errors
/// [`LoadError`], with the first row that is not what its command comes to.
pub fn load(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    head: Head,
    seed: u64,
    rest: &mut dyn RowSink,
) -> Result<Loaded, LoadError> {
    let mut go_on = || ControlFlow::Continue(());
    load_paced(runtime, database, programme, head, seed, rest, &mut go_on)
}

/// As [`load`]; `breathe` is called between pieces of work of some milliseconds, and can stop it.
///
/// # Errors
/// As [`load`], and [`LoadError::Interrupted`].
pub fn load_paced(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    head: Head,
    seed: u64,
    rest: &mut dyn RowSink,
    breathe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Loaded, LoadError> {
    let mut book = match usable_snapshot(runtime, database, programme, head, seed)? {
        Some(book) => book,
        None => Book::open(&first_row(runtime, database, programme)?, seed)?,
    };
    let mut last = book.recorder.head();
    let snapshot = last.seq;
    let feed = Feed::start(runtime, database, programme, last.seq + 1, head.seq);
    let mut rows = feed.map(|row| {
        if let Ok(row) = &row {
            last = Head { seq: row.seq, hash: row.hash };
            if row.seq.is_multiple_of(ROWS_A_BREATH) && breathe().is_break() {
                return Err(LoadError::Interrupted);
            }
        }
        row.map_err(LoadError::from)
    });
    let (mut entries, mut is_completed) = (0, false);
    while let Some(restored) = book.restore(&mut rows, rest)? {
        entries += 1;
        is_completed |= restored == Restored::Completed;
    }
    drop(rows);
    // Also where an entry was completed: its rows must not take the place of others.
    if last != head {
        return Err(Fault::Gap { expected: last.seq + 1, seq: head.seq }.into());
    }
    Ok(Loaded { book, entries, is_completed, snapshot })
}

/// The newest snapshot, if it lies on this journal.
fn usable_snapshot(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    head: Head,
    seed: u64,
) -> Result<Option<Book>, LoadError> {
    let Some(book) = load_snapshot(runtime, database, programme, seed)? else { return Ok(None) };
    let made_after = book.recorder.head();
    if made_after.seq > head.seq {
        return Ok(None);
    }
    let rows = runtime.block_on(database.rows(programme, made_after.seq, 1))?;
    let lies_on_it = rows.first().is_some_and(|row| row.hash == made_after.hash);
    Ok(lies_on_it.then_some(book))
}

/// The programme's own row.
pub(crate) fn first_row(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
) -> Result<crate::Row, LoadError> {
    let first = runtime.block_on(database.rows(programme, 0, 1))?.into_iter().next();
    Ok(first.filter(|row| row.seq == 0).ok_or(Fault::Gap { expected: 0, seq: 1 })?)
}
