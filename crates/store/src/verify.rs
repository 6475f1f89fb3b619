//! Whether a journal, and all that is stored beside it, is what its commands come to.

use std::sync::Arc;

use engine::Unit;
use tokio::runtime::Handle;

use crate::book::{Book, Restored};
use crate::database::{Database, DatabaseError, ProgrammeId, SnapshotHead};
use crate::fault::{Fault, LoadError};
use crate::feed::Feed;
use crate::holder::{Control, HOUSE, Holder};
use crate::load::first_row;
use crate::recorder::Discard;
use crate::row::Head;
use crate::snapshot::{load_snapshot, snapshot_hash};

/// What a journal that is right comes to.
#[derive(Debug)]
pub struct Verified {
    /// Entries read, the programme's own not counted.
    pub entries: u64,
    /// Its last row.
    pub head: Head,
    /// Whether it breaks off within a settlement, which a restart completes.
    pub is_unfinished: bool,
    /// The row of the snapshot that was compared, if there is one.
    pub snapshot: Option<u64>,
    /// All it comes to.
    pub book: Book,
}

/// Why a journal is not right.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read, or a row is not what it should be.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The journal is right, the end noted beside it is not.
    #[error(
        "the journal ends at row {end}, but its end was noted as row {noted} with another hash"
    )]
    End {
        /// The last row there is.
        end: u64,
        /// The last row there should be.
        noted: u64,
    },
    /// The journal is right, the snapshot is not.
    #[error("the snapshot after row {seq} is not what the journal comes to there: {what}")]
    Snapshot {
        /// The row it was made after.
        seq: u64,
        /// The first difference.
        what: String,
    },
    /// The postings and the state of the engine disagree.
    #[error("{path} has {posted} {unit} by its postings, and {held} by the rules")]
    Balance {
        /// The account.
        path: String,
        /// The unit.
        unit: &'static str,
        /// By the postings.
        posted: String,
        /// By the engine.
        held: String,
    },
    /// The balances of all accounts do not add up to zero.
    #[error("all balances in {unit} add up to {sum}, not to zero")]
    Unbalanced {
        /// The unit.
        unit: &'static str,
        /// What they come to.
        sum: String,
    },
}

impl From<Fault> for VerifyError {
    fn from(fault: Fault) -> Self {
        Self::Load(fault.into())
    }
}

impl From<DatabaseError> for VerifyError {
    fn from(error: DatabaseError) -> Self {
        Self::Load(error.into())
    }
}

