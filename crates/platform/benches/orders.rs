//! Durable orders a second: pay and complete, each with an idempotency key, hot pool, buyer and two
//! sponsors granted, through the sequencer; beside it bare batched inserts of the same rows, one
//! transaction for each order, and on PostgreSQL a transaction that locks the pool's row, with
//! eight clients.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::sequencer::{Request, Sequencer};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _, SqliteConnection};
use store::{Database, Postgres, Row, Sqlite};
use support::{Numbers, join, keyed, order, quantile, sequencer, submit_all};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As many customers as the real order history has.
const MEMBERS: u64 = 23_570;
const ORDERS: u64 = 200_000;
const RUNS: u64 = 3;
/// As servers are set up that write all day: checkpoints seldom, log files used again.
const SETTINGS: [(&str, &str); 3] =
    [("shared_buffers", "512MB"), ("max_wal_size", "8GB"), ("min_wal_size", "8GB")];
/// Orders in a transaction of the bare inserts.
const BARE_BATCH: usize = 1_000;

#[tokio::main]
async fn main() {
    let only: Option<String> = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    println!("durable orders, {MEMBERS} members, {ORDERS} orders a run, best of {RUNS}\n");
    println!("| database | what | orders/s | ours is so many times as fast |");
    println!("|---|---|---:|---:|");
    let mut measured = Vec::new();
    if wanted("sqlite") {
        measured.push(("SQLite", sqlite().await));
    }
    if wanted("postgres") {
        measured.push(("PostgreSQL", postgres().await));
    }
    println!("\ntime to acknowledgement of a pay and its complete, at a quarter of the top rate\n");
    println!("| database | orders/s | p50 | p99 | p99.9 |");
    println!("|---|---:|---:|---:|---:|");
    for (name, Measured { rate, waits }) in measured {
        let [p50, p99, p999] =
            [0.5, 0.99, 0.999].map(|share| quantile(&waits, share).as_secs_f64() * 1e3);
        println!("| {name} | {:.0} | {p50:.1} ms | {p99:.1} ms | {p999:.1} ms |", rate / 4.0);
    }
}

async fn sqlite() -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours");
    let database: Arc<dyn Database> = Arc::new(Sqlite::create_or_open(&path).await.unwrap());
    let ours = measure("SQLite", &database, || {}).await;
    let rows = last_rows(&database).await;
    let bare = best(bare_sqlite(folder.path(), &rows, BARE_BATCH).await);
    told("SQLite", "bare batched inserts of the same rows", bare, ours.rate / bare);
    let single = best(bare_sqlite(folder.path(), &rows[..20_000], 1).await);
    told("SQLite", "a transaction for each order, the same rows", single, ours.rate / single);
    ours
}

async fn postgres() -> Measured {
    let server = testbed::postgres::Postgres::start_with(&SETTINGS);
    let url = server.create_database("ours");
    let database: Arc<dyn Database> = Arc::new(Postgres::create_or_open(&url).await.unwrap());
    // A server that has run for a while has log files to use again: making new ones takes some
    // dozens of milliseconds each.
    let age = || drop(server.sql("ours", "CHECKPOINT"));
    let ours = measure("PostgreSQL", &database, age).await;
    let rows = last_rows(&database).await;
    let bare = best(bare_postgres(&server.create_database("bare"), &rows).await);
    told("PostgreSQL", "bare batched inserts of the same rows", bare, ours.rate / bare);
    let locked = locking(&server.create_database("locking"), 8).await;
    let ratio = ours.rate / locked;
    told("PostgreSQL", "`SELECT ... FOR UPDATE` for each order, 8 clients", locked, ratio);
    ours
}

struct Measured {
    rate: f64,
    waits: Vec<Duration>,
}

/// The sequencer's rate with jobs of many and of single orders, and waits at a quarter of it.
async fn measure(name: &str, database: &Arc<dyn Database>, age: impl Fn()) -> Measured {
    let (sequencer, _) = sequencer(database, support::ORDERS, "orders").await;
    let mut numbers = Numbers::new(1);
    let joins = (0..MEMBERS).map(|n| join(n, (n > 0).then(|| numbers.below(n))));
    submit_all(&sequencer, keyed(joins, "join", 0), 1_000).await;
    let mut next = 0;
    let mut rates = [0.0_f64; 2];
    for _ in 0..RUNS {
        for (rate, size) in rates.iter_mut().zip([100, 1]) {
            let requests = orders(&mut next, ORDERS, &mut numbers);
            let start = Instant::now();
            submit_all(&sequencer, requests, 2 * size).await;
            *rate = rate.max(ORDERS as f64 / start.elapsed().as_secs_f64());
        }
    }
    told(name, "sequencer, jobs of 100 orders", rates[0], 1.0);
    told(name, "sequencer, jobs of one order", rates[1], rates[0] / rates[1]);
    age();
    let waits = open_loop(&sequencer, rates[0] / 4.0, &mut next, &mut numbers).await;
    sequencer.stop().await;
    Measured { rate: rates[0], waits }
}

