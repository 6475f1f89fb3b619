use std::fmt;

use ledger::Fraction;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Account, Command, Day, State, Unit, Why};

/// One line of an entry.
pub type Posting = ledger::Posting<Account, Unit, Why>;

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
    pub state: &'a State,
    /// What is described.
    pub of: T,
}

/// The account as a path: `member/A`, `pool`, `carry/static`.
impl fmt::Display for Described<'_, Account> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state;
        match self.of {
            Account::Member(id) => write!(f, "member/{}", state.member_name(id)),
            Account::Merchant(id) => write!(f, "merchant/{}", state.merchant_name(id)),
            Account::Pool => f.write_str("pool"),
            Account::Reserve => f.write_str("reserve"),
            Account::Revenue => f.write_str("revenue"),
            Account::Escrow => f.write_str("escrow"),
            Account::Gateway => f.write_str("gateway"),
            Account::Issuance => f.write_str("issuance"),
            Account::Carry(id) => write!(f, "carry/{}", state.dividend_name(id)),
            Account::Debt(id) => write!(f, "debt/{}", state.member_name(id)),
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
        map.serialize_entry("account", &Described { state: self.state, of: account })?;
        map.serialize_entry("unit", unit.name())?;
        map.serialize_entry("amount", &unit.amount(steps))?;
        map.serialize_entry("why", &Described { state: self.state, of: (unit, why) })?;
        map.end()
    }
}

impl Serialize for Described<'_, (Unit, Why)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (unit, why) = self.of;
        let state = self.state;
        let mut map = serializer.serialize_map(None)?;
        // Each field by its name; ids by the name they stand for.
        macro_rules! put {
            ($rule:literal $(, $key:literal: $value:expr)* $(,)?) => {{
                map.serialize_entry("rule", $rule)?;
                $(map.serialize_entry($key, &$value)?;)*
            }};
        }
        match why {
            Why::OrderPaid { order } => put!("order.paid", "order": state.order_name(order)),
            Why::OrderCompleted { order } => {
                put!("order.completed", "order": state.order_name(order));
            }
            Why::MerchantPaid { order, worth, concession } => {
                put!("merchant.paid", "order": state.order_name(order), "worth": worth, "concession": concession);
            }
            Why::QuotaGranted { order, generation, base, rate } => {
                put!("quota.granted", "order": state.order_name(order), "generation": generation, "base": base, "rate": rate);
            }
            Why::GrowthGranted { order, generation, contribution, rate } => {
                put!("growth.granted", "order": state.order_name(order), "generation": generation, "contribution": contribution, "rate": rate);
            }
            Why::Contributed { order, base, rate } => {
                put!("growth.contributed", "order": state.order_name(order), "base": base, "rate": rate);
            }
            Why::ShareBought { order, base, per } => {
                put!("share.bought", "order": state.order_name(order), "base": base, "per": per);
            }
            Why::ShareGranted { order, generation, own, rate } => {
                put!("share.granted", "order": state.order_name(order), "generation": generation, "own": own, "rate": rate);
            }
            Why::LotGranted { order, base, multiple } => {
                put!("lot.granted", "order": state.order_name(order), "base": base, "multiple": multiple);
            }
            Why::DebtNetted => put!("debt.netted"),
            Why::OrderRefunded { order } => {
                put!("order.refunded", "order": state.order_name(order))
            }
            Why::TakenBack { order, generation, granted, refunded } => {
                put!("grant.taken_back", "order": state.order_name(order), "generation": generation,
                    "granted": unit.amount(granted), "refunded": refunded, "of": state.completed_amount(order));
            }
            Why::TakenBackOwed { order, generation, due } => {
                put!("grant.owed", "order": state.order_name(order), "generation": generation, "due": unit.amount(due));
            }
            Why::ContributionReturned { order, points, contribution } => {
                put!("growth.contribution_returned", "order": state.order_name(order), "points": points, "contribution": contribution);
            }
            Why::KeptBack { order, points_worth, quota, reward_worth } => {
                put!("refund.kept_back", "order": state.order_name(order), "points_worth": points_worth, "quota": quota, "reward_worth": reward_worth);
            }
            Why::MerchantReturned { order, worth, concession } => {
                put!("merchant.returned", "order": state.order_name(order), "worth": worth, "concession": concession);
            }
            Why::Redeemed { points, gross, fee } => {
                put!("growth.redeemed", "points": points, "gross": gross, "fee": fee);
            }
            Why::ForcedExit { points, gross, fee } => {
                put!("growth.forced_exit", "points": points, "gross": gross, "fee": fee);
            }
            Why::DustSold { points, gross, fee } => {
                put!("growth.dust_sold", "points": points, "gross": gross, "fee": fee);
            }
            Why::PoolEmptied => put!("growth.pool_emptied"),
            Why::Exchanged { points, gross, fee } => {
                put!("growth.exchanged", "points": points, "gross": gross, "fee": fee);
            }
            Why::Claimed { amount } => put!("stable.claimed", "amount": amount),
            Why::Converted { points } => put!("reward.converted", "points": points),
            Why::Adjusted => put!("member.adjusted"),
            Why::Withdrawn => put!("cash.withdrawn"),
            Why::ReleaseScheduled { order, daily } => {
                put!("release.scheduled", "order": state.order_name(order), "daily": daily);
            }
            Why::GenerationBonus { generation, released, rate } => {
                put!("release.generation_bonus", "generation": generation, "released": released, "rate": rate);
            }
            Why::TeamBonus { star, released, rate, bonus } => {
                put!("release.team_bonus", "star": state.star_name(star), "released": released, "rate": rate, "bonus": bonus);
            }
            Why::PeerBonus { star, released, rate } => {
                put!("release.peer_bonus", "star": state.star_name(star), "released": released, "rate": rate);
            }
            Why::ReleaseAccelerated { order } => {
                put!("release.accelerated", "order": state.order_name(order));
            }
            Why::OtherSide => put!("settle.other_side"),
            Why::DividendFunded { dividend, turnover, rate } => {
                put!("dividend.funded", "dividend": state.dividend_name(dividend), "turnover": turnover, "rate": rate);
            }
            Why::DividendByShares { dividend, part, share, of } => {
                put!("dividend.paid", "dividend": state.dividend_name(dividend), "part": part, "share": share, "of": of);
            }
            Why::DividendEqually { dividend, part, members } => {
                put!("dividend.paid", "dividend": state.dividend_name(dividend), "part": part, "members": members);
            }
            Why::DividendReturned { dividend } => {
                put!("dividend.returned", "dividend": state.dividend_name(dividend));
            }
        }
        map.end()
    }
}
