//! Real PostgreSQL servers that belong to a test: started for it, crashed by it, gone with it.

mod crash;
mod lock;
mod place;
mod programs;
mod user;
mod watchdog;

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::user::User;
use self::watchdog::Watchdog;

/// The superuser of every server here; there are no passwords.
const ROLE: &str = "verdant";

/// Recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// What every server is started with; settings given by a test come after and win. Durability is
/// as in production, for it is what is tested; the rest is small.
const SETTINGS: [(&str, &str); 10] = [
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "16MB"),
    ("max_connections", "100"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    // In files in the server's folder: a crash leaves nothing behind elsewhere.
    ("dynamic_shared_memory_type", "mmap"),
];

/// The address of `database` behind `port` of this machine, a server's or a proxy's.
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://{ROLE}@127.0.0.1:{port}/{database}")
}

/// One server for all tests of a process that do not harm it: a start takes seconds, a
/// [`fresh_database`](Postgres::fresh_database) does not.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(Postgres::start)
}

/// A PostgreSQL server with data of its own, ended and removed on drop, and also when the process
/// that started it is killed.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder, so that it is dropped first.
    watchdog: Watchdog,
    folder: TempDir,
    programs: PathBuf,
    user: User,
    settings: Vec<(String, String)>,
    port: u16,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts a server; returns when it accepts connections.
    ///
    /// # Panics
    ///
    /// If there is no PostgreSQL and none can be installed (root on Debian can), or if it does not
    /// start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`start`](Self::start), with settings as in `postgresql.conf`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let programs = programs::folder();
        let user = User::find();
        let folder = place::folder(user);
        let settings = SETTINGS.iter().chain(settings);
        let mut postgres = Self {
            watchdog: Watchdog::start(folder.path()),
            folder,
            programs,
            user,
            settings: settings.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            port: place::free_port(),
            server: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        postgres.init();
        let mut attempts = 0;
        while let Err(log) = postgres.launch() {
            // Somebody may have taken the port just now; with another it starts, or never does.
            attempts += 1;
            assert!(attempts < 4, "PostgreSQL does not start:\n{log}");
            postgres.port = place::free_port();
        }
        postgres
    }

    /// The port on 127.0.0.1. It stays the same over [`restart`](Self::restart).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database that every server has from the beginning.
    pub fn url(&self) -> String {
        url(self.port, "postgres")
    }

    /// Creates an empty database and returns its address.
    ///
    /// # Panics
    ///
    /// If there is one of this name, or the server is down.
    pub fn create_database(&self, name: &str) -> String {
        let quoted = name.replace('"', "\"\"");
        self.sql("postgres", &format!("create database \"{quoted}\" template template0"));
        url(self.port, name)
    }

    /// Creates an empty database of a name not used before and returns its address.
    ///
    /// # Panics
    ///
    /// If the server is down.
    pub fn fresh_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        self.create_database(&format!("fresh_{number}"))
    }

    /// What `psql` prints for `text`: one line for a row, `|` between columns. To look at the data
    /// by other eyes than those of the code under test.
    ///
    /// # Panics
    ///
    /// If a statement fails, or the server is down.
    pub fn sql(&self, database: &str, text: &str) -> String {
        let mut command = self.program("psql");
        command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", ROLE, "-d", database]);
        command.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string()]);
        let output = command.args(["-c", text]).output().expect("psql can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "psql: {said}");
        String::from_utf8(output.stdout).expect("text from psql").trim_end().to_owned()
    }

    /// What the server has logged so far, over all its starts.
    ///
    /// # Panics
    ///
    /// If the log cannot be read.
    pub fn log(&self) -> String {
        let log = fs::read(self.log_path()).expect("the log of PostgreSQL");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The process number of the server's main process, unless it was killed.
    pub fn pid(&self) -> Option<u32> {
        self.server().as_ref().map(Child::id)
    }

    /// Crashes the server: all its processes get `SIGKILL`, and have ended when this returns.
    /// Nothing is flushed and nobody is told; [`restart`](Self::restart) has to recover. (The
    /// system goes on: what was written but not synced is not lost by this.)
    ///
    /// # Panics
    ///
    /// If the server was killed before, or outlives it.
    pub fn kill(&self) {
        let mut server = self.server().take().expect("a server that runs");
        crash::crash(server.id(), &self.mark());
        server.wait().expect("the end of the PostgreSQL server");
    }

    /// Starts the server again after a [`kill`](Self::kill), on the same port and data; returns
    /// when it has recovered and accepts connections.
    ///
    /// # Panics
    ///
    /// If it was not killed, or does not come back.
    pub fn restart(&mut self) {
        assert!(self.pid().is_none(), "only a killed server is restarted");
        if let Err(log) = self.launch() {
            panic!("PostgreSQL does not come back:\n{log}");
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<Child>> {
        // A test that panicked in `kill` says enough by that.
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The name of the folder: in the command line of every process of this server and of no other.
    fn mark(&self) -> String {
        let name = self.folder.path().file_name().expect("a temporary folder has a name");
        name.to_string_lossy().into_owned()
    }

    /// A command of PostgreSQL's, as the server's user, untouched by this process's environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")]);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        self.user.become_in(&mut command);
        command
    }

    fn init(&self) {
        let mut command = self.program("initdb");
        command.args(["--username", ROLE, "--auth", "trust", "--encoding", "UTF8"]);
        // Without waiting for the disk: a killed server needs no more than the system's memory.
        command.args(["--locale", "C", "--no-sync", "--pgdata"]).arg(self.data());
        let output = command.output().expect("initdb can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {said}");
    }

    /// Starts the server and waits until it is ready; its log if it ends instead.
    fn launch(&self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.expect("a file for the log of PostgreSQL");
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.arg("-c").arg(format!("port={}", self.port));
        command.arg("-c").arg(format!("cluster_name={}", self.mark()));
        let sockets = self.folder.path().display();
        command.arg("-c").arg(format!("unix_socket_directories={sockets}"));
        command.stdout(log.try_clone().expect("a second handle to the log")).stderr(log);
        // Ctrl-C at the terminal is for the tests; the watchdog ends the server after them.
        let server = command.process_group(0).spawn().expect("postgres can be run");
        self.wait_ready(self.server().insert(server))
    }

    /// By the socket in its own folder, which is there only after the port was got: behind the
    /// port could be another server.
    fn wait_ready(&self, server: &mut Child) -> Result<(), String> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let mut command = self.program("pg_isready");
            command.args(["-q", "-t", "5", "-U", ROLE, "-d", "postgres"]);
            command.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string()]);
            if command.status().expect("pg_isready can be run").success() {
                return Ok(());
            }
            if server.try_wait().expect("the state of the server").is_some() {
                return Err(self.log());
            }
            assert!(Instant::now() < deadline, "PostgreSQL is not ready in time:\n{}", self.log());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The same end as when this process dies: it has to work, and so it is used every time.
        self.watchdog.end();
        if let Some(mut server) = self.server().take() {
            _ = server.kill();
            _ = server.wait();
        }
    }
}

#[cfg(test)]
mod tests;
