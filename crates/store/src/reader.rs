//! Reading what is committed, without disturbing the writer: every read is of the last whole entry
//! or before, and follows chains by row number.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use engine::{Described, Unit, UnitAmount};
use serde::Serialize;

use crate::body::{Body, Unreadable};
use crate::chain::{Balances, Links};
use crate::database::{Database, DatabaseError, ProgrammeId};
use crate::directory::Directory;
use crate::holder::{Control, HOUSE, Holder};
use crate::recorder::Touched;
use crate::row::Row;

/// Rows looked at for a page of a statement.
const ROWS_A_PAGE_MAX: u32 = 4_000;

/// A moment in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsOf {
    /// After the last entry.
    #[default]
    Now,
    /// After this entry.
    Entry(u64),
    /// After all that took effect up to this time, in microseconds since 1970.
    Effective(i64),
    /// After all that was recorded up to this time, in microseconds since 1970.
    Recorded(i64),
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A row's postings cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A chain leads to a row that does not have it.
    #[error("row {seq} should have touched {path} but did not: run `verdant verify`")]
    Broken {
        /// The row.
        seq: u64,
        /// The account.
        path: String,
    },
    /// There is no such account.
    #[error("there is no account {path:?}")]
    NoAccount {
        /// As it was asked for.
        path: String,
    },
}

/// A line of a statement: one posting, and what it left.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Where it is: also where to go on from.
    pub at: Position,
    /// The entry it belongs to.
    pub entry: u64,
    /// When it took effect, in microseconds since 1970.
    pub effective_at: i64,
    /// When it was recorded, in microseconds since 1970.
    pub recorded_at: i64,
    /// The unit.
    pub unit: Unit,
    /// What was added, or with a minus taken.
    pub amount: UnitAmount,
    /// What was there afterwards, in this unit.
    pub balance: UnitAmount,
    /// The rule by its name, and each number it was computed from.
    pub why: serde_json::Value,
}

/// A posting's place in the journal: its row, and its number within it from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The row.
    pub seq: u64,
    /// The posting.
    pub posting: u32,
}

/// As `1042.7`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.posting)
    }
}

/// A text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be two numbers with a point between, as 1042.7")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (seq, posting) = text.split_once('.').ok_or(NoPosition)?;
        let seq = seq.parse().map_err(|_| NoPosition)?;
        Ok(Self { seq, posting: posting.parse().map_err(|_| NoPosition)? })
    }
}

impl Serialize for Position {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Lines of a statement, newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where to go on: `None` when this was all.
    pub next: Option<Position>,
}

/// What all accounts of a programme come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// The row it was made after.
    pub seq: u64,
    /// Each of the house's accounts, and the sums of the others, in steps of each unit.
    pub rows: Vec<(String, Balances)>,
    /// What they add up to: zero in every unit.
    pub sum: [i128; Unit::COUNT],
}

/// Reads one programme's journal. Cheap to clone; clones see the same.
#[derive(Debug, Clone)]
pub struct Reader {
    database: Arc<dyn Database>,
    programme: ProgrammeId,
    directory: Arc<RwLock<Directory>>,
}

impl Reader {
    /// A reader of what is committed, as far as the directory knows it.
    #[must_use]
    pub fn new(database: Arc<dyn Database>, programme: ProgrammeId, directory: Directory) -> Self {
        Self { database, programme, directory: Arc::new(RwLock::new(directory)) }
    }

    /// Takes note of rows that were just committed, see [`Directory::note`].
    pub fn note(&self, touched: Vec<(u64, Touched)>, horizon: u64) {
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        directory.note(touched, horizon);
    }

