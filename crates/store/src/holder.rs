use std::collections::BTreeMap;

use engine::{Account, MemberId};
use serde::{Deserialize, Serialize};

/// The sum of a kind of accounts, kept like an account (a control account): with these and the
/// house's own accounts a trial balance of any time needs a dozen look-ups, however many members
/// there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Control {
    /// All members.
    Members,
    /// All merchants.
    Merchants,
    /// All dividends' carries.
    Carries,
    /// All debts.
    Debts,
}

impl Control {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Members, Self::Merchants, Self::Carries, Self::Debts];

    /// The kind an account is counted under; none for the house's own.
    #[must_use]
    pub const fn of(account: Account) -> Option<Self> {
        match account {
            Account::Member(_) => Some(Self::Members),
            Account::Merchant(_) => Some(Self::Merchants),
            Account::Carry(_) => Some(Self::Carries),
            Account::Debt(_) => Some(Self::Debts),
            _ => None,
        }
    }

    /// The name in trial balances.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Merchants => "merchants",
            Self::Carries => "carries",
            Self::Debts => "debts",
        }
    }
}

/// Whose balances are kept: an account's, or the sum of a kind of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Holder {
    /// One account.
    Account(Account),
    /// All of a kind.
    Control(Control),
}

/// The accounts of which there is just one, in the order of their columns.
pub const HOUSE: [Account; 7] = [
    Account::Pool,
    Account::Reserve,
    Account::Revenue,
    Account::Escrow,
    Account::Gateway,
    Account::Issuance,
    Account::Receivable,
];

/// One value for each holder, found by its number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerHolder<T> {
    members: Vec<T>,
    merchants: Vec<T>,
    carries: Vec<T>,
    debts: BTreeMap<MemberId, T>,
    house: [T; HOUSE.len()],
    control: [T; Control::ALL.len()],
}

impl<T: Default> PerHolder<T> {
    /// The holder's value, to be changed; a new one where there was none.
    pub fn of_mut(&mut self, holder: Holder) -> &mut T {
        let (rows, index) = match holder {
            Holder::Account(Account::Member(id)) => (&mut self.members, id.index()),
            Holder::Account(Account::Merchant(id)) => (&mut self.merchants, id.index()),
            Holder::Account(Account::Carry(id)) => (&mut self.carries, id.index()),
            Holder::Account(Account::Debt(id)) => return self.debts.entry(id).or_default(),
            Holder::Account(account) => return &mut self.house[house_column(account)],
            Holder::Control(control) => return &mut self.control[control as usize],
        };
        if rows.len() <= index {
            rows.resize_with(index + 1, T::default);
        }
        &mut rows[index]
    }

    /// The holder's value, if there is one.
    pub fn of(&self, holder: Holder) -> Option<&T> {
        match holder {
            Holder::Account(Account::Member(id)) => self.members.get(id.index()),
            Holder::Account(Account::Merchant(id)) => self.merchants.get(id.index()),
            Holder::Account(Account::Carry(id)) => self.carries.get(id.index()),
            Holder::Account(Account::Debt(id)) => self.debts.get(&id),
            Holder::Account(account) => self.house.get(house_column(account)),
            Holder::Control(control) => self.control.get(control as usize),
        }
    }

    /// The same holders with other values.
    pub fn map<U>(&self, f: impl Fn(&T) -> U) -> PerHolder<U> {
        PerHolder {
            members: self.members.iter().map(&f).collect(),
            merchants: self.merchants.iter().map(&f).collect(),
            carries: self.carries.iter().map(&f).collect(),
            debts: self.debts.iter().map(|(&id, value)| (id, f(value))).collect(),
            house: self.house.each_ref().map(&f),
            control: self.control.each_ref().map(&f),
        }
    }

    /// Every value, in a fixed order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.house
            .iter()
            .chain(&self.control)
            .chain(&self.carries)
            .chain(&self.merchants)
            .chain(self.debts.values())
            .chain(&self.members)
    }
}

/// The column of an account of which there is just one.
const fn house_column(account: Account) -> usize {
    match account {
        Account::Pool => 0,
        Account::Reserve => 1,
        Account::Revenue => 2,
        Account::Escrow => 3,
        Account::Gateway => 4,
        Account::Issuance => 5,
        // The only one left: the others have rows of their own.
        _ => 6,
    }
}
