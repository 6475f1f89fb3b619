//! A sequencer in this process, on SQLite, over a database that can be told to misbehave.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::{Command, Programme};
use jiff::Timestamp;
use platform::sequencer::{Answer, Request, Sequencer, Settings, SubmitError};
use store::{
    Database, DatabaseError, Head, Lease, ProgrammeId, Row, SnapshotHead, StoredProgramme, Taking,
    Verified, verify,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::place;

/// What an append does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// Nothing is committed, and that is said.
    Fail,
    /// It is committed, and the opposite is said.
    FailAfterCommit,
    /// Nothing is committed, and nothing is ever said.
    Hang,
    /// It is committed, and nothing is ever said.
    HangAfterCommit,
    /// Nothing is committed; another process is the writer.
    LoseLease,
}

/// A database that misbehaves as it is told.
#[derive(Debug)]
pub struct Flaky {
    database: Arc<dyn Database>,
    tricks: Mutex<VecDeque<Trick>>,
    /// Reads that fail from now on.
    pub failing_reads: AtomicU32,
    /// An append needs a permit.
    pub gate: Semaphore,
    pub appends: AtomicU64,
}

impl Flaky {
    pub fn play(&self, trick: Trick) {
        self.tricks.lock().unwrap().push_back(trick);
    }

    pub fn has_played(&self) -> bool {
        self.tricks.lock().unwrap().is_empty()
    }

    fn read(&self) -> Result<(), DatabaseError> {
        let failing = |left: u32| left.checked_sub(1);
        match self.failing_reads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, failing) {
            Ok(_) => Err(failure()),
            Err(_) => Ok(()),
        }
    }
}

fn failure() -> DatabaseError {
    DatabaseError::Failed(sqlx::Error::Io(std::io::Error::other("made up")))
}

#[async_trait]
impl Database for Flaky {
    async fn programmes(&self) -> Result<Vec<StoredProgramme>, DatabaseError> {
        self.database.programmes().await
    }

    async fn create(&self, name: &str, first: &Row) -> Result<StoredProgramme, DatabaseError> {
        self.database.create(name, first).await
    }

    async fn head(&self, programme: ProgrammeId) -> Result<Head, DatabaseError> {
        self.read()?;
        self.database.head(programme).await
    }

    async fn take_lease(
        &self,
        programme: ProgrammeId,
        holder: &str,
        ttl: Duration,
    ) -> Result<Taking, DatabaseError> {
        self.database.take_lease(programme, holder, ttl).await
    }

    async fn retake_lease(&self, lease: &Lease) -> Result<(Lease, Head), DatabaseError> {
        self.database.retake_lease(lease).await
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        self.database.renew_lease(lease).await
    }

    async fn release_lease(&self, lease: &Lease) -> Result<(), DatabaseError> {
        self.database.release_lease(lease).await
    }

    async fn append(
        &self,
        lease: &Lease,
        after: Head,
        rows: Vec<Row>,
    ) -> Result<Head, DatabaseError> {
        self.gate.acquire().await.unwrap().forget();
        self.appends.fetch_add(1, Ordering::SeqCst);
        let trick = self.tricks.lock().unwrap().pop_front();
        match trick {
            None => self.database.append(lease, after, rows).await,
            Some(Trick::Fail) => Err(failure()),
            Some(Trick::FailAfterCommit) => {
                self.database.append(lease, after, rows).await?;
                Err(failure())
            }
            Some(Trick::Hang) => std::future::pending().await,
            Some(Trick::HangAfterCommit) => {
                self.database.append(lease, after, rows).await?;
                std::future::pending().await
            }
            Some(Trick::LoseLease) => Err(DatabaseError::LeaseLost),
        }
    }

    async fn rows(
        &self,
        programme: ProgrammeId,
        from: u64,
        rows_max: u32,
    ) -> Result<Vec<Row>, DatabaseError> {
        self.read()?;
        self.database.rows(programme, from, rows_max).await
    }

    async fn snapshot(
        &self,
        programme: ProgrammeId,
    ) -> Result<Option<SnapshotHead>, DatabaseError> {
        self.read()?;
        self.database.snapshot(programme).await
    }

