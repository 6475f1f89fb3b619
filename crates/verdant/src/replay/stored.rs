//! A replay into a database: through the sequencer, as `verdant serve` does it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{Command, Day, Programme};
use jiff::Timestamp;
use platform::sequencer::{Sequencer, Settings, StartError};
use store::{
    Body, Feed, LoadError, Loaded, Row, RowSink, StoredProgramme, Touched, Unreadable, first_row,
    load,
};

use super::events::Events;
use super::flows::Flows;
use super::results::Results;
use super::submit::{self, Tally};
use super::summary::Summary;
use super::{Args, Error, open, write_state};
use crate::database::{self, Opened, Place};
use crate::outfile::{OutFile, all_different};
use crate::{output, programme_file, progress};

/// What is said of a line that stops the replay.
const AFTER_A_BAD_LINE: &str = "what came before it is stored: correct the line and run the same again, nothing is applied twice";

/// How long others wait after the last sign of life of a replay that was killed.
const LEASE: Duration = Duration::from_secs(5);

/// How long a commit may take before it is asked whether it happened.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a replay into a database ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// There is no database to write to.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The journal begins with another programme.
    #[error(
        "the programme {name:?} in the database began with other rules than {}: amend it with a \
         programme.amend event, or choose another name with --as", path.display()
    )]
    OtherProgramme {
        /// The name in the database.
        name: String,
        /// The file.
        path: std::path::PathBuf,
    },
    /// The sequencer cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Not every line has an answer.
    #[error(transparent)]
    Submit(#[from] submit::Error),
    /// What is stored cannot be read.
    #[error("the journal cannot be read back; look at it with `verdant verify`")]
    Load(#[from] LoadError),
    /// A row cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Keys came with other commands before.
    #[error(
        "{count} of the lines came with other commands before and were not applied: line {line} \
         has the key {run}/{line} of entry {entry}; if these are other events, name them with --run"
    )]
    KeysReused {
        /// How many.
        count: u64,
        /// The first of them.
        line: u64,
        /// The entry that has its key.
        entry: u64,
        /// The run's name.
        run: String,
    },
}

impl From<store::DatabaseError> for StoredError {
    fn from(error: store::DatabaseError) -> Self {
        Self::Database(error.into())
    }
}

/// Runs the command into a database.
pub fn run(args: &Args, place: &Place) -> Result<(), Error> {
    all_different(&[
        ("the programme", Some(&args.programme)),
        ("the events", Some(&args.events)),
        ("--state", args.state.as_deref()),
        ("--results", args.results.as_deref()),
    ])?;
    let programme = programme_file::read(&args.programme)?;
    let events = open(&args.events, AFTER_A_BAD_LINE)?;
    let state_file = args.state.as_deref().map(OutFile::create).transpose()?;
    let opened = place.create_or_open().map_err(StoredError::from)?;
    let name = args.stored_name.clone().unwrap_or_else(|| programme.name.clone());
    let stored = find_or_create(&opened, &name, &programme, &args.programme)?;
    let mut results = Results::create(args.results.as_deref())?;
    let run = run_name(args);
    let tally = write(&opened, &stored, events, &run, &mut results)?;
    tell(&tally);
    let loaded = read_back(&opened, &stored)?;
    let state = match (state_file, &args.state) {
        (Some(file), Some(path)) => {
            Some(write_state(&loaded.book.engine, &tally.rejected, file, path)?)
        }
        _ => None,
    };
    let flows = flows(&opened, &stored, loaded.book.recorder.head().seq)?;
    output::write(&Summary::new(loaded.book.engine.state(), flows, &tally.rejected))?;
    if let Some(file) = state {
        file.place()?;
    }
    opened.close();
    match tally.first_reused {
        Some((line, entry)) => {
            Err(StoredError::KeysReused { count: tally.reused, line, entry, run }.into())
        }
        None => Ok(()),
    }
}

