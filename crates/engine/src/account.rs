use std::fmt;

use ledger::{Fen, Micro};
use serde::{Deserialize, Serialize};

use crate::id::{DividendId, MemberId, MerchantId};

/// The ledger's units (spec, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Unit {
    /// Money, in fen.
    Cash,
    /// Growth points, in micro-points.
    Growth,
    /// Stable points, in fen.
    Stable,
    /// What may still be drawn, in fen.
    Quota,
    /// Dividend weight, in micro-shares.
    Share,
    /// Points granted and not yet released, in micro-points.
    Locked,
    /// Released points, in micro-points.
    Reward,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 7] = [
        Self::Cash,
        Self::Growth,
        Self::Stable,
        Self::Quota,
        Self::Share,
        Self::Locked,
        Self::Reward,
    ];

    /// How many units there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The unit's name in files and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Growth => "growth",
            Self::Stable => "stable",
            Self::Quota => "quota",
            Self::Share => "share",
            Self::Locked => "locked",
            Self::Reward => "reward",
        }
    }

    /// So many steps of this unit, as an amount with its decimals.
    #[must_use]
    pub fn amount(self, steps: i64) -> UnitAmount {
        match ledger::Unit::decimals(self) {
            2 => UnitAmount::Fen(Fen::from_steps(steps)),
            _ => UnitAmount::Micro(Micro::from_steps(steps)),
        }
    }
}

/// An amount of whichever unit, as text with the unit's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum UnitAmount {
    /// Two decimals.
    Fen(Fen),
    /// Six decimals.
    Micro(Micro),
}

impl fmt::Display for UnitAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fen(fen) => fen.fmt(f),
            Self::Micro(micro) => micro.fmt(f),
        }
    }
}

impl ledger::Unit for Unit {
    fn decimals(self) -> u32 {
        match self {
            Self::Cash | Self::Stable | Self::Quota => 2,
            Self::Growth | Self::Share | Self::Locked | Self::Reward => 6,
        }
    }
}

/// Whose balance it is. In every unit, the balances of all accounts add up to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// A member; cash is what can be withdrawn.
    Member(MemberId),
    /// A merchant; cash is its payable.
    Merchant(MerchantId),
    /// The cash that backs growth points.
    Pool,
    /// Growth points handed in for stable points.
    Reserve,
    /// The platform's own cash.
    Revenue,
    /// What is paid for orders not yet completed.
    Escrow,
    /// The outside: minus the cash that came in.
    Gateway,
    /// Minus the points, quota and shares there are.
    Issuance,
    /// Cash a dividend carries to the next day.
    Carry(DividendId),
    /// What a member owes: above zero is owed.
    Debt(MemberId),
    /// Minus all that is owed.
    Receivable,
}

/// The accounts of which there is just one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum House {
    Pool,
    Reserve,
    Revenue,
    Escrow,
    Gateway,
    Issuance,
    Receivable,
}

impl House {
    pub const COUNT: usize = 7;
}
