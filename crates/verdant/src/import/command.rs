//! `verdant import` as a command: files, standard input and output, the report.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::outfile::{OutFile, WriteError, all_different};
use crate::output::Patient;

use super::{Args, Error, Summary, convert, report};

/// Runs `verdant import`: events to standard output or `--out`, the report to standard error.
///
/// # Errors
/// When the import as a whole is refused ([`Error`]); the exit status is then 1.
pub fn run(args: &Args) -> Result<(), Error> {
    all_different(&[
        ("the order table", Some(&args.table)),
        ("--out", args.out.as_deref()),
        ("--faults", args.faults.as_deref()),
    ])?;
    let table = open(&args.table)?;
    let outcome = match &args.out {
        Some(path) => {
            let mut file = OutFile::create(path)?;
            convert(table, &args.options, &mut file).map(|summary| (summary, Some(file)))
        }
        None => to_standard_output(table, args).map(|summary| (summary, None)),
    };
    match outcome {
        Ok((summary, file)) => {
            tell(&summary, args)?;
            file.map_or(Ok(()), |file| Ok(file.keep()?))
        }
        Err(Error::Strict(summary)) => {
            tell(&summary, args)?;
            Err(Error::Strict(summary))
        }
        Err(error) => Err(error),
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(Error::Open { path: path.to_owned(), source }),
    }
}

/// A reader that has seen enough and closes the pipe is no failure of ours.
fn to_standard_output(table: impl Read, args: &Args) -> Result<Summary, Error> {
    let mut out = Patient::new(io::stdout().lock());
    convert(table, &args.options, &mut out)
}

/// Writes the faults file, and the report.
fn tell(summary: &Summary, args: &Args) -> Result<(), Error> {
    if let Some(path) = &args.faults {
        let mut file = OutFile::create(path)?;
        report::write_faults(&summary.unusable, &mut file)
            .map_err(|source| WriteError { path: path.clone(), source })?;
        file.keep()?;
    }
    // A closed standard error must not cost the events.
    let _ = report::write(summary, &mut io::stderr().lock());
    Ok(())
}
