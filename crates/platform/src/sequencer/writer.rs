use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use engine::{Action, Command};
use jiff::Timestamp;
use store::{
    Book, Database, DatabaseError, Directory, Head, Lease, LoadError, ProgrammeId, Reader, Stamp,
    Taking, load,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, OpenBatch};
use super::committer::{Committer, Ended};
use super::repeat::{Repeats, candidates};
use super::snapshots::Snapshots;
use super::{Answer, Job, Outcome, Request, Settings, Status, SubmitError};

/// A standby looks at least this often whether the writer is gone.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// How long to wait before what is stored is loaded again after a commit that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// The writer's thread.
pub struct Writer {
    pub runtime: Handle,
    pub database: Arc<dyn Database>,
    pub programme: ProgrammeId,
    pub settings: Settings,
    pub jobs: mpsc::Receiver<Job>,
    /// A job that came when nothing could be committed: it is the next one.
    pub held: Option<Job>,
    pub wake: mpsc::WeakSender<Job>,
    pub status: watch::Sender<Status>,
    pub reader: watch::Sender<Option<Reader>>,
}

/// Why a term as the writer ended.
enum Term {
    /// The commit failed: what is stored has to be loaded again.
    Reload(Lease),
    /// Another process is the writer; if somebody asked us to stop, there is nothing left to do.
    LeaseLost(Option<oneshot::Sender<()>>),
    /// Nobody wants us any more; tell this one when all is done.
    Stopped(Lease, Option<oneshot::Sender<()>>),
}

/// Everything a term as the writer works with.
struct Desk {
    book: Book,
    open: OpenBatch,
    committed: watch::Receiver<u64>,
    ended: JoinTask,
    repeats: Repeats,
    snapshots: Snapshots,
}

type JoinTask = tokio::task::JoinHandle<Ended>;

impl Writer {
    /// Until stopped: waits for the lease, comes to the journal's end, takes commands.
    pub fn run(mut self) {
        // A lease must know us from another process of the same name.
        let nonce = RandomState::new().hash_one(std::process::id());
        self.settings.holder = format!("{} {nonce:016x}", self.settings.holder);
        let why = loop {
            let Some((lease, head)) = self.take_lease() else { break None };
            match self.terms(lease, head) {
                Ok(true) => break None,
                Ok(false) => {}
                // What cannot be read now may be read later; what is wrong stays wrong.
                Err(LoadError::Database(error))
                    if !matches!(error, DatabaseError::Corrupt { .. }) =>
                {
                    tracing::warn!(%error, source = ?error, "the journal cannot be loaded now");
                    if !self.wait(LOOK_MAX) {
                        break None;
                    }
                }
                Err(error) => break Some(error.to_string()),
            }
        };
        if let Some(why) = &why {
            tracing::error!(%why, "the sequencer ends");
        }
        self.status.send_replace(Status::Ended(why));
    }

    /// Waits until we are the writer; `None` when stopped meanwhile.
    fn take_lease(&mut self) -> Option<(Lease, Head)> {
        loop {
            let Settings { holder, lease, .. } = &self.settings;
            let taking = self.database.take_lease(self.programme, holder, *lease);
            let wait = match self.runtime.block_on(taking) {
                Ok(Taking::Taken(lease, head)) => return Some((lease, head)),
                Ok(Taking::Held { holder, left }) => {
                    self.status.send_if_modified(|status| {
                        let now = Status::Standby { holder };
                        (*status != now).then(|| *status = now).is_some()
                    });
                    left
                }
                Err(error) => {
                    tracing::warn!(%error, source = ?error, "cannot ask for the lease");
                    LOOK_MAX
                }
            };
            if !self.wait(wait.clamp(Duration::from_millis(5), LOOK_MAX)) {
                return None;
            }
        }
    }

    /// Waits as a standby, turning callers away; whether to go on.
    fn wait(&mut self, duration: Duration) -> bool {
        let until = tokio::time::Instant::now() + duration;
        loop {
            let next = match self.held.take() {
                Some(job) => Ok(Some(job)),
                None => self
                    .runtime
                    .block_on(async { tokio::time::timeout_at(until, self.jobs.recv()).await }),
            };
            match next {
                Err(_) => return true,
                Ok(None) => return false,
                Ok(Some(Job::Stop { done })) => {
                    let _ = done.send(());
                    return false;
                }
                Ok(Some(Job::Commands { answer, .. } | Job::Settle { answer, .. })) => {
                    let _ = answer.send(Err(SubmitError::NotWriter));
                }
                Ok(Some(Job::Look)) => {}
            }
        }
    }

