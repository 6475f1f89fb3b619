//! Section 4, *Refund*.

use super::Plain;
use super::book::{Account, Name, Unit};
use super::money::{Outcome, PAR, ceil_div, fit, floor_div, refuse};
use super::orders::{Order, Parts};
use super::{amount_in, given};
use serde_json::Value;
use std::sync::Arc;

/// Nothing under 1.00 yuan is refunded, except all that is left.
const LEAST: i128 = 100;

impl Plain {
    pub(super) fn order_refund(&mut self, command: &Value) -> Outcome<()> {
        let mut order = self.known_order(command)?;
        let left = order.left().sum();
        let amount = match given(command, "amount") {
            true => amount_in(command, "amount", Unit::Cash)?,
            false => left,
        };
        if amount <= 0 || amount > left || (amount < LEAST && amount != left) {
            return refuse("bad_amount");
        }
        let parts = refund_parts(&order, amount);
        if order.completion.is_some() {
            self.refund_completed(&mut order, parts)?;
        } else {
            self.refund_escrow(&order.member, parts)?;
        }
        order.refunded = order.refunded.plus(parts);
        self.orders.insert(order.number.clone(), Arc::new(order));
        Ok(())
    }

    fn refund_escrow(&mut self, member: &Name, parts: Parts) -> Outcome<()> {
        let account = Account::Member(member.clone());
        self.book.transfer(Unit::Cash, &Account::Escrow, &Account::Gateway, parts.cash)?;
        self.book.transfer(Unit::Stable, &Account::Escrow, &account, parts.stable)?;
        self.book.transfer(Unit::Reward, &Account::Escrow, &account, parts.reward * PAR)
    }

    fn refund_completed(&mut self, order: &mut Order, parts: Parts) -> Outcome<()> {
        self.give_back_points(order, parts)?;
        let missing_reward = self.take_back_grants(order, parts)?;
        let due = keep_back(order, missing_reward)?;
        let kept = due.min(parts.cash);
        self.owe(&order.member, Unit::Cash, due - kept)?;
        self.merchant_gives_back(order, parts)?;
        self.book.transfer(Unit::Cash, &Account::Revenue, &Account::Gateway, parts.cash - kept)?;
        self.add_volume(&order.member, -parts.cash, -(parts.stable + parts.reward))
    }

    /// The stable points come from the merchant; the reward points were burnt and are made again.
    fn give_back_points(&mut self, order: &Order, parts: Parts) -> Outcome<()> {
        let buyer = Account::Member(order.member.clone());
        if let Some(merchant) = &order.merchant {
            let account = Account::Merchant(merchant.clone());
            if self.balance(Unit::Stable, &account) < parts.stable {
                return refuse("insufficient_balance");
            }
            self.book.transfer(Unit::Stable, &account, &buyer, parts.stable)?;
        }
        self.book.transfer(Unit::Reward, &Account::Issuance, &buyer, parts.reward * PAR)
    }

    /// The merchant keeps `x - mul(x, concession)` of the worth x that is not refunded.
    fn merchant_gives_back(&mut self, order: &Order, parts: Parts) -> Outcome<()> {
        let Some(merchant) = &order.merchant else {
            return Ok(());
        };
        let before = order.left();
        let after = before.less(parts);
        let kept_before = Plain::merchant_keeps(before.cash + before.reward, order.concession)?;
        let keeps = Plain::merchant_keeps(after.cash + after.reward, order.concession)?;
        let account = Account::Merchant(merchant.clone());
        self.book.transfer(Unit::Cash, &account, &Account::Revenue, kept_before - keeps)
    }

    // ------------------------------------------------------------ grants

