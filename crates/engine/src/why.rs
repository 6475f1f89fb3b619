use std::fmt;

use ledger::{Fen, Fraction, Micro, Rate};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Unit};
use crate::id::{DividendId, OrderId};
use crate::rule::Rule;

/// One line of an entry.
pub type Posting = ledger::Posting<Account, Unit, Why>;

/// The rule behind one posting, with the numbers it was computed from.
///
/// With the posting's own account, unit and steps, the price at the head of the entry, the postings
/// beside it, the entries before it and the programme in force, these are enough to compute the
/// posting again by hand: a test does, for every rule, without a look at the engine's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the rule's inputs, named as in the spec")]
pub enum Why {
    /// *Pay*: a part of an order goes into escrow.
    OrderPaid { order: OrderId },
    /// *Complete*: a part of an order leaves escrow.
    OrderCompleted { order: OrderId },
    /// *Complete*: the merchant gets `worth - mul(worth, concession)`.
    MerchantPaid { order: OrderId, worth: Fen, concession: Rate },
    /// *Complete* 1: `mul(base, rate)`; generation 0 is the buyer.
    QuotaGranted { order: OrderId, generation: u16, base: Fen, rate: Rate },
    /// *Complete* 2: `floor(mul(contribution, rate) / price)`, at most what the cap leaves;
    /// generation 0 is the buyer.
    GrowthGranted {
        order: OrderId,
        generation: u16,
        contribution: Fen,
        rate: Rate,
        cap_left: Micro,
    },
    /// *Complete* 2: `mul(base, contribution)` moves into the pool.
    Contributed { order: OrderId, base: Fen, rate: Rate },
    /// *Complete* 3: `floor(base / per)` for the buyer.
    ShareBought { order: OrderId, base: Fen, per: Fen },
    /// *Complete* 3: `mul(own, rate)` for a sponsor.
    ShareGranted { order: OrderId, generation: u16, own: Micro, rate: Rate },
    /// *Complete* 4: `mul(base, multiple)` points into a new lot, which gives `daily` a day.
    LotGranted { order: OrderId, base: Fen, multiple: Rate, daily: Micro },
    /// *Owed*: `min(owed, of)` is netted from a grant or payment of `of` steps, made by the rule
    /// `from`.
    DebtNetted { from: Rule, of: i64 },
    /// *Refund*: a part of an order goes back.
    OrderRefunded { order: OrderId },
    /// *Refund*: `floor(granted * refunded / of)` less the same for what was refunded `before`, as
    /// far as it is still held; `of` is the amount of the order at completion.
    TakenBack { order: OrderId, generation: u16, granted: i64, refunded: Fen, before: Fen },
    /// *Refund*: of what is `due`, what is no longer held is owed.
    TakenBackOwed { order: OrderId, generation: u16, due: i64 },
    /// *Refund*: the pool gives back `min(floor(points * price), contribution - before)`, the
    /// contribution being the part of it that is refunded by now.
    ContributionReturned { order: OrderId, points: Micro, contribution: Fen, before: Fen },
    /// *Refund*: `max(points_worth, quota) - before + reward_worth` is kept back from the cash
    /// refund for what was drawn already, and owed as far as the refund does not cover it.
    KeptBack { order: OrderId, points_worth: Fen, quota: Fen, before: Fen, reward_worth: Fen },
    /// *Refund*: the merchant keeps its part of the worth not refunded.
    MerchantReturned { order: OrderId, worth: Fen, concession: Rate },
    /// *Redeem*, *Forced exit*, *Dust*: `gross` less `fee = ceil(gross * redeem_fee)` is paid, and
    /// uses quota up.
    Sold { sale: Sale, points: Micro, gross: Fen, fee: Fen },
    /// The points of a sale: `gross = min(floor(points * price), most)`, most being the quota where
    /// that limits it.
    Burnt { sale: Sale, price: Fraction, most: Option<Fen> },
    /// *Price*: the last point was burnt; what is left in the pool is nobody's.
    PoolEmptied,
    /// *Exchange*: growth points into the reserve, stable points to the member.
    Exchanged { points: Micro, gross: Fen, fee: Fen },
    /// *Claim*: `floor(amount / price)` growth points from the reserve.
    Claimed { amount: Fen },
    /// *Convert*: reward points become growth points, paid for by revenue.
    Converted { points: Micro },
    /// *Adjust*: an operator's correction; reason and operator are in the command.
    Adjusted,
    /// `cash.withdraw`.
    Withdrawn,
    /// *Settle* 1: `min(daily, remaining)` of the lot of this order.
    ReleaseScheduled { order: OrderId, daily: Micro },
    /// *Settle* 1: `mul(released by that generation, rate)`, cut to the member's own lots.
    GenerationBonus { generation: u16, released: Micro, rate: Rate },
    /// *Settle* 1: `floor(released * rate - paid)`, released by all whose highest star so far this
    /// is, paid what lower stars below were paid of it; cut to the member's own lots.
    TeamBonus { star: u16, released: Micro, rate: Rate, paid: Parts },
    /// *Settle* 1: `mul(released, rate)` of what peers below took the team bonus of; cut to the
    /// member's own lots.
    PeerBonus { star: u16, released: Micro, rate: Rate },
    /// *Settle* 1: let out of the lot of this order for bonuses, the oldest lot first.
    ReleaseAccelerated { order: OrderId },
    /// *Settle*: the other side of the members' postings of this piece in this unit, together.
    OtherSide,
    /// *Settle* 2: `mul(turnover, rate)` out of revenue.
    DividendFunded { dividend: DividendId, turnover: Fen, rate: Rate },
    /// *Settle* 2: `floor(part * share / of)`, cut to the quota; part is the pool, or the tier's.
    DividendByShares { dividend: DividendId, tier: Option<u16>, part: Fen, share: Micro, of: Micro },
    /// *Settle* 2: `floor(part / members)` of a tier divided equally, cut to the quota.
    DividendEqually { dividend: DividendId, tier: u16, part: Fen, members: u32 },
    /// *Settle* 2: what is left of a dividend, or was carried by one that is no more.
    DividendReturned { dividend: DividendId },
}

