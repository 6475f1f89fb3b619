use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::database::{Database, DatabaseError, ProgrammeId};
use crate::row::Row;

/// Rows read at once.
const PAGE_ROWS: u32 = 1_000;

/// Pages read ahead.
const PAGES_AHEAD: usize = 4;

/// The rows of a journal in order, read ahead in the background. To be used outside of the
/// runtime's own threads only, as taking a row waits for it.
#[derive(Debug)]
pub struct Feed {
    pages: mpsc::Receiver<Result<Vec<Row>, DatabaseError>>,
    page: std::vec::IntoIter<Row>,
}

impl Feed {
    /// The rows from `from` to `to`, both included.
    #[must_use]
    pub fn start(
        runtime: &Handle,
        database: &Arc<dyn Database>,
        programme: ProgrammeId,
        from: u64,
        to: u64,
    ) -> Self {
        let (sender, pages) = mpsc::channel(PAGES_AHEAD);
        let database = Arc::clone(database);
        runtime.spawn(async move {
            let mut from = from;
            while from <= to {
                let rows = u32::try_from(to - from + 1).unwrap_or(PAGE_ROWS).min(PAGE_ROWS);
                let page = database.rows(programme, from, rows).await;
                let next = page.as_ref().ok().and_then(|rows| rows.last()).map(|row| row.seq + 1);
                // Nobody listens any more, or there is nothing more.
                if sender.send(page).await.is_err() {
                    return;
                }
                let Some(next) = next else { return };
                from = next;
            }
        });
        Self { pages, page: Vec::new().into_iter() }
    }
}

impl Iterator for Feed {
    type Item = Result<Row, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.page.next() {
            return Some(Ok(row));
        }
        match self.pages.blocking_recv()? {
            Ok(rows) => {
                self.page = rows.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }
}
