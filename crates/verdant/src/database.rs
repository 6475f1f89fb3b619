//! Where journals are kept: the one place that knows `--data` and `--database`.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::{ArgMatches, FromArgMatches};
use store::{Database, DatabaseError, Postgres, Sqlite, StoredProgramme};
use tokio::runtime::{Handle, Runtime};

/// A data folder or a database, exactly one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// The data folder: a SQLite database is in it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A PostgreSQL database, as postgres://user@host:5432/name; a password is best left to
    /// PGPASSWORD or ~/.pgpass, where other users of this machine do not see it
    #[arg(long, value_name = "URL")]
    database: Option<Url>,
}

/// A place, or none: for a command that can do without.
#[derive(Debug)]
pub struct MaybePlace(pub Option<Place>);

impl clap::Args for MaybePlace {
    fn augment_args(command: clap::Command) -> clap::Command {
        Place::augment_args(command).mut_group("Place", |group| group.required(false))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for MaybePlace {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_there = matches.contains_id("data") || matches.contains_id("database");
        Ok(Self(is_there.then(|| Place::from_arg_matches(matches)).transpose()?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// An address that may hold a password, so nothing prints it.
#[derive(Clone)]
pub struct Url(String);

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url")
    }
}

/// Why there is no database or no programme to work with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The threads that talk to databases cannot be started.
    #[error("cannot start the threads that talk to the database")]
    Runtime(#[source] std::io::Error),
    /// The address is none of PostgreSQL's. What it is instead is not told: it may be a password.
    #[error("--database is no address of the form postgres://user@host:5432/name")]
    NoUrl,
    /// It cannot be opened, or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no journal in it.
    #[error("there is no programme in the database; `verdant replay` or `verdant serve` makes one")]
    NoProgramme,
    /// There is no programme of this name.
    #[error("there is no programme {name:?} in the database; there is {}", list(known))]
    UnknownProgramme {
        /// As it was asked for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// There are several, and which one is not said.
    #[error("there are several programmes; choose with --programme: {}", list(known))]
    WhichProgramme {
        /// Those there are.
        known: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "),
    }
}

impl Place {
    /// Opens what is there.
    pub fn open(&self) -> Result<Opened, Error> {
        self.start(false)
    }

    /// Opens it, and makes it where there is none.
    pub fn create_or_open(&self) -> Result<Opened, Error> {
        self.start(true)
    }

    /// The data folder, unless it is a database elsewhere.
    pub fn folder(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    fn start(&self, create: bool) -> Result<Opened, Error> {
        if let Some(url) = &self.database
            && !["postgres://", "postgresql://"].iter().any(|scheme| url.0.starts_with(scheme))
        {
            return Err(Error::NoUrl);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        let database = runtime.block_on(self.connect(create))?;
        Ok(Opened { database, runtime })
    }

    async fn connect(&self, create: bool) -> Result<Arc<dyn Database>, DatabaseError> {
        // Clap has seen to it that one of the two is there.
        match (&self.data, &self.database) {
            (_, Some(Url(url))) if create => Ok(Arc::new(Postgres::create_or_open(url).await?)),
            (_, Some(Url(url))) => Ok(Arc::new(Postgres::open(url).await?)),
            (data, None) => {
                let folder = data.as_deref().unwrap_or(Path::new("."));
                Ok(Arc::new(match create {
                    true => Sqlite::create_or_open(folder).await?,
                    false => Sqlite::open(folder).await?,
                }))
            }
        }
    }
}

/// An open database, and the threads that talk to it. The caller's own thread is none of them: it
/// may wait for what they do.
#[derive(Debug)]
pub struct Opened {
    // Before the runtime, so that it is dropped first.
    database: Arc<dyn Database>,
    runtime: Runtime,
}

impl Opened {
    /// Makes a data folder's database, or opens it.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        Place { data: Some(folder.to_owned()), database: None }.create_or_open()
    }

    /// The database.
    pub fn database(&self) -> &Arc<dyn Database> {
        &self.database
    }

    /// Its threads.
    pub fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Waits for something of the database.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The programmes that have a journal.
    pub fn programmes(&self) -> Result<Vec<StoredProgramme>, Error> {
        Ok(self.wait(self.database.programmes())?)
    }

    /// The programmes of these names, or all of them.
    pub fn some(&self, names: &[String]) -> Result<Vec<StoredProgramme>, Error> {
        let all = self.programmes()?;
        if names.is_empty() {
            return if all.is_empty() { Err(Error::NoProgramme) } else { Ok(all) };
        }
        let unknown = names.iter().find(|&name| all.iter().all(|known| known.name != *name));
        if let Some(name) = unknown {
            return Err(Error::UnknownProgramme { name: name.clone(), known: known(&all) });
        }
        Ok(all.into_iter().filter(|programme| names.contains(&programme.name)).collect())
    }

    /// The programme of this name, or the only one there is.
    pub fn one(&self, name: Option<&str>) -> Result<StoredProgramme, Error> {
        let mut found = self.some(name.map(str::to_owned).as_slice())?;
        match (found.pop(), found.as_slice()) {
            (Some(programme), []) => Ok(programme),
            (Some(last), _) => {
                found.push(last);
                Err(Error::WhichProgramme { known: known(&found) })
            }
            (None, _) => Err(Error::NoProgramme),
        }
    }

    /// Ends every connection.
    pub fn close(self) {
        self.wait(self.database.close());
    }
}

fn known(programmes: &[StoredProgramme]) -> Vec<String> {
    programmes.iter().map(|programme| programme.name.clone()).collect()
}
