//! The journal: what the postings alone say, and what no posting may do.

use std::collections::BTreeMap;

use engine::{Account, Head, Journal, MemberId, OrderId, Posting, State, Unit, Why};
use ledger::Fen;

use super::{Checked, must};
use crate::fold::Fold;

/// What the postings alone say.
#[derive(Default)]
pub struct Book {
    pub fold: Fold,
    pub entries: usize,
    pub is_open: bool,
    /// The first thing that was wrong with the postings themselves.
    pub wrong: Option<String>,
    pub lots: BTreeMap<OrderId, LotBook>,
    pub quotas: BTreeMap<MemberId, QuotaBook>,
    pub escrow: BTreeMap<(OrderId, Unit), i64>,
    /// Whether dividends use up quota: by the programme that the entry found.
    pub dividends_limited: bool,
    /// Cash a sale has taken out of the pool so far.
    pub out_of_pool: i64,
    /// Cash debt just netted: whose, and how much of it.
    pub netted: Option<(MemberId, i64)>,
}

#[derive(Debug)]
pub struct LotBook {
    pub member: MemberId,
    pub gift: i64,
    pub given: i64,
}

/// In fen: what was granted, and what was drawn while it was limited by quota.
#[derive(Debug, Default)]
pub struct QuotaBook {
    pub granted: i64,
    pub drawn: i64,
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

    pub fn sound(&self) -> Checked {
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
