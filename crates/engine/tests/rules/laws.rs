//! Section 5, "What always holds", checked on the engine after every command of random lives. The
//! laws read balances and postings only: nothing here knows how the engine comes to them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{
    Account, Command, Engine, Head, Journal, MemberId, NoJournal, OrderId, Posting, Programme,
    Rejection, State, Unit, Why,
};
use ledger::Fen;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fold::{Fold, balances};
use crate::plain::Plain;
use crate::runner::run;
use crate::streams::{Stream, refunds_in_pieces, stream, toml_of};

type Checked = Result<(), String>;

#[test]
fn the_laws_hold() {
    run(600, &stream(), |stream| live(&stream));
}

#[test]
fn the_laws_hold_for_refunds_in_pieces() {
    run(600, &refunds_in_pieces(), |stream| live(&stream));
}

/// The model runs along only because the steps are resolved against it.
fn live(stream: &Stream) -> Checked {
    let mut plain = Plain::new(&stream.programme)?;
    let mut life = Life::new(&stream.programme)?;
    let mut lines = Vec::new();
    let mut lived = Ok(());
    for step in &stream.steps {
        let (json, _) = step.run(&mut plain);
        lines.push(json.to_string());
        lived = life.feed(&json.to_string(), step.raw);
        if lived.is_err() {
            break;
        }
    }
    lived
        .and_then(|()| the_journal_replays(&life, &stream.programme))
        .and_then(|()| a_batch_is_the_same(&life, &stream.programme))
        .map_err(|law| format!("{law}\n{}\n{}", stream.programme, lines.join("\n")))
}

fn must(holds: bool, law: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(law()) }
}

fn programme(toml: &str) -> Result<Programme, String> {
    Programme::from_toml(toml).map_err(|faults| format!("{:?}", faults.0))
}

fn state_json(engine: &Engine) -> String {
    serde_json::to_string(&engine.state().to_file(&[])).unwrap()
}

// ---------------------------------------------------------------- one life

/// An engine with everything that was ever asked of it.
struct Life {
    engine: Engine,
    book: Book,
    fed: Vec<Command>,
    outcomes: Vec<Result<(), Rejection>>,
    /// The highest price points could be redeemed at so far.
    best: Option<Price>,
    seen: String,
}

impl Life {
    fn new(toml: &str) -> Result<Self, String> {
        let engine = Engine::new(programme(toml)?, 0);
        let seen = all_there_is(&engine);
        let (fed, outcomes) = (Vec::new(), Vec::new());
        Ok(Self { engine, book: Book::default(), fed, outcomes, best: None, seen })
    }

    fn feed(&mut self, line: &str, raw: bool) -> Checked {
        let command = match Command::from_json(line) {
            Ok(command) => command,
            Err(error) => return must(!error.to_string().is_empty(), || "no message".into()),
        };
        while let Some(settlement) = self.engine.settlement_due(&command).filter(|_| !raw) {
            self.apply(settlement)?;
            if self.outcomes.last().is_some_and(Result::is_err) {
                break;
            }
        }
        self.apply(command)
    }

    fn apply(&mut self, command: Command) -> Checked {
        let apply = || self.engine.apply(&command, &mut self.book);
        let outcome = catch_unwind(AssertUnwindSafe(apply)).map_err(|_| "the engine panicked")?;
        self.fed.push(command);
        self.outcomes.push(outcome);
        self.book.sound()?;
        match outcome {
            Ok(()) => self.check_laws(),
            Err(_) => self.check_no_trace(),
        }
    }

    fn check_laws(&mut self) -> Checked {
        let state = self.engine.state();
        must(self.book.entries == self.outcomes.iter().filter(|o| o.is_ok()).count(), || {
            "not one entry for each accepted command".into()
        })?;
        postings_give_every_balance(&self.engine, &self.book)?;
        units_add_to_zero(state)?;
        nobody_below_zero(state)?;
        self.best = price_never_falls(self.best, state)?;
        reserve_covers_stable(state)?;
        no_pool_without_supply(state)?;
        nobody_overstays(state)?;
        lots_keep_to_their_gift(state, &self.book)?;
        nobody_drew_more_than_granted(state, &self.book)?;
        escrow_belongs_to_open_orders(state, &self.book)?;
        self.seen = all_there_is(&self.engine);
        Ok(())
    }

    /// A refused command leaves no trace: not in the state, not in the journal.
    fn check_no_trace(&self) -> Checked {
        let now = all_there_is(&self.engine);
        must(now == self.seen, || format!("refused, but\n{}\nbecame\n{now}", self.seen))?;
        postings_give_every_balance(&self.engine, &self.book)?;
        let accepted = self.outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        must(self.book.entries == accepted, || "an entry for a refused command".into())
    }
}

