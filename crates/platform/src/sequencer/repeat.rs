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
            let missing = || DatabaseError::Corrupt { what: format!("no row {seq}") };
            let row = self.kept(seq).ok_or_else(missing)?;
            if row.key.as_deref() == request.key.as_deref() {
                return Ok(Some(Answer { outcome: outcome(row, request)?, is_repeat: true }));
            }
        }
        Ok(None)
    }

    fn kept(&self, seq: u64) -> Option<&Row> {
        let first = self.rows.first()?.seq;
        self.rows.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
}

fn outcome(row: &Row, request: &Request) -> Result<Outcome, DatabaseError> {
    let stored = action(row.command.as_deref().unwrap_or_default());
    if stored != action(&written(&request.command)) {
        return Ok(Outcome::KeyReused { entry: row.entry });
    }
    let Some(code) = row.refused.as_deref() else {
        return Ok(Outcome::Accepted { entry: row.entry });
    };
    let unknown = || DatabaseError::Corrupt { what: format!("the refusal {code:?}") };
    Ok(Outcome::Refused { reason: Rejection::from_code(code).ok_or_else(unknown)? })
}

/// A command without its time.
fn action(text: &str) -> Option<serde_json::Value> {
    let mut value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.as_object_mut()?.remove("at");
    Some(value)
}
