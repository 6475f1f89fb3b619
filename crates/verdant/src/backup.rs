//! `verdant backup`: journals into one file.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use store::{BackedUp, BackupError, backup, hex};

use crate::database::{self, Place};
use crate::outfile::{OutFile, WriteError};
use crate::output::{self, OutputError};
use crate::progress;

const EXAMPLE: &str = "\
Example:
  verdant backup --data data --out verdant.backup
  verdant restore verdant.backup --database postgres://verdant@db.internal/verdant

The journals are written as they are at the start; others may go on writing. A backup of one kind of
database can be restored into the other.";

/// Write the journals of all programmes to a file, while others go on writing
///
/// The file appears whole or not at all, and carries a digest. Each journal in it ends with a whole
/// transaction, as all of them were when the backup began.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Where the journals are
    #[command(flatten)]
    place: Place,
    /// Back up this programme only; may be given more than once [default: all]
    #[arg(long, value_name = "NAME")]
    programme: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Why a backup ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to back up.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The journals cannot be read, or not written.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was done cannot be told.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let opened = args.place.open()?;
    let programmes = opened.some(&args.programme)?;
    let failed = |source: io::Error| WriteError { path: args.out.clone(), source };
    let mut out = BufWriter::with_capacity(1 << 20, OutFile::create(&args.out)?);
    let bar = progress::rows("backing up".to_owned());
    let mut step = |done, all| progress::step(&bar, done, all);
    let written = backup(opened.runtime(), opened.database(), &programmes, &mut out, &mut step);
    bar.finish_and_clear();
    let written = match written {
        Err(BackupError::File(source)) => return Err(failed(source).into()),
        written => written?,
    };
    opened.close();
    out.into_inner().map_err(|error| failed(error.into_error()))?.keep()?;
    output::write(&list("backed up", &written))?;
    Ok(())
}

/// Journals with their ends, as `--expect` takes them.
pub fn list(done: &str, journals: &[BackedUp]) -> String {
    let line = |journal: &BackedUp| {
        let BackedUp { name, head } = journal;
        format!("{done} {name}@{}={}\n", head.seq, hex(&head.hash))
    };
    journals.iter().map(line).collect()
}