/// The state as a file, and what the file leaves out.
fn all_there_is(engine: &Engine) -> String {
    let state = engine.state();
    let pending = state.pending_programme().map(|programme| &programme.name);
    let price = state.price();
    format!(
        "{}\n{:?}\n{price:?}\n{pending:?}\n{}",
        state_json(engine),
        balances(engine),
        within(state)
    )
}

/// Volumes, chains, orders, lots, grants and totals, as the state prints them of itself. The index
/// of names, the exit queue and the draft are left out: what they still hold means nothing.
fn within(state: &State) -> String {
    let text = format!("{state:?}");
    let part = |from: &str, to: &str| {
        let (_, rest) = text.split_once(from).expect("a field of the state has another name");
        rest.split_once(to).expect("a field of the state has another name").0.to_owned()
    };
    let people = part("volumes: ", "merchants: ");
    let rest = part("orders: ", "exits: ");
    let (_, orders) = rest.rsplit_once("}, rows: ").expect("the orders are rows");
    format!("{people}{orders}")
}

// ---------------------------------------------------------------- the journal

/// What the postings alone say.
#[derive(Default)]
struct Book {
    fold: Fold,
    entries: usize,
    is_open: bool,
    /// The first thing that was wrong with the postings themselves.
    wrong: Option<String>,
    lots: BTreeMap<OrderId, LotBook>,
    quotas: BTreeMap<MemberId, QuotaBook>,
    escrow: BTreeMap<(OrderId, Unit), i64>,
    /// Whether dividends use up quota: by the programme that the entry found.
    dividends_limited: bool,
    /// Cash a sale has taken out of the pool so far.
    out_of_pool: i64,
    /// Cash debt just netted: whose, and how much of it.
    netted: Option<(MemberId, i64)>,
}

#[derive(Debug)]
struct LotBook {
    member: MemberId,
    gift: i64,
    given: i64,
}

/// In fen: what was granted, and what was drawn while it was limited by quota.
#[derive(Debug, Default)]
struct QuotaBook {
    granted: i64,
    drawn: i64,
}

impl Journal for Book {
    fn open(&mut self, state: &State, head: &Head<'_>) {
        self.check(!self.is_open, || "an entry in an entry".into());
        self.is_open = true;
        self.entries += 1;
        self.dividends_limited = state.programme().quota.is_some();
        self.fold.open(state, head);
    }

    fn post(&mut self, state: &State, postings: &[Posting]) {
        self.check(self.is_open, || "postings outside an entry".into());
        if let Some(unbalanced) = ledger::unbalanced(postings) {
            return self.check(false, || format!("{unbalanced}: {postings:?}"));
        }
        self.fold.post(state, postings);
        for posting in postings {
            self.check(posting.steps != 0, || format!("a posting of nothing: {posting:?}"));
            self.note_lot(posting);
            self.note_quota(posting);
            self.note_drawn(state, posting);
            self.note_escrow(posting);
        }
    }

    fn close(&mut self, _: &State) {
        self.check(self.is_open, || "an entry closed twice".into());
        self.is_open = false;
    }
}

