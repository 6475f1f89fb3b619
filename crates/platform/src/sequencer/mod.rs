//! One writer for one programme.
//!
//! Commands come from many callers; one thread applies them in order to the engine in memory, and
//! a task commits what they made, many at a time, in one transaction; only then is anyone answered.
//! While one batch is being committed the next one is being made, and as many commands as came
//! meanwhile go into it: nobody waits for a clock.
//!
//! If a commit fails, nothing of it is visible: its callers are told, what was applied after it is
//! dropped, and the state goes back to what is stored. If it is unknown whether a commit happened,
//! the lease is changed for a new one first, so that nothing of the old one can happen any more,
//! and then the journal says.
//!
//! **Invariant**: an answer is given after the commit of the row it tells of, or of the row it
//! repeats.

mod batch;
mod committer;
mod repeat;
mod snapshots;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use engine::{Command, Rejection};
use jiff::Timestamp;
use store::{Database, LoadError, ProgrammeId, Reader};
use tokio::sync::{mpsc, oneshot, watch};

/// What a sequencer is told at its start.
#[derive(Clone)]
pub struct Settings {
    /// What this process calls itself, for people who look who the writer is.
    pub holder: String,
    /// How long others wait after our last sign of life before they take over.
    pub lease: Duration,
    /// How long a commit may take before it counts as unknown.
    pub commit_timeout: Duration,
    /// The clock that entries are recorded by.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Guards the index of names against chosen collisions; changes no result.
    pub seed: u64,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// A command and the idempotency key it comes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// 1 to 255 bytes without NUL. The same key with the same action gets the first answer again.
    /// When the command came is no part of what it asks for.
    pub key: Option<Box<str>>,
    /// What is wanted.
    pub command: Command,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The command's own outcome.
    pub outcome: Outcome,
    /// Whether this is the first answer given again.
    pub is_repeat: bool,
}

/// The outcomes a command can have, once it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the journal.
    Accepted {
        /// Its entry.
        entry: u64,
    },
    /// The rules refuse it; nothing has changed.
    Refused {
        /// Why.
        reason: Rejection,
    },
    /// The key came with another action before; nothing has changed.
    KeyReused {
        /// The entry of that other command.
        entry: u64,
    },
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The commit failed. Of several commands, the first ones may be in the journal: ask again with
    /// the same keys.
    #[error("the commit failed: ask again with the same keys")]
    CommitFailed,
    /// Another process is the writer, or this one is not yet. Of several commands, the first ones may
    /// be in the journal: ask the writer with the same keys.
    #[error("this process is not the writer")]
    NotWriter,
    /// The sequencer was stopped, or broke off: then it is not known what is in the journal.
    #[error("the sequencer was stopped")]
    Stopped,
    /// A key cannot be one; nothing was applied.
    #[error("an idempotency key must have 1 to 255 bytes and no NUL")]
    BadKey,
}

/// What the sequencer is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Another process is the writer; ours takes over when that is gone.
    Standby {
        /// Who it is.
        holder: String,
    },
    /// Coming to the journal's end.
    Loading,
    /// Taking commands.
    Writing,
    /// It ended, and why, if not because it was told to.
    Ended(Option<String>),
}

/// Why a sequencer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be come to.
    #[error("the journal cannot be loaded: {0}")]
    Load(String),
    /// The thread cannot be started.
    #[error("cannot start the writer's thread")]
    Thread(#[from] std::io::Error),
}

/// The callers' side of a sequencer. Cheap to clone. The sequencer stops when all clones are gone,
/// or at [`Sequencer::stop`].
#[derive(Debug, Clone)]
pub struct Sequencer {
    queue: mpsc::Sender<Job>,
    status: watch::Receiver<Status>,
    reader: watch::Receiver<Option<Reader>>,
}

/// What the writer's thread is asked for.
enum Job {
    Commands {
        requests: Vec<Request>,
        answer: Reply<Vec<Answer>>,
    },
    /// Settle every day that ended by this time.
    Settle {
        until: Timestamp,
        answer: Reply<Vec<Answer>>,
    },
    /// The committer has ended.
    Look,
    Stop {
        done: oneshot::Sender<()>,
    },
}

type Reply<T> = oneshot::Sender<Result<T, SubmitError>>;

/// The longest idempotency key.
const KEY_BYTES_MAX: usize = 255;

/// Jobs that wait before callers do.
const QUEUE_JOBS_MAX: usize = 4_096;

