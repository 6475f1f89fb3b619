//! A day's settlement made durable, and coming back from it: a million members in a random tree,
//! 1.2 lots each, two generations, five stars, peers.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

mod support;

use std::sync::Arc;
use std::time::Instant;

use platform::sequencer::Request;
use store::{Database, Postgres, Sqlite};
use support::{Numbers, join, order, sequencer, start, submit_all};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let members: Option<u64> = std::env::args().find_map(|arg| arg.parse().ok());
    let members = members.unwrap_or(1_000_000);
    println!("a day's settlement, {members} members, durable\n");
    println!(
        "| database | commands/s before | settlement, s | rows | MB | snapshot, s | load, s |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let folder = tempfile::tempdir().unwrap();
    let database: Arc<dyn Database> =
        Arc::new(Sqlite::create_or_open(folder.path()).await.unwrap());
    measure("SQLite", &database, members).await;
    drop(database);
    let postgres = testbed::postgres::Postgres::start_with(&[("shared_buffers", "512MB")]);
    let url = postgres.create_database("settlement");
    let database: Arc<dyn Database> = Arc::new(Postgres::create_or_open(&url).await.unwrap());
    measure("PostgreSQL", &database, members).await;
}

async fn measure(name: &str, database: &Arc<dyn Database>, members: u64) {
    let (sequencer, programme) = sequencer(database, support::SETTLEMENT, "settlement").await;
    let mut numbers = Numbers::new(1);
    let begin = Instant::now();
    let mut commands = 0;
    for first in (0..members).step_by(50_000) {
        let last = (first + 50_000).min(members);
        let joins = (first..last).map(|n| join(n, (n > 0).then(|| numbers.below(n)))).collect();
        commands += send(&sequencer, joins).await;
    }
    let lots = members + members / 5;
    for first in (0..lots).step_by(50_000) {
        let last = (first + 50_000).min(lots);
        let orders = (first..last).flat_map(|n| order(n, n % members, 10_000)).collect();
        commands += send(&sequencer, orders).await;
    }
    let before = commands as f64 / begin.elapsed().as_secs_f64();
    // Lots release from the day after they were granted: the first settlement only closes that day.
    sequencer.settle("2026-01-02T09:00:00+08:00".parse().unwrap()).await.unwrap();
    let head = database.head(programme).await.unwrap().seq;
    let begin = Instant::now();
    let answers = sequencer.settle("2026-01-03T09:00:00+08:00".parse().unwrap()).await.unwrap();
    let settlement = begin.elapsed().as_secs_f64();
    assert_eq!(answers.len(), 1);
    let rows = database.head(programme).await.unwrap().seq - head;
    let mut bytes = 0;
    let mut from = head + 1;
    while from <= head + rows {
        let page = database.rows(programme, from, 1_000).await.unwrap();
        bytes += page.iter().map(|row| row.body.len()).sum::<usize>();
        from = page.last().unwrap().seq + 1;
    }
    let begin = Instant::now();
    sequencer.stop().await;
    let snapshot = begin.elapsed().as_secs_f64();
    drop(sequencer);
    let begin = Instant::now();
    let again = start(database, programme).await;
    let load = begin.elapsed().as_secs_f64();
    again.stop().await;
    println!(
        "| {name} | {before:.0} | {settlement:.2} | {rows} | {} | {snapshot:.2} | {load:.2} |",
        bytes / 1_000_000
    );
}

async fn send(sequencer: &platform::sequencer::Sequencer, commands: Vec<engine::Command>) -> u64 {
    let requests: Vec<_> =
        commands.into_iter().map(|command| Request { key: None, command }).collect();
    let count = requests.len() as u64;
    submit_all(sequencer, requests, 1_000).await;
    count
}
