//! Section 4: *Redeem*, *Exchange*, *Claim*, *Convert*, *Adjust*, and taking cash out.

use super::book::{Account, Name, Unit};
use super::money::{self, Outcome, PAR, mul_up, refuse};
use super::price::Price;
use super::programme::Growth;
use super::{Plain, amount_in, text};
use serde_json::Value;

impl Plain {
    fn growth_on(&self) -> Outcome<Growth> {
        match &self.programme.growth {
            Some(growth) => Ok(growth.clone()),
            None => refuse("not_in_programme"),
        }
    }

    fn not_above_zero(amount: i128) -> Outcome<i128> {
        if amount <= 0 { refuse("bad_amount") } else { Ok(amount) }
    }

    fn held(&self, unit: Unit, account: &Account, amount: i128) -> Outcome<()> {
        if self.balance(unit, account) < amount { refuse("insufficient_balance") } else { Ok(()) }
    }

    /// Points that leave a member use up its quota, not below 0, where points are limited by it.
    pub(super) fn use_quota(&mut self, account: &Account, gross: i128) -> Outcome<()> {
        if let Account::Member(member) = account
            && self.programme.limited()
        {
            self.take(member, Unit::Quota, gross)?;
            self.draw(member, gross);
        }
        Ok(())
    }

    pub(super) fn draw(&mut self, member: &Name, amount: i128) {
        self.drawn.entry(member.clone()).or_default().drawn += amount;
    }

    // ------------------------------------------------------------ redeem and exchange

    pub(super) fn growth_redeem(&mut self, command: &Value) -> Outcome<()> {
        let growth = self.growth_on()?;
        let account = self.named_account(command)?;
        let points = Plain::not_above_zero(amount_in(command, "points", Unit::Growth)?)?;
        self.held(Unit::Growth, &account, points)?;
        let price = self.price();
        let gross = price.worth(points)?;
        if gross - mul_up(gross, growth.redeem_fee)? < 1 {
            return refuse("bad_amount");
        }
        self.sell(&account, points, gross, price)
    }

    /// Pays `gross` less the fee out of the pool and burns the points; the fee stays in the pool.
    pub(super) fn sell(
        &mut self,
        account: &Account,
        points: i128,
        gross: i128,
        kept: Price,
    ) -> Outcome<()> {
        let fee = self.programme.growth.as_ref().map_or(0, |g| g.redeem_fee);
        let net = gross - mul_up(gross, fee)?;
        match account {
            Account::Member(member) => self.pay_member(&Account::Pool, member, net)?,
            other => self.book.transfer(Unit::Cash, &Account::Pool, other, net)?,
        }
        self.use_quota(account, gross)?;
        self.burn(account, points, kept)
    }

    pub(super) fn growth_exchange(&mut self, command: &Value) -> Outcome<()> {
        let growth = self.growth_on()?;
        let member = self.known_member(text(command, "member"), "unknown_member")?;
        let account = Account::Member(member);
        let points = Plain::not_above_zero(amount_in(command, "points", Unit::Growth)?)?;
        self.held(Unit::Growth, &account, points)?;
        let gross = self.price().worth(points)?;
        let stable = gross - mul_up(gross, growth.exchange_fee)?;
        if stable < 1 {
            return refuse("bad_amount");
        }
        self.book.transfer(Unit::Growth, &account, &Account::Reserve, points)?;
        self.book.transfer(Unit::Stable, &Account::Issuance, &account, stable)?;
        self.use_quota(&account, gross)
    }

    pub(super) fn stable_claim(&mut self, command: &Value) -> Outcome<()> {
        self.growth_on()?;
        let account = Account::Merchant(self.known_merchant(text(command, "merchant"))?);
        let amount = Plain::not_above_zero(amount_in(command, "amount", Unit::Stable)?)?;
        self.held(Unit::Stable, &account, amount)?;
        let points = self.price().points_for(amount)?;
        if points < 1 {
            return refuse("bad_amount");
        }
        self.book.transfer(Unit::Stable, &account, &Account::Issuance, amount)?;
        self.book.transfer(Unit::Growth, &Account::Reserve, &account, points)
    }

    // ------------------------------------------------------------ convert and adjust

    pub(super) fn reward_convert(&mut self, command: &Value) -> Outcome<()> {
        self.growth_on()?;
        if !self.programme.convert {
            return refuse("not_in_programme");
        }
        let member = self.known_member(text(command, "member"), "unknown_member")?;
        let account = Account::Member(member);
        let reward = Plain::not_above_zero(amount_in(command, "points", Unit::Reward)?)?;
        if reward % PAR != 0 {
            return refuse("bad_amount");
        }
        self.held(Unit::Reward, &account, reward)?;
        let worth = reward / PAR;
        if self.revenue() < worth {
            return refuse("insufficient_revenue");
        }
        let points = self.price().points_for(worth)?;
        if points < 1 {
            return refuse("bad_amount");
        }
        self.book.transfer(Unit::Reward, &account, &Account::Issuance, reward)?;
        self.issue_paid(&account, points, worth)
    }

    /// Points that revenue pays for; refused where the cap cannot bear them.
    fn issue_paid(&mut self, account: &Account, points: i128, cost: i128) -> Outcome<()> {
        if self.cap_left().is_some_and(|left| points > left) {
            return refuse("issue_cap_reached");
        }
        self.book.transfer(Unit::Cash, &Account::Revenue, &Account::Pool, cost)?;
        self.issue(account, points)
    }

    pub(super) fn member_adjust(&mut self, command: &Value) -> Outcome<()> {
        let member = self.known_member(text(command, "member"), "unknown_member")?;
        if text(command, "reason").is_empty() || text(command, "operator").is_empty() {
            return refuse("reason_required");
        }
        let unit = match text(command, "unit") {
            "growth" => Unit::Growth,
            "quota" => Unit::Quota,
            "share" => Unit::Share,
            "reward" => Unit::Reward,
            _ => return refuse("bad_unit"),
        };
        let amount = money::signed(text(command, "amount"), unit.decimals() as usize)?;
        if amount == 0 {
            return refuse("bad_amount");
        }
        let account = Account::Member(member.clone());
        self.held(unit, &account, -amount)?;
        if unit == Unit::Growth {
            return self.adjust_growth(&account, amount);
        }
        if unit == Unit::Quota {
            self.drawn.entry(member).or_default().granted += amount;
        }
        self.book.transfer(unit, &Account::Issuance, &account, amount)
    }

    fn adjust_growth(&mut self, account: &Account, amount: i128) -> Outcome<()> {
        self.growth_on()?;
        let price = self.price();
        if amount < 0 {
            return self.burn(account, -amount, price);
        }
        let cost = price.cost(amount)?;
        if self.revenue() < cost {
            return refuse("insufficient_revenue");
        }
        self.issue_paid(account, amount, cost)
    }

    // ------------------------------------------------------------ cash

    pub(super) fn cash_withdraw(&mut self, command: &Value) -> Outcome<()> {
        let account = self.named_account(command)?;
        let amount = Plain::not_above_zero(amount_in(command, "amount", Unit::Cash)?)?;
        self.held(Unit::Cash, &account, amount)?;
        self.book.transfer(Unit::Cash, &account, &Account::Gateway, amount)
    }
}
