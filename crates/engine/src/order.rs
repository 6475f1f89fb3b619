//! Orders: paying and completing (spec, section 4: *Pay*, *Complete*).

use std::sync::Arc;

use ledger::{Fen, Micro, Rate};

use crate::account::{Account, Unit};
use crate::command::{Id, OrderPay};
use crate::id::{MemberId, OrderId};
use crate::programme::{Growth, Quota, Share};
use crate::state::State;
use crate::tables::{Completion, Grant, Order};
use crate::tree::Upline;
use crate::{Rejection, Why};

impl Order {
    /// The cash not yet refunded.
    pub(crate) fn cash_left(&self) -> Fen {
        let left = |of: Fen, less: Fen| of.steps() - less.steps();
        let parts = left(self.stable, self.stable_returned)
            + left(self.reward.fen_floor(), self.reward_returned.fen_floor());
        Fen::from_steps(left(self.amount, self.refunded) - parts)
    }

    /// The stable points not yet refunded.
    pub(crate) fn stable_left(&self) -> Fen {
        Fen::from_steps(self.stable.steps() - self.stable_returned.steps())
    }

    /// The reward points not yet refunded; always whole fen.
    pub(crate) fn reward_left(&self) -> Micro {
        Micro::from_steps(self.reward.steps() - self.reward_returned.steps())
    }

    /// The amount not yet refunded.
    pub(crate) fn left(&self) -> Fen {
        Fen::from_steps(self.amount.steps() - self.refunded.steps())
    }

    /// What a merchant has from an order of this worth: `worth - mul(worth, concession)`.
    pub(crate) fn merchant_part(&self, worth: Fen) -> Result<Fen, Rejection> {
        Ok(worth.minus(self.concession.mul_floor(worth)?)?)
    }

    /// Cash and reward points not refunded: what the merchant's part is computed from.
    pub(crate) fn worth_left(&self) -> Result<Fen, Rejection> {
        Ok(self.cash_left().plus(self.reward_left().fen_floor())?)
    }
}

impl State {
    /// `order.pay`: all parts go into escrow, nothing else happens.
    pub(crate) fn pay(&mut self, pay: &OrderPay) -> Result<(), Rejection> {
        let order = self.check_pay(pay)?;
        let id = OrderId::at(self.order_count())?;
        let why = Why::OrderPaid { order: id };
        let buyer = Account::Member(order.member);
        let cash = order.cash_left().steps();
        self.transfer(Account::Gateway, Account::Escrow, Unit::Cash, cash, why)?;
        self.transfer(buyer, Account::Escrow, Unit::Stable, order.stable.steps(), why)?;
        self.transfer(buyer, Account::Escrow, Unit::Reward, order.reward.steps(), why)?;
        self.orders.names.add(pay.order.as_str());
        self.orders.rows.push(order);
        Ok(())
    }

    fn check_pay(&self, pay: &OrderPay) -> Result<Order, Rejection> {
        if self.find_order(pay.order.as_str()).is_some() {
            return Err(Rejection::OrderExists);
        }
        let member = self.find_member(pay.member.as_str()).ok_or(Rejection::UnknownMember)?;
        let merchant = match &pay.merchant {
            Some(name) => {
                Some(self.find_merchant(name.as_str()).ok_or(Rejection::UnknownMerchant)?)
            }
            None => None,
        };
        let amount = pay.amount?;
        if !amount.is_positive() {
            return Err(Rejection::BadAmount);
        }
        let (stable, reward) = (pay.stable?, pay.reward?);
        if stable < Fen::ZERO || reward < Micro::ZERO {
            return Err(Rejection::BadAmount);
        }
        let worth = reward.whole_fen().ok_or(Rejection::BadAmount)?;
        let concession = pay.concession.transpose()?.unwrap_or(self.programme.concession);
        if worth > self.programme.reward.usage.mul_floor(amount)? {
            return Err(Rejection::RewardOverUsage);
        }
        if stable.plus(worth)? > amount {
            return Err(Rejection::BadAmount);
        }
        if stable.is_positive() && merchant.is_none() {
            return Err(Rejection::UnknownMerchant);
        }
        if concession < self.programme.needed_concession() || concession > Rate::ONE {
            return Err(Rejection::ConcessionOutOfRange);
        }
        let buyer = Account::Member(member);
        if self.balance(buyer, Unit::Stable) < stable.steps()
            || self.balance(buyer, Unit::Reward) < reward.steps()
        {
            return Err(Rejection::InsufficientBalance);
        }
        Ok(Order {
            member,
            merchant,
            amount,
            stable,
            reward,
            concession,
            refunded: Fen::ZERO,
            stable_returned: Fen::ZERO,
            reward_returned: Micro::ZERO,
            completion: None,
        })
    }

