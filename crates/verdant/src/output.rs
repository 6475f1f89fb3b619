//! Standard output, which whoever reads it may close early.

use std::fmt::Display;
use std::io::{self, Write};

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether the reader has simply seen enough, as in `verdant check x | head`.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes a text to standard output. A reader that has seen enough is no failure: what else the
/// command does, it still does.
pub fn write(text: &impl Display) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    let written = write!(out, "{text}").and_then(|()| out.flush()).map_err(OutputError);
    match written {
        Err(error) if error.is_closed_pipe() => Ok(()),
        written => written,
    }
}

/// Swallows what is written after the reader has gone: what else the command does, it still does.
pub struct Patient<W> {
    out: W,
    is_closed: bool,
}

impl<W> Patient<W> {
    /// Passes everything on to `out`, while somebody reads it.
    pub fn new(out: W) -> Self {
        Self { out, is_closed: false }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.out.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}
