//! Daily dividends by shares and levels (spec, section 4, *Settle a day* 2).

use std::sync::Arc;

use ledger::{Fen, Micro};

use crate::account::{Account, Unit};
use crate::id::{DividendId, MemberId};
use crate::programme::{Dividend, Split, Tier};
use crate::settle::Pieces;
use crate::state::State;
use crate::why::Posting;
use crate::{Rejection, Why};

/// What a dividend still holds while it is being paid.
struct Purse {
    dividend: DividendId,
    left: i64,
}

/// How a tier's part is divided among its members.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    part: Fen,
    members: u32,
    shares: i64,
}

impl State {
    /// Every dividend in file order.
    pub(crate) fn pay_dividends(&mut self, pieces: &mut Pieces<'_>) -> Result<(), Rejection> {
        let programme = Arc::clone(&self.programme);
        for dividend in &programme.dividends {
            let id = self.dividend_id(&dividend.name).ok_or(Rejection::Overflow)?;
            self.pay_dividend(id, dividend, pieces)?;
        }
        Ok(())
    }

    fn pay_dividend(
        &mut self,
        id: DividendId,
        dividend: &Dividend,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let pot = Account::Carry(id);
        let turnover = Fen::from_steps(self.totals.turnover.max(0));
        let funded = dividend.rate.mul_floor(turnover)?;
        let why = Why::DividendFunded { dividend: id, turnover, rate: dividend.rate };
        self.transfer(Account::Revenue, pot, Unit::Cash, funded.steps(), why)?;
        let pool = Fen::from_steps(self.balance(pot, Unit::Cash));
        if !pool.is_positive() {
            return Ok(());
        }
        let from = Purse { dividend: id, left: pool.steps() };
        match &dividend.split {
            Split::ProRata { all } => self.pay_pro_rata(from, pool, *all, pieces)?,
            Split::Tiers { of_pool, by_shares, tiers } => {
                let base = if *of_pool { pool } else { turnover };
                self.pay_tiers(from, base, *by_shares, tiers, pieces)?;
            }
        }
        // The members' side is paid; the dividend's own goes out with the piece.
        pieces.flush(self)?;
        if !dividend.carry {
            self.return_carry(id)?;
        }
        Ok(())
    }

    /// What is left of a dividend goes to revenue.
    pub(crate) fn return_carry(&mut self, id: DividendId) -> Result<(), Rejection> {
        let pot = Account::Carry(id);
        let left = self.balance(pot, Unit::Cash);
        let why = Why::DividendReturned { dividend: id };
        Ok(self.transfer(pot, Account::Revenue, Unit::Cash, left, why)?)
    }

    /// The shares of a member who can draw: who has shares, and quota where the programme has it.
    fn drawing_shares(&self, row: usize) -> Option<i64> {
        let balances = &self.members.holdings[row].balances;
        let shares = balances[Unit::Share as usize];
        let can_draw = self.programme.quota.is_none() || balances[Unit::Quota as usize] > 0;
        (shares > 0 && can_draw).then_some(shares)
    }

    fn pay_pro_rata(
        &mut self,
        mut from: Purse,
        pool: Fen,
        all: bool,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let rows = 0..self.member_count();
        // All shares there are fit in 64 bits, as their issuance does.
        let of: i64 = if all {
            -self.balance(Account::Issuance, Unit::Share)
        } else {
            rows.clone().filter_map(|row| self.drawing_shares(row)).sum()
        };
        for row in rows {
            let Some(share) = self.drawing_shares(row) else {
                continue;
            };
            let due = proportion(pool, share, of)?;
            let (share, of) = (Micro::from_steps(share), Micro::from_steps(of));
            let why = Why::DividendByShares {
                dividend: from.dividend,
                tier: None,
                part: pool,
                share,
                of,
            };
            self.pay_member(&mut from, row, due, why, pieces)?;
        }
        Ok(())
    }

    fn pay_tiers(
        &mut self,
        mut from: Purse,
        base: Fen,
        by_shares: bool,
        tiers: &[Tier],
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let mut levels = vec![Level::default(); tiers.len()];
        for (level, tier) in levels.iter_mut().zip(tiers) {
            level.part = tier.rate.mul_floor(base)?;
        }
        for row in 0..self.member_count() {
            let Some(shares) = self.drawing_shares(row) else {
                continue;
            };
            if let Some(tier) = tier_of(tiers, shares) {
                levels[tier].members += 1;
                levels[tier].shares += shares;
            }
        }
        for row in 0..self.member_count() {
            let Some(shares) = self.drawing_shares(row) else {
                continue;
            };
            let Some(tier) = tier_of(tiers, shares) else {
                continue;
            };
            let Level { part, members, shares: of } = levels[tier];
            let dividend = from.dividend;
            let tier = u16::try_from(tier).map_err(|_| Rejection::Overflow)?;
            let (due, why) = if by_shares {
                let due = proportion(part, shares, of)?;
                let (tier, share, of) =
                    (Some(tier), Micro::from_steps(shares), Micro::from_steps(of));
                (due, Why::DividendByShares { dividend, tier, part, share, of })
            } else {
                let due = proportion(part, 1, i64::from(members))?;
                (due, Why::DividendEqually { dividend, tier, part, members })
            };
            self.pay_member(&mut from, row, due, why, pieces)?;
        }
        Ok(())
    }

    /// Pays what is due, cut to the member's quota and to what the dividend still holds.
    fn pay_member(
        &mut self,
        from: &mut Purse,
        row: usize,
        due: i64,
        why: Why,
        pieces: &mut Pieces<'_>,
    ) -> Result<(), Rejection> {
        let member = MemberId::at(row)?;
        let account = Account::Member(member);
        let mut steps = due.min(from.left);
        if self.programme.quota.is_some() {
            steps = steps.min(self.balance(account, Unit::Quota));
        }
        if steps == 0 {
            return Ok(());
        }
        from.left -= steps;
        if self.programme.quota.is_some() {
            self.add(account, Unit::Quota, -steps)?;
            let used = Posting { account, unit: Unit::Quota, steps: -steps, why };
            pieces.add(self, used, Account::Issuance)?;
            if self.programme.is_limited_by_quota() {
                self.guard(member);
            }
        }
        let netted = self.net_debt(member, Unit::Cash, steps, why)?;
        let pot = Account::Carry(from.dividend);
        let netting = Why::DebtNetted { from: why.rule(), of: steps };
        self.transfer(pot, Account::Revenue, Unit::Cash, netted, netting)?;
        if steps > netted {
            let steps = steps - netted;
            self.add(account, Unit::Cash, steps)?;
            pieces.add(self, Posting { account, unit: Unit::Cash, steps, why }, pot)?;
        }
        Ok(())
    }
}

/// `floor(amount * share / of)` for a share of at most all.
fn proportion(amount: Fen, share: i64, of: i64) -> Result<i64, Rejection> {
    let part = i128::from(amount.steps()) * i128::from(share) / i128::from(of.max(1));
    i64::try_from(part).map_err(|_| Rejection::Overflow)
}

/// The highest tier whose `min <= shares <= max`; without `max` it reaches up to the next.
fn tier_of(tiers: &[Tier], shares: i64) -> Option<usize> {
    let tier = tiers.partition_point(|tier| tier.min.steps() <= shares).checked_sub(1)?;
    tiers[tier].max.is_none_or(|max| shares <= max.steps()).then_some(tier)
}