/// Orders as they come, whether or not earlier ones are answered.
async fn open_loop(
    sequencer: &Sequencer,
    rate: f64,
    next: &mut u64,
    numbers: &mut Numbers,
) -> Vec<Duration> {
    let orders_in_all = (rate * 5.0) as u64;
    let mut requests = orders(next, orders_in_all, numbers).into_iter();
    let mut tasks = tokio::task::JoinSet::new();
    let mut waits = Vec::new();
    let start = tokio::time::Instant::now();
    for number in 0..orders_in_all {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(due).await;
        let job: Vec<_> = requests.by_ref().take(2).collect();
        let sequencer = sequencer.clone();
        tasks.spawn(async move {
            sequencer.submit(job).await.unwrap();
            // From when it was due: what a slow sequencer holds up counts, too.
            due.elapsed()
        });
        while let Some(wait) = tasks.try_join_next() {
            waits.push(wait.unwrap());
        }
    }
    while let Some(wait) = tasks.join_next().await {
        waits.push(wait.unwrap());
    }
    waits.sort_unstable();
    waits
}

fn orders(next: &mut u64, count: u64, numbers: &mut Numbers) -> Vec<Request> {
    let first = *next;
    *next += count;
    let commands = (first..first + count)
        .flat_map(|n| order(n, numbers.below(MEMBERS), 1_000 + numbers.below(49_000)));
    keyed(commands, "order", 2 * first)
}

/// The rows of the last run's orders.
async fn last_rows(database: &Arc<dyn Database>) -> Vec<Row> {
    let programme = database.programmes().await.unwrap()[0].id;
    let head = database.head(programme).await.unwrap();
    let mut from = head.seq.saturating_sub(2 * ORDERS) + 1;
    let mut rows = Vec::new();
    while from <= head.seq {
        rows.extend(database.rows(programme, from, 10_000).await.unwrap());
        from = rows.last().unwrap().seq + 1;
    }
    rows
}

fn best(rates: Vec<f64>) -> f64 {
    rates.into_iter().fold(0.0, f64::max)
}

fn told(database: &str, what: &str, rate: f64, ratio: f64) {
    println!("| {database} | {what} | {rate:.0} | {ratio:.2} |");
}

/// The same rows into the same table, and nothing else: `orders` of them in a transaction.
async fn bare_sqlite(folder: &std::path::Path, rows: &[Row], orders: usize) -> Vec<f64> {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let path = folder.join("bare");
        // Made by ours, so that table, pages and settings are the same.
        drop(Sqlite::create_or_open(&path).await.unwrap());
        let file = path.join("verdant.db").display().to_string();
        let mut connection = SqliteConnection::connect(&format!("sqlite://{file}")).await.unwrap();
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
            sqlx::query(pragma).execute(&mut connection).await.unwrap();
        }
        sqlx::query("INSERT INTO programmes VALUES (1, 'bare')")
            .execute(&mut connection)
            .await
            .unwrap();
        let batches: Vec<_> = rows.chunks(2 * orders).map(<[Row]>::to_vec).collect();
        let start = Instant::now();
        for batch in batches {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let mut batch = batch.into_iter().peekable();
            while batch.peek().is_some() {
                let rows: Vec<_> = batch.by_ref().take(125).collect();
                let values = vec!["(?,?,?,?,?,?,?,?,?,?,?)"; rows.len()].join(",");
                let text = format!("INSERT INTO journal VALUES {values}");
                let mut query = sqlx::query(AssertSqlSafe(text));
                for row in rows {
                    query = query
                        .bind(1)
                        .bind(row.seq as i64)
                        .bind(row.entry as i64)
                        .bind(row.is_last)
                        .bind(row.effective_at)
                        .bind(row.recorded_at)
                        .bind(row.command)
                        .bind(row.key)
                        .bind(row.refused)
                        .bind(row.body)
                        .bind(row.hash.to_vec());
                }
                query.execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }
        rates.push(rows.len() as f64 / 2.0 / start.elapsed().as_secs_f64());
        connection.close().await.unwrap();
        std::fs::remove_dir_all(&path).unwrap();
    }
    rates
}

