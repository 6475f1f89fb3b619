//! `verdant verify`: whether what is stored is what its commands come to.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use comfy_table::{CellAlignment, Table, presets};
use store::{DatabaseError, Feed, Hash, StoredProgramme, Verified, VerifyError, hex, verify};

use crate::database::{self, Opened, Place};
use crate::output::{self, OutputError};
use crate::progress;

const EXAMPLE: &str = "\
Example:
  verdant verify --data data
  verdant verify --data data --expect 'wine@48213=9f86d081…'

A chain of hashes shows what was changed in it, but not that all of it was made anew, or cut off at
its end. Note a head from time to time where nobody who can write to the database can change it: a
later --expect then proves that everything up to it is still what it was.";

/// Check that journals and all that is stored beside them are what their commands come to
///
/// Applies every command again, from the first, with the rules, and compares each row, each posting
/// and each balance with what is stored; then the chain of hashes, the noted end, the snapshot, and
/// that all balances add up to zero. Others may write meanwhile. Reads only.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Where the journals are
    #[command(flatten)]
    place: Place,
    /// Check this programme only; may be given more than once [default: all]
    #[arg(long, value_name = "NAME")]
    programme: Vec<String>,
    /// A head noted earlier, NAME@ROW=HASH (or NAME=HASH, which looks for the row): it must still be
    /// there; may be given more than once
    #[arg(long, value_name = "NAME@ROW=HASH")]
    expect: Vec<Expected>,
}

/// A row's hash as it was noted earlier.
#[derive(Debug, Clone)]
struct Expected {
    programme: String,
    row: Option<u64>,
    hash: Hash,
}

/// Why `--expect` cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be NAME@ROW=HASH, the hash with 64 hexadecimal digits, as `verdant verify` prints it"
)]
struct NotExpected;

impl FromStr for Expected {
    type Err = NotExpected;

    fn from_str(text: &str) -> Result<Self, NotExpected> {
        // From the right: a name may have any sign in it.
        let (left, hash) = text.rsplit_once('=').ok_or(NotExpected)?;
        let hash = unhex(hash.trim()).ok_or(NotExpected)?;
        let numbered =
            left.rsplit_once('@').and_then(|(name, row)| Some((name, row.parse().ok()?)));
        let (programme, row) = match numbered {
            Some((name, row)) => (name, Some(row)),
            None => (left, None),
        };
        Ok(Self { programme: programme.to_owned(), row, hash })
    }
}

fn unhex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.bytes().map(digit).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok()).flatten()
}

/// Why a verification ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to check.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// What was found cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Something is wrong; what, was told.
    #[error(
        "{wrong} of {all} journals {} not what {} should be; keep the database as it is, and \
         restore a backup elsewhere to compare",
        if *wrong == 1 { "is" } else { "are" }, if *wrong == 1 { "it" } else { "they" }
    )]
    Found {
        /// Journals with something wrong.
        wrong: usize,
        /// Journals checked.
        all: usize,
    },
}

/// What is wrong with a programme.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Journal(#[from] VerifyError),
    #[error(
        "row {row} was {noted} when it was noted, and is {found} now: the journal was rewritten"
    )]
    Rewritten { row: u64, noted: String, found: String },
    #[error(
        "row {row} was noted with the hash {noted}, but the journal ends at row {end}: it was cut off"
    )]
    CutOff { row: u64, noted: String, end: u64 },
    #[error("no row has the hash {noted} that was noted: the journal was rewritten or cut off")]
    NotThere { noted: String },
}