impl Book {
    fn check(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.wrong.get_or_insert_with(wrong);
        }
    }

    fn sound(&self) -> Checked {
        must(!self.is_open, || "an entry is left open".into())?;
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// Locked points come in once, as a gift, and only go out of the lot of the order they name.
    fn note_lot(&mut self, posting: &Posting) {
        let (Account::Member(member), Unit::Locked) = (posting.account, posting.unit) else {
            return;
        };
        match posting.why {
            Why::LotGranted { order, .. } => {
                let lot = LotBook { member, gift: posting.steps, given: 0 };
                let before = self.lots.insert(order, lot);
                self.check(before.is_none(), || format!("a second lot: {posting:?}"));
            }
            Why::ReleaseScheduled { order, .. }
            | Why::ReleaseAccelerated { order }
            | Why::TakenBack { order, .. } => {
                let lot = self.lots.get_mut(&order).filter(|lot| lot.member == member);
                let fits = lot.is_some_and(|lot| {
                    lot.given -= posting.steps;
                    posting.steps < 0 && lot.given <= lot.gift
                });
                self.check(fits, || format!("more than the gift, or no lot: {posting:?}"));
            }
            _ => self.check(false, || format!("locked points by another rule: {posting:?}")),
        }
    }

    fn note_quota(&mut self, posting: &Posting) {
        let (Account::Member(member), Unit::Quota) = (posting.account, posting.unit) else {
            return;
        };
        match posting.why {
            Why::QuotaGranted { .. } | Why::Adjusted | Why::TakenBack { .. } => {
                self.quotas.entry(member).or_default().granted += posting.steps;
            }
            _ => self.check(posting.steps < 0, || format!("quota from nowhere: {posting:?}")),
        }
    }

    /// A draw counts before fees and debts: what the points were worth, or the dividend.
    fn note_drawn(&mut self, state: &State, posting: &Posting) {
        let Posting { account, unit, steps, why } = *posting;
        let limited = state.programme().is_limited_by_quota();
        match (account, unit, why) {
            (Account::Pool, Unit::Cash, Why::Sold { .. } | Why::DebtNetted { .. }) => {
                self.out_of_pool -= steps
            }
            (
                Account::Member(_) | Account::Merchant(_),
                Unit::Growth,
                Why::Burnt { price, most, .. },
            ) => {
                let paid = std::mem::take(&mut self.out_of_pool);
                let worth = Fen::from_steps(price.mul_floor(-steps).unwrap());
                let gross = most.map_or(worth, |most| worth.min(most));
                let growth = state.programme().growth.as_ref();
                let fee = growth.unwrap().redeem_fee.mul_ceil(gross).unwrap();
                self.check(paid == gross.steps() - fee.steps(), || {
                    format!("the pool paid {paid}: {posting:?}")
                });
                if let Account::Member(member) = account {
                    self.draw(member, gross.steps(), limited);
                }
            }
            (Account::Member(member), Unit::Growth, Why::Exchanged { gross, .. }) => {
                self.draw(member, gross.steps(), limited);
            }
            (
                Account::Member(member),
                Unit::Cash,
                Why::DividendByShares { .. } | Why::DividendEqually { .. },
            ) => self.draw(member, steps, self.dividends_limited),
            (Account::Debt(member), Unit::Cash, Why::DebtNetted { .. }) => {
                self.netted = Some((member, -steps));
            }
            (Account::Carry(_), Unit::Cash, Why::DebtNetted { .. }) => {
                let netted = self.netted.take();
                self.check(netted.is_some_and(|(_, owed)| owed == -steps), || {
                    format!("netted from a dividend, but not from a debt: {posting:?}")
                });
                if let Some((member, owed)) = netted {
                    self.draw(member, owed, self.dividends_limited);
                }
            }
            _ => {}
        }
    }

    fn draw(&mut self, member: MemberId, fen: i64, limited: bool) {
        if limited {
            self.quotas.entry(member).or_default().drawn += fen;
        }
    }

    fn note_escrow(&mut self, posting: &Posting) {
        if posting.account != Account::Escrow {
            return;
        }
        let (Why::OrderPaid { order }
        | Why::OrderCompleted { order }
        | Why::OrderRefunded { order }) = posting.why
        else {
            return self.check(false, || format!("escrow by another rule: {posting:?}"));
        };
        let held = self.escrow.entry((order, posting.unit)).or_default();
        *held += posting.steps;
        let enough = *held >= 0;
        self.check(enough, || format!("more than the order has in escrow: {posting:?}"));
    }
}

// ---------------------------------------------------------------- the laws

/// The state can be rebuilt from the journal alone: here its balances, after every command.
fn postings_give_every_balance(engine: &Engine, book: &Book) -> Checked {
    let (folded, found) = (&book.fold.balances, balances(engine));
    must(*folded == found, || format!("the postings give {folded:?}\nthe state has {found:?}"))
}

fn units_add_to_zero(state: &State) -> Checked {
    for unit in Unit::ALL {
        let sum: i128 = state.accounts().map(|a| i128::from(state.balance(a, unit))).sum();
        must(sum == 0, || format!("{unit:?} adds up to {sum}"))?;
    }
    Ok(())
}

/// Only the sides that stand for the outside go below zero, revenue, and what a merchant is owed.
fn nobody_below_zero(state: &State) -> Checked {
    for account in state.accounts() {
        for unit in Unit::ALL {
            let steps = state.balance(account, unit);
            let fits = match account {
                Account::Gateway | Account::Revenue => unit == Unit::Cash || steps == 0,
                Account::Merchant(_) => unit == Unit::Cash || steps >= 0,
                Account::Issuance | Account::Receivable => steps <= 0,
                _ => steps >= 0,
            };
            must(fits, || format!("{account:?} has {steps} of {unit:?}"))?;
        }
    }
    Ok(())
}

/// Fen of the pool by micro-points, never reduced and never rounded.
#[derive(Debug, Clone, Copy)]
struct Price {
    fen: u128,
    points: u128,
}

