use std::sync::Arc;

use engine::Rejection;
use store::{Database, DatabaseError, Keys, ProgrammeId, Row, written};
use tokio::runtime::Handle;

use super::{Answer, Outcome, Request};

/// The rows that a request's key may be in: nearly always one or none.
pub fn candidates(keys: &Keys, request: &Request) -> Vec<u64> {
    request.key.as_deref().map(|key| keys.find(key).collect()).unwrap_or_default()
}

/// The answer this key got before, if one of the rows has it. All of them are committed.
pub fn first_answer(
    runtime: &Handle,
    database: &Arc<dyn Database>,
    programme: ProgrammeId,
    rows: &[u64],
    request: &Request,
) -> Result<Option<Answer>, DatabaseError> {
    for &seq in rows {
        let found = runtime.block_on(database.rows(programme, seq, 1))?;
        let row = found
            .into_iter()
            .find(|row| row.seq == seq && row.key == request.key.as_deref().map(str::to_owned));
        if let Some(row) = row {
            return Ok(Some(Answer { outcome: outcome(&row, request), is_repeat: true }));
        }
    }
    Ok(None)
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
