use ledger::{Fen, Micro, Rate};

use crate::id::{DividendId, OrderId};

/// The rule behind one posting, with the numbers it was computed from.
///
/// With the posting's own account, unit and steps, and the price at the head of the entry, these
/// are enough to compute the posting again by hand.
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
    /// *Complete* 2: `floor(mul(contribution, rate) / price)`; generation 0 is the buyer.
    GrowthGranted { order: OrderId, generation: u16, contribution: Fen, rate: Rate },
    /// *Complete* 2: `mul(base, contribution)` moves into the pool.
    Contributed { order: OrderId, base: Fen, rate: Rate },
    /// *Complete* 3: `floor(base / per)` for the buyer.
    ShareBought { order: OrderId, base: Fen, per: Fen },
    /// *Complete* 3: `mul(own, rate)` for a sponsor.
    ShareGranted { order: OrderId, generation: u16, own: Micro, rate: Rate },
    /// *Complete* 4: `mul(base, multiple)` points into a new lot.
    LotGranted { order: OrderId, base: Fen, multiple: Rate },
    /// *Owed*: taken from a grant, dividend, redemption or exit for what is owed.
    DebtNetted,
    /// *Refund*: a part of an order goes back.
    OrderRefunded { order: OrderId },
    /// *Refund*: `floor(granted * refunded / of)` in all is taken back; the rest was before.
    TakenBack { order: OrderId, generation: u16, granted: i64, refunded: Fen },
    /// *Refund*: what could not be taken back is owed.
    TakenBackOwed { order: OrderId, generation: u16, due: i64 },
    /// *Refund*: the pool gives back `min(floor(points * price), floor(contribution * f))`.
    ContributionReturned { order: OrderId, points: Micro, contribution: Fen },
    /// *Refund*: kept back from the cash refund for what was drawn already.
    KeptBack { order: OrderId, points_worth: Fen, quota: Fen, reward_worth: Fen },
    /// *Refund*: the merchant keeps its part of the worth not refunded.
    MerchantReturned { order: OrderId, worth: Fen, concession: Rate },
    /// *Redeem*: `gross = floor(points * price)`, less `fee = ceil(gross * rate)`.
    Redeemed { points: Micro, gross: Fen, fee: Fen },
    /// *Forced exit*: the points were worth the quota.
    ForcedExit { points: Micro, gross: Fen, fee: Fen },
    /// *Dust*: less than one point was left in supply.
    DustSold { points: Micro, gross: Fen, fee: Fen },
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
    /// *Settle* 1: the sum of `(rate - paid) * released` over all that climbed to this star.
    TeamBonus { star: u16, released: Micro, rate: Rate, bonus: Micro },
    /// *Settle* 1: `mul(released, rate)` of what peers below took the team bonus of.
    PeerBonus { star: u16, released: Micro, rate: Rate },
    /// *Settle* 1: let out of the lot of this order for bonuses, the oldest lot first.
    ReleaseAccelerated { order: OrderId },
    /// *Settle*: the other side of the members' postings of this piece, all together.
    OtherSide,
    /// *Settle* 2: `mul(turnover, rate)` out of revenue.
    DividendFunded { dividend: DividendId, turnover: Fen, rate: Rate },
    /// *Settle* 2: `floor(part * share / of)`, cut to the quota.
    DividendByShares { dividend: DividendId, part: Fen, share: Micro, of: Micro },
    /// *Settle* 2: `floor(part / members)` of a tier divided equally, cut to the quota.
    DividendEqually { dividend: DividendId, part: Fen, members: u32 },
    /// *Settle* 2: what is left of a dividend, or was carried by one that is no more.
    DividendReturned { dividend: DividendId },
}