impl Price {
    fn is_below(self, other: Self) -> bool {
        self.fen * other.points < other.fen * self.points
    }
}

/// While nothing is in supply the price cannot fall below the last one either: that is the price
/// kept. It shows where it is above the issue price. Gives the highest price so far.
fn price_never_falls(best: Option<Price>, state: &State) -> Result<Option<Price>, String> {
    let whole = |steps: i64| u128::try_from(steps).map_err(|_| "below zero".to_owned());
    let (fen, points) = (whole(state.pool().steps())?, whole(state.supply().steps())?);
    let now = if points > 0 {
        Some(Price { fen, points })
    } else {
        let price = state.price();
        price.map(|p| Price { fen: p.numerator().into(), points: p.denominator().into() })
    };
    let fallen = match (best, now) {
        (Some(best), Some(now)) => now.is_below(best),
        (Some(_), None) => true,
        (None, _) => false,
    };
    must(!fallen, || format!("the price fell from {best:?} to {now:?}"))?;
    if points > 0 {
        return Ok(now);
    }
    let growth = state.programme().growth.as_ref();
    let issue = growth.and_then(|g| whole(g.issue_price.steps()).ok());
    let issue = issue.map(|fen| Price { fen, points: 1_000_000 });
    let kept = now.filter(|now| issue.is_none_or(|issue| issue.is_below(*now)));
    Ok(kept.or(best))
}

/// reserve * price >= stable points outstanding.
fn reserve_covers_stable(state: &State) -> Checked {
    let reserve = i128::from(state.balance(Account::Reserve, Unit::Growth));
    let stable = -i128::from(state.balance(Account::Issuance, Unit::Stable));
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    must(reserve * pool >= stable * supply, || format!("reserve {reserve} for {stable} stable"))?;
    must(stable == 0 || supply > 0, || format!("no supply behind {stable} stable"))
}

fn no_pool_without_supply(state: &State) -> Checked {
    let (pool, supply) = (state.pool(), state.supply());
    must(supply.is_positive() || pool.is_zero(), || format!("no supply, but a pool of {pool}"))
}

/// Whoever is limited by quota has left before the points are worth it.
fn nobody_overstays(state: &State) -> Checked {
    let (pool, supply) = (i128::from(state.pool().steps()), i128::from(state.supply().steps()));
    for id in state.members().filter(|_| state.programme().is_limited_by_quota()) {
        let points = i128::from(state.balance(Account::Member(id), Unit::Growth));
        let quota = i128::from(state.balance(Account::Member(id), Unit::Quota));
        must(points == 0 || points * pool < quota * supply, || {
            format!("{id:?} stays with {points} points and a quota of {quota}")
        })?;
    }
    Ok(())
}

/// What is left in a lot is its gift less all it gave, and a member's lots are what it has locked.
fn lots_keep_to_their_gift(state: &State, book: &Book) -> Checked {
    let mut left: BTreeMap<OrderId, i64> = BTreeMap::new();
    let mut locked: BTreeMap<MemberId, i64> = BTreeMap::new();
    for lot in state.lots() {
        *left.entry(lot.order).or_default() += lot.remaining;
        *locked.entry(lot.member).or_default() += lot.remaining;
    }
    for (order, lot) in &book.lots {
        let remaining = left.remove(order).unwrap_or(0);
        must(lot.given <= lot.gift && lot.gift - lot.given == remaining, || {
            format!("{lot:?} of {order:?} has {remaining} left")
        })?;
    }
    must(left.is_empty(), || format!("lots that were never granted: {left:?}"))?;
    for id in state.members() {
        let (lots, held) = (locked.get(&id), state.balance(Account::Member(id), Unit::Locked));
        must(lots.copied().unwrap_or(0) == held, || {
            format!("the lots of {id:?} have {lots:?}, it has {held} locked")
        })?;
    }
    Ok(())
}

/// What is left of the quota is not drawn yet, so it must still fit in too.
fn nobody_drew_more_than_granted(state: &State, book: &Book) -> Checked {
    for (&member, quota) in &book.quotas {
        let left = state.balance(Account::Member(member), Unit::Quota);
        must(quota.drawn + left <= quota.granted, || {
            format!("{member:?}: {quota:?}, left {left}")
        })?;
    }
    Ok(())
}

/// Nothing stays behind in escrow when an order completes.
fn escrow_belongs_to_open_orders(state: &State, book: &Book) -> Checked {
    for (&(order, unit), &held) in &book.escrow {
        let completed = !state.completed_amount(order).is_zero();
        must(!completed || held == 0, || format!("{order:?} left {held} of {unit:?} in escrow"))?;
    }
    Ok(())
}

