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
    pub(crate) fn keep(self) -> Result<(), WriteError> {
        self.finish()?.place()
    }

    /// Makes sure the file is safely on disk.
    pub(crate) fn finish(mut self) -> Result<Finished, WriteError> {
        let result = match &self.beside {
            Some(_) => self.file.sync_all(),
            None => self.file.flush(),
        };
        match result {
            Ok(()) => Ok(Finished(self)),
            Err(source) => Err(WriteError { path: self.path.clone(), source }),
        }
    }
}

/// A whole file, on disk beside the place where it will stand. Unless it is placed, it goes.
#[derive(Debug)]
pub struct Finished(OutFile);

impl Finished {
    /// Puts the file in its place.
    pub(crate) fn place(mut self) -> Result<(), WriteError> {
        let Some(beside) = &mut self.0.beside else { return Ok(()) };
        match fs::rename(&beside.temporary, &beside.target) {
            Ok(()) => beside.kept = true,
            Err(source) => return Err(WriteError { path: self.0.path.clone(), source }),
        }
        Ok(())
    }
}

/// Two of a command's files are one.
#[derive(Debug, thiserror::Error)]
#[error("{first} and {second} are the same file; each needs its own")]
pub struct SharedFile {
    first: &'static str,
    second: &'static str,
}

/// Refuses a command whose files, read or written, are not all different: one would destroy the
/// other.
pub(crate) fn all_different(files: &[(&'static str, Option<&Path>)]) -> Result<(), SharedFile> {
    let mut seen: Vec<(&'static str, PathBuf)> = Vec::new();
    for &(name, path) in files {
        let Some(file) = path.and_then(identity) else { continue };
        if let Some((first, _)) = seen.iter().find(|(_, known)| *known == file) {
            return Err(SharedFile { first, second: name });
        }
        seen.push((name, file));
    }
    Ok(())
}

/// The one path of an ordinary file, or of one that is not there yet; pipes and devices may serve
/// twice.
fn identity(path: &Path) -> Option<PathBuf> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => None,
        Ok(_) => fs::canonicalize(path).ok(),
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
            Some(folder.join(path.file_name()?))
        }
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
