//! Refunds (spec, section 4, *Refund*). Before completion a refund undoes a payment. After it, it
//! also takes back a part of every grant, so that what was granted always belongs to what was
//! paid; it never takes more out of the pool than the points it burns are worth.

use ledger::{Fen, Micro};

use crate::account::{Account, Unit};
use crate::command::{Given, Id};
use crate::id::OrderId;
use crate::state::State;
use crate::tables::{Completion, Grant, Order};
use crate::{Rejection, Why};

/// Refunds below one yuan are refused unless they are all that is left.
const LEAST: Fen = Fen::from_steps(100);

/// What one refund gives back, by the means it was paid with.
#[derive(Debug, Clone, Copy)]
struct Parts {
    cash: Fen,
    stable: Fen,
    reward: Micro,
}

/// The part of a completed order that is refunded, after and before this refund.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Refunded since completion, this refund included.
    now: i64,
    /// Refunded since completion before.
    before: i64,
    /// The amount left at completion.
    of: i64,
}

impl Progress {
    /// `floor(steps * f)`, f being the part refunded with this refund.
    fn part(self, steps: i64) -> Result<i64, Rejection> {
        proportion(steps, self.now, self.of)
    }

    /// What of `steps` is due with this refund.
    fn due(self, steps: i64) -> Result<i64, Rejection> {
        Ok(self.part(steps)? - proportion(steps, self.before, self.of)?)
    }
}

/// What could not be taken back from the buyer, to be kept back from the cash refund.
#[derive(Debug, Clone, Copy, Default)]
struct Missing {
    points_worth: i64,
    quota: i64,
    reward_worth: i64,
}

impl State {
    /// `order.refund`.
    pub(crate) fn refund(&mut self, name: &Id, amount: Option<Given<2>>) -> Result<(), Rejection> {
        let id = self.find_order(name.as_str()).ok_or(Rejection::UnknownOrder)?;
        let before = self.orders.rows[id.index()];
        let left = before.left();
        let asked = amount.unwrap_or(Ok(left))?;
        if !asked.is_positive() || asked > left || (asked < LEAST && asked != left) {
            return Err(Rejection::BadAmount);
        }
        let mut order = before;
        order.refunded = order.refunded.plus(asked)?;
        let parts = split(&before, &order, asked)?;
        order.stable_returned = order.stable_returned.plus(parts.stable)?;
        order.reward_returned = order.reward_returned.plus(parts.reward)?;
        *self.order_mut(id) = order;
        match order.completion {
            None => self.refund_from_escrow(id, &order, parts),
            Some(completion) => self.refund_completed(id, &before, &order, completion, parts),
        }
    }

    fn refund_from_escrow(
        &mut self,
        id: OrderId,
        order: &Order,
        parts: Parts,
    ) -> Result<(), Rejection> {
        let why = Why::OrderRefunded { order: id };
        let buyer = Account::Member(order.member);
        self.transfer(Account::Escrow, Account::Gateway, Unit::Cash, parts.cash.steps(), why)?;
        self.transfer(Account::Escrow, buyer, Unit::Stable, parts.stable.steps(), why)?;
        Ok(self.transfer(Account::Escrow, buyer, Unit::Reward, parts.reward.steps(), why)?)
    }

    fn refund_completed(
        &mut self,
        id: OrderId,
        before: &Order,
        order: &Order,
        completion: Completion,
        parts: Parts,
    ) -> Result<(), Rejection> {
        let already = order.amount.minus(completion.amount)?.steps();
        let progress = Progress {
            now: order.refunded.steps() - already,
            before: before.refunded.steps() - already,
            of: completion.amount.steps(),
        };
        self.give_back_points(id, order, parts)?;
        let mut missing = Missing::default();
        for row in 0..completion.grants {
            let grant = self.orders.grants[completion.first_grant as usize + usize::from(row)];
            match grant.unit {
                Unit::Growth => {
                    self.take_back_growth(id, grant, completion, progress, &mut missing)?
                }
                Unit::Locked => {
                    self.take_back_locked(id, grant, completion, progress, &mut missing)?
                }
                _ => self.take_back(id, order, grant, progress, &mut missing)?,
            }
        }
        self.give_back_cash(id, order, parts.cash, missing)?;
        self.return_by_merchant(id, before, order)?;
        let points = parts.stable.plus(parts.reward.fen_floor())?.steps();
        self.add_volume(order.member, -parts.cash.steps(), -points)?;
        self.add_turnover(-parts.cash.steps())?;
        if order.left().is_zero() {
            self.lower_grade(order.member, completion.grade);
        }
        Ok(())
    }