    /// Takes every grant back up to `floor(granted * f)`; gives back the buyer's missing reward
    /// points in fen.
    fn take_back_grants(&mut self, order: &mut Order, parts: Parts) -> Outcome<i128> {
        let completion = order.completion.as_ref().unwrap();
        let since = order.refunded.plus(parts).sum() - completion.refunded_before;
        let amount = completion.amount;
        let mut missing_reward = 0;
        for i in 0..completion.grants.len() {
            let grant = &mut order.completion.as_mut().unwrap().grants[i];
            let in_all = floor_div(grant.granted * since, amount);
            let due = in_all - grant.taken_back;
            grant.taken_back = in_all;
            let (unit, member) = (grant.unit, grant.member.clone());
            match unit {
                Unit::Quota => self.take_back_quota(order, &member, due)?,
                Unit::Growth => self.take_back_growth(order, &member, due, since)?,
                Unit::Share => {
                    let taken = self.take(&member, Unit::Share, due)?;
                    self.owe(&member, Unit::Share, due - taken)?;
                }
                Unit::Locked => missing_reward = self.take_back_locked(order, due)?,
                _ => unreachable!("no such grant"),
            }
        }
        Ok(missing_reward)
    }

    fn take_back_quota(&mut self, order: &mut Order, member: &Name, due: i128) -> Outcome<()> {
        let missing = due - self.take(member, Unit::Quota, due)?;
        self.drawn.entry(member.clone()).or_default().granted -= due - missing;
        if *member != order.member {
            return self.owe(member, Unit::Quota, missing);
        }
        let completion = order.completion.as_mut().unwrap();
        completion.missing_quota = fit(completion.missing_quota + missing)?;
        Ok(())
    }

    fn take_back_growth(
        &mut self,
        order: &mut Order,
        member: &Name,
        due: i128,
        since: i128,
    ) -> Outcome<()> {
        let price = self.price();
        let held = self.member_balance(Unit::Growth, member).min(due);
        let missing = due - held;
        let completion = order.completion.as_mut().unwrap();
        let share_of_contribution = floor_div(completion.contribution * since, completion.amount);
        let gives = price.worth(held)?.min(share_of_contribution - completion.pool_gave_back);
        completion.pool_gave_back += gives;
        self.book.transfer(Unit::Cash, &Account::Pool, &Account::Revenue, gives)?;
        self.burn(&Account::Member(member.clone()), held, price)?;
        if *member != order.member {
            return self.owe(member, Unit::Growth, missing);
        }
        let value = fit(completion.missing_points_value + price.cost(missing)?)?;
        completion.missing_points_value = value;
        Ok(())
    }

    /// From the order's lot, then from reward points; what is missing, in fen rounded up.
    fn take_back_locked(&mut self, order: &Order, due: i128) -> Outcome<i128> {
        let lot = self.lots.iter_mut().find(|lot| lot.order == order.number).unwrap();
        let from_lot = lot.remaining.min(due);
        lot.remaining -= from_lot;
        lot.given += from_lot;
        let account = Account::Member(order.member.clone());
        self.book.transfer(Unit::Locked, &account, &Account::Issuance, from_lot)?;
        let from_reward = self.take(&order.member, Unit::Reward, due - from_lot)?;
        Ok(ceil_div(due - from_lot - from_reward, PAR))
    }
}

/// What is to be kept back of this refund's cash: the larger of the missing points' value and the
/// missing quota so far, less what was charged before; plus this refund's missing reward points.
fn keep_back(order: &mut Order, missing_reward: i128) -> Outcome<i128> {
    let completion = order.completion.as_mut().unwrap();
    let in_all = completion.missing_points_value.max(completion.missing_quota);
    let now = in_all - completion.charged;
    completion.charged = in_all;
    fit(now + missing_reward)
}

/// The parts of a refund: stable and reward so that all refunds together gave back
/// `floor(part * refunded / amount)`; the rest is cash, as far as the order has it.
pub fn refund_parts(order: &Order, amount: i128) -> Parts {
    let refunded = order.refunded.sum() + amount;
    let left = order.left();
    let due = |part: i128, given_back: i128| {
        (floor_div(part * refunded, order.paid.sum()) - given_back).max(0)
    };
    let mut stable = due(order.paid.stable, order.refunded.stable).min(amount);
    let mut reward = due(order.paid.reward, order.refunded.reward).min(amount - stable);
    let mut cash = amount - stable - reward;
    let mut excess = (cash - left.cash).max(0);
    cash -= excess;
    let more_stable = excess.min(left.stable - stable);
    stable += more_stable;
    excess -= more_stable;
    reward += excess;
    Parts { cash, stable, reward }
}