/// Why points are sold to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sale {
    /// The holder wants it.
    Redemption,
    /// The points were worth the quota.
    ForcedExit,
    /// Less than one point was left in supply.
    Dust,
}

/// An exact sum of micro-points times rates: whole micro-points and millionths of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Parts {
    whole: i64,
    millionths: u32,
}

/// Parts as they were read: perhaps more than a million millionths.
#[derive(Deserialize)]
#[serde(rename = "Parts")]
struct Unchecked {
    whole: i64,
    millionths: u32,
}

impl TryFrom<Unchecked> for Parts {
    type Error = &'static str;

    fn try_from(read: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { whole, millionths } = read;
        let is_rest = millionths < 1_000_000;
        is_rest.then_some(Self { whole, millionths }).ok_or("more millionths than make one")
    }
}

impl Parts {
    /// From millionths of a micro-point; what would leave 64 bits is as good as the most.
    #[must_use]
    pub fn from_millionths(millionths: i128) -> Self {
        let whole = i64::try_from(millionths.div_euclid(1_000_000)).unwrap_or(i64::MAX);
        let rest = u32::try_from(millionths.rem_euclid(1_000_000)).unwrap_or(0);
        Self { whole, millionths: rest }
    }
}

/// Points with twelve decimals.
impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:06}", Micro::from_steps(self.whole), self.millionths)
    }
}