/// Applies every command of the journal again, from the first, and compares every row, the end and
/// the snapshot. `progress` is told rows done and rows in all. Others may write meanwhile: what they
/// add is not looked at. To be called outside of the runtime's own threads.
///
/// # Errors
/// [`VerifyError`], with the first place that is wrong.
pub fn verify(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, VerifyError> {
    // In this order: a snapshot is of what was committed before it.
    let snapshot = runtime.block_on(database.snapshot(programme))?;
    let head = runtime.block_on(database.head(programme))?;
    let first = first_row(runtime, database, programme)?;
    let mut book = Book::open(&first, 0)?;
    let mut checked = check_snapshot(runtime, database, programme, &book, snapshot.as_ref())?;
    let feed = Feed::start(runtime, database, programme, 1, head.seq);
    let mut last = Head { seq: 0, hash: first.hash };
    let mut rows = feed.map(|row| {
        row.inspect(|row| {
            last = Head { seq: row.seq, hash: row.hash };
            progress(row.seq, head.seq);
        })
        .map_err(LoadError::from)
    });
    let (mut entries, mut is_unfinished) = (0, false);
    while let Some(restored) = book.restore(&mut rows, &mut Discard)? {
        entries += 1;
        is_unfinished |= restored == Restored::Completed;
        checked =
            checked.or(check_snapshot(runtime, database, programme, &book, snapshot.as_ref())?);
    }
    drop(rows);
    if last != head {
        return Err(VerifyError::End { end: last.seq, noted: head.seq });
    }
    // A row behind the end is one too many, unless somebody is writing: then the end has moved.
    let behind = runtime.block_on(database.rows(programme, head.seq + 1, 1))?;
    if let (Some(row), true) = (behind.first(), runtime.block_on(database.head(programme))? == head)
    {
        return Err(VerifyError::End { end: row.seq, noted: head.seq });
    }
    if let (Some(snapshot), None) = (&snapshot, checked) {
        let now = runtime.block_on(database.snapshot(programme))?;
        if now.as_ref() == Some(snapshot) {
            let what = "no entry ends there".to_owned();
            return Err(VerifyError::Snapshot { seq: snapshot.seq, what });
        }
    }
    check_balances(&book)?;
    Ok(Verified { entries, head, is_unfinished, snapshot: checked, book })
}

/// Compares the snapshot with the book, if it was made after the book's last row.
fn check_snapshot(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    book: &Book,
    snapshot: Option<&SnapshotHead>,
) -> Result<Option<u64>, VerifyError> {
    let seq = book.recorder.head().seq;
    let Some(snapshot) = snapshot.filter(|snapshot| snapshot.seq == seq) else { return Ok(None) };
    let refuse = |what: String| VerifyError::Snapshot { seq, what };
    let expected = snapshot_hash(book).map_err(|error| refuse(error.to_string()))?;
    let Some(stored) = load_snapshot(runtime, database, programme, 0)? else {
        // A newer one may have taken its place meanwhile.
        let now = runtime.block_on(database.snapshot(programme))?;
        if now.as_ref() != Some(snapshot) {
            return Ok(None);
        }
        return Err(refuse("it was changed, or chunks of it are missing".to_owned()));
    };
    if snapshot.hash == expected {
        return Ok(Some(seq));
    }
    for account in book.engine.state().accounts() {
        for unit in Unit::ALL {
            let is = book.engine.state().balance(account, unit);
            let was = stored_balance(&stored, account, unit);
            if was != Some(is) {
                let path = path(book, account);
                let text = |steps| unit.amount(steps).to_string();
                let was = was.map_or_else(|| "nothing".to_owned(), text);
                return Err(refuse(format!(
                    "{path} has {was} {} in it, and should have {}",
                    unit.name(),
                    text(is)
                )));
            }
        }
    }
    Err(refuse("it differs in something else than balances".to_owned()))
}

fn stored_balance(book: &Book, account: engine::Account, unit: Unit) -> Option<i64> {
    let state = book.engine.state();
    let is_there = match account {
        engine::Account::Member(id) | engine::Account::Debt(id) => {
            id.index() < state.member_count()
        }
        engine::Account::Merchant(id) => id.index() < state.merchant_count(),
        _ => true,
    };
    is_there.then(|| state.balance(account, unit))
}

fn path(book: &Book, account: engine::Account) -> String {
    engine::Described { names: book.engine.state(), of: account }.to_string()
}

/// The postings alone must come to the engine's balances, and all of them to zero.
fn check_balances(book: &Book) -> Result<(), VerifyError> {
    let (state, chains) = (book.engine.state(), book.recorder.chains());
    for account in state.accounts() {
        let posted = chains.of(Holder::Account(account)).map(|chain| chain.balances);
        for unit in Unit::ALL {
            let posted = posted.map_or(0, |balances| balances[unit as usize]);
            let held = state.balance(account, unit);
            if posted != held {
                return Err(VerifyError::Balance {
                    path: path(book, account),
                    unit: unit.name(),
                    posted: unit.amount(posted).to_string(),
                    held: unit.amount(held).to_string(),
                });
            }
        }
    }
    for unit in Unit::ALL {
        let house = HOUSE.map(Holder::Account);
        let control = Control::ALL.map(Holder::Control);
        let sum: i128 = house
            .into_iter()
            .chain(control)
            .filter_map(|holder| chains.of(holder))
            .map(|chain| i128::from(chain.balances[unit as usize]))
            .sum();
        if sum != 0 {
            return Err(VerifyError::Unbalanced { unit: unit.name(), sum: sum.to_string() });
        }
    }
    Ok(())
}
