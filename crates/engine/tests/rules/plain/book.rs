//! The accounts of every unit. An amount only ever moves from one account to another, so each unit
//! adds up to zero by itself (section 5); what is created comes from the unit's issuance account.

use super::money::{Outcome, fit, refuse};
use std::collections::BTreeMap;
use std::sync::Arc;

pub type Name = Arc<str>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Cash,
    Growth,
    Stable,
    Quota,
    Share,
    Locked,
    Reward,
}

pub const UNITS: [Unit; 7] =
    [Unit::Cash, Unit::Growth, Unit::Stable, Unit::Quota, Unit::Share, Unit::Locked, Unit::Reward];

impl Unit {
    pub fn decimals(self) -> u32 {
        match self {
            Unit::Cash | Unit::Stable | Unit::Quota => 2,
            Unit::Growth | Unit::Share | Unit::Locked | Unit::Reward => 6,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Unit::Cash => "cash",
            Unit::Growth => "growth",
            Unit::Stable => "stable",
            Unit::Quota => "quota",
            Unit::Share => "share",
            Unit::Locked => "locked",
            Unit::Reward => "reward",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// Minus all there is of the unit (not for cash, where the gateway plays this part).
    Issuance,
    Gateway,
    Revenue,
    Escrow,
    Pool,
    Reserve,
    /// What a dividend carries to the next day.
    Carry(String),
    Member(Name),
    /// Of cash: the payable.
    Merchant(Name),
}

#[derive(Clone, Debug, Default)]
pub struct Book {
    balances: BTreeMap<(Unit, Account), i128>,
}

impl Book {
    pub fn balance(&self, unit: Unit, account: &Account) -> i128 {
        *self.balances.get(&(unit, account.clone())).unwrap_or(&0)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&Unit, &Account, &i128)> {
        self.balances.iter().map(|((unit, account), amount)| (unit, account, amount))
    }

    /// All there is of a unit.
    pub fn issued(&self, unit: Unit) -> i128 {
        -self.balance(unit, &Account::Issuance)
    }

    pub fn transfer(
        &mut self,
        unit: Unit,
        from: &Account,
        to: &Account,
        amount: i128,
    ) -> Outcome<()> {
        self.add(unit, from, -amount)?;
        self.add(unit, to, amount)?;
        fit(self.issued(unit))?;
        Ok(())
    }

    fn add(&mut self, unit: Unit, account: &Account, amount: i128) -> Outcome<()> {
        let sum = fit(self.balance(unit, account) + amount)?;
        if matches!(account, Account::Member(_)) && sum < 0 {
            return refuse("BUG: a member below zero");
        }
        self.balances.insert((unit, account.clone()), sum);
        if sum == 0 {
            self.balances.remove(&(unit, account.clone()));
        }
        Ok(())
    }
}