/// The same rows into the same table by UNNEST, and nothing else.
async fn bare_postgres(url: &str, rows: &[Row]) -> Vec<f64> {
    drop(Postgres::create_or_open(url).await.unwrap());
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let text = "INSERT INTO programmes (name) VALUES (gen_random_uuid()) RETURNING programme";
        let programme: i64 =
            sqlx::query(text).fetch_one(&mut connection).await.unwrap().get("programme");
        let batches: Vec<_> = rows.chunks(2 * BARE_BATCH).map(<[Row]>::to_vec).collect();
        let start = Instant::now();
        for batch in batches {
            let count = |pick: fn(&Row) -> i64| batch.iter().map(pick).collect::<Vec<_>>();
            sqlx::query(
                "INSERT INTO journal (programme, seq, entry, is_last, effective_at, recorded_at,
                     command, key, refused, body, hash)
                 SELECT $1, * FROM UNNEST($2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[],
                     $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bytea[],
                     $11::bytea[])",
            )
            .bind(programme)
            .bind(count(|row| row.seq as i64))
            .bind(count(|row| row.entry as i64))
            .bind(batch.iter().map(|row| row.is_last).collect::<Vec<_>>())
            .bind(count(|row| row.effective_at))
            .bind(count(|row| row.recorded_at))
            .bind(batch.iter().map(|row| row.command.clone()).collect::<Vec<_>>())
            .bind(batch.iter().map(|row| row.key.clone()).collect::<Vec<_>>())
            .bind(batch.iter().map(|row| row.refused.clone()).collect::<Vec<_>>())
            .bind(batch.iter().map(|row| row.body.clone()).collect::<Vec<_>>())
            .bind(batch.iter().map(|row| row.hash.to_vec()).collect::<Vec<_>>())
            .execute(&mut connection)
            .await
            .unwrap();
        }
        rates.push(rows.len() as f64 / 2.0 / start.elapsed().as_secs_f64());
    }
    rates
}

/// The usual way: balances in rows, the pool's row locked by each order, five records written.
async fn locking(url: &str, clients: u64) -> f64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE accounts (account BIGINT PRIMARY KEY, balance BIGINT NOT NULL);
         CREATE TABLE orders (id BIGINT PRIMARY KEY, member BIGINT NOT NULL, fen BIGINT NOT NULL);
         CREATE TABLE postings (id BIGSERIAL PRIMARY KEY, order_id BIGINT NOT NULL,
             account BIGINT NOT NULL, steps BIGINT NOT NULL);
         INSERT INTO accounts SELECT n, 0 FROM generate_series(-1, 23570) n;",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let seconds = 5;
    let mut tasks = tokio::task::JoinSet::new();
    let until = Instant::now() + Duration::from_secs(seconds);
    for client in 0..clients {
        let url = url.to_owned();
        tasks.spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut numbers = Numbers::new(client);
            let mut done = 0_u64;
            while Instant::now() < until {
                let id = (client << 40 | done) as i64;
                let (member, fen) =
                    (numbers.below(MEMBERS) as i64, 1_000 + numbers.below(49_000) as i64);
                let mut transaction = connection.begin().await.unwrap();
                sqlx::query("SELECT balance FROM accounts WHERE account = -1 FOR UPDATE")
                    .fetch_one(&mut *transaction)
                    .await
                    .unwrap();
                sqlx::query("INSERT INTO orders VALUES ($1, $2, $3)")
                    .bind(id)
                    .bind(member)
                    .bind(fen)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                sqlx::query(
                    "INSERT INTO postings (order_id, account, steps)
                     VALUES ($1, -1, $3), ($1, $2, $3), ($1, $2, 2 * $3)",
                )
                .bind(id)
                .bind(member)
                .bind(fen)
                .execute(&mut *transaction)
                .await
                .unwrap();
                sqlx::query("UPDATE accounts SET balance = balance + $2 WHERE account IN (-1, $1)")
                    .bind(member)
                    .bind(fen)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
                done += 1;
            }
            done
        });
    }
    let mut done = 0;
    while let Some(orders) = tasks.join_next().await {
        done += orders.unwrap();
    }
    done as f64 / seconds as f64
}
