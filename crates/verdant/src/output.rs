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
