//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}; check its folder and permissions", path.display())]
pub struct WriteError {
    /// The file asked for.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// How many names are tried for the temporary file: killed runs may have left theirs.
const NAMES_TRIED_MAX: u32 = 100;

/// A file being written beside the place where it will stand. Unless it is kept, it goes.
#[derive(Debug)]
pub(crate) struct OutFile {
    file: File,
    path: PathBuf,
    /// `None` where the path is no ordinary file (a pipe, a device) and is written as it is.
    beside: Option<Beside>,
}

#[derive(Debug)]
struct Beside {
    temporary: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl OutFile {
    /// Starts the file.
    pub(crate) fn create(path: &Path) -> Result<Self, WriteError> {
        Self::start(path).map_err(|source| WriteError { path: path.to_owned(), source })
    }

    fn start(path: &Path) -> io::Result<Self> {
        let target = match fs::metadata(path) {
            Ok(found) if found.is_file() => fs::canonicalize(path)?,
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => {
                let file = OpenOptions::new().write(true).open(path)?;
                return Ok(Self { file, path: path.to_owned(), beside: None });
            }
            Err(_) => path.to_owned(),
        };
        let (file, temporary) = temporary(&target)?;
        let beside = Some(Beside { temporary, target, kept: false });
        Ok(Self { file, path: path.to_owned(), beside })
    }

    /// Puts the file in its place, once it is safely on disk.
    pub(crate) fn keep(mut self) -> Result<(), WriteError> {
        self.place().map_err(|source| WriteError { path: self.path.clone(), source })
    }

    fn place(&mut self) -> io::Result<()> {
        let Some(beside) = &mut self.beside else { return self.file.flush() };
        self.file.sync_all()?;
        fs::rename(&beside.temporary, &beside.target)?;
        beside.kept = true;
        Ok(())
    }
}

/// A new, empty file beside the target.
fn temporary(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut number = 0;
    loop {
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}-{number}.tmp", std::process::id()));
        let path = target.with_file_name(beside);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES_TRIED_MAX =>
            {
                number += 1;
            }
            opened => return opened.map(|file| (file, path)),
        }
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing to be done if even this fails.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
