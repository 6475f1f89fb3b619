use store::{Head, Row, RowSink, Touched};
use tokio::sync::mpsc;

use super::{Answer, Reply, SubmitError};

/// Rows committed together take no more than this, so that a settlement is written in pieces.
const BATCH_BYTES_MAX: usize = 2 << 20;

/// Rows in a batch, for the same reason: those who wait for it should not wait long.
const BATCH_ROWS_MAX: usize = 4_000;

/// Rows in a batch before it is offered to a committer that has nothing waiting.
const BATCH_ROWS_WANTED: usize = 512;

/// Callers who wait before it is offered: answers need no rows.
const BATCH_ANSWERS_WANTED: usize = 128;

/// Holders an ordinary row touches, about.
const TOUCHED_A_ROW: usize = 8;

/// What is committed in one transaction, and who waits for it.
#[derive(Debug)]
pub struct Batch {
    /// Where the journal must end before.
    pub after: Head,
    /// Where it ends then.
    pub end: Head,
    /// The rows.
    pub rows: Vec<Row>,
    /// Whom they touched, with the row.
    pub touched: Vec<(u64, Touched)>,
    /// The last row of the last whole entry.
    pub horizon: u64,
    /// Who is answered when it is committed.
    pub answers: Vec<Answered>,
    bytes: usize,
}

/// Somebody who waits, and the answers.
#[derive(Debug)]
pub struct Answered {
    pub reply: Reply<Vec<Answer>>,
    pub answers: Vec<Answer>,
}

impl Batch {
    fn new(after: Head, horizon: u64, rows: usize) -> Self {
        Self {
            after,
            end: after,
            rows: Vec::with_capacity(rows),
            touched: Vec::with_capacity(TOUCHED_A_ROW * rows),
            horizon,
            answers: Vec::new(),
            bytes: 0,
        }
    }

    /// Tells everybody who waits that it is committed.
    pub fn succeed(answers: Vec<Answered>) {
        for Answered { reply, answers } in answers {
            // Whoever does not wait any more can ask again.
            let _ = reply.send(Ok(answers));
        }
    }

    /// Tells everybody who waits that it is not.
    pub fn fail(answers: Vec<Answered>, error: SubmitError) {
        for Answered { reply, .. } in answers {
            let _ = reply.send(Err(error));
        }
    }
}

/// The batch that is being made, and where batches go. When it is full it goes by itself, in the
/// middle of a settlement too; the maker waits while two are on their way.
#[derive(Debug)]
pub struct OpenBatch {
    batch: Batch,
    committer: mpsc::Sender<Batch>,
    is_broken: bool,
}

impl OpenBatch {
    pub fn new(after: Head, committer: mpsc::Sender<Batch>) -> Self {
        Self { batch: Batch::new(after, after.seq, 0), committer, is_broken: false }
    }

    /// Whether nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.batch.rows.is_empty() && self.batch.answers.is_empty()
    }

    /// Whether the committer has ended: nothing more can be committed.
    pub fn is_broken(&self) -> bool {
        self.is_broken || self.committer.is_closed()
    }

    /// Answers when everything up to here is committed.
    pub fn answer(&mut self, reply: Reply<Vec<Answer>>, answers: Vec<Answer>) {
        self.batch.answers.push(Answered { reply, answers });
    }

    /// Ends it: who waits for what was not sent on.
    pub fn close(mut self) -> Vec<Answered> {
        std::mem::take(&mut self.batch.answers)
    }

    /// Sends the batch on if it is worth a commit and the committer has none waiting.
    pub fn offer(&mut self) {
        let wanted = self.batch.rows.len() >= BATCH_ROWS_WANTED
            || self.batch.answers.len() >= BATCH_ANSWERS_WANTED;
        if wanted && self.committer.capacity() > 0 {
            self.send();
        }
    }

    /// Sends the batch on, whatever is in it.
    pub fn send(&mut self) {
        if self.is_empty() {
            return;
        }
        // As many as now will probably come again.
        let Batch { end, horizon, rows, .. } = &self.batch;
        let next = Batch::new(*end, *horizon, rows.len());
        let batch = std::mem::replace(&mut self.batch, next);
        if let Err(error) = self.committer.blocking_send(batch) {
            self.is_broken = true;
            Batch::fail(error.0.answers, SubmitError::CommitFailed);
        }
    }
}

impl RowSink for OpenBatch {
    fn take(&mut self, row: Row, touched: &mut Vec<Touched>) {
        let batch = &mut self.batch;
        batch.bytes += row.size();
        batch.end = Head { seq: row.seq, hash: row.hash };
        batch.touched.extend(touched.drain(..).map(|touched| (row.seq, touched)));
        if row.is_last {
            batch.horizon = row.seq;
        }
        batch.rows.push(row);
        if self.batch.bytes >= BATCH_BYTES_MAX || self.batch.rows.len() >= BATCH_ROWS_MAX {
            self.send();
        }
    }
}
