//! Snapshots, so that a start need not apply the whole journal again.
//!
//! While commands are taken they are made from what is committed, not from the writer's memory: by
//! a thread of their own that comes to the journal's end as a start would, resting between pieces
//! of work. So they hold up nobody, and every row is compared with its command once more.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use store::{
    Book, Database, Discard, Fault, Head, Lease, LoadError, Reader, SnapshotHead, load_paced,
    store_snapshot,
};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The niceness of work that can wait.
const LEAST_URGENT: i32 = 19;

/// How long to rest for the time worked: commands come first.
const RESTS: u32 = 3;

/// No rest is longer.
const REST_MAX: Duration = Duration::from_millis(100);

/// Rows after which a snapshot is due: they are applied again in about two seconds.
const ROWS: u64 = 500_000;

/// Makes snapshots when they are due.
pub struct Snapshots {
    runtime: Handle,
    database: Arc<dyn Database>,
    lease: watch::Receiver<Lease>,
    seed: u64,
    /// The row of the newest, or of the one that is being made.
    newest: u64,
    running: Option<Running>,
}

struct Running {
    thread: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
}

impl Snapshots {
    /// Snapshots after the one of row `newest`, made with the lease as it is then.
    pub fn new(
        runtime: Handle,
        database: Arc<dyn Database>,
        lease: watch::Receiver<Lease>,
        seed: u64,
        newest: u64,
    ) -> Self {
        Self { runtime, database, lease, seed, newest, running: None }
    }

    /// Begins to make one, if it is due and none is being made.
    pub fn make_when_due(&mut self, book: &Book, reader: Option<&Reader>) {
        let head = book.recorder.head().seq;
        let is_busy = self.running.as_ref().is_some_and(|running| !running.thread.is_finished());
        let Some(reader) = reader else { return };
        if is_busy || head.saturating_sub(self.newest) < due_after(book) {
            return;
        }
        self.newest = head;
        let is_over = Arc::new(AtomicBool::new(false));
        let (runtime, database) = (self.runtime.clone(), Arc::clone(&self.database));
        let (lease, seed, reader) = (self.lease.borrow().clone(), self.seed, reader.clone());
        let flag = Arc::clone(&is_over);
        let work = move || {
            // If this cannot be asked for, the rests still are.
            let _ = rustix::process::nice(LEAST_URGENT);
            tell(make(&runtime, &database, &lease, &reader, seed, &mut pace(&flag)));
        };
        let thread = std::thread::Builder::new().name("snapshot".into()).spawn(work);
        self.running = thread.ok().map(|thread| Running { thread, is_over });
    }

    /// Ends what is being made; does not wait for it.
    pub fn cancel(&mut self) {
        if let Some(running) = &self.running {
            running.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// Ends what is being made, and makes a last one of the book, which is committed.
    pub fn finish(mut self, book: &Book) {
        self.cancel();
        if let Some(running) = self.running.take() {
            // It tells by itself if it failed.
            let _ = running.thread.join();
        }
        let lease = self.lease.borrow().clone();
        let mut go_on = || ControlFlow::Continue(());
        tell(store_snapshot(&self.runtime, &self.database, &lease, book, &mut go_on));
    }
}

/// Rows until a snapshot is due: more where one is large, so that making it stays a small part of
/// the work.
fn due_after(book: &Book) -> u64 {
    let state = book.engine.state();
    ROWS.max((state.member_count() + state.order_count()) as u64 / 2)
}

/// Rests, and says whether to go on.
fn pace(is_over: &AtomicBool) -> impl FnMut() -> ControlFlow<()> + use<'_> {
    let mut since = Instant::now();
    move || {
        std::thread::sleep((since.elapsed() * RESTS).min(REST_MAX));
        since = Instant::now();
        if is_over.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

fn make(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    lease: &Lease,
    reader: &Reader,
    seed: u64,
    breathe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<SnapshotHead, LoadError> {
    let (programme, horizon) = (lease.programme, reader.horizon());
    let rows = runtime.block_on(database.rows(programme, horizon, 1))?;
    let row = rows.first().ok_or(Fault::Gap { expected: horizon, seq: horizon + 1 })?;
    let head = Head { seq: row.seq, hash: row.hash };
    // The horizon is the end of an entry: nothing is left over.
    let loaded = load_paced(runtime, database, programme, head, seed, &mut Discard, breathe)?;
    store_snapshot(runtime, database, lease, &loaded.book, breathe)
}

/// Without a snapshot the next start is slower; but a journal that is not what its commands come to
/// is told loudly.
fn tell(made: Result<SnapshotHead, LoadError>) {
    match made {
        Ok(snapshot) => tracing::info!(seq = snapshot.seq, "stored a snapshot"),
        Err(LoadError::Interrupted) => {}
        Err(LoadError::Fault(fault)) => {
            tracing::error!(%fault, "the journal is damaged: run `verdant verify`");
        }
        Err(LoadError::Database(error)) => {
            tracing::warn!(%error, source = ?error, "cannot store a snapshot");
        }
    }
}
