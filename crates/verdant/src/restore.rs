//! `verdant restore`: a backup into a database.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store::{BackedUp, BackupError, DatabaseError, VerifyError, check_backup, restore};

use crate::backup::list;
use crate::database::{self, Opened, Place};
use crate::output::{self, OutputError};
use crate::progress;
use crate::verify::{self, Found, Report};

const EXAMPLE: &str = "\
Example:
  verdant restore verdant.backup --data data
  verdant restore verdant.backup --database postgres://verdant@db.internal/verdant

Into a folder that has no database yet, the backup appears verified and whole, or not at all. Into a
database that is there already it is written in many transactions: should that break off, restore
into an empty one.";

/// How long the last connection to a file may take to be gone.
const CLOSE_MAX: Duration = Duration::from_secs(30);

/// Put the journals of a backup into a database, and verify them
///
/// The whole file is checked first. If a programme of the backup is there already, nothing is
/// written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The backup
    file: PathBuf,
    /// Where the journals go
    #[command(flatten)]
    place: Place,
    /// Do not verify what was restored
    #[arg(long)]
    no_verify: bool,
}

/// Why a restore ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be worked with.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The backup cannot be read.
    #[error("cannot read the backup {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The backup is damaged, or cannot be put into the database.
    #[error("{}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BackupError,
    },
    /// A programme of the backup is there.
    #[error(
        "there is a programme {name:?} in the database already; nothing was restored: restore into another database"
    )]
    Taken {
        /// Its name.
        name: String,
    },
    /// The folder cannot be put in its place.
    #[error("cannot put the database into {}; check the folder and its permissions", path.display())]
    Place {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not all of it is there, though nothing failed.
    #[error(
        "{name} should end at row {wanted}, and ends at row {found}: what is in the database is not the backup"
    )]
    Incomplete {
        /// The programme.
        name: String,
        /// Its last row in the backup.
        wanted: u64,
        /// Its last row in the database.
        found: u64,
    },
    /// What was restored is not what its commands come to.
    #[error("{name} in the backup is not what its commands come to{}", left(*is_left))]
    Verify {
        /// The programme.
        name: String,
        /// Whether it is in the database nevertheless.
        is_left: bool,
        /// What is wrong.
        source: Box<VerifyError>,
    },
    /// What was done cannot be told.
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn left(is_left: bool) -> &'static str {
    if is_left { "" } else { " (nothing was restored; --no-verify restores it all the same)" }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Error> {
    let mut file = args.file()?;
    let bar = progress::bytes(args.size(), "checking the backup");
    let mut input = BufReader::with_capacity(1 << 20, bar.wrap_read(&mut file));
    let checked = check_backup(&mut input);
    bar.finish_and_clear();
    drop(input);
    let journals = checked.map_err(|error| args.failed(error))?;
    file.rewind().map_err(|source| Error::Read { path: args.file.clone(), source })?;
    let found = match (args.place.open(), args.place.folder()) {
        (Err(database::Error::Database(DatabaseError::Missing { .. })), Some(folder)) => {
            into_new_folder(args, &mut file, folder, &journals)?
        }
        (Err(database::Error::Database(DatabaseError::Missing { .. })), None) => {
            into_database(args, args.place.create_or_open()?, &mut file, &journals)?
        }
        (opened, _) => into_database(args, opened?, &mut file, &journals)?,
    };
    output::write(&list("restored", &journals))?;
    if !found.is_empty() {
        output::write(&format!("\n{}", Report(&found)))?;
    }
    Ok(())
}

impl Args {
    fn file(&self) -> Result<File, Error> {
        File::open(&self.file).map_err(|source| Error::Read { path: self.file.clone(), source })
    }

    fn size(&self) -> Option<u64> {
        fs::metadata(&self.file).ok().map(|found| found.len())
    }

    fn failed(&self, error: BackupError) -> Error {
        match error {
            BackupError::File(source) => Error::Read { path: self.file.clone(), source },
            source => Error::Backup { path: self.file.clone(), source },
        }
    }
}