    async fn chunk(
        &self,
        programme: ProgrammeId,
        seq: u64,
        chunk: u32,
    ) -> Result<Option<Vec<u8>>, DatabaseError> {
        self.database.chunk(programme, seq, chunk).await
    }

    async fn put_chunk(
        &self,
        lease: &Lease,
        seq: u64,
        chunk: u32,
        bytes: Vec<u8>,
    ) -> Result<(), DatabaseError> {
        self.database.put_chunk(lease, seq, chunk, bytes).await
    }

    async fn finish_snapshot(
        &self,
        lease: &Lease,
        snapshot: &SnapshotHead,
    ) -> Result<(), DatabaseError> {
        self.database.finish_snapshot(lease, snapshot).await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// The gate stands open.
pub const OPEN: usize = 1 << 20;

pub struct Bench {
    pub runtime: Runtime,
    pub flaky: Arc<Flaky>,
    pub database: Arc<dyn Database>,
    pub id: ProgrammeId,
    _folder: Option<TempDir>,
}

impl Bench {
    pub fn new(programme: &Programme) -> Self {
        let folder = TempDir::new().unwrap();
        let place = folder.path().to_str().unwrap().to_owned();
        Self::at(&place, Some(folder), programme)
    }

    /// Over a database elsewhere.
    pub fn at(place: &str, folder: Option<TempDir>, programme: &Programme) -> Self {
        let runtime = place::runtime();
        let real = runtime.block_on(place::open(place));
        let id = runtime.block_on(place::create(&real, "programme", programme));
        let flaky = Arc::new(Flaky {
            database: real,
            tricks: Mutex::default(),
            failing_reads: AtomicU32::new(0),
            gate: Semaphore::new(OPEN),
            appends: AtomicU64::new(0),
        });
        let database: Arc<dyn Database> = Arc::clone(&flaky) as _;
        Self { runtime, flaky, database, id, _folder: folder }
    }

    pub fn start(&self) -> Sequencer {
        self.start_for(self.id)
    }

    pub fn start_for(&self, id: ProgrammeId) -> Sequencer {
        let ticks = AtomicI64::new(1_700_000_000_000_000);
        let settings = Settings {
            holder: "this process".into(),
            lease: Duration::from_secs(2),
            commit_timeout: Duration::from_secs(1),
            clock: Arc::new(move || {
                Timestamp::from_microsecond(ticks.fetch_add(7, Ordering::SeqCst)).unwrap()
            }),
            seed: 1,
        };
        self.runtime.block_on(async {
            let sequencer = Sequencer::start(Arc::clone(&self.database), id, settings).unwrap();
            sequencer.ready().await.unwrap();
            sequencer
        })
    }

    pub fn verify(&self) -> Verified {
        verify(self.runtime.handle(), &self.database, self.id, &mut |_, _| {}).unwrap()
    }

    pub fn submit(
        &self,
        sequencer: &Sequencer,
        requests: Vec<Request>,
    ) -> Result<Vec<Answer>, SubmitError> {
        self.runtime.block_on(sequencer.submit(requests))
    }

    pub fn stop(&self, sequencer: &Sequencer) {
        self.runtime.block_on(sequencer.stop());
    }
}

/// A request of the first days of 2026.
pub fn request(key: &str, day: u32, event: &str) -> Request {
    let line = format!(r#"{{{event},"at":"2026-01-{day:02}T12:00:00+08:00"}}"#);
    let key = (!key.is_empty()).then(|| key.into());
    Request { key, command: Command::from_json(&line).unwrap() }
}

pub fn join(key: &str, day: u32, member: &str) -> Request {
    request(key, day, &format!(r#""type":"member.join","member":"{member}""#))
}

/// Adjusts a member's quota: the balance is a counter.
pub fn add_quota(key: &str, day: u32, member: &str, amount: &str) -> Request {
    request(
        key,
        day,
        &format!(
            r#""type":"member.adjust","member":"{member}","unit":"quota","amount":"{amount}","reason":"r","operator":"o""#
        ),
    )
}