/// The commands in the journal, without those refused, give the same state and the same journal.
fn the_journal_replays(life: &Life, toml: &str) -> Checked {
    let mut engine = Engine::new(programme(toml)?, 0);
    let mut fold = Fold::default();
    for line in &life.book.fold.commands {
        let command =
            Command::from_json(line).map_err(|e| format!("{e} in the journal: {line}"))?;
        let again = engine.apply(&command, &mut fold);
        again.map_err(|reason| format!("{reason} for a command of the journal: {line}"))?;
    }
    must(fold.commands == life.book.fold.commands, || "another journal".into())?;
    must(fold.balances == life.book.fold.balances, || "other postings".into())?;
    same_state(&life.engine, &engine)
}

/// Neither the seed of the names nor the batch makes a difference.
fn a_batch_is_the_same(life: &Life, toml: &str) -> Checked {
    let mut engine = Engine::new(programme(toml)?, 0x9E37_79B9_7F4A_7C15);
    let mut fold = Fold::default();
    let mut outcomes = Vec::new();
    engine.apply_all(&life.fed, &mut fold, |index, outcome| {
        assert_eq!(index, outcomes.len());
        outcomes.push(outcome);
    });
    must(outcomes == life.outcomes, || format!("{outcomes:?} in a batch, {:?}", life.outcomes))?;
    must(fold.balances == life.book.fold.balances, || "other postings in a batch".into())?;
    same_state(&life.engine, &engine)
}

fn same_state(first: &Engine, second: &Engine) -> Checked {
    let (first, second) = (all_there_is(first), all_there_is(second));
    must(first == second, || format!("once\n{first}\nthen\n{second}"))
}

// ---------------------------------------------------------------- the climb

/// A tree of members who buy for some days.
#[derive(Debug, Clone)]
struct Tree {
    programme: Value,
    shape: Shape,
    /// By whom each comes, as the shape reads it.
    picks: Vec<u32>,
    orders: Vec<Bought>,
    days: u8,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Chain,
    /// A few deep lines side by side.
    Lines,
    Bush,
    Random,
}

#[derive(Debug, Clone)]
struct Bought {
    day: u8,
    pick: u16,
    fen: u32,
    /// Whether reward points pay for some of it.
    with_points: bool,
}

fn tree() -> impl Strategy<Value = Tree> {
    let shape = prop::sample::select(vec![Shape::Chain, Shape::Lines, Shape::Bush, Shape::Random]);
    let picks = prop::collection::vec(any::<u32>(), 100..=400);
    let fen = prop_oneof![1_000_u32..200_000, Just(1_000), Just(100_000), 1_u32..1_000];
    let bought = (0_u8..6, any::<u16>(), fen, any::<bool>())
        .prop_map(|(day, pick, fen, with_points)| Bought { day, pick, fen, with_points });
    // Some with so many lots that finished ones are dropped.
    let orders = prop_oneof![
        3 => prop::collection::vec(bought.clone(), 50..=500),
        1 => prop::collection::vec(bought, 1200..=2000),
    ];
    (released_in_teams(), shape, picks, orders, 4_u8..=9)
        .prop_map(|(programme, shape, picks, mut orders, days)| {
            orders.sort_by_key(|order| order.day);
            Tree { programme, shape, picks, orders, days }
        })
        .boxed()
}

