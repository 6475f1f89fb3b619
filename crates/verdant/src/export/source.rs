//! One programme's journal, read at one horizon.

use engine::{Account, Unit};
use indicatif::ProgressBar;
use store::{
    AsOf, Body, Book, DatabaseError, Directory, Fault, Feed, Head, Holder, LoadError, Reader, Row,
    RowSink, StoredProgramme, Touched, load,
};

use super::Error;
use super::as_of::counts;
use crate::database::Opened;
use crate::progress;

/// A journal up to its last whole entry; what is written meanwhile is not looked at.
pub struct Source<'a> {
    opened: &'a Opened,
    programme: StoredProgramme,
    horizon: Head,
}

impl<'a> Source<'a> {
    /// The journal as it is now.
    pub fn new(opened: &'a Opened, programme: StoredProgramme) -> Result<Self, Error> {
        let end = opened.wait(opened.database().head(programme.id))?;
        let mut source = Self { opened, programme, horizon: end };
        let last = source.row(end.seq)?;
        if !last.is_last {
            // A settlement is being written, or broke off.
            let whole = source.row(last.entry.saturating_sub(1))?;
            source.horizon = Head { seq: whole.seq, hash: whole.hash };
        }
        Ok(source)
    }

    fn row(&self, seq: u64) -> Result<Row, Error> {
        let rows = self.opened.wait(self.opened.database().rows(self.programme.id, seq, 1))?;
        let found = rows.into_iter().find(|row| row.seq == seq);
        Ok(found
            .ok_or_else(|| LoadError::from(Fault::Gap { expected: seq, seq: self.horizon.seq }))?)
    }

    /// Hands on every row that counts at a moment, in order.
    pub fn each_row(
        &self,
        as_of: AsOf,
        mut take: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (runtime, database) = (self.opened.runtime(), self.opened.database());
        let end = self.horizon.seq;
        let bar = progress::rows("exporting".to_owned());
        let mut next = 0;
        for row in Feed::start(runtime, database, self.programme.id, 0, end) {
            let row = row?;
            if row.seq != next {
                return Err(LoadError::from(Fault::Gap { expected: next, seq: row.seq }).into());
            }
            if !counts(&row, as_of) {
                return done(&bar);
            }
            progress::step(&bar, next, end);
            take(row)?;
            next += 1;
        }
        if next <= end {
            return Err(LoadError::from(Fault::Gap { expected: next, seq: end }).into());
        }
        done(&bar)
    }

    /// What the journal comes to.
    pub fn book(&self) -> Result<Book, Error> {
        let (runtime, database) = (self.opened.runtime(), self.opened.database());
        let bar = progress::waiting("loading".to_owned());
        let loaded = load(runtime, database, self.programme.id, self.horizon, 0, &mut Nowhere);
        bar.finish_and_clear();
        Ok(loaded?.book)
    }

    /// Reads by account.
    pub fn reader(&self, book: &Book) -> Reader {
        let directory = Directory::new(book.engine.state(), &book.recorder, 0);
        Reader::new(self.opened.database().clone(), self.programme.id, directory)
    }

    /// Waits for something of the database.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.opened.wait(future)
    }
}

fn done(bar: &ProgressBar) -> Result<(), Error> {
    bar.finish_and_clear();
    Ok(())
}

/// The horizon is after a whole entry: nothing is ever missing.
struct Nowhere;

impl RowSink for Nowhere {
    fn take(&mut self, _: Row, _: &mut Vec<Touched>) {}
}

/// Each account's balances, as the newest row that touched it left them.
#[derive(Debug, Default)]
pub struct Folded(std::collections::BTreeMap<Account, [i64; Unit::COUNT]>);

impl Folded {
    /// Takes the next row.
    pub fn take(&mut self, row: &Row) -> Result<(), Error> {
        for touch in Body::read(row.seq, &row.body)?.touches {
            if let Holder::Account(account) = touch.holder {
                self.0.insert(account, touch.balances);
            }
        }
        Ok(())
    }

    /// What an account has, if anything touched it.
    pub fn of(&self, account: Account) -> Option<&[i64; Unit::COUNT]> {
        self.0.get(&account)
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        Self::Load(error.into())
    }
}
