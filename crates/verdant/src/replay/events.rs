//! Commands out of an event file, a line each.

use std::io::{self, BufRead, BufReader, Read};

use engine::Command;
use indicatif::ProgressBar;

/// How many lines are read between two looks at the progress bar.
const LINES_A_TICK: u64 = 1024;

/// An event file being read.
pub struct Events {
    reader: BufReader<Box<dyn Read + Send>>,
    name: String,
    /// What is said when reading stops early: what that leaves behind.
    left: &'static str,
    line: u64,
    bytes: Vec<u8>,
    bar: ProgressBar,
    read: u64,
}

/// Why an event file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The file breaks off.
    #[error("cannot read {name} after line {line}; {left}")]
    Read {
        /// The file.
        name: String,
        /// What that leaves behind.
        left: &'static str,
        /// The last line read.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A line is no command.
    #[error("{name} line {line}: {reason}; {left}")]
    Line {
        /// The file.
        name: String,
        /// What that leaves behind.
        left: &'static str,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl Events {
    pub fn new(
        reader: Box<dyn Read + Send>,
        name: &str,
        left: &'static str,
        bar: ProgressBar,
    ) -> Self {
        let reader = BufReader::with_capacity(1 << 16, reader);
        Self { reader, name: name.to_owned(), left, line: 0, bytes: Vec::new(), bar, read: 0 }
    }

    /// The next command with its line; blank lines are passed over.
    pub fn next(&mut self) -> Result<Option<(u64, Command)>, EventsError> {
        loop {
            self.bytes.clear();
            let read = self.reader.read_until(b'\n', &mut self.bytes).map_err(|source| {
                let (name, left, line) = (self.name.clone(), self.left, self.line);
                EventsError::Read { name, left, line, source }
            })?;
            if read == 0 {
                self.bar.finish_and_clear();
                return Ok(None);
            }
            self.line += 1;
            self.read += read as u64;
            if self.line.is_multiple_of(LINES_A_TICK) {
                self.bar.set_position(self.read);
            }
            let text = std::str::from_utf8(&self.bytes).map_err(|error| {
                self.refuse(format!("not UTF-8 at byte {}", error.valid_up_to() + 1))
            })?;
            let text = if self.line == 1 { text.trim_start_matches('\u{feff}') } else { text };
            if text.trim().is_empty() {
                continue;
            }
            let command =
                Command::from_json(text).map_err(|error| self.refuse(error.to_string()))?;
            return Ok(Some((self.line, command)));
        }
    }

    /// Shows which day is being settled: many can lie between two lines.
    pub fn tell_day(&self, day: engine::Day) {
        if !self.bar.is_hidden() {
            self.bar.set_message(day.to_string());
        }
    }

    fn refuse(&self, reason: String) -> EventsError {
        self.bar.finish_and_clear();
        EventsError::Line { name: self.name.clone(), left: self.left, line: self.line, reason }
    }
}