/// What the keys of the lines begin with.
fn run_name(args: &Args) -> String {
    match (&args.run, args.events.file_name()) {
        (Some(run), _) => run.clone(),
        (None, Some(name)) if name != "-" => name.to_string_lossy().into_owned(),
        (None, _) => "stdin".to_owned(),
    }
}

fn find_or_create(
    opened: &Opened,
    name: &str,
    programme: &Programme,
    path: &Path,
) -> Result<StoredProgramme, StoredError> {
    let first = first_row(programme, Timestamp::now().as_microsecond());
    let database = opened.database();
    let find = |known: Vec<StoredProgramme>| known.into_iter().find(|known| known.name == name);
    let found = match find(opened.programmes()?) {
        Some(found) => found,
        None => match opened.wait(database.create(name, &first)) {
            // Somebody was a moment quicker.
            Err(store::DatabaseError::NameTaken { .. }) => {
                find(opened.programmes()?).ok_or(database::Error::NoProgramme)?
            }
            created => return Ok(created?),
        },
    };
    let stored = opened.wait(database.rows(found.id, 0, 1))?;
    let json = |row: &Row| {
        row.command.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
    };
    if stored.first().and_then(json) != json(&first) {
        return Err(StoredError::OtherProgramme { name: name.to_owned(), path: path.to_owned() });
    }
    Ok(found)
}

/// Hands all lines to a sequencer of our own, and stops it whatever happens: others can take over.
fn write(
    opened: &Opened,
    stored: &StoredProgramme,
    events: Events,
    run: &str,
    results: &mut Results,
) -> Result<Tally, StoredError> {
    let settings = Settings {
        holder: format!("verdant replay (process {})", std::process::id()),
        lease: LEASE,
        commit_timeout: COMMIT_TIMEOUT,
        clock: Arc::new(Timestamp::now),
        seed: 0,
    };
    opened.wait(async {
        let sequencer = Sequencer::start(Arc::clone(opened.database()), stored.id, settings)?;
        let mut tally = Tally::default();
        let submitted = submit::all(&sequencer, events, run, results, &mut tally).await;
        sequencer.stop().await;
        submitted?;
        Ok(tally)
    })
}

fn tell(tally: &Tally) {
    if tally.repeats > 0 {
        let (repeats, lines) = (tally.repeats, tally.lines);
        let text =
            format!("{repeats} of {lines} lines were there already; nothing is applied twice");
        // A closed standard error changes nothing of what is stored.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// The committed journal, come to again from the snapshot that the sequencer left.
fn read_back(opened: &Opened, stored: &StoredProgramme) -> Result<Loaded, StoredError> {
    struct Nowhere;
    impl RowSink for Nowhere {
        fn take(&mut self, _: Row, _: &mut Vec<Touched>) {}
    }
    let head = opened.wait(opened.database().head(stored.id))?;
    Ok(load(opened.runtime(), opened.database(), stored.id, head, 0, &mut Nowhere)?)
}

/// The sums of the summary, over all that is committed.
fn flows(opened: &Opened, stored: &StoredProgramme, end: u64) -> Result<Flows, StoredError> {
    let bar = progress::rows("adding up".to_owned());
    let mut flows = Flows::default();
    for row in Feed::start(opened.runtime(), opened.database(), stored.id, 1, end) {
        let row = row?;
        progress::step(&bar, row.seq, end);
        if row.refused.is_some() {
            continue;
        }
        let body = Body::read(row.seq, &row.body)?;
        let command = row.command.as_deref().and_then(|text| Command::from_json(text).ok());
        if let Some(command) = command {
            let day = match &command.action {
                engine::Action::DaySettle { day } => Some(*day),
                _ => Day::of(command.at),
            };
            if let Some(day) = day {
                flows.open(&engine::Head { command: &command, day, price: body.price });
            }
        }
        for posting in &body.postings {
            flows.add(posting);
        }
    }
    bar.finish_and_clear();
    Ok(flows)
}
