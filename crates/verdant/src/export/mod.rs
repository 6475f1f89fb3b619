//! `verdant export`: the journal and what it comes to, as tables.

mod accounts;
mod as_of;
mod columns;
mod format;
mod journal;
mod parquet_file;
mod source;
mod table;
mod text_file;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use store::{AsOf, LoadError, ReadError, Unreadable};

use crate::database::{self, Place};
use crate::outfile::{OutFile, WriteError};
use crate::output::{OutputError, Patient};
use crate::usage;
use as_of::Moment;
use format::Format;
use source::Source;
use table::{Column, Table};

const EXAMPLE: &str = "\
Example:
  verdant export postings --data data --format csv > postings.csv
  verdant export balances --data data --format parquet --out balances.parquet --as-of 2026-01-31
  verdant export statement member/A --data data --format jsonl

Columns:
  entries    entry, effective_at, recorded_at, type, command (JSON), key, refused, postings (how
             many), last_seq, hash (of the row last_seq); entry 0 is the programme. An entry is a
             row of the journal, a settlement as many as it needs, from entry to last_seq
  postings   entry, seq (the row), number (within the row), effective_at, account, unit, amount,
             balance (the account's in this unit, afterwards), rule, why (JSON)
  balances   account, cash, growth, stable, quota, share, locked, reward; a trial-balance has the
             same columns, a row for members, merchants, carries and debts each, and their total
  statement  entry, position (seq.number), effective_at, recorded_at, unit, amount, balance, rule,
             why (JSON)

In CSV and JSON Lines, amounts are texts with the decimals of their unit (2 for cash, stable and
quota, 6 for the others) and times are RFC 3339 in UTC+8. In Parquet, amounts are DECIMAL(38, d),
exact and ready to be summed: d is 6 in `amount` and `balance`, where units are mixed, and the
unit's own in balances; times are TIMESTAMP in microseconds, UTC; JSON is text.";

/// Write the journal, balances or a statement as CSV, JSON Lines or Parquet
///
/// All of it is read at one moment, after the last whole entry there is when it begins; others may
/// write meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// What to write
    what: What,
    /// The account of a statement: member/A, merchant/M, debt/A, carry/static, pool, ..., and for
    /// sums members, merchants, carries, debts
    #[arg(required_if_eq("what", "statement"))]
    account: Option<String>,
    /// Where the journals are
    #[command(flatten)]
    place: Place,
    /// The programme; may be left out where there is only one
    #[arg(long, value_name = "NAME")]
    programme: Option<String>,
    /// The format
    #[arg(long)]
    format: Format,
    /// Write to this file, all or nothing, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only what took effect up to a time (2026-01-31T18:00:00+08:00), by the end of a day
    /// (2026-01-31), or up to an entry (entry:1042)
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<Moment>,
}

/// The tables there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Every command that was accepted, or refused with a key
    Entries,
    /// Every posting, with the balance it left and why it was made
    Postings,
    /// What each account has
    Balances,
    /// Each account of the house, the sums of all others, and that they come to zero
    TrialBalance,
    /// All postings to one account, newest first
    Statement,
}

/// Why an export ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to export.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The journal is not what it should be.
    #[error("the journal cannot be read; look at it with `verdant verify`")]
    Load(#[from] LoadError),
    /// A row is not what it should be.
    #[error("the journal cannot be read; look at it with `verdant verify`")]
    Unreadable(#[from] Unreadable),
    /// The account cannot be read, or is not there.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The table cannot be written.
    #[error("cannot write the table")]
    Table(#[from] io::Error),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    match (args.what, &args.account, args.format, &args.out) {
        (What::Statement, ..) | (_, None, ..) => {}
        _ => usage::refuse("export", "only a statement is of one account"),
    }
    if args.format == Format::Parquet && args.out.is_none() {
        usage::refuse("export", "Parquet is no text: name a file with --out");
    }
    let opened = args.place.open()?;
    let programme = opened.one(args.programme.as_deref())?;
    let source = Source::new(&opened, programme)?;
    let as_of = args.as_of.map_or(AsOf::Now, |Moment(as_of)| as_of);
    match &args.out {
        Some(path) => {
            let failed = |source: io::Error| WriteError { path: path.clone(), source };
            let mut out = BufWriter::with_capacity(1 << 20, OutFile::create(path)?);
            match args.write(&source, as_of, &mut out) {
                Err(Error::Table(source)) => return Err(failed(source).into()),
                written => written?,
            }
            out.into_inner().map_err(|error| failed(error.into_error()))?.keep()?;
        }
        None => {
            let mut out = BufWriter::with_capacity(1 << 16, Patient::new(io::stdout()));
            match args.write(&source, as_of, &mut out) {
                Err(Error::Table(source)) => return Err(OutputError::from(source).into()),
                written => written?,
            }
        }
    }
    opened.close();
    Ok(())
}

impl Args {
    fn columns(&self) -> &'static [Column] {
        match self.what {
            What::Entries => columns::ENTRIES,
            What::Postings => columns::POSTINGS,
            What::Balances | What::TrialBalance => columns::BALANCES,
            What::Statement => columns::STATEMENT,
        }
    }

    fn write(
        &self,
        source: &Source<'_>,
        as_of: AsOf,
        out: &mut (dyn Write + Send),
    ) -> Result<(), Error> {
        let mut table: Box<dyn Table> = self.format.start(self.columns(), &mut *out)?;
        let account = self.account.as_deref().unwrap_or_default();
        match self.what {
            What::Entries => journal::entries(source, as_of, &mut *table)?,
            What::Postings => journal::postings(source, as_of, &mut *table)?,
            What::Balances => accounts::balances(source, as_of, &mut *table)?,
            What::TrialBalance => accounts::trial_balance(source, as_of, &mut *table)?,
            What::Statement => accounts::statement(source, account, as_of, &mut *table)?,
        }
        table.finish()?;
        out.flush()?;
        Ok(())
    }
}
