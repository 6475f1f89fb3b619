use std::fmt;

use ledger::{Fen, Fraction, Micro};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::account::{Account, Unit};
use crate::command::Command;
use crate::day::Day;
use crate::naming::Naming;
use crate::state::State;
use crate::why::{Posting, Why};

/// What an entry says of itself before its postings.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The command that made it.
    pub command: &'a Command,
    /// The business day it belongs to.
    pub day: Day,
    /// Pool and supply as the command found them: the price is fen of the pool by micro-points.
    pub price: Option<Fraction>,
}

/// Takes the entries of accepted commands.
///
/// A settlement of millions of members is handed over in pieces, each balanced in itself, so that
/// no one has to hold it whole. An entry is open until [`Journal::close`].
pub trait Journal {
    /// An entry begins.
    fn open(&mut self, state: &State, head: &Head<'_>);
    /// Some more of its postings, balanced in themselves.
    fn post(&mut self, state: &State, postings: &[Posting]);
    /// The entry is whole.
    fn close(&mut self, state: &State);
}

/// Keeps nothing: for when only the state matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn open(&mut self, _: &State, _: &Head<'_>) {}
    fn post(&mut self, _: &State, _: &[Posting]) {}
    fn close(&mut self, _: &State) {}
}

/// A posting or account with the names its ids stand for, ready to be written as JSON.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a, T> {
    /// Where the names are.
    pub names: &'a dyn Naming,
    /// What is described.
    pub of: T,
}

/// The account as a path: `member/A`, `pool`, `carry/static`.
impl fmt::Display for Described<'_, Account> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names;
        match self.of {
            Account::Member(id) => write!(f, "member/{}", names.member_name(id)),
            Account::Merchant(id) => write!(f, "merchant/{}", names.merchant_name(id)),
            Account::Pool => f.write_str("pool"),
            Account::Reserve => f.write_str("reserve"),
            Account::Revenue => f.write_str("revenue"),
            Account::Escrow => f.write_str("escrow"),
            Account::Gateway => f.write_str("gateway"),
            Account::Issuance => f.write_str("issuance"),
            Account::Carry(id) => write!(f, "carry/{}", names.dividend_name(id)),
            Account::Debt(id) => write!(f, "debt/{}", names.member_name(id)),
            Account::Receivable => f.write_str("receivable"),
        }
    }
}

impl Serialize for Described<'_, Account> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Described<'_, Posting> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Posting { account, unit, steps, why } = self.of;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("account", &Described { names: self.names, of: account })?;
        map.serialize_entry("unit", unit.name())?;
        map.serialize_entry("amount", &unit.amount(steps))?;
        map.serialize_entry("why", &Described { names: self.names, of: (unit, why) })?;
        map.end()
    }
}

