//! One life: an engine, everything that was asked of it, and the laws after each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{Command, Engine, Rejection, State};

use super::always::{
    Price, escrow_belongs_to_open_orders, lots_keep_to_their_gift, no_pool_without_supply,
    nobody_below_zero, nobody_drew_more_than_granted, nobody_overstays,
    postings_give_every_balance, price_never_falls, reserve_covers_stable, units_add_to_zero,
};
use super::book::Book;
use super::{Checked, must, programme};
use crate::fold::balances;

fn state_json(engine: &Engine) -> String {
    serde_json::to_string(&engine.state().to_file(&[])).unwrap()
}

// ---------------------------------------------------------------- one life

/// An engine with everything that was ever asked of it.
pub struct Life {
    pub engine: Engine,
    pub book: Book,
    pub fed: Vec<Command>,
    pub outcomes: Vec<Result<(), Rejection>>,
    /// The highest price points could be redeemed at so far.
    pub best: Option<Price>,
    pub seen: String,
}

impl Life {
    pub fn new(toml: &str) -> Result<Self, String> {
        let engine = Engine::new(programme(toml)?, 0);
        let seen = all_there_is(&engine);
        let (fed, outcomes) = (Vec::new(), Vec::new());
        Ok(Self { engine, book: Book::default(), fed, outcomes, best: None, seen })
    }

    pub fn feed(&mut self, line: &str, raw: bool) -> Checked {
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
pub fn all_there_is(engine: &Engine) -> String {
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