    /// What is committed, by name. Never held over anything that waits: the committer waits for it.
    fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        // A directory is never left half-changed: noting rows cannot fail.
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last row of the last whole entry: nothing after it is read.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        self.directory().horizon()
    }

    /// The paths of all accounts that were ever touched, with their holders.
    #[must_use]
    pub fn paths(&self) -> Vec<(String, Holder)> {
        self.directory().paths().collect()
    }

    /// The holder of a path, see [`Directory::find`].
    ///
    /// # Errors
    /// [`ReadError::NoAccount`].
    pub fn find(&self, path: &str) -> Result<Holder, ReadError> {
        let found = self.directory().find(path);
        found.ok_or_else(|| ReadError::NoAccount { path: path.to_owned() })
    }

    /// The last row that counts at a moment.
    ///
    /// # Errors
    /// What the database said.
    pub async fn row_at(&self, as_of: AsOf) -> Result<u64, ReadError> {
        let horizon = self.directory().horizon();
        let counts = |row: &Row| match as_of {
            AsOf::Now => true,
            AsOf::Entry(entry) => row.entry <= entry,
            AsOf::Effective(at) => row.effective_at <= at,
            AsOf::Recorded(at) => row.recorded_at <= at,
        };
        if as_of == AsOf::Now {
            return Ok(horizon);
        }
        // What counts comes before what does not: row 0 always does.
        let (mut counting, mut not) = (0, horizon + 1);
        while not - counting > 1 {
            let middle = counting + (not - counting) / 2;
            if counts(&self.row(middle).await?) { counting = middle } else { not = middle }
        }
        Ok(counting)
    }

    /// A holder's balances at a moment, in steps of each unit; zero before its first posting.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn balances(&self, holder: Holder, as_of: AsOf) -> Result<Balances, ReadError> {
        let row = self.row_at(as_of).await?;
        self.balances_at(holder, row).await
    }

    async fn balances_at(&self, holder: Holder, row: u64) -> Result<Balances, ReadError> {
        let Some(seq) = self.touch_at(holder, row).await? else { return Ok(Balances::default()) };
        let row = self.row(seq).await?;
        let body = Body::read(seq, &row.body)?;
        let touch = body.touch(holder).ok_or_else(|| broken(seq, holder))?;
        Ok(touch.balances)
    }

    /// The newest row at or before `row` that touched the holder.
    async fn touch_at(&self, holder: Holder, row: u64) -> Result<Option<u64>, ReadError> {
        let mut at = self.directory().head(holder);
        while let Some(seq) = at.filter(|&seq| seq > row) {
            at = self.links(holder, seq).await?.towards(row);
        }
        Ok(at)
    }

    async fn links(&self, holder: Holder, seq: u64) -> Result<Links, ReadError> {
        let row = self.row(seq).await?;
        let body = Body::read(seq, &row.body)?;
        Ok(body.touch(holder).ok_or_else(|| broken(seq, holder))?.links)
    }

    /// A row; one at or before the horizon is always there.
    async fn row(&self, seq: u64) -> Result<Row, ReadError> {
        let row = self.database.rows(self.programme, seq, 1).await?.into_iter().next();
        let what = || format!("no row {seq}");
        Ok(row
            .filter(|row| row.seq == seq)
            .ok_or_else(|| DatabaseError::Corrupt { what: what() })?)
    }

    /// A page of a holder's statement, newest first: lines before `before`, or from the newest one,
    /// in all units or one. At most some thousand rows are looked at for one page, so a page can
    /// be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn statement(
        &self,
        holder: Holder,
        unit: Option<Unit>,
        before: Option<Position>,
        lines_max: usize,
    ) -> Result<Page, ReadError> {
        let start = before.map_or(u64::MAX, |before| before.seq);
        let start = start.min(self.directory().horizon());
        let mut at = self.touch_at(holder, start).await?;
        let mut lines = Vec::new();
        let mut rows_left = ROWS_A_PAGE_MAX;
        while let Some(seq) = at {
            if rows_left == 0 {
                let next = Position { seq, posting: u32::MAX };
                return Ok(Page { lines, next: Some(next) });
            }
            rows_left -= 1;
            let row = self.row(seq).await?;
            let body = Body::read(seq, &row.body)?;
            let touch = body.touch(holder).ok_or_else(|| broken(seq, holder))?;
            let within = lines_of(&row, &body, holder, touch.balances);
            let wanted = within.into_iter().filter(|line| {
                unit.is_none_or(|unit| unit == line.unit)
                    && before.is_none_or(|before| line.at < before)
            });
            lines.extend(wanted);
            if lines.len() > lines_max {
                lines.truncate(lines_max);
                return Ok(Page { next: lines.last().map(|line| line.at), lines });
            }
            at = touch.links.previous;
        }
        Ok(Page { lines, next: None })
    }

    /// The rows of an entry, if it is there and whole: a settlement can have thousands, of which
    /// at most `rows_max` are read.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn entry(&self, entry: u64, rows_max: u32) -> Result<Vec<Row>, ReadError> {
        let horizon = self.directory().horizon();
        let rows = self.database.rows(self.programme, entry, rows_max).await?;
        Ok(rows.into_iter().filter(|row| row.entry == entry && row.seq <= horizon).collect())
    }

    /// What all accounts come to at a moment.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn trial_balance(&self, as_of: AsOf) -> Result<TrialBalance, ReadError> {
        let seq = self.row_at(as_of).await?;
        let mut rows = Vec::new();
        let mut sum = [0; Unit::COUNT];
        let house = HOUSE.map(Holder::Account).into_iter();
        for holder in house.chain(Control::ALL.map(Holder::Control)) {
            let balances = self.balances_at(holder, seq).await?;
            for (sum, balance) in sum.iter_mut().zip(balances) {
                *sum += i128::from(balance);
            }
            let path = crate::body::Path { holder, name: "" };
            rows.push((path.to_string(), balances));
        }
        Ok(TrialBalance { seq, rows, sum })
    }
}

/// A row's postings to a holder, newest first, each with the balance it left.
fn lines_of(row: &Row, body: &Body<'_>, holder: Holder, after: Balances) -> Vec<Line> {
    let mut balances = after;
    let mut lines = Vec::new();
    for (number, posting) in (0..).zip(&body.postings).collect::<Vec<_>>().into_iter().rev() {
        let is_its = match holder {
            Holder::Account(account) => account == posting.account,
            Holder::Control(control) => Control::of(posting.account) == Some(control),
        };
        if !is_its {
            continue;
        }
        let balance = &mut balances[posting.unit as usize];
        let why = Described { names: body, of: (posting.unit, posting.why) };
        lines.push(Line {
            at: Position { seq: row.seq, posting: number },
            entry: row.entry,
            effective_at: row.effective_at,
            recorded_at: row.recorded_at,
            unit: posting.unit,
            amount: posting.unit.amount(posting.steps),
            balance: posting.unit.amount(*balance),
            why: serde_json::to_value(why).unwrap_or_default(),
        });
        *balance = balance.wrapping_sub(posting.steps);
    }
    lines
}

fn broken(seq: u64, holder: Holder) -> ReadError {
    ReadError::Broken { seq, path: format!("{holder:?}") }
}