impl Sequencer {
    /// Starts a sequencer, from within a runtime that outlives it: it waits until it is the writer, comes to the journal's end, and takes
    /// commands. What it is at, [`Sequencer::status`] tells.
    ///
    /// # Errors
    /// [`StartError::Thread`].
    pub fn start(
        database: Arc<dyn Database>,
        programme: ProgrammeId,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS_MAX);
        let (status, status_receiver) = watch::channel(Status::Loading);
        let (reader, reader_receiver) = watch::channel(None);
        let runtime = tokio::runtime::Handle::current();
        let wake = queue.downgrade();
        let writer = writer::Writer {
            runtime,
            database,
            programme,
            settings,
            jobs,
            held: None,
            wake,
            status,
            reader,
        };
        std::thread::Builder::new().name("sequencer".into()).spawn(move || writer.run())?;
        Ok(Self { queue, status: status_receiver, reader: reader_receiver })
    }

    /// Waits until commands are taken.
    ///
    /// # Errors
    /// [`StartError::Load`] when that will never be.
    pub async fn ready(&self) -> Result<(), StartError> {
        let mut status = self.status.clone();
        loop {
            match &*status.borrow_and_update() {
                Status::Writing => return Ok(()),
                Status::Ended(why) => {
                    return Err(StartError::Load(why.clone().unwrap_or_default()));
                }
                Status::Standby { .. } | Status::Loading => {}
            }
            if status.changed().await.is_err() {
                return Err(StartError::Load("the writer's thread has ended".into()));
            }
        }
    }

    /// What the sequencer is doing, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Reads what is committed; `None` while the journal is being loaded. A reader of an earlier term
    /// as the writer does not see what was written since: ask for it anew.
    #[must_use]
    pub fn reader(&self) -> Option<Reader> {
        self.reader.borrow().clone()
    }

    /// Applies commands in this order, settling days that end before them, and answers when all of
    /// it is committed.
    ///
    /// # Errors
    /// [`SubmitError`], when it is not known of all of them.
    pub async fn submit(&self, requests: Vec<Request>) -> Result<Vec<Answer>, SubmitError> {
        self.enqueue(requests).await?.wait().await
    }

    /// Puts commands in the queue, after all that were put there before, and returns at once, or
    /// when there is room. The answers can be waited for later.
    ///
    /// If the commit of one job fails, those behind it in the queue are still applied, to the state
    /// without it. A command that makes no sense without another belongs in the same job, or is
    /// sent when the other is answered.
    ///
    /// # Errors
    /// [`SubmitError::Stopped`], [`SubmitError::BadKey`].
    pub async fn enqueue(&self, requests: Vec<Request>) -> Result<Pending, SubmitError> {
        let mut keys = requests.iter().filter_map(|request| request.key.as_deref());
        // PostgreSQL keeps no text with NUL in it.
        if keys.any(|key| key.is_empty() || key.len() > KEY_BYTES_MAX || key.contains('\0')) {
            return Err(SubmitError::BadKey);
        }
        let (answer, answered) = oneshot::channel();
        let job = Job::Commands { requests, answer };
        self.queue.send(job).await.map_err(|_| SubmitError::Stopped)?;
        Ok(Pending(answered))
    }

    /// Settles every day that ended by this time, oldest first; an answer for each.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn settle(&self, until: Timestamp) -> Result<Vec<Answer>, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Settle { until, answer };
        self.queue.send(job).await.map_err(|_| SubmitError::Stopped)?;
        Pending(answered).wait().await
    }

    /// Commits what is under way, stores a snapshot, and lets another process take over.
    pub async fn stop(&self) {
        let (done, is_done) = oneshot::channel();
        if self.queue.send(Job::Stop { done }).await.is_ok() {
            // Gone without a word is stopped, too.
            let _ = is_done.await;
        }
    }
}

/// Commands in the queue.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Vec<Answer>, SubmitError>>);

impl Pending {
    /// Waits until all of it is committed.
    ///
    /// # Errors
    /// [`SubmitError`], when that is not known of all of it.
    pub async fn wait(self) -> Result<Vec<Answer>, SubmitError> {
        self.0.await.unwrap_or(Err(SubmitError::Stopped))
    }
}

impl From<LoadError> for StartError {
    fn from(error: LoadError) -> Self {
        Self::Load(error.to_string())
    }
}
