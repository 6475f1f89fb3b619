//! What became of pool, price, quota, dividends and members: the table a replay ends with.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use engine::{Account, Rejected, State, Unit};
use ledger::{Fen, Micro};

use super::flows::{Flow, Flows};

/// The summary of a replay, ready to be printed.
pub struct Summary {
    title: String,
    sections: Vec<(&'static str, Table)>,
}

impl Summary {
    pub fn new(state: &State, flows: Flows, rejected: &[Rejected]) -> Self {
        let programme = state.programme();
        let mut sections = vec![("Run", run(state, &flows, rejected))];
        if programme.growth.is_some() || state.issued().is_positive() {
            sections.push(("Growth points", growth(state, &flows)));
        }
        if programme.quota.is_some() || programme.share.is_some() {
            sections.push(("Quota and dividends", dividends(state, &flows)));
        }
        if programme.release.is_some() {
            sections.push(("Release", release(state, &flows)));
        }
        sections.push(("Members", members(state)));
        sections.push(("What is owed", owed(state)));
        Self { title: programme.name.clone(), sections }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for (name, table) in &self.sections {
            writeln!(f, "\n{name}\n{}", table.trim_fmt())?;
        }
        Ok(())
    }
}

/// A table of names, figures and remarks.
struct Rows(Table);

impl Rows {
    fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        Self(table)
    }

    fn add(&mut self, name: &str, figure: impl fmt::Display, remark: impl fmt::Display) {
        self.0.add_row([format!("  {name}"), figure.to_string(), remark.to_string()]);
    }

    fn finish(mut self) -> Table {
        if let Some(column) = self.0.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self.0
    }
}

fn run(state: &State, flows: &Flows, rejected: &[Rejected]) -> Table {
    let mut rows = Rows::new();
    if let Some((first, last)) = flows.days {
        rows.add("days settled", flows.settled, format!("{first} to {last}"));
    }
    rows.add("orders", state.order_count(), "");
    rows.add("refused", rejected.len(), if rejected.is_empty() { "" } else { "by reason:" });
    let mut reasons: BTreeMap<_, u64> = BTreeMap::new();
    for rejection in rejected {
        *reasons.entry(rejection.reason).or_default() += 1;
    }
    for (reason, count) in reasons {
        rows.add(&format!("  {}", reason.code()), count, reason.meaning());
    }
    rows.finish()
}

fn growth(state: &State, flows: &Flows) -> Table {
    let mut rows = Rows::new();
    let reserve = Unit::Growth.amount(state.balance(Account::Reserve, Unit::Growth));
    rows.add("price", state.price_text(), "yuan for one point");
    rows.add("pool", state.pool(), format!("paid in {}", flows.cash(Flow::Contributed)));
    rows.add("supply", state.supply(), format!("issued {}, in reserve {reserve}", state.issued()));
    rows.add("redeemed", flows.cash(Flow::Redeemed), "paid out of the pool");
    rows.add(
        "forced exits",
        state.forced_exits(),
        format!("paid {} out of the pool", flows.cash(Flow::ForcedExits)),
    );
    rows.finish()
}

fn dividends(state: &State, flows: &Flows) -> Table {
    let mut rows = Rows::new();
    let issued = |unit: Unit| unit.amount(-state.balance(Account::Issuance, unit));
    rows.add("quota", issued(Unit::Quota), "left to draw");
    rows.add("shares", issued(Unit::Share), "");
    rows.add("dividends", flows.cash(Flow::Dividends), "paid");
    rows.finish()
}

fn release(state: &State, flows: &Flows) -> Table {
    let mut rows = Rows::new();
    let issued = |unit: Unit| unit.amount(-state.balance(Account::Issuance, unit));
    let points = |flow| Unit::Reward.amount(flows.paid.get(&flow).copied().unwrap_or(0));
    rows.add("locked", issued(Unit::Locked), format!("in {} open lots", state.lots().count()));
    rows.add("reward", issued(Unit::Reward), "released and not spent");
    rows.add("by schedule", points(Flow::Scheduled), "released");
    rows.add("by generations", points(Flow::Generations), "released sooner");
    rows.add("by team", points(Flow::Teams), "released sooner");
    rows.finish()
}

fn members(state: &State) -> Table {
    let mut rows = Rows::new();
    let with = |unit: Unit| {
        state.members().filter(|&id| state.balance(Account::Member(id), unit) > 0).count()
    };
    rows.add("joined", state.member_count(), format!("and {} merchants", state.merchant_count()));
    rows.add("with points", with(Unit::Growth), "growth points");
    rows.add("with quota", with(Unit::Quota), "can still draw");
    rows.add("with lots", with(Unit::Locked), "points still to be released");
    let mut cash: Vec<i64> =
        state.members().map(|id| state.balance(Account::Member(id), Unit::Cash)).collect();
    cash.sort_unstable();
    let total = cash.iter().fold(0_i64, |sum, &fen| sum.saturating_add(fen));
    let at = |index: usize| Fen::from_steps(cash.get(index).copied().unwrap_or(0));
    let remark =
        format!("median {}, most {}", at(cash.len() / 2), at(cash.len().saturating_sub(1)));
    rows.add("cash", Fen::from_steps(total), remark);
    let owing = state.members().filter(|&id| state.owed(id).next().is_some()).count();
    if owing > 0 {
        rows.add("owing", owing, "after refunds of what was drawn");
    }
    rows.finish()
}

/// Cash in hand, whose it is, and what is promised in points beyond it.
fn owed(state: &State) -> Table {
    let mut rows = Rows::new();
    let cash = |account| state.balance(account, Unit::Cash);
    let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0, i64::saturating_add);
    let mut add = |name: &str, fen: i64, remark: &str| {
        rows.add(name, Fen::from_steps(fen), remark);
    };
    add("cash in hand", cash(Account::Gateway).saturating_neg(), "received less paid out");
    add("  the pool's", cash(Account::Pool), "backs growth points");
    let members = sum(&mut state.members().map(|id| cash(Account::Member(id))));
    add("  members'", members, "drawn and not withdrawn");
    let merchants = sum(&mut state.merchants().map(|id| cash(Account::Merchant(id))));
    add("  merchants'", merchants, "payable");
    add("  in escrow", cash(Account::Escrow), "for orders not completed");
    let carried = sum(&mut state.accounts().filter(|a| matches!(a, Account::Carry(_))).map(cash));
    add("  carried", carried, "for the next dividends");
    add("  revenue", cash(Account::Revenue), "what is left to the platform");
    let points = |unit| Micro::from_steps(state.balance(Account::Issuance, unit).saturating_neg());
    let promised =
        points(Unit::Locked).fen_ceil().steps() + points(Unit::Reward).fen_ceil().steps();
    if promised > 0 {
        add(
            "promised",
            promised,
            "locked and reward points at par, against revenue and later sales",
        );
    }
    rows.finish()
}

impl Flows {
    fn cash(&self, flow: Flow) -> Fen {
        Fen::from_steps(self.paid.get(&flow).copied().unwrap_or(0))
    }
}