/// The rule by its name and each of its inputs by name; ids by the names they stand for.
impl Serialize for Described<'_, (Unit, Why)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (unit, why) = self.of;
        let names = self.names;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", &why.rule())?;
        macro_rules! put {
            ($($key:literal: $value:expr),* $(,)?) => {{ $(map.serialize_entry($key, &$value)?;)* }};
        }
        match why {
            Why::OrderPaid { order }
            | Why::OrderCompleted { order }
            | Why::OrderRefunded { order }
            | Why::ReleaseAccelerated { order } => put!("order": names.order_name(order)),
            Why::MerchantPaid { order, worth, concession }
            | Why::MerchantReturned { order, worth, concession } => {
                put!("order": names.order_name(order), "worth": worth, "concession": concession);
            }
            Why::QuotaGranted { order, generation, base, rate } => put!(
                "order": names.order_name(order), "generation": generation,
                "base": base, "rate": rate,
            ),
            Why::GrowthGranted { order, generation, contribution, rate, cap_left } => {
                put!(
                    "order": names.order_name(order), "generation": generation,
                    "contribution": contribution, "rate": rate,
                );
                if cap_left < Micro::MAX {
                    put!("cap_left": cap_left);
                }
            }
            Why::Contributed { order, base, rate } => {
                put!("order": names.order_name(order), "base": base, "rate": rate);
            }
            Why::ShareBought { order, base, per } => {
                put!("order": names.order_name(order), "base": base, "per": per);
            }
            Why::ShareGranted { order, generation, own, rate } => put!(
                "order": names.order_name(order), "generation": generation,
                "own": own, "rate": rate,
            ),
            Why::LotGranted { order, base, multiple, daily } => put!(
                "order": names.order_name(order), "package": names.package_name(order),
                "base": base, "multiple": multiple, "daily": daily,
            ),
            Why::DebtNetted { from, of } => put!("from": from.name(), "of": unit.amount(of)),
            Why::TakenBack { order, generation, granted, refunded, before } => put!(
                "order": names.order_name(order), "generation": generation,
                "granted": unit.amount(granted), "refunded": refunded,
                "before": before, "of": names.completed_amount(order),
            ),
            Why::TakenBackOwed { order, generation, due } => put!(
                "order": names.order_name(order), "generation": generation,
                "due": unit.amount(due),
            ),
            Why::ContributionReturned { order, points, contribution, before } => put!(
                "order": names.order_name(order), "points": points,
                "contribution": contribution, "before": before,
            ),
            Why::KeptBack { order, points_worth, quota, before, reward_worth } => put!(
                "order": names.order_name(order), "points_worth": points_worth, "quota": quota,
                "before": before, "reward_worth": reward_worth,
            ),
            Why::Sold { points, gross, fee, .. } | Why::Exchanged { points, gross, fee } => {
                put!("points": points, "gross": gross, "fee": fee);
            }
            Why::Burnt { price, most, .. } => {
                put!("price": PriceText::from(price));
                if let Some(quota) = most {
                    put!("quota": quota);
                }
            }
            Why::PoolEmptied | Why::Adjusted | Why::Withdrawn | Why::OtherSide => {}
            Why::Claimed { amount } => put!("amount": amount),
            Why::Converted { points } => put!("points": points),
            Why::ReleaseScheduled { order, daily } => {
                put!("order": names.order_name(order), "daily": daily);
            }
            Why::GenerationBonus { generation, released, rate } => {
                put!("generation": generation, "released": released, "rate": rate);
            }
            Why::TeamBonus { star, released, rate, paid } => put!(
                "star": names.star_name(star), "released": released, "rate": rate,
                "paid": paid.to_string(),
            ),
            Why::PeerBonus { star, released, rate } => {
                put!("star": names.star_name(star), "released": released, "rate": rate);
            }
            Why::DividendFunded { dividend, turnover, rate } => put!(
                "dividend": names.dividend_name(dividend), "turnover": turnover, "rate": rate,
            ),
            Why::DividendByShares { dividend, tier, part, share, of } => {
                put!("dividend": names.dividend_name(dividend));
                if let Some(tier) = tier {
                    put!("tier": names.tier_name(dividend, tier));
                }
                put!("part": part, "share": share, "of": of);
            }
            Why::DividendEqually { dividend, tier, part, members } => put!(
                "dividend": names.dividend_name(dividend),
                "tier": names.tier_name(dividend, tier), "part": part, "members": members,
            ),
            Why::DividendReturned { dividend } => put!("dividend": names.dividend_name(dividend)),
        }
        map.end()
    }
}

/// A price as yuan for points, an exact fraction: `{"yuan": "90.00", "points": "48.195000"}`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PriceText {
    yuan: Fen,
    points: Micro,
}

impl From<Fraction> for PriceText {
    fn from(price: Fraction) -> Self {
        // Both came from balances, which are signed.
        let steps = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            yuan: Fen::from_steps(steps(price.numerator())),
            points: Micro::from_steps(steps(price.denominator())),
        }
    }
}
