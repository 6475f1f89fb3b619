use std::fmt;

use engine::{Account, DividendId, MemberId, MerchantId, Naming, OrderId, Posting};
use ledger::{Fen, Fraction};
use serde::{Deserialize, Serialize};

use crate::chain::{Balances, Links};
use crate::holder::Holder;

/// The first byte of a body: the layout of what follows. Bodies of older layouts stay readable.
const LAYOUT: u8 = 1;

/// What a row of the journal holds besides its columns, written with postcard: the postings, whom
/// they touched, and every name they need, so that a row can be read by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body<'a> {
    /// The price the command found; in the first row of an entry.
    pub price: Option<Fraction>,
    /// The postings, in order.
    pub postings: Vec<Posting>,
    /// Whom they touched, in order of first touch.
    #[serde(borrow)]
    pub touches: Vec<Touch<'a>>,
    /// The orders they name, by number.
    #[serde(borrow)]
    pub orders: Vec<OrderFacts<'a>>,
    /// The dividends they name, by number.
    #[serde(borrow)]
    pub dividends: Vec<(DividendId, &'a str)>,
    /// The stars they name, by row.
    #[serde(borrow)]
    pub stars: Vec<(u16, &'a str)>,
    /// The dividends' tiers they name, by row.
    #[serde(borrow)]
    pub tiers: Vec<((DividendId, u16), &'a str)>,
}

/// A holder that a row touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch<'a> {
    /// Whose balances these are.
    pub holder: Holder,
    /// The member's, merchant's or dividend's name; empty for all others.
    pub name: &'a str,
    /// The way to the rows that touched it before.
    pub links: Links,
    /// Its balances after the row, in steps of each unit.
    pub balances: Balances,
}

/// What postings tell of an order besides its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFacts<'a> {
    /// Its number.
    pub order: OrderId,
    /// Its name.
    pub name: &'a str,
    /// The package it reached; empty for none.
    pub package: &'a str,
    /// What it completed at.
    pub completed: Fen,
}

/// A body cannot be read: it is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the postings of row {seq} cannot be read")]
pub struct Unreadable {
    /// The row.
    pub seq: u64,
}

impl<'a> Body<'a> {
    /// Reads the body of row `seq`.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes are no body, or one with names missing.
    pub fn read(seq: u64, bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let [LAYOUT, bytes @ ..] = bytes else { return Err(Unreadable { seq }) };
        match postcard::take_from_bytes(bytes) {
            Ok((body, [])) => Ok(body),
            _ => Err(Unreadable { seq }),
        }
    }

    /// The body as it is stored.
    pub fn write(&self) -> Vec<u8> {
        let room = 64 + 24 * self.postings.len() + 40 * self.touches.len();
        let mut bytes = Vec::with_capacity(room);
        bytes.push(LAYOUT);
        // Writing into memory what serde describes cannot fail.
        postcard::to_extend(self, bytes).unwrap_or_default()
    }

    /// The touch of a holder, if the row touched it.
    #[must_use]
    pub fn touch(&self, holder: Holder) -> Option<&Touch<'a>> {
        self.touches.iter().find(|touch| touch.holder == holder)
    }

    fn order(&self, id: OrderId) -> Option<&OrderFacts<'a>> {
        let row = self.orders.binary_search_by_key(&id, |facts| facts.order).ok()?;
        self.orders.get(row)
    }

    fn account_name(&self, is_it: impl Fn(Account) -> bool) -> &'a str {
        let named = self
            .touches
            .iter()
            .find(|touch| matches!(touch.holder, Holder::Account(account) if is_it(account)));
        named.map_or("", |touch| touch.name)
    }
}

impl Naming for Body<'_> {
    fn member_name(&self, id: MemberId) -> &str {
        self.account_name(
            |account| matches!(account, Account::Member(m) | Account::Debt(m) if m == id),
        )
    }

    fn merchant_name(&self, id: MerchantId) -> &str {
        self.account_name(|account| account == Account::Merchant(id))
    }

    fn order_name(&self, id: OrderId) -> &str {
        self.order(id).map_or("", |facts| facts.name)
    }

    fn dividend_name(&self, id: DividendId) -> &str {
        self.dividends.iter().find(|(i, _)| *i == id).map_or("", |(_, name)| name)
    }

    fn star_name(&self, star: u16) -> &str {
        self.stars.iter().find(|(i, _)| *i == star).map_or("", |(_, name)| name)
    }

    fn tier_name(&self, dividend: DividendId, tier: u16) -> &str {
        self.tiers.iter().find(|(i, _)| *i == (dividend, tier)).map_or("", |(_, name)| name)
    }

    fn package_name(&self, order: OrderId) -> &str {
        self.order(order).map_or("", |facts| facts.package)
    }

    fn completed_amount(&self, order: OrderId) -> Fen {
        self.order(order).map_or(Fen::ZERO, |facts| facts.completed)
    }
}

/// A holder's path with the name it goes by: `member/A`, `pool`, and for sums `members`.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    /// Whose path.
    pub holder: Holder,
    /// The member's, merchant's or dividend's name.
    pub name: &'a str,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = match self.holder {
            Holder::Control(control) => return f.write_str(control.name()),
            Holder::Account(account) => account,
        };
        match account {
            Account::Member(_) => write!(f, "member/{}", self.name),
            Account::Merchant(_) => write!(f, "merchant/{}", self.name),
            Account::Carry(_) => write!(f, "carry/{}", self.name),
            Account::Debt(_) => write!(f, "debt/{}", self.name),
            Account::Pool => f.write_str("pool"),
            Account::Reserve => f.write_str("reserve"),
            Account::Revenue => f.write_str("revenue"),
            Account::Escrow => f.write_str("escrow"),
            Account::Gateway => f.write_str("gateway"),
            Account::Issuance => f.write_str("issuance"),
            Account::Receivable => f.write_str("receivable"),
        }
    }
}
