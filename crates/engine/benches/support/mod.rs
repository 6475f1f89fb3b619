//! What the benchmarks share: a clock, a repeatable source of numbers, and ways to build states.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; the engine does not")]
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::time::Instant;

use engine::{Action, Command, Engine, Head, Id, Journal, OrderPay, Posting, Programme, State};
use ledger::Fen;

/// Points with a pool, buyer and two sponsors granted, forced exits.
pub const ORDERS: &str = r#"
name = "orders"
[growth]
contribution = "30%"
redeem_fee = "10%"
[growth.grants]
buyer = "50%"
sponsors = ["15%", "5%"]
[quota]
buyer = "200%"
sponsors = ["20%", "10%"]
"#;

/// Packages released day by day: two generations, five stars, peers.
pub const SETTLEMENT: &str = r#"
name = "settlement"
[release]
daily = "1.2%"
generations = ["50%", "30%"]
[[release.packages]]
name = "P1"
price = "30.00"
multiple = "2.5x"
[[release.packages]]
name = "P2"
price = "90.00"
multiple = "3x"
[release.team]
peer = "3%"
[[release.team.stars]]
name = "S1"
volume = "500.00"
rate = "10%"
[[release.team.stars]]
name = "S2"
volume = "2000.00"
rate = "20%"
[[release.team.stars]]
name = "S3"
volume = "6000.00"
rate = "26%"
[[release.team.stars]]
name = "S4"
volume = "20000.00"
rate = "32%"
[[release.team.stars]]
name = "S5"
volume = "300000.00"
rate = "50%"
"#;

/// SplitMix64: repeatable on every machine.
pub struct Numbers(u64);

impl Numbers {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Counts what it is handed, so that no posting is optimised away.
#[derive(Default)]
pub struct Tally {
    pub entries: u64,
    pub postings: u64,
    pub steps: i64,
}

impl Journal for Tally {
    fn open(&mut self, _: &State, _: &Head<'_>) {
        self.entries += 1;
    }

    fn post(&mut self, _: &State, postings: &[Posting]) {
        self.postings += postings.len() as u64;
        self.steps = postings.iter().fold(self.steps, |sum, p| sum.wrapping_add(p.steps));
    }

    fn close(&mut self, _: &State) {}
}

/// Seconds a piece of work took.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// An engine whose programme is this text.
pub fn engine(programme: &str) -> Engine {
    Engine::new(Programme::from_toml(programme).unwrap(), 1)
}

pub fn id(prefix: char, number: u64) -> Id {
    Id::new(format!("{prefix}{number}")).unwrap()
}

pub fn command(action: Action) -> Command {
    Command { at: "2026-01-01T09:00:00+08:00".parse().unwrap(), action }
}

pub fn join(number: u64, sponsor: Option<u64>) -> Command {
    let sponsor = sponsor.map(|sponsor| id('m', sponsor));
    command(Action::MemberJoin { member: id('m', number), sponsor })
}

pub fn order(number: u64, member: u64, fen: u64) -> [Command; 2] {
    let amount = Fen::from_steps(i64::try_from(fen).unwrap());
    [
        command(Action::OrderPay(Box::new(OrderPay::in_cash(
            id('o', number),
            id('m', member),
            amount,
        )))),
        command(Action::OrderComplete { order: id('o', number) }),
    ]
}

pub fn apply(engine: &mut Engine, commands: &[Command], journal: &mut dyn Journal) {
    engine.apply_all(commands, journal, |_, result| result.unwrap());
}

/// The most memory this process has had, in bytes.
pub fn peak_memory() -> u64 {
    memory_line("VmHWM:")
}

/// The memory this process has now, in bytes.
pub fn memory() -> u64 {
    memory_line("VmRSS:")
}

fn memory_line(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