impl From<DatabaseError> for Wrong {
    fn from(error: DatabaseError) -> Self {
        Self::Journal(error.into())
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let opened = args.place.open()?;
    let mut programmes = opened.some(&args.programme)?;
    for expected in &args.expect {
        // One that is not there at all is the worst that can have been done to it.
        let named = opened.some(std::slice::from_ref(&expected.programme))?;
        let unasked = named.into_iter().filter(|named| !programmes.contains(named));
        programmes.extend(unasked.collect::<Vec<_>>());
    }
    let mut found = Vec::new();
    for programme in &programmes {
        let expected = args.expect.iter().filter(|expected| expected.programme == programme.name);
        match check(&opened, programme, expected) {
            Ok(verified) => found.push(Found { name: programme.name.clone(), verified }),
            Err(wrong) => {
                let text = format!("{}: {}", programme.name, crate::chain(&wrong));
                // A closed standard error must not hide the exit status.
                let _ = writeln!(io::stderr(), "{text}");
            }
        }
    }
    opened.close();
    if !found.is_empty() {
        output::write(&Report(&found))?;
    }
    let (wrong, all) = (programmes.len() - found.len(), programmes.len());
    if wrong > 0 { Err(Error::Found { wrong, all }) } else { Ok(()) }
}

fn check<'a>(
    opened: &Opened,
    programme: &StoredProgramme,
    expected: impl Iterator<Item = &'a Expected>,
) -> Result<Verified, Wrong> {
    let verified = whole(opened, programme)?;
    for expected in expected {
        expect(opened, programme, &verified, expected)?;
    }
    Ok(verified)
}

/// Verifies one programme, with a progress bar.
pub fn whole(opened: &Opened, programme: &StoredProgramme) -> Result<Verified, VerifyError> {
    let bar = progress::rows(format!("verifying {}", programme.name));
    let mut step = |done, all| progress::step(&bar, done, all);
    let verified = verify(opened.runtime(), opened.database(), programme.id, &mut step);
    bar.finish_and_clear();
    verified
}

/// Whether the journal, which is whole, still has a row that was noted.
fn expect(
    opened: &Opened,
    programme: &StoredProgramme,
    verified: &Verified,
    expected: &Expected,
) -> Result<(), Wrong> {
    let (end, noted) = (verified.head.seq, hex(&expected.hash));
    let Some(row) = expected.row else {
        for row in Feed::start(opened.runtime(), opened.database(), programme.id, 0, end) {
            if row?.hash == expected.hash {
                return Ok(());
            }
        }
        return Err(Wrong::NotThere { noted });
    };
    let found = opened.wait(opened.database().rows(programme.id, row, 1))?;
    match found.first().filter(|found| found.seq == row && row <= end) {
        Some(found) if found.hash == expected.hash => Ok(()),
        Some(found) => Err(Wrong::Rewritten { row, noted, found: hex(&found.hash) }),
        None => Err(Wrong::CutOff { row, noted, end }),
    }
}

/// A journal that is right.
pub struct Found {
    /// The programme.
    pub name: String,
    /// What it comes to.
    pub verified: Verified,
}

/// What was verified, for people and for a later `--expect`.
pub struct Report<'a>(pub &'a [Found]);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Found { name, verified }) in self.0.iter().enumerate() {
            let mut table = Table::new();
            table.load_style(presets::NOTHING);
            let mut add = |name: &str, figure: String| {
                table.add_row([format!("  {name}"), figure]);
            };
            add("entries", verified.entries.to_string());
            add("rows", (verified.head.seq + 1).to_string());
            add("head", format!("{name}@{}={}", verified.head.seq, hex(&verified.head.hash)));
            add("trial balance", "zero in every unit".to_owned());
            let snapshot = match verified.snapshot {
                Some(row) => format!("compared after row {row}"),
                None => "none".to_owned(),
            };
            add("snapshot", snapshot);
            if verified.is_unfinished {
                let text = "the last one breaks off; the next start completes it";
                add("settlement", text.to_owned());
            }
            if let Some(column) = table.column_mut(1) {
                column.set_cell_alignment(CellAlignment::Left);
            }
            let gap = if number > 0 { "\n" } else { "" };
            writeln!(f, "{gap}{name}\n{}", table.trim_fmt())?;
        }
        Ok(())
    }
}
