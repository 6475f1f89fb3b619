//! Section 4, *Pay* and *Complete*.

use super::book::{Account, Name, Unit};
use super::money::{MILLION, Outcome, PAR, fit, floor_div, mul, rate, refuse};
use super::{Lot, Plain, amount_in, given, text};
use serde_json::Value;
use std::sync::Arc;

/// The three parts of an order, or of a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// Fen.
    pub cash: i128,
    /// Fen.
    pub stable: i128,
    /// What the reward points are worth in fen; the points are this times 10^4.
    pub reward: i128,
}

impl Parts {
    pub fn sum(self) -> i128 {
        self.cash + self.stable + self.reward
    }

    pub fn less(self, other: Parts) -> Parts {
        Parts {
            cash: self.cash - other.cash,
            stable: self.stable - other.stable,
            reward: self.reward - other.reward,
        }
    }

    pub fn plus(self, other: Parts) -> Parts {
        Parts {
            cash: self.cash + other.cash,
            stable: self.stable + other.stable,
            reward: self.reward + other.reward,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Order {
    pub number: Name,
    pub member: Name,
    pub merchant: Option<Name>,
    pub concession: i128,
    pub paid: Parts,
    pub refunded: Parts,
    pub completion: Option<Completion>,
}

impl Order {
    pub fn left(&self) -> Parts {
        self.paid.less(self.refunded)
    }

    pub fn wholly_refunded(&self) -> bool {
        self.left().sum() == 0
    }
}

/// What completion granted, and what refunds since took back.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// The amount left at completion, and refunded before it.
    pub amount: i128,
    pub refunded_before: i128,
    pub package: Option<(i128, String)>,
    pub contribution: i128,
    pub pool_gave_back: i128,
    pub grants: Vec<Grant>,
    pub missing_points_value: i128,
    pub missing_quota: i128,
    pub charged: i128,
}

#[derive(Clone, Debug)]
pub struct Grant {
    pub unit: Unit,
    pub member: Name,
    pub granted: i128,
    pub taken_back: i128,
}

impl Plain {
    // ------------------------------------------------------------ pay

    pub(super) fn order_pay(&mut self, command: &Value) -> Outcome<()> {
        let number = text(command, "order");
        if self.orders.contains_key(number) {
            return refuse("order_exists");
        }
        let member = self.known_member(text(command, "member"), "unknown_member")?;
        let merchant = match given(command, "merchant") {
            true => Some(self.known_merchant(text(command, "merchant"))?),
            false => None,
        };
        let (amount, stable, reward) = read_parts(command)?;
        let concession = match given(command, "concession") {
            true => rate(text(command, "concession"))?,
            false => self.programme.concession,
        };
        if reward > mul(amount, self.programme.usage)? {
            return refuse("reward_over_usage");
        }
        if fit(stable + reward)? > amount {
            return refuse("bad_amount");
        }
        if stable > 0 && merchant.is_none() {
            return refuse("unknown_merchant");
        }
        if concession < self.programme.needs() || concession > MILLION {
            return refuse("concession_out_of_range");
        }
        if self.member_balance(Unit::Stable, &member) < stable
            || self.member_balance(Unit::Reward, &member) < reward * PAR
        {
            return refuse("insufficient_balance");
        }
        let paid = Parts { cash: amount - stable - reward, stable, reward };
        let account = Account::Member(member.clone());
        self.book.transfer(Unit::Cash, &Account::Gateway, &Account::Escrow, paid.cash)?;
        self.book.transfer(Unit::Stable, &account, &Account::Escrow, paid.stable)?;
        self.book.transfer(Unit::Reward, &account, &Account::Escrow, paid.reward * PAR)?;
        let order = Order {
            number: number.into(),
            member,
            merchant,
            concession,
            paid,
            refunded: Parts::default(),
            completion: None,
        };
        self.orders.insert(number.into(), Arc::new(order));
        Ok(())
    }

    // ------------------------------------------------------------ complete

    pub(super) fn order_complete(&mut self, command: &Value) -> Outcome<()> {
        let mut order = self.known_order(command)?;
        if order.completion.is_some() || order.wholly_refunded() {
            return refuse("order_not_open");
        }
        let left = order.left();
        order.concession = order.concession.max(self.programme.needs());
        order.completion = Some(Completion {
            amount: left.sum(),
            refunded_before: order.refunded.sum(),
            ..Completion::default()
        });
        self.pay_out_escrow(&order)?;
        self.grant_quota(&mut order, left.cash)?;
        self.grant_growth(&mut order, left.cash)?;
        self.grant_share(&mut order, left.cash)?;
        self.grant_lot(&mut order, left.cash)?;
        self.add_volume(&order.member, left.cash, left.stable + left.reward)?;
        self.completed.push(order.number.clone());
        self.orders.insert(order.number.clone(), Arc::new(order));
        Ok(())
    }

    pub(super) fn known_order(&self, command: &Value) -> Outcome<Order> {
        match self.orders.get(text(command, "order")) {
            Some(order) => Ok((**order).clone()),
            None => refuse("unknown_order"),
        }
    }

    /// What the merchant keeps of a worth of cash and reward points.
    pub(super) fn merchant_keeps(worth: i128, concession: i128) -> Outcome<i128> {
        Ok(worth - mul(worth, concession)?)
    }

    fn pay_out_escrow(&mut self, order: &Order) -> Outcome<()> {
        let left = order.left();
        self.book.transfer(Unit::Cash, &Account::Escrow, &Account::Revenue, left.cash)?;
        self.book.transfer(
            Unit::Reward,
            &Account::Escrow,
            &Account::Issuance,
            left.reward * PAR,
        )?;
        let Some(merchant) = &order.merchant else {
            return Ok(());
        };
        let account = Account::Merchant(merchant.clone());
        let keeps = Plain::merchant_keeps(fit(left.cash + left.reward)?, order.concession)?;
        self.book.transfer(Unit::Cash, &Account::Revenue, &account, keeps)?;
        self.book.transfer(Unit::Stable, &Account::Escrow, &account, left.stable)
    }

    /// The sponsors that have a rate in `rates`, nearest first.
    fn with_rates(&self, member: &Name, rates: &[i128]) -> Vec<(Name, i128)> {
        self.upline(member).into_iter().zip(rates.iter().copied()).collect()
    }

    fn record(order: &mut Order, unit: Unit, member: &Name, granted: i128) {
        let grant = Grant { unit, member: member.clone(), granted, taken_back: 0 };
        order.completion.as_mut().unwrap().grants.push(grant);
    }

    fn grant_quota(&mut self, order: &mut Order, base: i128) -> Outcome<()> {
        let Some(quota) = self.programme.quota.clone() else {
            return Ok(());
        };
        let mut receivers = vec![(order.member.clone(), quota.buyer)];
        receivers.extend(self.with_rates(&order.member, &quota.sponsors));
        for (member, rate) in receivers {
            let granted = mul(base, rate)?;
            self.grant(&member, Unit::Quota, granted)?;
            self.drawn.entry(member.clone()).or_default().granted += granted;
            Plain::record(order, Unit::Quota, &member, granted);
        }
        Ok(())
    }

    fn grant_growth(&mut self, order: &mut Order, base: i128) -> Outcome<()> {
        let Some(growth) = self.programme.growth.clone() else {
            return Ok(());
        };
        let price = self.price();
        let contribution = mul(base, growth.contribution)?;
        let mut receivers = vec![(order.member.clone(), growth.buyer)];
        receivers.extend(self.with_rates(&order.member, &growth.sponsors));
        for (member, rate) in receivers {
            if self.programme.limited() && self.member_balance(Unit::Quota, &member) == 0 {
                continue; // its part stays in the pool
            }
            let mut points = price.points_for(mul(contribution, rate)?)?;
            if let Some(left) = self.cap_left() {
                points = points.min(left);
            }
            let settled = self.settle_debt(&member, Unit::Growth, points)?;
            self.issue(&Account::Member(member.clone()), points - settled)?;
            Plain::record(order, Unit::Growth, &member, points);
        }
        if self.supply() == 0 {
            return Ok(()); // not one point in supply: no contribution
        }
        self.book.transfer(Unit::Cash, &Account::Revenue, &Account::Pool, contribution)?;
        order.completion.as_mut().unwrap().contribution = contribution;
        Ok(())
    }

    fn grant_share(&mut self, order: &mut Order, base: i128) -> Outcome<()> {
        let Some(share) = self.programme.share.clone() else {
            return Ok(());
        };
        let own = fit(floor_div(base * MILLION, share.per))?;
        let mut receivers = vec![(order.member.clone(), own)];
        for (sponsor, rate) in self.with_rates(&order.member, &share.sponsors) {
            receivers.push((sponsor, mul(own, rate)?));
        }
        for (member, granted) in receivers {
            self.grant(&member, Unit::Share, granted)?;
            Plain::record(order, Unit::Share, &member, granted);
        }
        Ok(())
    }

    fn grant_lot(&mut self, order: &mut Order, base: i128) -> Outcome<()> {
        let Some(release) = self.programme.release.clone() else {
            return Ok(());
        };
        let Some(package) = release.packages.iter().rev().find(|p| p.price <= base) else {
            return Ok(());
        };
        let gift = fit(mul(base, package.multiple)? * PAR)?;
        let lot = Lot {
            order: order.number.clone(),
            member: order.member.clone(),
            day: self.open_day.unwrap(),
            daily: mul(fit(base * PAR)?, release.daily)?,
            remaining: gift,
            given: 0,
        };
        let account = Account::Member(order.member.clone());
        self.book.transfer(Unit::Locked, &Account::Issuance, &account, gift)?;
        self.lots.push(lot);
        let member = order.member.clone();
        Plain::record(order, Unit::Locked, &member, gift);
        order.completion.as_mut().unwrap().package = Some((package.price, package.name.clone()));
        Ok(())
    }

    /// The highest package among completed orders not wholly refunded.
    pub fn grade(&self, member: &Name) -> Option<String> {
        let mut best: Option<(i128, String)> = None;
        for number in &self.completed {
            let order = &self.orders[number];
            if order.member != *member || order.wholly_refunded() {
                continue;
            }
            let package = order.completion.as_ref().unwrap().package.clone();
            if let Some((price, name)) = package
                && best.as_ref().is_none_or(|(highest, _)| price > *highest)
            {
                best = Some((price, name));
            }
        }
        best.map(|(_, name)| name)
    }
}

/// Amount, stable and reward part of an `order.pay`, in fen.
fn read_parts(command: &Value) -> Outcome<(i128, i128, i128)> {
    let amount = amount_in(command, "amount", Unit::Cash)?;
    if amount == 0 {
        return refuse("bad_amount");
    }
    let stable = match given(command, "stable") {
        true => amount_in(command, "stable", Unit::Stable)?,
        false => 0,
    };
    let reward = match given(command, "reward") {
        true => amount_in(command, "reward", Unit::Reward)?,
        false => 0,
    };
    if reward % PAR != 0 {
        return refuse("bad_amount");
    }
    Ok((amount, stable, reward / PAR))
}