    /// Writes until the lease is lost (`false`) or the sequencer stopped (`true`).
    fn terms(&mut self, mut lease: Lease, mut head: Head) -> Result<bool, LoadError> {
        loop {
            match self.term(lease, head)? {
                Term::Reload(kept) => {
                    std::thread::sleep(PAUSE);
                    let asked = self.runtime.block_on(self.database.head(self.programme));
                    head = asked.inspect_err(|_| self.let_go(&kept))?;
                    lease = kept;
                }
                Term::LeaseLost(None) => {
                    tracing::warn!("another process has taken over");
                    return Ok(false);
                }
                Term::LeaseLost(Some(done)) => {
                    self.end(Some(done));
                    return Ok(true);
                }
                Term::Stopped(kept, done) => {
                    self.let_go(&kept);
                    self.end(done);
                    return Ok(true);
                }
            }
        }
    }

    fn end(&self, done: Option<oneshot::Sender<()>>) {
        self.status.send_replace(Status::Ended(None));
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// Others may write at once.
    fn let_go(&self, lease: &Lease) {
        if let Err(error) = self.runtime.block_on(self.database.release_lease(lease)) {
            tracing::warn!(%error, "the lease was not released, and will lapse");
        }
    }

    /// From loading to the end of the committer.
    fn term(&mut self, lease: Lease, head: Head) -> Result<Term, LoadError> {
        self.status.send_replace(Status::Loading);
        let mut desk = self.load(lease, head)?;
        if self.reader.borrow().is_some() {
            self.status.send_replace(Status::Writing);
        }
        let stop = self.serve(&mut desk);
        // No more batches: the committer ends when it has done what there is.
        let Desk { book, open, ended, mut snapshots, .. } = desk;
        snapshots.cancel();
        let unsent = open.close();
        let ended = self.ended(ended);
        Batch::fail(unsent, Committer::error(&ended));
        Ok(match ended {
            Ended::LeaseLost => Term::LeaseLost(stop),
            // Whoever asked us to stop is not kept waiting for a journal to be loaded again.
            Ended::Failed(lease) if stop.is_some() => Term::Stopped(lease, stop),
            Ended::Failed(lease) => Term::Reload(lease),
            Ended::Done(lease) => {
                self.keep_lease_while(&lease, || snapshots.finish(&book));
                Term::Stopped(lease, stop)
            }
        })
    }

    fn ended(&self, committer: JoinTask) -> Ended {
        self.runtime.block_on(committer).unwrap_or_else(|error| {
            tracing::error!(%error, "the committer broke off");
            Ended::LeaseLost
        })
    }

    /// Others must not take over while the last snapshot is being stored.
    fn keep_lease_while(&self, lease: &Lease, work: impl FnOnce()) {
        let (database, kept) = (Arc::clone(&self.database), lease.clone());
        let beat = self.runtime.spawn(async move {
            loop {
                let _ = database.renew_lease(&kept).await;
                tokio::time::sleep(kept.ttl / 3).await;
            }
        });
        work();
        beat.abort();
    }

    fn load(&mut self, lease: Lease, head: Head) -> Result<Desk, LoadError> {
        let (batches, taken) = mpsc::channel(1);
        let (committed_sender, committed) = watch::channel(head.seq);
        let (lease_sender, newest_lease) = watch::channel(lease.clone());
        let committer = Committer {
            database: Arc::clone(&self.database),
            lease,
            newest_lease: lease_sender,
            commit_timeout: self.settings.commit_timeout,
            batches: taken,
            committed: committed_sender,
            reader: self.reader.subscribe(),
        };
        self.reader.send_replace(None);
        let wake = self.wake.clone();
        let ended = self.runtime.spawn(async move {
            let ended = committer.run().await;
            if let (false, Some(writer)) = (matches!(ended, Ended::Done(_)), wake.upgrade()) {
                // The writer may be waiting for commands.
                let _ = writer.send(Job::Look).await;
            }
            ended
        });
        let mut open = OpenBatch::new(head, batches);
        let Settings { seed, .. } = self.settings;
        let loaded = load(&self.runtime, &self.database, self.programme, head, seed, &mut open);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                Batch::fail(open.close(), SubmitError::CommitFailed);
                if let Ended::Done(lease) | Ended::Failed(lease) = self.ended(ended) {
                    self.let_go(&lease);
                }
                return Err(error);
            }
        };
        open.send();
        let end = loaded.book.recorder.head().seq;
        tracing::info!(
            entries = loaded.entries,
            is_completed = loaded.is_completed,
            seq = end,
            "loaded"
        );
        // What completed a settlement must be committed before it can be read.
        if self.wait_for(&committed, end) {
            let book = &loaded.book;
            let directory = Directory::new(book.engine.state(), &book.recorder, seed);
            let reader = Reader::new(Arc::clone(&self.database), self.programme, directory);
            self.reader.send_replace(Some(reader));
        }
        let (runtime, database) = (self.runtime.clone(), Arc::clone(&self.database));
        let snapshots = Snapshots::new(runtime, database, newest_lease, seed, loaded.snapshot);
        Ok(Desk {
            book: loaded.book,
            open,
            committed,
            ended,
            repeats: Repeats::default(),
            snapshots,
        })
    }

    /// Waits until a row is committed; `false` if it never will be.
    fn wait_for(&self, committed: &watch::Receiver<u64>, seq: u64) -> bool {
        let mut committed = committed.clone();
        self.runtime.block_on(async { committed.wait_for(|&now| now >= seq).await.is_ok() })
    }

    /// Takes jobs until told to stop or nothing can be committed any more.
    fn serve(&mut self, desk: &mut Desk) -> Option<oneshot::Sender<()>> {
        loop {
            let job = match self.held.take().map_or_else(|| self.jobs.try_recv(), Ok) {
                Ok(job) => Some(job),
                Err(mpsc::error::TryRecvError::Empty) => {
                    desk.open.send();
                    self.jobs.blocking_recv()
                }
                Err(mpsc::error::TryRecvError::Disconnected) => None,
            };
            if desk.open.is_broken() {
                // It was not applied, so it need not fail with what was.
                self.held = job;
                return None;
            }
            match job {
                None => {
                    desk.open.send();
                    return None;
                }
                Some(Job::Stop { done }) => {
                    desk.open.send();
                    return Some(done);
                }
                Some(Job::Look) => {}
                Some(Job::Settle { until, answer }) => {
                    let answers = settle_until(&self.settings, desk, until);
                    desk.open.answer(answer, answers);
                }
                Some(Job::Commands { requests, answer }) => {
                    let answers = requests.iter().map(|request| self.apply(desk, request));
                    match answers.collect() {
                        Ok(answers) => desk.open.answer(answer, answers),
                        Err(error) => {
                            let _ = answer.send(Err(error));
                        }
                    }
                }
            }
            desk.open.offer();
            desk.snapshots.make_when_due(&desk.book, self.reader.borrow().as_ref());
        }
    }

    fn apply(&self, desk: &mut Desk, request: &Request) -> Result<Answer, SubmitError> {
        let rows = candidates(&desk.book.keys, request);
        if let Some(&newest) = rows.iter().max() {
            // The first answer must not be given again before it is given.
            if newest > *desk.committed.borrow() {
                desk.open.send();
                if !self.wait_for(&desk.committed, newest) {
                    return Err(SubmitError::CommitFailed);
                }
            }
            let (runtime, database) = (&self.runtime, &self.database);
            match desk.repeats.first_answer(runtime, database, self.programme, &rows, request) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "an earlier answer cannot be read");
                    return Err(SubmitError::CommitFailed);
                }
            }
        }
        settle_due(&self.settings, desk, &request.command);
        Ok(apply(&self.settings, desk, request.key.as_deref(), &request.command))
    }
}