    /// The merchant gives back stable points; reward points, burnt at completion, are issued
    /// again. Neither is netted from debts.
    fn give_back_points(
        &mut self,
        id: OrderId,
        order: &Order,
        parts: Parts,
    ) -> Result<(), Rejection> {
        let why = Why::OrderRefunded { order: id };
        let buyer = Account::Member(order.member);
        if let Some(merchant) = order.merchant {
            let holder = Account::Merchant(merchant);
            if self.balance(holder, Unit::Stable) < parts.stable.steps() {
                return Err(Rejection::InsufficientBalance);
            }
            self.transfer(holder, buyer, Unit::Stable, parts.stable.steps(), why)?;
        }
        Ok(self.transfer(Account::Issuance, buyer, Unit::Reward, parts.reward.steps(), why)?)
    }

    /// Quota and shares: out of the balance; what is missing is owed, but for the buyer's quota,
    /// which is kept back from the refund.
    fn take_back(
        &mut self,
        id: OrderId,
        order: &Order,
        grant: Grant,
        progress: Progress,
        missing: &mut Missing,
    ) -> Result<(), Rejection> {
        let due = progress.due(grant.steps)?;
        let holder = Account::Member(grant.member);
        let taken = due.min(self.balance(holder, grant.unit));
        let why = taken_back(id, grant, progress);
        self.transfer(holder, Account::Issuance, grant.unit, taken, why)?;
        let is_buyers = grant.generation == 0;
        if grant.unit == Unit::Quota && is_buyers {
            let quota = missing.quota.checked_add(due - taken);
            missing.quota = quota.ok_or(Rejection::Overflow)?;
            return Ok(());
        }
        debug_assert!(!is_buyers || grant.member == order.member);
        let owed = Why::TakenBackOwed { order: id, generation: grant.generation, due };
        self.add_debt(grant.member, grant.unit, due - taken, owed)
    }

    /// Growth points: those still held are burnt, and the pool gives back at most what they are
    /// worth. By the price just before this grant is burnt.
    fn take_back_growth(
        &mut self,
        id: OrderId,
        grant: Grant,
        completion: Completion,
        progress: Progress,
        missing: &mut Missing,
    ) -> Result<(), Rejection> {
        let due = progress.due(grant.steps)?;
        let holder = Account::Member(grant.member);
        let held = due.min(self.balance(holder, Unit::Growth));
        let price = self.price().ok_or(Rejection::NotInProgramme)?;
        let returned = self.orders.refunds.get(&id).map_or(0, |refunds| refunds.pool_returned);
        let contribution = progress.part(completion.contribution.steps())?;
        let back = price.mul_floor(held)?.min(contribution - returned);
        if back > 0 {
            let why = Why::ContributionReturned {
                order: id,
                points: Micro::from_steps(held),
                contribution: Fen::from_steps(contribution),
                before: Fen::from_steps(returned),
            };
            self.transfer(Account::Pool, Account::Revenue, Unit::Cash, back, why)?;
            self.refunds_mut(id).pool_returned += back;
        }
        self.burn(holder, held, price, taken_back(id, grant, progress))?;
        if grant.generation == 0 {
            let worth = price.mul_ceil(due - held)?;
            missing.points_worth =
                missing.points_worth.checked_add(worth).ok_or(Rejection::Overflow)?;
            return Ok(());
        }
        let owed = Why::TakenBackOwed { order: id, generation: grant.generation, due };
        self.add_debt(grant.member, Unit::Growth, due - held, owed)
    }

    /// Locked points: out of the order's lot, then out of reward points.
    fn take_back_locked(
        &mut self,
        id: OrderId,
        grant: Grant,
        completion: Completion,
        progress: Progress,
        missing: &mut Missing,
    ) -> Result<(), Rejection> {
        let due = progress.due(grant.steps)?;
        let holder = Account::Member(grant.member);
        let why = taken_back(id, grant, progress);
        let mut from_lot = 0;
        if let Some(lot) = completion.lot {
            let lot = self.lot_mut(lot.index());
            from_lot = due.min(lot.remaining);
            lot.remaining -= from_lot;
        }
        self.transfer(holder, Account::Issuance, Unit::Locked, from_lot, why)?;
        let from_reward = (due - from_lot).min(self.balance(holder, Unit::Reward));
        self.transfer(holder, Account::Issuance, Unit::Reward, from_reward, why)?;
        missing.reward_worth = Micro::from_steps(due - from_lot - from_reward).fen_ceil().steps();
        Ok(())
    }

