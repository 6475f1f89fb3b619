//! What became of each line, for programs that feed events.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use platform::sequencer::{Answer, Outcome};
use serde::Serialize;

use crate::outfile::WriteError;

/// Takes one JSON line for each event, as soon as its outcome is durable. The file is written in
/// place: somebody may be following it.
pub struct Results(Option<(BufWriter<File>, PathBuf)>);

#[derive(Serialize)]
struct Line {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_reused: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeat: bool,
}

impl Results {
    /// Starts the file, if one is wanted.
    pub fn create(path: Option<&Path>) -> Result<Self, WriteError> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file =
            File::create(path).map_err(|source| WriteError { path: path.to_owned(), source })?;
        Ok(Self(Some((BufWriter::new(file), path.to_owned()))))
    }

    /// Writes the outcomes of some lines.
    pub fn write(
        &mut self,
        answers: impl Iterator<Item = (u64, Answer)>,
    ) -> Result<(), WriteError> {
        let Some((out, path)) = &mut self.0 else { return Ok(()) };
        let write = || -> io::Result<()> {
            for (line, answer) in answers {
                serde_json::to_writer(&mut *out, &Line::new(line, answer))?;
                out.write_all(b"\n")?;
            }
            out.flush()
        };
        write().map_err(|source| WriteError { path: path.clone(), source })
    }
}

impl Line {
    fn new(line: u64, answer: Answer) -> Self {
        let mut result =
            Self { line, entry: None, refused: None, key_reused: None, repeat: answer.is_repeat };
        match answer.outcome {
            Outcome::Accepted { entry } => result.entry = Some(entry),
            Outcome::Refused { reason } => result.refused = Some(reason.code()),
            Outcome::KeyReused { entry } => {
                // The key was there before, but this command was not.
                result.repeat = false;
                result.key_reused = Some(entry);
            }
        }
        result
    }
}
