use std::sync::Arc;

use engine::Rejection;
use store::{Database, DatabaseError, Keys, ProgrammeId, Row, written};
use tokio::runtime::Handle;

use super::{Answer, Outcome, Request};

/// Rows read at once when repeats lie close together, as when a whole file is sent again.
const ROWS_AHEAD: u32 = 512;

/// The rows that a request's key may be in: nearly always one or none.
pub fn candidates(keys: &Keys, request: &Request) -> Vec<u64> {
    request.key.as_deref().map(|key| keys.find(key).collect()).unwrap_or_default()
}

/// Finds answers that were given before. All rows it is asked for are committed, so it can keep
/// what it has read.
#[derive(Debug, Default)]
pub struct Repeats {
    /// The rows read last, without a hole.
    rows: Vec<Row>,
}

impl Repeats {
    /// The answer this key got before, if one of the rows has it.
    pub fn first_answer(
        &mut self,
        runtime: &Handle,
        database: &Arc<dyn Database>,
        programme: ProgrammeId,
        rows: &[u64],
        request: &Request,
    ) -> Result<Option<Answer>, DatabaseError> {
        for &seq in rows {
            if self.kept(seq).is_none() {
                let last = self.rows.last().map_or(seq, |row| row.seq);
                let is_close = last < seq && seq - last <= u64::from(ROWS_AHEAD);
                let count = if is_close { ROWS_AHEAD } else { 1 };
                self.rows = runtime.block_on(database.rows(programme, seq, count))?;
            }
            let key = request.key.as_deref();
            if let Some(row) = self.kept(seq).filter(|row| row.key.as_deref() == key) {
                return Ok(Some(Answer { outcome: outcome(row, request), is_repeat: true }));
            }
        }
        Ok(None)
    }

    fn kept(&self, seq: u64) -> Option<&Row> {
        let first = self.rows.first()?.seq;
        self.rows.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
}

fn outcome(row: &Row, request: &Request) -> Outcome {
    let stored = action(row.command.as_deref().unwrap_or_default());
    if stored != action(&written(&request.command)) {
        return Outcome::KeyReused { entry: row.entry };
    }
    match row.refused.as_deref().and_then(Rejection::from_code) {
        Some(reason) => Outcome::Refused { reason },
        None => Outcome::Accepted { entry: row.entry },
    }
}

/// A command without its time.
fn action(text: &str) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.as_object_mut()?.remove("at");
    Some(value)
}
