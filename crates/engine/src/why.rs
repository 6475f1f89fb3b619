use std::fmt;

use ledger::{Fen, Fraction, Micro, Rate};

use crate::account::{Account, Unit};
use crate::id::{DividendId, OrderId};

/// One line of an entry.
pub type Posting = ledger::Posting<Account, Unit, Why>;

/// The rule behind one posting, with the numbers it was computed from.
///
/// With the posting's own account, unit and steps, the price at the head of the entry, the postings
/// beside it, the entries before it and the programme in force, these are enough to compute the
/// posting again by hand: a test does, for every rule, without a look at the engine's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    DebtNetted { from: &'static str, of: i64 },
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sale {
    /// The holder wants it.
    Redemption,
    /// The points were worth the quota.
    ForcedExit,
    /// Less than one point was left in supply.
    Dust,
}

/// An exact sum of micro-points times rates: whole micro-points and millionths of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    whole: i64,
    millionths: u32,
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
    /// The rule's name in files and on the wire.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::OrderPaid { .. } => "order.paid",
            Self::OrderCompleted { .. } => "order.completed",
            Self::MerchantPaid { .. } => "merchant.paid",
            Self::QuotaGranted { .. } => "quota.granted",
            Self::GrowthGranted { .. } => "growth.granted",
            Self::Contributed { .. } => "growth.contributed",
            Self::ShareBought { .. } => "share.bought",
            Self::ShareGranted { .. } => "share.granted",
            Self::LotGranted { .. } => "lot.granted",
            Self::DebtNetted { .. } => "debt.netted",
            Self::OrderRefunded { .. } => "order.refunded",
            Self::TakenBack { .. } => "grant.taken_back",
            Self::TakenBackOwed { .. } => "grant.owed",
            Self::ContributionReturned { .. } => "growth.contribution_returned",
            Self::KeptBack { .. } => "refund.kept_back",
            Self::MerchantReturned { .. } => "merchant.returned",
            Self::Sold { sale, .. } | Self::Burnt { sale, .. } => match sale {
                Sale::Redemption => "growth.redeemed",
                Sale::ForcedExit => "growth.forced_exit",
                Sale::Dust => "growth.dust_sold",
            },
            Self::PoolEmptied => "growth.pool_emptied",
            Self::Exchanged { .. } => "growth.exchanged",
            Self::Claimed { .. } => "stable.claimed",
            Self::Converted { .. } => "reward.converted",
            Self::Adjusted => "member.adjusted",
            Self::Withdrawn => "cash.withdrawn",
            Self::ReleaseScheduled { .. } => "release.scheduled",
            Self::GenerationBonus { .. } => "release.generation_bonus",
            Self::TeamBonus { .. } => "release.team_bonus",
            Self::PeerBonus { .. } => "release.peer_bonus",
            Self::ReleaseAccelerated { .. } => "release.accelerated",
            Self::OtherSide => "settle.other_side",
            Self::DividendFunded { .. } => "dividend.funded",
            Self::DividendByShares { .. } | Self::DividendEqually { .. } => "dividend.paid",
            Self::DividendReturned { .. } => "dividend.returned",
        }
    }
}