impl Why {
    /// The rule.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::OrderPaid { .. } => Rule::OrderPaid,
            Self::OrderCompleted { .. } => Rule::OrderCompleted,
            Self::MerchantPaid { .. } => Rule::MerchantPaid,
            Self::QuotaGranted { .. } => Rule::QuotaGranted,
            Self::GrowthGranted { .. } => Rule::GrowthGranted,
            Self::Contributed { .. } => Rule::GrowthContributed,
            Self::ShareBought { .. } => Rule::ShareBought,
            Self::ShareGranted { .. } => Rule::ShareGranted,
            Self::LotGranted { .. } => Rule::LotGranted,
            Self::DebtNetted { .. } => Rule::DebtNetted,
            Self::OrderRefunded { .. } => Rule::OrderRefunded,
            Self::TakenBack { .. } => Rule::GrantTakenBack,
            Self::TakenBackOwed { .. } => Rule::GrantOwed,
            Self::ContributionReturned { .. } => Rule::GrowthContributionReturned,
            Self::KeptBack { .. } => Rule::RefundKeptBack,
            Self::MerchantReturned { .. } => Rule::MerchantReturned,
            Self::Sold { sale, .. } | Self::Burnt { sale, .. } => match sale {
                Sale::Redemption => Rule::GrowthRedeemed,
                Sale::ForcedExit => Rule::GrowthForcedExit,
                Sale::Dust => Rule::GrowthDustSold,
            },
            Self::PoolEmptied => Rule::GrowthPoolEmptied,
            Self::Exchanged { .. } => Rule::GrowthExchanged,
            Self::Claimed { .. } => Rule::StableClaimed,
            Self::Converted { .. } => Rule::RewardConverted,
            Self::Adjusted => Rule::MemberAdjusted,
            Self::Withdrawn => Rule::CashWithdrawn,
            Self::ReleaseScheduled { .. } => Rule::ReleaseScheduled,
            Self::GenerationBonus { .. } => Rule::ReleaseGenerationBonus,
            Self::TeamBonus { .. } => Rule::ReleaseTeamBonus,
            Self::PeerBonus { .. } => Rule::ReleasePeerBonus,
            Self::ReleaseAccelerated { .. } => Rule::ReleaseAccelerated,
            Self::OtherSide => Rule::SettleOtherSide,
            Self::DividendFunded { .. } => Rule::DividendFunded,
            Self::DividendByShares { .. } | Self::DividendEqually { .. } => Rule::DividendPaid,
            Self::DividendReturned { .. } => Rule::DividendReturned,
        }
    }

    /// The order it refers to.
    #[must_use]
    pub const fn order(self) -> Option<OrderId> {
        match self {
            Self::OrderPaid { order }
            | Self::OrderCompleted { order }
            | Self::MerchantPaid { order, .. }
            | Self::QuotaGranted { order, .. }
            | Self::GrowthGranted { order, .. }
            | Self::Contributed { order, .. }
            | Self::ShareBought { order, .. }
            | Self::ShareGranted { order, .. }
            | Self::LotGranted { order, .. }
            | Self::OrderRefunded { order }
            | Self::TakenBack { order, .. }
            | Self::TakenBackOwed { order, .. }
            | Self::ContributionReturned { order, .. }
            | Self::KeptBack { order, .. }
            | Self::MerchantReturned { order, .. }
            | Self::ReleaseScheduled { order, .. }
            | Self::ReleaseAccelerated { order } => Some(order),
            Self::DebtNetted { .. }
            | Self::Sold { .. }
            | Self::Burnt { .. }
            | Self::PoolEmptied
            | Self::Exchanged { .. }
            | Self::Claimed { .. }
            | Self::Converted { .. }
            | Self::Adjusted
            | Self::Withdrawn
            | Self::GenerationBonus { .. }
            | Self::TeamBonus { .. }
            | Self::PeerBonus { .. }
            | Self::OtherSide
            | Self::DividendFunded { .. }
            | Self::DividendByShares { .. }
            | Self::DividendEqually { .. }
            | Self::DividendReturned { .. } => None,
        }
    }

    /// The dividend it refers to.
    #[must_use]
    pub const fn dividend(self) -> Option<DividendId> {
        match self.of_settlement() {
            OfSettlement::Dividend(dividend) | OfSettlement::Tier(dividend, _) => Some(dividend),
            OfSettlement::Star(_) | OfSettlement::Neither => None,
        }
    }

    /// The star it refers to, by its row in the programme in force.
    #[must_use]
    pub const fn star(self) -> Option<u16> {
        match self.of_settlement() {
            OfSettlement::Star(star) => Some(star),
            OfSettlement::Dividend(_) | OfSettlement::Tier(..) | OfSettlement::Neither => None,
        }
    }

    /// The tier it refers to, by its dividend and its row there in the programme in force.
    #[must_use]
    pub const fn tier(self) -> Option<(DividendId, u16)> {
        match self.of_settlement() {
            OfSettlement::Tier(dividend, tier) => Some((dividend, tier)),
            OfSettlement::Dividend(_) | OfSettlement::Star(_) | OfSettlement::Neither => None,
        }
    }

    /// In one place, so that a new reason has to say all of it.
    const fn of_settlement(self) -> OfSettlement {
        match self {
            Self::DividendByShares { dividend, tier: Some(tier), .. }
            | Self::DividendEqually { dividend, tier, .. } => OfSettlement::Tier(dividend, tier),
            Self::DividendFunded { dividend, .. }
            | Self::DividendByShares { dividend, tier: None, .. }
            | Self::DividendReturned { dividend } => OfSettlement::Dividend(dividend),
            Self::TeamBonus { star, .. } | Self::PeerBonus { star, .. } => OfSettlement::Star(star),
            Self::OrderPaid { .. }
            | Self::OrderCompleted { .. }
            | Self::MerchantPaid { .. }
            | Self::QuotaGranted { .. }
            | Self::GrowthGranted { .. }
            | Self::Contributed { .. }
            | Self::ShareBought { .. }
            | Self::ShareGranted { .. }
            | Self::LotGranted { .. }
            | Self::DebtNetted { .. }
            | Self::OrderRefunded { .. }
            | Self::TakenBack { .. }
            | Self::TakenBackOwed { .. }
            | Self::ContributionReturned { .. }
            | Self::KeptBack { .. }
            | Self::MerchantReturned { .. }
            | Self::Sold { .. }
            | Self::Burnt { .. }
            | Self::PoolEmptied
            | Self::Exchanged { .. }
            | Self::Claimed { .. }
            | Self::Converted { .. }
            | Self::Adjusted
            | Self::Withdrawn
            | Self::ReleaseScheduled { .. }
            | Self::GenerationBonus { .. }
            | Self::ReleaseAccelerated { .. }
            | Self::OtherSide => OfSettlement::Neither,
        }
    }
}

/// What of the programme a posting of a settlement refers to.
enum OfSettlement {
    Dividend(DividendId),
    Tier(DividendId, u16),
    Star(u16),
    Neither,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_more_than_a_part_are_not_read() {
        let parts = Parts::from_millionths(-1);
        let bytes = postcard::to_stdvec(&parts).unwrap();
        assert_eq!(postcard::from_bytes(&bytes), Ok(parts));
        let bytes = postcard::to_stdvec(&(0_i64, 1_000_000_u32)).unwrap();
        assert!(postcard::from_bytes::<Parts>(&bytes).is_err());
    }
}
