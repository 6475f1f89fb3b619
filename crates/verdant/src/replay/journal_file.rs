//! The journal as a file, one entry a line, and the sums the summary needs.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use engine::{Account, Day, Described, Head, Journal, Posting, ReleaseSources, State, Unit, Why};
use ledger::{Fen, Micro};
use serde::Serialize;

use crate::outfile::{OutFile, WriteError};

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

/// What all entries of a replay come to.
#[derive(Debug, Default)]
pub struct Flows {
    /// Days settled.
    pub settled: u64,
    /// The first and the last business day.
    pub days: Option<(Day, Day)>,
    /// Money and points by the rule that moved them to members, in steps.
    pub paid: BTreeMap<Flow, i64>,
}

/// What the summary adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Cash into the pool from orders.
    Contributed,
    /// Cash out of the pool for redeemed points.
    Redeemed,
    /// Cash out of the pool by forced exit.
    ForcedExits,
    /// Cash paid as dividends.
    Dividends,
    /// Points released by schedule.
    Scheduled,
    /// Points released by generation bonus.
    Generations,
    /// Points released by team and peer bonus.
    Teams,
}

#[derive(Serialize)]
struct EntryHead<'a> {
    entry: u64,
    day: String,
    price: Option<Price>,
    command: &'a engine::Command,
}

/// Yuan for points, as an exact fraction.
#[derive(Serialize)]
struct Price {
    yuan: Fen,
    points: Micro,
}

#[derive(Serialize)]
struct Source<'a> {
    member: &'a str,
    released: Micro,
}

impl JournalFile {
    pub fn create(path: Option<&Path>) -> Result<Self, WriteError> {
        let file = match path {
            Some(path) => Some((BufWriter::new(OutFile::create(path)?), path.to_owned())),
            None => None,
        };
        Ok(Self {
            file,
            failed: None,
            entries: 0,
            is_first_posting: true,
            sources: ReleaseSources::default(),
            flows: Flows::default(),
        })
    }

    /// Says if an entry could not be written.
    pub fn check(&mut self) -> Result<(), WriteError> {
        match (self.failed.take(), &self.file) {
            (Some(source), Some((_, path))) => Err(WriteError { path: path.clone(), source }),
            _ => Ok(()),
        }
    }

    /// Puts the file in its place.
    pub fn close(mut self) -> Result<Flows, WriteError> {
        self.check()?;
        if let Some((out, path)) = self.file {
            let failed =
                |error: io::IntoInnerError<_>| WriteError { path, source: error.into_error() };
            out.into_inner().map_err(failed)?.keep()?;
        }
        Ok(self.flows)
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<OutFile>) -> io::Result<()>) {
        if let (Some((out, _)), None) = (&mut self.file, &self.failed) {
            self.failed = write(out).err();
        }
    }

    fn write_posting(&mut self, state: &State, posting: &Posting) {
        let comma = if std::mem::take(&mut self.is_first_posting) { "" } else { "," };
        let described = Described { state, of: *posting };
        let Some((member, generation)) = bonus_of(posting) else {
            return self.write(|out| {
                write!(out, "{comma}")?;
                Ok(serde_json::to_writer(out, &described)?)
            });
        };
        let sources = self.sources.of(state, member, generation);
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

fn bonus_of(posting: &Posting) -> Option<(engine::MemberId, u16)> {
    match (posting.account, posting.why) {
        (Account::Member(member), Why::GenerationBonus { generation, .. }) => {
            Some((member, generation))
        }
        _ => None,
    }
}

impl Journal for JournalFile {
    fn open(&mut self, _: &State, head: &Head<'_>) {
        self.entries += 1;
        self.is_first_posting = true;
        self.sources = ReleaseSources::default();
        self.flows.settled +=
            u64::from(matches!(head.command.action, engine::Action::DaySettle { .. }));
        let (first, _) = self.flows.days.unwrap_or((head.day, head.day));
        self.flows.days = Some((first, head.day));
        if self.file.is_none() {
            return;
        }
        let price = head.price.map(|price| Price {
            yuan: Fen::from_steps(i64::try_from(price.numerator()).unwrap_or(i64::MAX)),
            points: Micro::from_steps(i64::try_from(price.denominator()).unwrap_or(i64::MAX)),
        });
        let head = EntryHead {
            entry: self.entries,
            day: head.day.to_string(),
            price,
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

impl Flows {
    fn add(&mut self, posting: &Posting) {
        let to_member = matches!(posting.account, Account::Member(_)) && posting.steps > 0;
        let flow = match (posting.unit, posting.why) {
            (Unit::Cash, Why::Contributed { .. }) if posting.account == Account::Pool => {
                Flow::Contributed
            }
            (Unit::Cash, Why::Redeemed { .. }) if posting.steps > 0 => Flow::Redeemed,
            (Unit::Cash, Why::ForcedExit { .. }) if to_member => Flow::ForcedExits,
            (Unit::Cash, Why::DividendByShares { .. } | Why::DividendEqually { .. })
                if to_member =>
            {
                Flow::Dividends
            }
            (Unit::Reward, Why::ReleaseScheduled { .. }) => Flow::Scheduled,
            (Unit::Reward, Why::GenerationBonus { .. }) => Flow::Generations,
            (Unit::Reward, Why::TeamBonus { .. } | Why::PeerBonus { .. }) => Flow::Teams,
            _ => return,
        };
        let sum = self.paid.entry(flow).or_default();
        *sum = sum.saturating_add(posting.steps);
    }
}
