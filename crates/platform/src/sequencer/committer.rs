use std::sync::Arc;
use std::time::Duration;

use store::{Database, DatabaseError, Head, Lease, Reader};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::SubmitError;
use super::batch::Batch;

/// How long to wait before a database that failed is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Commits batches in order, and says that we are still here.
pub struct Committer {
    pub database: Arc<dyn Database>,
    pub lease: Lease,
    /// Told the lease when it has changed.
    pub newest_lease: watch::Sender<Lease>,
    pub commit_timeout: Duration,
    pub batches: mpsc::Receiver<Batch>,
    /// The last row committed.
    pub committed: watch::Sender<u64>,
    /// Told what was committed; set when the journal is loaded.
    pub reader: watch::Receiver<Option<Reader>>,
}

/// How a committer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// There are no more batches. The lease is still ours.
    Done(Lease),
    /// A commit did not happen. The lease is still ours.
    Failed(Lease),
    /// Another process is the writer.
    LeaseLost,
}

impl Committer {
    /// Runs until there are no more batches, or one fails.
    pub async fn run(mut self) -> Ended {
        // Only what reaches the database counts as a sign of life: answers alone do not.
        let mut beat = Instant::now() + self.lease.ttl / 3;
        let ended = loop {
            let batch = tokio::select! {
                batch = self.batches.recv() => batch,
                () = sleep_until(beat) => {
                    match self.database.renew_lease(&self.lease).await {
                        Err(DatabaseError::LeaseLost) => break Ended::LeaseLost,
                        Err(error) => tracing::warn!(%error, "the lease was not renewed"),
                        Ok(()) => {}
                    }
                    beat = Instant::now() + self.lease.ttl / 3;
                    continue;
                }
            };
            let Some(batch) = batch else { return Ended::Done(self.lease) };
            let has_rows = !batch.rows.is_empty();
            if let Err(ended) = self.commit(batch).await {
                break ended;
            }
            if has_rows {
                beat = Instant::now() + self.lease.ttl / 3;
            }
        };
        // What was made after it can not be committed either.
        self.batches.close();
        let error = Self::error(&ended);
        while let Some(batch) = self.batches.recv().await {
            Batch::fail(batch.answers, error);
        }
        ended
    }

    async fn commit(&mut self, mut batch: Batch) -> Result<(), Ended> {
        if !batch.rows.is_empty() {
            let rows = std::mem::take(&mut batch.rows);
            let append = self.database.append(&self.lease, batch.after, rows);
            let outcome = match timeout(self.commit_timeout, append).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(DatabaseError::LeaseLost)) => Err(Ended::LeaseLost),
                // Not what was asked for is in the journal: nobody may be told that it is.
                Ok(Err(error @ DatabaseError::Corrupt { .. })) => {
                    tracing::error!(%error, "the database does not keep what it is given");
                    Err(Ended::Failed(self.lease.clone()))
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, source = ?error, "a commit failed or is unknown");
                    self.find_out(&batch).await
                }
                Err(_) => {
                    tracing::warn!("a commit took too long");
                    self.find_out(&batch).await
                }
            };
            let outcome = match outcome {
                // Others write by now, but they may have gone on from where this batch ends.
                Err(Ended::LeaseLost) if self.is_in_the_journal(batch.end).await => {
                    Batch::succeed(batch.answers);
                    return Err(Ended::LeaseLost);
                }
                outcome => outcome,
            };
            if let Err(ended) = outcome {
                // Before anybody is told: what is asked for again then must not go into a batch that
                // is lost, too.
                self.batches.close();
                Batch::fail(batch.answers, Self::error(&ended));
                return Err(ended);
            }
            if let Some(reader) = &*self.reader.borrow() {
                reader.note(batch.touched, batch.horizon);
            }
            self.committed.send_replace(batch.end.seq);
        }
        Batch::succeed(batch.answers);
        Ok(())
    }

    /// Whether the batch is committed after all. Asks until the database answers: nobody may be
    /// told that it is not before that is sure.
    async fn find_out(&mut self, batch: &Batch) -> Result<(), Ended> {
        loop {
            match timeout(self.commit_timeout, self.database.retake_lease(&self.lease)).await {
                Ok(Ok((lease, head))) => {
                    self.newest_lease.send_replace(lease.clone());
                    self.lease = lease;
                    if head == batch.end {
                        return Ok(());
                    }
                    return Err(Ended::Failed(self.lease.clone()));
                }
                Ok(Err(DatabaseError::LeaseLost)) => return Err(Ended::LeaseLost),
                Ok(Err(error)) => {
                    tracing::warn!(%error, source = ?error, "the database does not answer");
                }
                Err(_) => tracing::warn!("the database does not answer"),
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether the journal has this row. Nothing of ours can be committed any more, so what it says
    /// now is final.
    async fn is_in_the_journal(&self, end: Head) -> bool {
        loop {
            let read = self.database.rows(self.lease.programme, end.seq, 1);
            match timeout(self.commit_timeout, read).await {
                Ok(Ok(rows)) => {
                    return rows
                        .first()
                        .is_some_and(|row| row.seq == end.seq && row.hash == end.hash);
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, source = ?error, "the database does not answer");
                }
                Err(_) => tracing::warn!("the database does not answer"),
            }
            sleep(PAUSE).await;
        }
    }

    /// What those are told who wait for what was not committed.
    pub fn error(ended: &Ended) -> SubmitError {
        match ended {
            Ended::LeaseLost => SubmitError::NotWriter,
            Ended::Done(_) | Ended::Failed(_) => SubmitError::CommitFailed,
        }
    }
}