    /// `order.complete`: the money is divided and everything is granted, all by the price before
    /// this order.
    pub(crate) fn complete(&mut self, name: &Id) -> Result<(), Rejection> {
        let id = self.find_order(name.as_str()).ok_or(Rejection::UnknownOrder)?;
        let mut order = self.orders.rows[id.index()];
        if order.completion.is_some() || order.left().is_zero() {
            return Err(Rejection::OrderNotOpen);
        }
        // Where the programme has changed since, the order must still pay for its contribution
        // and dividends; where it has not, the concession is at least that already.
        order.concession = order.concession.max(self.programme.needed_concession());
        let base = order.cash_left();
        let programme = Arc::clone(&self.programme);
        let first_grant =
            u32::try_from(self.orders.grants.len()).map_err(|_| Rejection::Overflow)?;
        self.divide(id, &order, base)?;
        if let Some(quota) = &programme.quota {
            self.grant_quota(quota, id, order.member, base)?;
        }
        let contribution = match &programme.growth {
            Some(growth) => self.grant_growth(growth, id, order.member, base)?,
            None => Fen::ZERO,
        };
        if let Some(share) = &programme.share {
            self.grant_share(share, id, order.member, base)?;
        }
        let mut completion = Completion {
            amount: order.left(),
            contribution,
            first_grant,
            grants: 0,
            grade: 0,
            lot: None,
            earlier: None,
        };
        if let Some(release) = &programme.release {
            self.grant_lot(release, id, order.member, base, &mut completion)?;
        }
        let points = order.stable_left().plus(order.reward_left().fen_floor())?;
        self.add_volume(order.member, base.steps(), points.steps())?;
        self.add_turnover(base.steps())?;
        let grants = self.orders.grants.len() - first_grant as usize;
        completion.grants = u16::try_from(grants).map_err(|_| Rejection::Overflow)?;
        order.completion = Some(completion);
        *self.order_mut(id) = order;
        Ok(())
    }

    /// Out of escrow: the merchant's part of the worth, its stable points, and the rest of the
    /// cash to revenue (below zero where the platform bears reward points). Reward points are
    /// burnt.
    fn divide(&mut self, id: OrderId, order: &Order, base: Fen) -> Result<(), Rejection> {
        let why = Why::OrderCompleted { order: id };
        let base = base.steps();
        self.transfer(Account::Escrow, Account::Revenue, Unit::Cash, base, why)?;
        if let Some(merchant) = order.merchant {
            let holder = Account::Merchant(merchant);
            let worth = order.worth_left()?;
            let part = order.merchant_part(worth)?;
            let paid = Why::MerchantPaid { order: id, worth, concession: order.concession };
            self.transfer(Account::Revenue, holder, Unit::Cash, part.steps(), paid)?;
            let stable = order.stable_left().steps();
            self.transfer(Account::Escrow, holder, Unit::Stable, stable, why)?;
        }
        let reward = order.reward_left().steps();
        Ok(self.transfer(Account::Escrow, Account::Issuance, Unit::Reward, reward, why)?)
    }

    /// Step 1: quota for the buyer and each sponsor generation that exists.
    fn grant_quota(
        &mut self,
        quota: &Quota,
        order: OrderId,
        buyer: MemberId,
        base: Fen,
    ) -> Result<(), Rejection> {
        let mut upline = Upline::from(buyer, &quota.sponsors);
        while let Some((generation, member, rate)) = upline.next(self, quota.buyer) {
            let steps = rate.mul_floor(base)?.steps();
            let why = Why::QuotaGranted { order, generation, base, rate };
            self.grant(Grant { steps, member, generation, unit: Unit::Quota }, why)?;
        }
        Ok(())
    }

    /// Step 2: growth points, then the contribution that pays for them. Says what it was.
    fn grant_growth(
        &mut self,
        growth: &Growth,
        order: OrderId,
        buyer: MemberId,
        base: Fen,
    ) -> Result<Fen, Rejection> {
        let (_, price) = self.growth_and_price()?;
        let limited = self.programme.is_limited_by_quota();
        let contribution = growth.contribution.mul_floor(base)?;
        let mut upline = Upline::from(buyer, &growth.sponsors);
        while let Some((generation, member, rate)) = upline.next(self, growth.buyer) {
            if limited && self.balance(Account::Member(member), Unit::Quota) == 0 {
                continue;
            }
            let value = rate.mul_floor(contribution)?;
            let cap_left = self.cap_left();
            let steps = price.div_floor(value.steps())?.min(cap_left.steps());
            let why = Why::GrowthGranted { order, generation, contribution, rate, cap_left };
            self.grant(Grant { steps, member, generation, unit: Unit::Growth }, why)?;
        }
        if self.supply().is_zero() {
            // Nobody would own what is paid in.
            return Ok(Fen::ZERO);
        }
        let why = Why::Contributed { order, base, rate: growth.contribution };
        self.transfer(Account::Revenue, Account::Pool, Unit::Cash, contribution.steps(), why)?;
        Ok(contribution)
    }

    /// Step 3: shares for the buyer, and a part of as many for sponsors.
    fn grant_share(
        &mut self,
        share: &Share,
        order: OrderId,
        buyer: MemberId,
        base: Fen,
    ) -> Result<(), Rejection> {
        let own = i128::from(base.steps()) * i128::from(Micro::STEPS_PER_WHOLE)
            / i128::from(share.per.steps());
        let own = Micro::from_steps(i64::try_from(own).map_err(|_| Rejection::Overflow)?);
        let mut upline = Upline::from(buyer, &share.sponsors);
        while let Some((generation, member, rate)) = upline.next(self, Rate::ONE) {
            let steps = rate.mul_floor(own)?.steps();
            let why = match generation {
                0 => Why::ShareBought { order, base, per: share.per },
                _ => Why::ShareGranted { order, generation, own, rate },
            };
            self.grant(Grant { steps, member, generation, unit: Unit::Share }, why)?;
        }
        Ok(())
    }

    /// Grants, less what the member owes in the unit, and notes the grant as it was made: a refund
    /// takes back a part of all of it, what was netted included.
    fn grant(&mut self, grant: Grant, why: Why) -> Result<(), Rejection> {
        let Grant { steps, member, unit, .. } = grant;
        if steps == 0 {
            return Ok(());
        }
        let given = steps - self.net_debt(member, unit, steps, why)?;
        if unit == Unit::Growth {
            self.issue(Account::Member(member), given, why)?;
        } else {
            self.transfer(Account::Issuance, Account::Member(member), unit, given, why)?;
        }
        self.orders.grants.push(grant);
        Ok(())
    }
}
