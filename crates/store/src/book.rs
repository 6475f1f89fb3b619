//! What a journal comes to, and coming to it again.

use std::io::{self, Read, Write};

use engine::{Command, Engine, Programme, Rejection};

use crate::fault::Fault;
use crate::keys::Keys;
use crate::recorder::{Recorder, RowSink, Stamp, Touched};
use crate::row::Row;

/// What a journal comes to: the engine's state, the chains and balances of the recorder, and where
/// each idempotency key is.
#[derive(Debug, Clone)]
pub struct Book {
    /// The engine after the last entry.
    pub engine: Engine,
    /// What makes the next rows.
    pub recorder: Recorder,
    /// The keys of all commands.
    pub keys: Keys,
}

/// How an entry came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// It was there, whole.
    Whole,
    /// The journal breaks off within it; the rows that are missing went to the sink.
    Completed,
}

impl Book {
    /// The book of a journal that has only its first row.
    ///
    /// # Errors
    /// [`Fault`] when the row holds no programme.
    pub fn open(first: &Row, seed: u64) -> Result<Self, Fault> {
        if first.chained(&crate::row::NO_HASH) != first.hash {
            let what = "the programme was changed".to_owned();
            return Err(Fault::Hash { seq: first.seq, what });
        }
        let text = first.command.as_deref().unwrap_or_default();
        let programme = programme(text).map_err(|what| Fault::row(first.seq, what))?;
        Ok(Self {
            engine: Engine::new(programme, seed),
            recorder: Recorder::after_first(first),
            keys: Keys::default(),
        })
    }

    /// Applies a command, see [`Recorder::apply`].
    ///
    /// # Errors
    /// The engine's [`Rejection`].
    pub fn apply(
        &mut self,
        command: &Command,
        stamp: Stamp<'_>,
        sink: &mut dyn RowSink,
    ) -> Result<(), Rejection> {
        let seq = self.recorder.head().seq + 1;
        let result = self.recorder.apply(&mut self.engine, command, stamp, sink);
        if let Some(key) = stamp.key {
            self.keys.add(key, seq);
        }
        result
    }

    /// Comes to the next stored entry again: applies its command, and compares what is stored with
    /// what comes of it. `None` at the end of the rows.
    ///
    /// # Errors
    /// [`Fault`] at the first difference, or what the rows' source said.
    pub fn restore<E: From<Fault>>(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<Row, E>>,
        rest: &mut dyn RowSink,
    ) -> Result<Option<Restored>, E> {
        let Some(first) = rows.next().transpose()? else { return Ok(None) };
        let head = self.recorder.head();
        if first.seq != head.seq + 1 {
            return Err(Fault::Gap { expected: head.seq + 1, seq: first.seq }.into());
        }
        let Some(text) = first.command.clone() else {
            return Err(Fault::row(first.seq, "an entry without a command").into());
        };
        let seq = first.seq;
        let (recorded_at, key) = (first.recorded_at, first.key.clone());
        let stamp = Stamp { recorded_at, key: key.as_deref() };
        let refused = first.refused.clone();
        let command = match Command::from_json(&text) {
            Ok(command) if !matches!(refused.as_deref(), Some("bad_amount" | "overflow")) => {
                command
            }
            Err(error) if refused.is_none() => {
                return Err(Fault::row(seq, format!("no command: {error}")).into());
            }
            // An amount that is none is not kept with the command that was refused with it: without
            // it, the command may not be one, or one that is accepted.
            Ok(_) | Err(_) => {
                self.recorder.pass(&first, key.as_deref())?;
                self.note_key(key.as_deref(), seq);
                return Ok(Some(Restored::Whole));
            }
        };
        let mut comparison = Comparison {
            first: Some(first),
            rows,
            rest,
            before: head.hash,
            found: Ok(()),
            rest_len: 0,
        };
        let result = self.apply(&command, stamp, &mut comparison);
        let Comparison { found, rest_len, first: unread, .. } = comparison;
        found?;
        let is_same = match (result, refused.as_deref()) {
            (Ok(()), None) => true,
            (Err(reason), Some(stored)) => reason.code() == stored,
            _ => false,
        };
        if !is_same || unread.is_some() {
            let now = result.map_or_else(|reason| reason.code(), |()| "accepted");
            let then = refused.as_deref().unwrap_or("accepted");
            let what = format!("the command was {then}, but the rules say {now}");
            return Err(Fault::row(seq, what).into());
        }
        Ok(Some(if rest_len == 0 { Restored::Whole } else { Restored::Completed }))
    }