fn into_database(
    args: &Args,
    opened: Opened,
    file: &mut File,
    journals: &[BackedUp],
) -> Result<Vec<Found>, Error> {
    let there = opened.programmes()?;
    if let Some(taken) = there.iter().find(|p| journals.iter().any(|j| j.name == p.name)) {
        return Err(Error::Taken { name: taken.name.clone() });
    }
    fill(args, &opened, file, journals)?;
    let found = check(args, &opened, journals, true)?;
    opened.close();
    Ok(found)
}

/// Restores into a folder beside the one that is wanted, and moves it there when all is well.
fn into_new_folder(
    args: &Args,
    file: &mut File,
    folder: &Path,
    journals: &[BackedUp],
) -> Result<Vec<Found>, Error> {
    let failed = |source| Error::Place { path: folder.to_owned(), source };
    let beside = Beside::create(folder).map_err(failed)?;
    let opened = Opened::in_folder(&beside.path)?;
    fill(args, &opened, file, journals)?;
    let found = check(args, &opened, journals, false)?;
    opened.close();
    beside.place(folder).map_err(failed)?;
    Ok(found)
}

fn fill(args: &Args, opened: &Opened, file: &mut File, journals: &[BackedUp]) -> Result<(), Error> {
    let all = journals.iter().map(|journal| journal.head.seq + 1).sum();
    let bar = progress::rows("restoring".to_owned());
    bar.set_length(all);
    let mut input = BufReader::with_capacity(1 << 20, file);
    let input: &mut dyn Read = &mut input;
    let restored =
        restore(opened.runtime(), opened.database(), input, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    restored.map_err(|error| args.failed(error))
}

fn check(
    args: &Args,
    opened: &Opened,
    journals: &[BackedUp],
    is_left: bool,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for BackedUp { name, head } in journals {
        let (name, programme) = (name.clone(), opened.one(Some(name))?);
        let end =
            opened.wait(opened.database().head(programme.id)).map_err(database::Error::from)?;
        if end != *head {
            return Err(Error::Incomplete { name, wanted: head.seq, found: end.seq });
        }
        if args.no_verify {
            continue;
        }
        match verify::whole(opened, &programme) {
            Ok(verified) => found.push(Found { name, verified }),
            Err(error) => return Err(Error::Verify { name, is_left, source: Box::new(error) }),
        }
    }
    Ok(found)
}

/// A folder beside the one that is wanted. Unless it is put in its place, it goes.
struct Beside {
    path: PathBuf,
    parent: PathBuf,
    is_placed: bool,
}

impl Beside {
    fn create(folder: &Path) -> io::Result<Self> {
        // An absolute path has a folder above it, whatever was written.
        let target = std::path::absolute(folder)?;
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = target.parent().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        fs::create_dir_all(&parent)?;
        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}.restore", std::process::id()));
        let path = parent.join(beside);
        fs::create_dir(&path)?;
        Ok(Self { path, parent, is_placed: false })
    }

    /// Takes the place of the folder where it is empty or not there; else puts the one file that a
    /// closed database is among what is there.
    fn place(mut self, folder: &Path) -> io::Result<()> {
        let files = self.wait_until_closed()?;
        if fs::read_dir(folder).is_ok_and(|mut there| there.next().is_some()) {
            for file in files {
                fs::rename(self.path.join(&file), folder.join(&file))?;
            }
            return File::open(folder)?.sync_all();
        }
        fs::rename(&self.path, folder)?;
        self.is_placed = true;
        // The new name must outlive a loss of power, too.
        File::open(&self.parent)?.sync_all()
    }

    /// A database that is open has more files than its own; they must not be moved under it.
    fn wait_until_closed(&self) -> io::Result<Vec<OsString>> {
        let until = Instant::now() + CLOSE_MAX;
        while fs::read_dir(&self.path)?.count() > 1 {
            if Instant::now() > until {
                return Err(io::Error::other("the database in it is not closed in time"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut files = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            File::open(file.path())?.sync_all()?;
            files.push(file.file_name());
        }
        File::open(&self.path)?.sync_all()?;
        Ok(files)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_placed {
            // Nothing to be done if even this fails.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
