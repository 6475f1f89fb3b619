//! Members and merchants: joining, the chain of sponsors, what is owed.

use super::book::{Account, Name, Unit};
use super::money::{Outcome, fit, refuse};
use super::{Plain, given, text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct Person {
    pub sponsor: Option<Name>,
    pub cash_volume: i128,
    pub points_volume: i128,
    /// Only what is not zero.
    pub owed: BTreeMap<Unit, i128>,
}

impl Plain {
    pub(super) fn member_join(&mut self, command: &Value) -> Outcome<()> {
        let member: Name = text(command, "member").into();
        if self.people.contains_key(&member) {
            return refuse("member_exists");
        }
        let sponsor = match given(command, "sponsor") {
            true => Some(self.known_member(text(command, "sponsor"), "unknown_sponsor")?),
            false => None,
        };
        self.people.insert(member.clone(), Person { sponsor, ..Person::default() });
        self.members.push(member);
        Ok(())
    }

    pub(super) fn merchant_join(&mut self, command: &Value) -> Outcome<()> {
        let merchant: Name = text(command, "merchant").into();
        if self.merchants.contains(&merchant) {
            return refuse("merchant_exists");
        }
        self.merchants.push(merchant);
        Ok(())
    }

    pub(super) fn known_member(&self, member: &str, reason: &str) -> Outcome<Name> {
        match self.people.get_key_value(member) {
            Some((name, _)) => Ok(name.clone()),
            None => refuse(reason),
        }
    }

    pub(super) fn known_merchant(&self, merchant: &str) -> Outcome<Name> {
        match self.merchants.iter().find(|name| &***name == merchant) {
            Some(name) => Ok(name.clone()),
            None => refuse("unknown_merchant"),
        }
    }

    /// The account of the `merchant` that is named, else of the `member`.
    pub(super) fn named_account(&self, command: &Value) -> Outcome<Account> {
        if given(command, "merchant") {
            return Ok(Account::Merchant(self.known_merchant(text(command, "merchant"))?));
        }
        Ok(Account::Member(self.known_member(text(command, "member"), "unknown_member")?))
    }

    pub fn sponsor(&self, member: &Name) -> Option<Name> {
        self.people[member].sponsor.clone()
    }

    /// The sponsors of a member, the nearest first.
    pub fn upline(&self, member: &Name) -> Vec<Name> {
        let mut chain = Vec::new();
        let mut next = self.sponsor(member);
        while let Some(sponsor) = next {
            next = self.sponsor(&sponsor);
            chain.push(sponsor);
        }
        chain
    }

    /// Cash and points volume of the whole downline, without the member's own.
    pub fn team_volume(&self) -> BTreeMap<Name, (i128, i128)> {
        let mut team: BTreeMap<Name, (i128, i128)> = BTreeMap::new();
        for member in &self.members {
            let person = &self.people[member];
            for ancestor in self.upline(member) {
                let volume = team.entry(ancestor).or_default();
                volume.0 += person.cash_volume;
                volume.1 += person.points_volume;
            }
        }
        team
    }

    /// Section 4, step 5 of *Complete*, and its way back in *Refund*.
    pub(super) fn add_volume(&mut self, member: &Name, cash: i128, points: i128) -> Outcome<()> {
        let person = self.people.get_mut(member).unwrap();
        person.cash_volume = fit(person.cash_volume + cash)?;
        person.points_volume = fit(person.points_volume + points)?;
        self.turnover = fit(self.turnover + cash)?;
        fit(self.people.values().map(|p| p.cash_volume + p.points_volume).sum())?;
        Ok(())
    }

    // ------------------------------------------------------------ owed

    pub fn owed(&self, member: &Name, unit: Unit) -> i128 {
        *self.people[member].owed.get(&unit).unwrap_or(&0)
    }

    pub(super) fn owe(&mut self, member: &Name, unit: Unit, amount: i128) -> Outcome<()> {
        let owed = fit(self.owed(member, unit) + amount)?;
        let debts = &mut self.people.get_mut(member).unwrap().owed;
        debts.insert(unit, owed);
        debts.retain(|_, amount| *amount != 0);
        Ok(())
    }

    /// Takes off the debt what a coming `amount` can settle; gives back how much that is.
    pub(super) fn settle_debt(&mut self, member: &Name, unit: Unit, amount: i128) -> Outcome<i128> {
        let settled = self.owed(member, unit).min(amount);
        self.owe(member, unit, -settled)?;
        Ok(settled)
    }

    /// Cash for a member out of dividends, redemptions and exits: what it owes goes to revenue.
    pub(super) fn pay_member(
        &mut self,
        from: &Account,
        member: &Name,
        amount: i128,
    ) -> Outcome<()> {
        let settled = self.settle_debt(member, Unit::Cash, amount)?;
        self.book.transfer(Unit::Cash, from, &Account::Revenue, settled)?;
        self.book.transfer(Unit::Cash, from, &Account::Member(member.clone()), amount - settled)
    }

    /// A grant of quota, share or reward points out of nothing, less what is owed of the unit.
    pub(super) fn grant(&mut self, member: &Name, unit: Unit, amount: i128) -> Outcome<()> {
        let settled = self.settle_debt(member, unit, amount)?;
        self.book.transfer(
            unit,
            &Account::Issuance,
            &Account::Member(member.clone()),
            amount - settled,
        )
    }

    /// Takes up to `amount` from a balance; gives back how much was there to take.
    pub(super) fn take(&mut self, member: &Name, unit: Unit, amount: i128) -> Outcome<i128> {
        let taken = self.member_balance(unit, member).min(amount);
        self.book.transfer(unit, &Account::Member(member.clone()), &Account::Issuance, taken)?;
        Ok(taken)
    }
}
