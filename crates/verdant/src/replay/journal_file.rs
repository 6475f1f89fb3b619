//! The journal as a file, one entry a line.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use engine::{Described, Head, Journal, Posting, PriceText, Programme, ReleaseSources, State};
use ledger::Micro;
use serde::Serialize;

use super::flows::Flows;
use crate::outfile::{Finished, OutFile, WriteError};

/// How many members a bonus names as its source; the count is always of all.
const SOURCES_LISTED_MAX: usize = 20;

/// Writes entries if there is a file, and adds up what they say.
pub struct JournalFile {
    file: Option<(BufWriter<OutFile>, PathBuf)>,
    /// The journal has no way to refuse an entry: a failed write is told at the next check.
    failed: Option<io::Error>,
    entries: u64,
    is_first_posting: bool,
    sources: ReleaseSources,
    flows: Flows,
}

#[derive(Serialize)]
struct EntryHead<'a> {
    entry: u64,
    day: String,
    price: Option<PriceText>,
    command: &'a engine::Command,
}

#[derive(Serialize)]
struct Source<'a> {
    member: &'a str,
    released: Micro,
}

impl JournalFile {
    /// Starts the file with the programme, as entry 0: with it the journal alone can be replayed.
    pub fn create(path: Option<&Path>, programme: &Programme) -> Result<Self, WriteError> {
        let file = match path {
            Some(path) => Some((BufWriter::new(OutFile::create(path)?), path.to_owned())),
            None => None,
        };
        let mut journal = Self {
            file,
            failed: None,
            entries: 0,
            is_first_posting: true,
            sources: ReleaseSources::default(),
            flows: Flows::default(),
        };
        let first = serde_json::json!({ "entry": 0, "programme": programme.to_json() });
        journal.write(|out| writeln!(out, "{first}"));
        journal.check()?;
        Ok(journal)
    }

    /// Says if an entry could not be written.
    pub fn check(&mut self) -> Result<(), WriteError> {
        match (self.failed.take(), &self.file) {
            (Some(source), Some((_, path))) => Err(WriteError { path: path.clone(), source }),
            _ => Ok(()),
        }
    }

    /// The whole file, safely on disk but not yet in its place, and the sums.
    pub fn finish(mut self) -> Result<(Option<Finished>, Flows), WriteError> {
        self.check()?;
        let Some((out, path)) = self.file else { return Ok((None, self.flows)) };
        let failed = |error: io::IntoInnerError<_>| WriteError { path, source: error.into_error() };
        Ok((Some(out.into_inner().map_err(failed)?.finish()?), self.flows))
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<OutFile>) -> io::Result<()>) {
        if let (Some((out, _)), None) = (&mut self.file, &self.failed) {
            self.failed = write(out).err();
        }
    }

    fn write_posting(&mut self, state: &State, posting: &Posting) {
        let comma = if std::mem::take(&mut self.is_first_posting) { "" } else { "," };
        let described = Described { names: state, of: *posting };
        let Some(sources) = self.sources.of(state, posting) else {
            return self.write(|out| {
                write!(out, "{comma}")?;
                Ok(serde_json::to_writer(out, &described)?)
            });
        };
        let count = sources.len();
        let listed: Vec<_> = sources
            .iter()
            .take(SOURCES_LISTED_MAX)
            .map(|&(member, released)| Source { member: state.member_name(member), released })
            .collect();
        #[derive(Serialize)]
        struct WithSources<'a> {
            #[serde(flatten)]
            posting: Described<'a, Posting>,
            sources: usize,
            from: Vec<Source<'a>>,
        }
        self.write(|out| {
            write!(out, "{comma}")?;
            let posting = WithSources { posting: described, sources: count, from: listed };
            Ok(serde_json::to_writer(out, &posting)?)
        });
    }
}

impl Journal for JournalFile {
    fn open(&mut self, _: &State, head: &Head<'_>) {
        self.entries += 1;
        self.is_first_posting = true;
        self.sources = ReleaseSources::default();
        self.flows.open(head);
        if self.file.is_none() {
            return;
        }
        let head = EntryHead {
            entry: self.entries,
            day: head.day.to_string(),
            price: head.price.map(Into::into),
            command: head.command,
        };
        self.write(|out| {
            // The head is an object; its closing brace comes after the postings.
            let text = serde_json::to_string(&head)?;
            write!(out, "{},\"postings\":[", text.strip_suffix('}').unwrap_or(&text))
        });
    }

    fn post(&mut self, state: &State, postings: &[Posting]) {
        for posting in postings {
            self.flows.add(posting);
            if self.file.is_some() {
                self.sources.note(posting);
                self.write_posting(state, posting);
            }
        }
    }

    fn close(&mut self, _: &State) {
        self.write(|out| writeln!(out, "]}}"));
    }
}
