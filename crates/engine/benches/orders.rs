//! Orders a second on a hot pool: pay and complete, buyer and two sponsors granted, forced exits
//! on, every member holding points. Beside it the plain way: ask every member after each order.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

mod support;

use engine::{Engine, NoJournal, Unit};
use support::{Numbers, Tally, apply, engine, join, order, seconds};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: u64 = 6;
const ORDERS: u64 = 400_000;
const CHUNK: u64 = 20_000;

fn main() {
    println!(
        "orders: pay + complete, buyer and two sponsors granted, forced exits on, one thread\n"
    );
    println!(
        "| members | orders/s | ns/order | postings/order | forced exits | plain scan, orders/s | ratio |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000, 10_000_000] } else { sizes };
    for members in sizes {
        measure(members);
    }
}

fn measure(members: u64) {
    let mut numbers = Numbers::new(members);
    let mut engine = populate(members, &mut numbers);
    let mut tally = Tally::default();
    let exits = engine.state().forced_exits();
    // The best of several runs: a shared machine is sometimes slow for some seconds.
    let fast = (0..RUNS)
        .map(|run| members + run * ORDERS)
        .map(|first| purchases(&mut engine, members, first, ORDERS, &mut numbers, &mut tally))
        .fold(f64::MAX, f64::min);
    let exits = engine.state().forced_exits() - exits;
    let plain_orders = (20_000_000 / members).clamp(3, 2_000);
    let plain = plain(&mut engine, members, members + RUNS * ORDERS, plain_orders, &mut numbers);
    let (fast, plain) = (ORDERS as f64 / fast, plain_orders as f64 / plain);
    println!(
        "| {members} | {fast:.0} | {:.0} | {:.1} | {exits} | {plain:.0} | {:.0} |",
        1e9 / fast,
        tally.postings as f64 / (RUNS * ORDERS) as f64,
        fast / plain,
    );
}

/// Members in a random tree, each with points from one order.
fn populate(members: u64, numbers: &mut Numbers) -> Engine {
    let mut engine = engine(support::ORDERS);
    for number in 0..members {
        let sponsor = (number > 0).then(|| numbers.below(number));
        apply(&mut engine, &[join(number, sponsor)], &mut NoJournal);
        apply(&mut engine, &order(number, number, 5_000 + numbers.below(20_000)), &mut NoJournal);
    }
    engine
}

fn purchases(
    engine: &mut Engine,
    members: u64,
    first: u64,
    orders: u64,
    numbers: &mut Numbers,
    tally: &mut Tally,
) -> f64 {
    let mut total = 0.0;
    for chunk in 0..orders / CHUNK {
        let commands: Vec<_> = (0..CHUNK)
            .flat_map(|i| {
                order(
                    first + chunk * CHUNK + i,
                    numbers.below(members),
                    1_000 + numbers.below(49_000),
                )
            })
            .collect();
        total += seconds(|| apply(engine, &commands, tally)).0;
    }
    total
}

/// The same orders, and after each a look at every member for one whose points are worth the
/// quota.
fn plain(engine: &mut Engine, members: u64, first: u64, orders: u64, numbers: &mut Numbers) -> f64 {
    let mut total = 0.0;
    for number in 0..orders {
        let commands = order(first + number, numbers.below(members), 1_000 + numbers.below(49_000));
        total += seconds(|| {
            apply(engine, &commands, &mut NoJournal);
            assert!(scan(engine).is_none(), "the engine left nobody who must exit");
        })
        .0;
    }
    total
}

fn scan(engine: &Engine) -> Option<engine::MemberId> {
    let state = engine.state();
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    state.members().find(|&member| {
        let account = engine::Account::Member(member);
        let points = i128::from(state.balance(account, Unit::Growth));
        points > 0 && points * pool >= i128::from(state.balance(account, Unit::Quota)) * supply
    })
}