fn released_in_teams() -> impl Strategy<Value = Value> {
    let texts = |list: &[&str]| {
        prop::sample::select(list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
    };
    let generation = texts(&["50%", "30%", "10%", "100%", "300%", "0%", "33.3333%"]);
    let star = (prop::sample::select(vec![1_u64, 50_000, 500_000, 2_000_000]), 0_u64..300_000);
    let depth = prop_oneof![10 => 0_u32..=5, 1 => Just(1_000), 1 => Just(u32::MAX)];
    (
        texts(&["0.1%", "1.2%", "10%", "33.3333%", "60%", "100%"]),
        prop::collection::vec(generation, 0..=5),
        prop::collection::vec(star, 0..=6),
        texts(&["3%", "100%", "33.3333%", "0.0001%"]),
        depth,
        texts(&["total", "cash"]),
    )
        .prop_map(|(daily, generations, stars, peer, peer_depth, count)| {
            // The first star may have a rate of nothing: it is no star to the others.
            let (mut volume, mut rate, mut rows) = (0, 0, Vec::new());
            for (i, (more, higher)) in stars.into_iter().enumerate() {
                volume += more;
                rate += if i == 0 && higher % 4 == 0 { 0 } else { higher + 1 };
                let volume = format!("{}.{:02}", volume / 100, volume % 100);
                let rate = format!("{}.{:04}%", rate / 10_000, rate % 10_000);
                rows.push(json!({"name": i.to_string(), "volume": volume, "rate": rate}));
            }
            json!({
                "name": "climb",
                "release": {
                    "daily": daily,
                    "generations": generations,
                    "packages": [
                        {"name": "a", "price": "1.00", "multiple": "0.333333x"},
                        {"name": "b", "price": "20.00", "multiple": "2.5x"},
                        {"name": "c", "price": "900.00", "multiple": "4x"},
                    ],
                    "team": {"peer": peer, "peer_depth": peer_depth, "count": count, "stars": rows},
                },
            })
        })
}

#[test]
fn released_amounts_are_those_of_a_plain_climb() {
    run(250, &tree(), |tree| {
        let mut lines = Vec::new();
        release_day_by_day(&tree, &mut lines).map_err(|difference| {
            format!("{difference}\n{}\n{}", toml_of(&tree.programme), lines.join("\n"))
        })
    });
}

/// A tree as the test sees it: sponsors, and what each bought.
struct Forest {
    sponsors: Vec<Option<usize>>,
    /// Cash and points of each downline, in fen.
    teams: Vec<(i128, i128)>,
}

impl Forest {
    fn of(tree: &Tree) -> Self {
        let sponsors = tree.picks.iter().enumerate().map(|(row, &pick)| {
            let pick = pick as usize;
            let above = match tree.shape {
                _ if row == 0 || pick.is_multiple_of(97) => return None,
                Shape::Chain => row - 1,
                Shape::Lines => row.saturating_sub(7),
                Shape::Bush => pick % row.min(6),
                Shape::Random => pick % row,
            };
            Some(above)
        });
        Self { sponsors: sponsors.collect(), teams: vec![(0, 0); tree.picks.len()] }
    }

    fn upline(&self, row: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.sponsors[row], |&row| self.sponsors[row])
    }

    fn bought(&mut self, row: usize, cash: i64, points: i64) {
        for above in self.upline(row).collect::<Vec<_>>() {
            self.teams[above].0 += i128::from(cash);
            self.teams[above].1 += i128::from(points);
        }
    }
}

fn release_day_by_day(tree: &Tree, lines: &mut Vec<String>) -> Checked {
    let toml = toml_of(&tree.programme);
    let mut engine = Engine::new(programme(&toml)?, 0);
    let mut fold = Fold::default();
    let mut forest = Forest::of(tree);
    let mut give = |engine: &mut Engine, command: Value| {
        lines.push(command.to_string());
        let command = Command::from_json(&command.to_string()).map_err(|e| e.to_string())?;
        engine.apply(&command, &mut fold).map_err(|reason| reason.to_string())
    };
    let day = |day: u8| format!("2026-01-{:02}", day + 1);
    let at = |n: u8| format!("{}T09:00:00+08:00", day(n));
    for (row, sponsor) in forest.sponsors.iter().enumerate() {
        let mut join = json!({"type": "member.join", "member": row.to_string(), "at": at(0)});
        if let Some(sponsor) = sponsor {
            join["sponsor"] = json!(sponsor.to_string());
        }
        give(&mut engine, join)?;
    }
    let mut orders = tree.orders.iter().enumerate().peekable();
    for today in 0..tree.days {
        while let Some((number, order)) = orders.next_if(|(_, order)| order.day == today) {
            let row = usize::from(order.pick) % tree.picks.len();
            let holder = Account::Member(engine.state().members().nth(row).unwrap());
            let held = engine.state().balance(holder, Unit::Reward) / 10_000;
            let fen = i64::from(order.fen);
            let points = if order.with_points { held.min(fen / 3) } else { 0 };
            give(
                &mut engine,
                json!({"type": "order.pay", "order": number.to_string(), "member": row.to_string(),
                    "amount": money(fen), "reward": money(points), "at": at(today)}),
            )?;
            let order = number.to_string();
            give(&mut engine, json!({"type": "order.complete", "order": order, "at": at(today)}))?;
            forest.bought(row, fen - points, points);
        }
        let expected = climbed(engine.state(), &forest, &day(today));
        give(&mut engine, json!({"type": "day.settle", "day": day(today), "at": at(today + 1)}))?;
        same_release(engine.state(), &expected)?;
    }
    must(fold.balances == balances(&engine), || "the postings give other balances".into())?;
    units_add_to_zero(engine.state())?;
    nobody_below_zero(engine.state())
}

