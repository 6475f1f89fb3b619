use ledger::{AmountError, Overflow, RateError};

/// Why a command was refused (spec, section 4). A refused command left no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}: {}", self.code(), self.meaning())]
#[expect(missing_docs, reason = "each variant is its code; `meaning` says it in words")]
pub enum Rejection {
    DayClosed,
    DayNotSettled,
    DayOutOfOrder,
    MemberExists,
    UnknownSponsor,
    MerchantExists,
    OrderExists,
    UnknownMember,
    UnknownMerchant,
    BadAmount,
    RewardOverUsage,
    ConcessionOutOfRange,
    InsufficientBalance,
    UnknownOrder,
    OrderNotOpen,
    NotInProgramme,
    InsufficientRevenue,
    IssueCapReached,
    ReasonRequired,
    BadUnit,
    BadProgramme,
    Overflow,
}

impl Rejection {
    /// Every reason. A new variant belongs before the last, and then here: the length is counted.
    pub const ALL: [Self; Self::Overflow as usize + 1] = [
        Self::DayClosed,
        Self::DayNotSettled,
        Self::DayOutOfOrder,
        Self::MemberExists,
        Self::UnknownSponsor,
        Self::MerchantExists,
        Self::OrderExists,
        Self::UnknownMember,
        Self::UnknownMerchant,
        Self::BadAmount,
        Self::RewardOverUsage,
        Self::ConcessionOutOfRange,
        Self::InsufficientBalance,
        Self::UnknownOrder,
        Self::OrderNotOpen,
        Self::NotInProgramme,
        Self::InsufficientRevenue,
        Self::IssueCapReached,
        Self::ReasonRequired,
        Self::BadUnit,
        Self::BadProgramme,
        Self::Overflow,
    ];

    /// The reason of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The reason as it is written in files and on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// The reason in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.row().1
    }

    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::DayClosed => ("day_closed", "the command falls on a day that is settled"),
            Self::DayNotSettled => {
                ("day_not_settled", "the command falls on a day after the open one")
            }
            Self::DayOutOfOrder => ("day_out_of_order", "only the open day can be settled"),
            Self::MemberExists => ("member_exists", "the member has joined before"),
            Self::UnknownSponsor => ("unknown_sponsor", "the sponsor is not a member"),
            Self::MerchantExists => ("merchant_exists", "the merchant has joined before"),
            Self::OrderExists => ("order_exists", "an order with this id was paid before"),
            Self::UnknownMember => ("unknown_member", "there is no such member"),
            Self::UnknownMerchant => (
                "unknown_merchant",
                "there is no such merchant, or stable points are spent without one",
            ),
            Self::BadAmount => (
                "bad_amount",
                "an amount is no plain decimal, not above zero, too small, too large or not whole fen",
            ),
            Self::RewardOverUsage => {
                ("reward_over_usage", "reward points may pay only part of an order")
            }
            Self::ConcessionOutOfRange => (
                "concession_out_of_range",
                "the concession must pay for contribution and dividends, and be at most 100 %",
            ),
            Self::InsufficientBalance => ("insufficient_balance", "the balance is too low"),
            Self::UnknownOrder => ("unknown_order", "there is no such order"),
            Self::OrderNotOpen => ("order_not_open", "the order is completed, or all refunded"),
            Self::NotInProgramme => ("not_in_programme", "the programme does not offer this"),
            Self::InsufficientRevenue => {
                ("insufficient_revenue", "the platform's revenue cannot pay for it")
            }
            Self::IssueCapReached => ("issue_cap_reached", "no more points may be issued"),
            Self::ReasonRequired => ("reason_required", "a reason and an operator must be given"),
            Self::BadUnit => ("bad_unit", "the unit must be growth, quota, share or reward"),
            Self::BadProgramme => ("bad_programme", "the programme has faults"),
            Self::Overflow => ("overflow", "a sum leaves 64 bits"),
        }
    }
}

impl From<Overflow> for Rejection {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

impl From<AmountError> for Rejection {
    fn from(error: AmountError) -> Self {
        match error {
            AmountError::OutOfRange => Self::Overflow,
            AmountError::NotDecimal | AmountError::TooPrecise(_) => Self::BadAmount,
        }
    }
}

impl From<RateError> for Rejection {
    fn from(error: RateError) -> Self {
        match error {
            RateError::OutOfRange => Self::Overflow,
            RateError::NotRate | RateError::Negative | RateError::TooPrecise => Self::BadAmount,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_its_code() {
        for (index, reason) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
            assert_eq!(Rejection::from_code(reason.code()), Some(reason));
        }
        for code in ["", "Overflow", "overflow ", "day"] {
            assert_eq!(Rejection::from_code(code), None);
        }
    }
}
