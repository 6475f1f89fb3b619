//! What the sequencer's benchmarks share.
#![allow(dead_code, reason = "each benchmark uses its part")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::{Command, Programme};
use jiff::Timestamp;
use platform::sequencer::{Request, Sequencer, Settings};
use store::{Database, ProgrammeId, first_row};

#[path = "../../../engine/benches/support/mod.rs"]
mod plain;
pub use plain::*;

pub fn settings() -> Settings {
    Settings {
        holder: "benchmark".into(),
        lease: Duration::from_secs(10),
        commit_timeout: Duration::from_secs(60),
        clock: Arc::new(Timestamp::now),
        seed: 1,
    }
}

/// A sequencer for a new programme.
pub async fn sequencer(
    database: &Arc<dyn Database>,
    programme: &str,
    name: &str,
) -> (Sequencer, ProgrammeId) {
    let programme = Programme::from_toml(programme).unwrap();
    let created = database.create(name, &first_row(&programme, 0)).await.unwrap();
    (start(database, created.id).await, created.id)
}

/// A sequencer that takes commands.
pub async fn start(database: &Arc<dyn Database>, programme: ProgrammeId) -> Sequencer {
    let sequencer = Sequencer::start(Arc::clone(database), programme, settings()).unwrap();
    sequencer.ready().await.unwrap();
    sequencer
}

/// Commands with keys of their own.
pub fn keyed(commands: impl IntoIterator<Item = Command>, run: &str, first: u64) -> Vec<Request> {
    (first..)
        .zip(commands)
        .map(|(number, command)| Request { key: Some(format!("{run}/{number}").into()), command })
        .collect()
}

/// Submits jobs of `size` requests in order, many at a time.
pub async fn submit_all(sequencer: &Sequencer, requests: Vec<Request>, size: usize) {
    let mut waiting = VecDeque::new();
    let mut requests = requests.into_iter().peekable();
    while requests.peek().is_some() {
        let job: Vec<_> = requests.by_ref().take(size).collect();
        waiting.push_back(sequencer.enqueue(job).await.unwrap());
        if waiting.len() > JOBS_MAX {
            waiting.pop_front().unwrap().wait().await.unwrap();
        }
    }
    for pending in waiting {
        pending.wait().await.unwrap();
    }
}

/// Jobs that are waited for at once.
const JOBS_MAX: usize = 2_048;

/// The value that a share of all values are not above.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len() - 1;
    sorted[((last as f64) * share).round() as usize]
}
