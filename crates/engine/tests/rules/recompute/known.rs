//! What an auditor knows from the entries before, and from what this one has said so far.

use std::collections::BTreeMap;

use super::arithmetic::Price;
use super::entry::{Entry, Move};
use crate::plain::programme::Programme;

#[derive(Default)]
pub struct Auditor {
    pub entry: Option<Entry>,
    pub wrong: Option<String>,
    pub programme: Programme,
    pub pending: Option<Programme>,
    /// Account, then unit.
    pub balances: BTreeMap<String, BTreeMap<String, i128>>,
    pub sponsors: BTreeMap<String, Option<String>>,
    pub orders: BTreeMap<String, Order>,
    pub lots: Vec<Lot>,
    pub issued: i128,
    pub turnover: i128,
    pub now: Now,
}

/// Cash, stable and reward points, in fen.
pub type Parts = [i128; 3];

#[derive(Clone, Default)]
pub struct Order {
    pub member: String,
    pub concession: i128,
    pub paid: Parts,
    pub left: Parts,
    /// Left at completion.
    pub of: i128,
    pub contribution: i128,
    pub grants: Vec<Grant>,
    /// By the pool.
    pub returned: i128,
    pub missing_worth: i128,
    pub missing_quota: i128,
}

#[derive(Clone)]
pub struct Grant {
    pub unit: String,
    pub generation: usize,
    pub granted: i128,
}

pub struct Lot {
    pub order: String,
    pub member: String,
    pub daily: i128,
    pub left: i128,
    pub day: String,
}

/// What the postings of this entry have said so far.
#[derive(Default)]
pub struct Now {
    /// Of the order of the command.
    pub parts: Parts,
    /// The other sides not posted yet.
    pub others: BTreeMap<(String, String), i128>,
    pub netted: Option<Netted>,
    pub sale: Vec<Move>,
    /// What the pool gave back for the grant that is burnt next.
    pub returned: i128,
    pub released: BTreeMap<String, i128>,
    /// What went out of a lot by schedule, or of a bonus is yet to come out of one.
    pub due: i128,
    /// Quota used by a dividend, or taken back out of a lot.
    pub drawn: i128,
}

pub struct Netted {
    pub member: String,
    pub unit: String,
    pub from: String,
    pub of: i128,
    pub steps: i128,
}

impl Auditor {
    pub fn balance(&self, account: &str, unit: &str) -> i128 {
        self.balances.get(account).and_then(|units| units.get(unit)).copied().unwrap_or(0)
    }

    pub fn held(&self, member: &str, unit: &str) -> i128 {
        self.balance(&format!("member/{member}"), unit)
    }

    pub fn pool_and_supply(&self) -> Price {
        (self.balance("pool", "cash"), -self.balance("issuance", "growth"))
    }

    pub fn order(&self, e: &Entry) -> &Order {
        &self.orders[e.text("order")]
    }

    /// The member itself as generation 0.
    pub fn above(&self, member: &str, generation: usize) -> Option<&str> {
        let mut chain = std::iter::successors(self.sponsors.get_key_value(member), |(_, above)| {
            above.as_deref().and_then(|above| self.sponsors.get_key_value(above))
        });
        chain.nth(generation).map(|(name, _)| name.as_str())
    }
}
