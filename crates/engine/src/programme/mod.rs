//! The programme: the parameters an operator sets (spec, section 3).
//!
//! [`Programme::from_toml`] and [`Programme::from_json`] read the file, put in the defaults and
//! check it; both list every fault at once. What an absent table means is in the type: `None` is
//! off.

mod check;
mod liability;
mod node;
mod read;
mod write;

pub use liability::{Exposure, Liability};

use ledger::{Fen, Micro, Rate};

use node::Node;

/// A programme that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// What the operator calls it.
    pub name: String,
    /// `order.concession`: the part of an order's cash the platform keeps where the order carries
    /// none of its own.
    pub concession: Rate,
    /// Model 1: points backed by the pool.
    pub growth: Option<Growth>,
    /// How much a member may draw.
    pub quota: Option<Quota>,
    /// Weights in dividends.
    pub share: Option<Share>,
    /// Model 2: daily dividends, in the order in which they are settled.
    pub dividends: Vec<Dividend>,
    /// Model 3: packages released day by day.
    pub release: Option<Release>,
    /// What released points may do.
    pub reward: Reward,
}

/// `[growth]`, model 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// Of an order's cash, into the pool.
    pub contribution: Rate,
    /// Yuan for one point while nothing is in supply.
    pub issue_price: Fen,
    /// The most points ever issued; `None` is no cap.
    pub issue_cap: Option<Micro>,
    /// Of what a redemption is worth; it stays in the pool.
    pub redeem_fee: Rate,
    /// Of what an exchange into stable points is worth.
    pub exchange_fee: Rate,
    /// Whether points are limited by quota, and sold out when they are worth it.
    pub forced_exit: bool,
    /// To the buyer, of the contribution.
    pub buyer: Rate,
    /// To each sponsor generation, of the contribution.
    pub sponsors: Vec<Rate>,
}

/// `[quota]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// To the buyer, of the order's cash.
    pub buyer: Rate,
    /// To each sponsor generation, of the order's cash.
    pub sponsors: Vec<Rate>,
}

/// `[share]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Cash for one share.
    pub per: Fen,
    /// To each sponsor generation, of the buyer's new shares.
    pub sponsors: Vec<Rate>,
}

/// One `[[dividend]]`, model 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dividend {
    /// Its name; what it carries over follows the name across amendments.
    pub name: String,
    /// Of the day's turnover.
    pub rate: Rate,
    /// How its pool is divided.
    pub split: Split,
    /// Whether what is left is carried to the same dividend next day (else it goes to revenue).
    pub carry: bool,
}

/// How a dividend's pool is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// By shares.
    ProRata {
        /// Whether the divisor is everybody's shares (`weights = "all"`), not just theirs who can
        /// draw.
        all: bool,
    },
    /// By levels of shares.
    Tiers {
        /// Whether tier rates are of the pool (`rate_of = "pool"`), not of the turnover.
        of_pool: bool,
        /// Whether a tier's part is divided by shares (`within = "pro_rata"`), not equally.
        by_shares: bool,
        /// The levels, ascending.
        tiers: Vec<Tier>,
    },
}

/// One `[[dividend.tiers]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Its name.
    pub name: String,
    /// The fewest shares.
    pub min: Micro,
    /// The most shares; `None` reaches up to the next tier.
    pub max: Option<Micro>,
    /// Of the pool or of the turnover.
    pub rate: Rate,
}

/// `[release]`, model 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Of the order's cash, each day.
    pub daily: Rate,
    /// Generation bonus rates, the nearest first.
    pub generations: Vec<Rate>,
    /// The packages, ascending in price.
    pub packages: Vec<Package>,
    /// `[release.team]`.
    pub team: Option<Team>,
}

/// One `[[release.packages]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, which is the member's grade.
    pub name: String,
    /// The cash an order must reach.
    pub price: Fen,
    /// Points granted for each yuan.
    pub multiple: Rate,
}

/// `[release.team]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Peer bonus rate.
    pub peer: Rate,
    /// How many peers above get the peer bonus each time the paid rate has risen.
    pub peer_depth: u32,
    /// Whether team volume counts cash only (else cash and points).
    pub cash_only: bool,
    /// The stars, ascending in volume and rate.
    pub stars: Vec<Star>,
}

/// One `[[release.team.stars]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// Its name.
    pub name: String,
    /// The team volume it needs.
    pub volume: Fen,
    /// The differential team bonus rate.
    pub rate: Rate,
}

/// `[reward]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// The most of an order that reward points may pay.
    pub usage: Rate,
    /// Whether reward points may become growth points.
    pub convert: bool,
}

/// One thing that is wrong with a programme.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The line in the file, where there is one.
    pub line: Option<u32>,
    /// The key, as `growth.grants.buyer` or `dividend[2].rate`.
    pub key: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// Every fault of a programme, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the programme has {} fault(s)", .0.len())]
pub struct Faults(pub Vec<Fault>);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if self.key.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "`{}` {}", self.key, self.reason)
        }
    }
}

impl Programme {
    /// Reads and checks a programme file.
    ///
    /// # Errors
    /// Every fault with its line, key and reason.
    pub fn from_toml(text: &str) -> Result<Self, Faults> {
        Self::from_node(&Node::from_toml(text)?)
    }

    /// Reads and checks a programme given as JSON: the same keys and texts as the file.
    ///
    /// # Errors
    /// Every fault with its key and reason.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, Faults> {
        Self::from_node(&Node::from_json(value))
    }

    fn from_node(root: &Node) -> Result<Self, Faults> {
        let (programme, mut faults) = read::programme(root);
        let mut more = check::check(&programme, root, &faults);
        faults.append(&mut more);
        if faults.is_empty() {
            Ok(programme)
        } else {
            faults.sort();
            Err(Faults(faults))
        }
    }

    /// The least concession that pays for the contribution and all dividends (spec, section 4,
    /// *Pay*): `growth.contribution + sum(dividend.rate)`.
    #[must_use]
    pub fn needed_concession(&self) -> Rate {
        let contribution = self.growth.as_ref().map_or(Rate::ZERO, |g| g.contribution);
        // Checked to be at most the concession, so at most 100 %.
        self.dividends.iter().try_fold(contribution, |sum, d| sum.plus(d.rate)).unwrap_or(Rate::ONE)
    }

    /// Whether growth points are limited by quota (spec, section 4, *Forced exit*).
    #[must_use]
    pub fn is_limited_by_quota(&self) -> bool {
        self.quota.is_some() && self.growth.as_ref().is_some_and(|g| g.forced_exit)
    }
}

impl Release {
    /// The highest package whose price `cash` reaches.
    #[must_use]
    pub fn package_for(&self, cash: Fen) -> Option<&Package> {
        self.packages.iter().rev().find(|p| p.price <= cash)
    }
}

impl Team {
    /// The index of the highest star whose volume is reached.
    #[must_use]
    pub fn star_for(&self, volume: Fen) -> Option<usize> {
        self.stars.partition_point(|s| s.volume <= volume).checked_sub(1)
    }
}