/// Settles the days that end before a command.
fn settle_due(settings: &Settings, desk: &mut Desk, command: &Command) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(settlement) = desk.book.engine.settlement_due(command) {
        let answer = apply(settings, desk, None, &settlement);
        answers.push(answer);
        // A day that cannot be closed leaves the command on a day that is not open.
        if !matches!(answer.outcome, Outcome::Accepted { .. }) || desk.open.is_broken() {
            break;
        }
    }
    answers
}

/// Settles the days that ended by a time: those that a command of that time would find open.
fn settle_until(settings: &Settings, desk: &mut Desk, until: Timestamp) -> Vec<Answer> {
    let Some(day) = desk.book.engine.state().open_day() else { return Vec::new() };
    // Any command but a settlement will do to ask; it is not applied.
    let merchant = engine::Id::new("-").map(|merchant| Action::MerchantJoin { merchant });
    let action = merchant.unwrap_or(Action::DaySettle { day });
    settle_due(settings, desk, &Command { at: until, action })
}

fn apply(settings: &Settings, desk: &mut Desk, key: Option<&str>, command: &Command) -> Answer {
    let entry = desk.book.recorder.head().seq + 1;
    let recorded_at = (settings.clock)().as_microsecond();
    let result = desk.book.apply(command, Stamp { recorded_at, key }, &mut desk.open);
    let outcome = match result {
        Ok(()) => Outcome::Accepted { entry },
        Err(reason) => Outcome::Refused { reason },
    };
    Answer { outcome, is_repeat: false }
}
