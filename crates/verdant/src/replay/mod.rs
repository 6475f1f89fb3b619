//! `verdant replay`: an event file through the engine.

mod events;
mod flows;
mod journal_file;
mod results;
mod stored;
mod submit;
mod summary;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use engine::{Engine, Rejected};
use serde::Serialize;

use crate::database::MaybePlace;
use crate::outfile::{Finished, OutFile, SharedFile, WriteError, all_different};
use crate::output::{self, OutputError};
use crate::{programme_file, progress, usage};
use events::{Events, EventsError};
use journal_file::JournalFile;
use stored::StoredError;
use summary::Summary;

const EXAMPLE: &str = "\
Example:
  verdant import orders.csv | verdant replay examples/wine.toml - --state state.json
  verdant replay programme.toml events.jsonl --journal journal.jsonl
  verdant replay programme.toml events.jsonl --data data --results results.jsonl

With --data or --database each event gets the idempotency key RUN/LINE. Running the same again, also
after a crash in the middle, applies nothing twice.";

/// What is said of a line that stops a replay in memory.
const NOTHING_WRITTEN: &str = "nothing was written";

/// Run an event file through the engine and print what became of it
///
/// Reads one command a line (JSON), settles every day that ends in between, and prints a summary.
/// A refused command is counted by its reason, and the replay goes on. A line that is no command
/// stops it: then no file is written.
///
/// With --data or --database all of it goes into the journal of a programme there, which is made
/// if it is not there yet; then the summary and the state are those of the whole journal.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The programme, a TOML file
    programme: PathBuf,
    /// The events, JSON Lines; - reads standard input
    events: PathBuf,
    /// Write the state at the end to this file, as JSON
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Write every entry with its postings to this file, as JSON Lines
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Where the journal is; without, all is in memory and gone afterwards
    #[command(flatten)]
    place: MaybePlace,
    /// The programme's name in the database [default: the name in the programme file]
    #[arg(long = "as", value_name = "NAME", requires = "Place")]
    stored_name: Option<String>,
    /// What the keys of this run's events begin with [default: the name of the events file]
    #[arg(long, value_name = "NAME", requires = "Place")]
    run: Option<String>,
    /// Write a JSON line for each event to this file as soon as it is stored: its entry, or why it
    /// was refused
    #[arg(long, value_name = "FILE", requires = "Place")]
    results: Option<PathBuf>,
}

/// Why a replay ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programme was refused.
    #[error(transparent)]
    Programme(#[from] programme_file::Error),
    /// The events cannot be opened.
    #[error("cannot open the events {}", path.display())]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no command.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// A file cannot be written.
    #[error(transparent)]
    WriteFile(#[from] WriteError),
    /// Two of the files are one.
    #[error(transparent)]
    SharedFile(#[from] SharedFile),
    /// The summary cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The database, or what is in it.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    match &args.place.0 {
        Some(_) if args.journal.is_some() => usage::refuse(
            "replay",
            "--journal is for a replay in memory; with --data or --database the journal is in the \
             database: `verdant export entries` and `verdant export postings` write it",
        ),
        Some(place) => stored::run(args, place),
        None => in_memory(args),
    }
}

fn in_memory(args: &Args) -> Result<(), Error> {
    all_different(&[
        ("the programme", Some(&args.programme)),
        ("the events", Some(&args.events)),
        ("--state", args.state.as_deref()),
        ("--journal", args.journal.as_deref()),
    ])?;
    let programme = programme_file::read(&args.programme)?;
    let mut events = open(&args.events, NOTHING_WRITTEN)?;
    let state_file = args.state.as_deref().map(OutFile::create).transpose()?;
    let mut journal = JournalFile::create(args.journal.as_deref(), &programme)?;
    let mut engine = Engine::new(programme, 0);
    let rejected = feed(&mut engine, &mut events, &mut journal)?;
    let state = match (state_file, &args.state) {
        (Some(file), Some(path)) => Some(write_state(&engine, &rejected, file, path)?),
        _ => None,
    };
    // Both files are whole before either is put in its place.
    let (journal, flows) = journal.finish()?;
    let summary = Summary::new(engine.state(), flows, &rejected);
    output::write(&summary)?;
    for file in state.into_iter().chain(journal) {
        file.place()?;
    }
    Ok(())
}

fn open(path: &Path, left: &'static str) -> Result<Events, Error> {
    let failed = |source| Error::Open { path: path.to_owned(), source };
    let bar = |len| progress::bytes(len, "replaying");
    if path.as_os_str() == "-" {
        return Ok(Events::new(Box::new(io::stdin()), "standard input", left, bar(None)));
    }
    let file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    Ok(Events::new(Box::new(file), &path.display().to_string(), left, bar(Some(len))))
}

/// Applies every event, each after the settlements that are due before it.
fn feed(
    engine: &mut Engine,
    events: &mut Events,
    journal: &mut JournalFile,
) -> Result<Vec<Rejected>, Error> {
    let mut rejected = Vec::new();
    while let Some((line, command)) = events.next()? {
        while let Some(settlement) = engine.settlement_due(&command) {
            if let Some(day) = engine.state().open_day() {
                events.tell_day(day);
            }
            // A day that cannot be closed leaves the command on a day that is not open.
            if engine.apply(&settlement, journal).is_err() {
                break;
            }
            journal.check()?;
        }
        if let Err(reason) = engine.apply(&command, journal) {
            rejected.push(Rejected { line, reason });
        }
        journal.check()?;
    }
    Ok(rejected)
}

fn write_state(
    engine: &Engine,
    rejected: &[Rejected],
    file: OutFile,
    path: &Path,
) -> Result<Finished, WriteError> {
    let failed = |source: io::Error| WriteError { path: path.to_owned(), source };
    let mut out = io::BufWriter::new(file);
    let style = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, style);
    let state = engine.state().to_file(rejected);
    state.serialize(&mut serializer).map_err(|error| failed(error.into()))?;
    writeln!(out).map_err(failed)?;
    out.into_inner().map_err(|error| failed(error.into_error()))?.finish()
}