    fn note_key(&mut self, key: Option<&str>, seq: u64) {
        if let Some(key) = key {
            self.keys.add(key, seq);
        }
    }

    /// Writes all of it, to be read by [`Self::read_snapshot`].
    ///
    /// # Errors
    /// What the writer said.
    pub fn write_snapshot(&self, out: &mut dyn Write) -> io::Result<()> {
        write_part(out, &self.recorder)?;
        write_part(out, &self.keys.sorted())?;
        self.engine.state().write_snapshot(out)
    }

    /// Reads what [`Self::write_snapshot`] wrote.
    ///
    /// # Errors
    /// What the reader said, or that this is no snapshot.
    pub fn read_snapshot(input: &mut dyn Read, seed: u64) -> io::Result<Self> {
        let recorder = read_part(input)?;
        let keys: Vec<(u64, u64)> = read_part(input)?;
        let keys = Keys::from_sorted(&keys);
        let engine = Engine::read_snapshot(input, seed).map_err(io::Error::other)?;
        Ok(Self { engine, recorder, keys })
    }
}

/// The programme in the first row's text.
fn programme(text: &str) -> Result<Programme, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let Some(programme) = value.get("programme") else { return Err("no programme".into()) };
    Programme::from_json(programme).map_err(|faults| faults.to_string())
}

fn write_part(out: &mut dyn Write, part: &impl serde::Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(part).map_err(io::Error::other)?;
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(&bytes)
}

fn read_part<T: serde::de::DeserializeOwned>(input: &mut dyn Read) -> io::Result<T> {
    let mut len = [0; 8];
    input.read_exact(&mut len)?;
    let mut bytes = Vec::new();
    // Read as far as there is something, so that a wrong length takes no memory.
    input.take(u64::from_le_bytes(len)).read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

/// Compares rows as they are made with those that are stored.
struct Comparison<'a, E> {
    /// The stored row to compare next, if it was read already.
    first: Option<Row>,
    rows: &'a mut dyn Iterator<Item = Result<Row, E>>,
    /// Takes the rows that are not stored.
    rest: &'a mut dyn RowSink,
    before: crate::row::Hash,
    found: Result<(), E>,
    rest_len: u64,
}

impl<E: From<Fault>> RowSink for Comparison<'_, E> {
    fn take(&mut self, row: Row, touched: &mut Vec<Touched>) {
        if self.found.is_err() {
            return;
        }
        if self.rest_len == 0 {
            match self.first.take().map(Ok).or_else(|| self.rows.next()) {
                Some(Ok(stored)) => {
                    self.found = compare(&stored, &row, &self.before).map_err(Into::into);
                    self.before = stored.hash;
                    return;
                }
                Some(Err(error)) => {
                    self.found = Err(error);
                    return;
                }
                None => {}
            }
        }
        self.rest_len += 1;
        self.rest.take(row, touched);
    }
}

/// Whether a stored row is the one that was made from its command.
fn compare(stored: &Row, made: &Row, before: &crate::row::Hash) -> Result<(), Fault> {
    if stored == made {
        return Ok(());
    }
    let what = crate::difference::between(stored, made);
    if stored.chained(before) == stored.hash {
        return Err(Fault::Row { seq: stored.seq, what });
    }
    Err(Fault::Hash { seq: stored.seq, what })
}