    /// The cash, less what is kept back for what the buyer has drawn already; what the refund
    /// cannot cover of that is owed. Revenue bears it.
    fn give_back_cash(
        &mut self,
        id: OrderId,
        order: &Order,
        cash: Fen,
        missing: Missing,
    ) -> Result<(), Rejection> {
        let refunds = self.refunds_mut(id);
        let add = |sum: i64, more: i64| sum.checked_add(more).ok_or(Rejection::Overflow);
        refunds.missing_worth = add(refunds.missing_worth, missing.points_worth)?;
        refunds.missing_quota = add(refunds.missing_quota, missing.quota)?;
        // Both measure what was drawn, so the larger of the two is it.
        let drawn = refunds.missing_worth.max(refunds.missing_quota);
        let before = std::mem::replace(&mut refunds.kept_back, drawn);
        let keep = add(drawn - before, missing.reward_worth)?;
        let keep_why = Why::KeptBack {
            order: id,
            points_worth: Fen::from_steps(refunds.missing_worth),
            quota: Fen::from_steps(refunds.missing_quota),
            before: Fen::from_steps(before),
            reward_worth: Fen::from_steps(missing.reward_worth),
        };
        let kept = keep.min(cash.steps());
        let why = Why::OrderRefunded { order: id };
        self.transfer(Account::Revenue, Account::Gateway, Unit::Cash, cash.steps(), why)?;
        self.transfer(Account::Gateway, Account::Revenue, Unit::Cash, kept, keep_why)?;
        self.add_debt(order.member, Unit::Cash, keep - kept, keep_why)
    }

    /// Of cash the merchant gives back so much that it keeps its part of the worth not refunded.
    fn return_by_merchant(
        &mut self,
        id: OrderId,
        before: &Order,
        order: &Order,
    ) -> Result<(), Rejection> {
        let Some(merchant) = order.merchant else {
            return Ok(());
        };
        let worth = order.worth_left()?;
        let had = order.merchant_part(before.worth_left()?)?;
        let back = had.minus(order.merchant_part(worth)?)?;
        let why = Why::MerchantReturned { order: id, worth, concession: order.concession };
        let holder = Account::Merchant(merchant);
        Ok(self.transfer(holder, Account::Revenue, Unit::Cash, back.steps(), why)?)
    }
}

/// How a refund is divided: stable and reward points in proportion, counted over all refunds of
/// the order; the rest is cash, and where that is more than the order has left, stable points and
/// then reward points take its place.
fn split(before: &Order, order: &Order, asked: Fen) -> Result<Parts, Rejection> {
    let share = |part: i64| proportion(part, order.refunded.steps(), order.amount.steps());
    let fen = Micro::STEPS_PER_WHOLE / Fen::STEPS_PER_WHOLE;
    let due = |target: i64, returned: i64, left: i64| (target - returned).max(0).min(left);
    let asked = asked.steps();
    let stable = due(share(order.stable.steps())?, before.stable_returned.steps(), asked);
    let reward_target = share(order.reward.steps())? / fen;
    let reward_returned = before.reward_returned.steps() / fen;
    let reward = due(reward_target, reward_returned, asked - stable);
    let cash = asked - stable - reward;
    let excess = (cash - before.cash_left().steps()).max(0);
    let more_stable = excess.min(before.stable_left().steps() - stable);
    let more_reward = excess - more_stable;
    Ok(Parts {
        cash: Fen::from_steps(cash - excess),
        stable: Fen::from_steps(stable + more_stable),
        reward: Fen::from_steps(reward + more_reward).at_par()?,
    })
}

/// `floor(steps * part / of)` for a part of at most all.
fn proportion(steps: i64, part: i64, of: i64) -> Result<i64, Rejection> {
    let product = i128::from(steps) * i128::from(part) / i128::from(of);
    i64::try_from(product).map_err(|_| Rejection::Overflow)
}

fn taken_back(order: OrderId, grant: Grant, progress: Progress) -> Why {
    Why::TakenBack {
        order,
        generation: grant.generation,
        granted: grant.steps,
        refunded: Fen::from_steps(progress.now),
        before: Fen::from_steps(progress.before),
    }
}