fn money(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// What a settlement must come to.
struct Released {
    /// By row, in micro-points.
    reward: Vec<i128>,
    /// What is left in each lot.
    lots: BTreeMap<OrderId, i128>,
}

/// The rule as it is written: each release climbs from the sponsor to the root by itself.
fn climbed(state: &State, forest: &Forest, today: &str) -> Released {
    let release = state.programme().release.as_ref().unwrap();
    let mut lots: Vec<_> = state.lots().map(|lot| (*lot, i128::from(lot.remaining))).collect();
    // Every order is completed at once, so the oldest lot is that of the first order.
    lots.sort_by_key(|(lot, _)| lot.order);
    let mut scheduled = vec![0_i128; forest.sponsors.len()];
    for (lot, left) in lots.iter_mut().filter(|(lot, _)| lot.day.to_string().as_str() < today) {
        let steps = (*left).min(lot.daily.into());
        *left -= steps;
        scheduled[lot.member.index()] += steps;
    }
    let generations = generation_bonuses(forest, &scheduled, &release.generations);
    let team = release.team.as_ref().unwrap();
    let teams = team_bonuses(forest, &scheduled, team);
    let mut reward = Vec::new();
    for id in state.members() {
        let mut bonus = generations[id.index()] + teams[id.index()];
        let mut steps = scheduled[id.index()];
        for (_, left) in lots.iter_mut().filter(|(lot, _)| lot.member == id) {
            let taken = bonus.min(*left);
            (*left, bonus, steps) = (*left - taken, bonus - taken, steps + taken);
        }
        reward.push(i128::from(state.balance(Account::Member(id), Unit::Reward)) + steps);
    }
    Released { reward, lots: lots.iter().map(|&(lot, left)| (lot.order, left)).collect() }
}

fn generation_bonuses(forest: &Forest, scheduled: &[i128], rates: &[ledger::Rate]) -> Vec<i128> {
    let mut sums = vec![vec![0_i128; rates.len()]; scheduled.len()];
    for (row, steps) in scheduled.iter().enumerate() {
        for (generation, above) in forest.upline(row).take(rates.len()).enumerate() {
            sums[above][generation] += steps;
        }
    }
    let bonus = |sums: &Vec<i128>| {
        sums.iter().zip(rates).map(|(sum, rate)| sum * i128::from(rate.ppm()) / 1_000_000).sum()
    };
    sums.iter().map(bonus).collect()
}

fn team_bonuses(forest: &Forest, scheduled: &[i128], team: &engine::programme::Team) -> Vec<i128> {
    let rate_of = |row: usize| {
        let (cash, points) = forest.teams[row];
        let volume = if team.cash_only { cash } else { cash + points };
        let star = team.stars.iter().rev().find(|star| i128::from(star.volume.steps()) <= volume);
        star.map_or(0, |star| i128::from(star.rate.ppm()))
    };
    let rates: Vec<i128> = (0..scheduled.len()).map(rate_of).collect();
    let (mut differences, mut peers) = (vec![0; rates.len()], vec![0; rates.len()]);
    for (row, steps) in scheduled.iter().enumerate() {
        let (mut paid, mut depth) = (0, 0);
        for above in forest.upline(row) {
            if rates[above] > paid {
                differences[above] += (rates[above] - paid) * steps;
                (paid, depth) = (rates[above], team.peer_depth);
            } else if rates[above] == paid && paid > 0 && depth > 0 {
                peers[above] += steps;
                depth -= 1;
            }
        }
    }
    let peer = i128::from(team.peer.ppm());
    let both = differences.iter().zip(&peers);
    both.map(|(sum, peers)| sum / 1_000_000 + peers * peer / 1_000_000).collect()
}

fn same_release(state: &State, expected: &Released) -> Checked {
    for (id, &reward) in state.members().zip(&expected.reward) {
        let found = i128::from(state.balance(Account::Member(id), Unit::Reward));
        must(found == reward, || format!("{id:?} has {found} reward points, not {reward}"))?;
    }
    let mut found: BTreeMap<_, _> = expected.lots.keys().map(|&order| (order, 0)).collect();
    found.extend(state.lots().map(|lot| (lot.order, i128::from(lot.remaining))));
    must(found == expected.lots, || {
        let differ = expected.lots.iter().find(|&(order, left)| found.get(order) != Some(left));
        format!("lot {differ:?} has {:?} left", differ.map(|(order, _)| found[order]))
    })
}

// ---------------------------------------------------------------- a deep chain

const DEEP: usize = 200_000;
/// Too little for a call for each member, or for each hundred of them.
const SMALL_STACK: usize = 64 * 1024;
/// Stars by how many are below, and what each gives.
const STARS: [(usize, i128); 3] = [(100, 10), (50_000, 25), (150_000, 40)];
const PEER_DEPTH: usize = 3;

/// Everybody buys the same, so that what each must get can be counted.
#[test]
fn a_deep_chain_is_settled_on_a_small_stack() {
    let mut engine = chain();
    let settled = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(move || {
        // Nothing is released on the day a lot is granted.
        settle_twice(&mut engine, &mut Fold::default());
        let line = |kind: &str, more: &str| {
            format!(r#"{{"type":"{kind}","at":"2026-01-03T09:00:00+08:00","order":"x"{more}}}"#)
        };
        let pay = format!(r#","member":"{}","amount":"100.00""#, DEEP - 1);
        let expected: Vec<_> = (0..DEEP).map(reward_in_chain).collect();
        let holders = || engine.state().members().map(Account::Member);
        let found: Vec<_> =
            holders().map(|a| i128::from(engine.state().balance(a, Unit::Reward))).collect();
        let kinds = [("order.pay", &*pay), ("order.complete", ""), ("order.refund", "")];
        for (kind, more) in kinds {
            let command = Command::from_json(&line(kind, more)).unwrap();
            engine.apply(&command, &mut NoJournal).unwrap();
        }
        let file = serde_json::to_string(&engine.state().to_file(&[])).unwrap();
        (expected, found, file.len(), engine)
    });
    let (expected, found, _, engine) = settled.unwrap().join().unwrap();
    for (row, (expected, found)) in expected.iter().zip(&found).enumerate() {
        assert_eq!(expected, found, "member {row}");
    }
    units_add_to_zero(engine.state()).unwrap();
}

fn chain() -> Engine {
    let stars = STARS.iter().enumerate().map(|(i, (below, percent))| {
        json!({"name": i.to_string(), "volume": format!("{}.00", below * 100), "rate": format!("{percent}%")})
    });
    let toml = toml_of(&json!({
        "name": "chain",
        "release": {
            "daily": "1%",
            "generations": ["50%", "30%"],
            "packages": [{"name": "a", "price": "100.00", "multiple": "1000x"}],
            "team": {"peer": "3%", "peer_depth": PEER_DEPTH, "stars": stars.collect::<Vec<_>>()},
        },
    }));
    let mut engine = Engine::new(programme(&toml).unwrap(), 0);
    let mut give = |line: String| {
        let line = format!(r#"{{"at":"2026-01-01T09:00:00+08:00",{line}}}"#);
        engine.apply(&Command::from_json(&line).unwrap(), &mut NoJournal).unwrap();
    };
    for row in 0..DEEP {
        let above = row.checked_sub(1);
        let sponsor = above.map_or(String::new(), |above| format!(r#","sponsor":"{above}""#));
        give(format!(r#""type":"member.join","member":"{row}"{sponsor}"#));
        give(format!(r#""type":"order.pay","order":"{row}","member":"{row}","amount":"100.00""#));
        give(format!(r#""type":"order.complete","order":"{row}""#));
    }
    engine
}

fn settle_twice(engine: &mut Engine, journal: &mut dyn Journal) {
    for day in 1..=2 {
        let (at, day) =
            (format!("2026-01-{:02}T00:00:00+08:00", day + 1), format!("2026-01-0{day}"));
        let line = format!(r#"{{"type":"day.settle","day":"{day}","at":"{at}"}}"#);
        engine.apply(&Command::from_json(&line).unwrap(), journal).unwrap();
    }
}

/// The climb in a chain where everybody releases one point, by counting. Stars only grow on the
/// way up, so it is the first above with a star that gets its rate of all below it; those after it
/// get the whole rate of the one right below, and the peer bonus of those the depth lasts for.
fn reward_in_chain(row: usize) -> i128 {
    let below = DEEP - 1 - row;
    let mut reward = 1_000_000;
    reward += if below >= 1 { 500_000 } else { 0 };
    reward += if below >= 2 { 300_000 } else { 0 };
    let Some(star) = STARS.iter().rposition(|&(needs, _)| needs <= below) else {
        return reward;
    };
    let (first, rate) = STARS[star];
    let paid = star.checked_sub(1).map_or(0, |lower| STARS[lower].1);
    if below == first {
        // All below but the nearest have passed a lower star, if there is one.
        reward += (rate * first as i128 - paid * (first as i128 - 1)) * 10_000;
        return reward;
    }
    reward += rate * 10_000;
    // What rose to this star at the first with it, and what rose to it in between.
    let beyond = below - first;
    let mut peers = (PEER_DEPTH.min(beyond - 1)) as i128;
    if beyond <= PEER_DEPTH {
        peers += first as i128;
    }
    reward + peers * 30_000
}
