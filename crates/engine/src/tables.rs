//! The tables of the state: a row type for each thing there is, and how its rows are kept.

use std::collections::BTreeMap;

use ledger::{Fen, Fraction, Micro, Rate};
use serde::{Deserialize, Serialize};

use crate::account::Unit;
use crate::day::Day;
use crate::guard::Guard;
use crate::id::{LotId, MemberId, MerchantId, OrderId};
use crate::names::Names;

/// One balance for each unit, in steps of the unit.
pub(crate) type Balances = [i64; Unit::COUNT];

/// Members in joining order: each column is an array, so that a pass over one touches no other.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    pub names: Names,
    pub holdings: Vec<Holding>,
    pub sponsors: Vec<Option<MemberId>>,
    pub volumes: Vec<Volume>,
    pub chains: Vec<Chain>,
}

/// What a member holds: one cache line, as an order touches the buyer's and each sponsor's.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(crate) struct Holding {
    pub balances: Balances,
    /// Where the exit queue keeps an eye on this member.
    pub guard: Guard,
    /// The grade: one more than its row in `State::grades`, 0 for none.
    pub grade: u16,
}

/// What a member bought, in fen: the base of team volumes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub cash: i64,
    pub points: i64,
}

/// Where a member's lots and package orders begin.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Chain {
    pub oldest_lot: Option<LotId>,
    pub newest_lot: Option<LotId>,
    pub newest_order: Option<OrderId>,
}

/// Merchants in joining order.
#[derive(Debug, Clone)]
pub(crate) struct Merchants {
    pub names: Names,
    pub balances: Vec<Balances>,
}

/// Orders in the order in which they were paid, and what hangs on them.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    pub names: Names,
    pub rows: Vec<Order>,
    /// What completed orders granted: each order has a range.
    pub grants: Vec<Grant>,
    /// What refunds after completion have come to, for the few orders that have any.
    pub refunds: BTreeMap<OrderId, Refunds>,
}

/// An order from payment to its last refund. All amounts are what they were when paid; what went
/// back is counted beside them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Order {
    pub member: MemberId,
    pub merchant: Option<MerchantId>,
    pub amount: Fen,
    pub stable: Fen,
    pub reward: Micro,
    pub concession: Rate,
    /// Of the amount, in all.
    pub refunded: Fen,
    pub stable_returned: Fen,
    pub reward_returned: Micro,
    /// Set once, at completion.
    pub completion: Option<Completion>,
}

/// What completing an order came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Completion {
    /// Of the amount, not refunded before.
    pub amount: Fen,
    /// What moved into the pool.
    pub contribution: Fen,
    pub first_grant: u32,
    pub grants: u16,
    /// The package it reached: a row in `State::grades` and one more.
    pub grade: u16,
    pub lot: Option<LotId>,
    /// The member's package order before this one.
    pub earlier: Option<OrderId>,
}

/// One grant of a completed order, as it was made; what is taken back is computed from it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub steps: i64,
    pub member: MemberId,
    pub generation: u16,
    pub unit: Unit,
}

/// Sums over the refunds of one completed order.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Refunds {
    /// Fen the pool gave back.
    pub pool_returned: i64,
    /// The buyer's points that were gone, at their price then, in fen.
    pub missing_worth: i64,
    /// The buyer's quota that was gone.
    pub missing_quota: i64,
    /// What was kept back, or owed instead, for one or the other.
    pub kept_back: i64,
}

/// Points granted by one order, released over time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Lot {
    /// Micro-points not yet released.
    pub remaining: i64,
    /// Micro-points a day by itself.
    pub daily: i64,
    /// The order it came with.
    pub order: OrderId,
    /// Whose it is.
    pub member: MemberId,
    /// The member's next younger lot.
    pub(crate) next: Option<LotId>,
    /// The day it was granted: it releases by itself from the day after.
    pub day: Day,
}

/// What dividends carry to the next day, by name for good.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carries {
    pub names: Vec<String>,
    pub fen: Vec<i64>,
}

/// A package as it was when an order reached it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grade {
    pub name: String,
    pub price: Fen,
}

/// Single numbers beside the balances; small enough to be copied before each command.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// The open day's, in fen; below zero when more was refunded than bought.
    pub turnover: i64,
    /// Micro-points ever issued.
    pub issued: i64,
    /// The price just before the last point was burnt.
    pub kept_price: Option<Fraction>,
    pub forced_exits: u64,
    /// All volumes together, in fen, so that no team volume can leave 64 bits.
    pub volume: i64,
}
