use std::fmt;

use jiff::Timestamp;
use ledger::{Amount, AmountError, Fen, Micro, Rate, RateError};

use crate::Day;

/// An amount as it came in: a text that is no amount is refused in its turn among the checks, not
/// before.
pub type Given<const D: u32> = Result<Amount<D>, AmountError>;

/// The name of a member, merchant or order: 1 to 255 bytes of text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Box<str>);

/// Why a text cannot be an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No text at all.
    #[error("must not be empty")]
    Empty,
    /// More than 255 bytes.
    #[error("must be at most 255 bytes long")]
    TooLong,
}

impl Id {
    /// An id, if the text can be one.
    ///
    /// # Errors
    /// [`IdError`] when it is empty or longer than 255 bytes.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, IdError> {
        let text = text.into();
        match text.len() {
            0 => Err(IdError::Empty),
            1..=255 => Ok(Self(text)),
            _ => Err(IdError::TooLong),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command: what somebody wants done, and when it came (spec, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// When it came; the business day follows from it.
    pub at: Timestamp,
    /// What is wanted.
    pub action: Action,
}

/// What a command wants done (spec, section 4, the table of commands).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "variants and fields are those of the spec's table")]
pub enum Action {
    MemberJoin {
        member: Id,
        sponsor: Option<Id>,
    },
    MerchantJoin {
        merchant: Id,
    },
    OrderPay(Box<OrderPay>),
    OrderComplete {
        order: Id,
    },
    OrderRefund {
        order: Id,
        amount: Option<Given<2>>,
    },
    GrowthRedeem {
        holder: Party,
        points: Given<6>,
    },
    GrowthExchange {
        member: Id,
        points: Given<6>,
    },
    StableClaim {
        merchant: Id,
        amount: Given<2>,
    },
    RewardConvert {
        member: Id,
        points: Given<6>,
    },
    MemberAdjust {
        member: Id,
        unit: Box<str>,
        amount: Box<str>,
        reason: Box<str>,
        operator: Box<str>,
    },
    CashWithdraw {
        holder: Party,
        amount: Given<2>,
    },
    ProgrammeAmend {
        programme: Box<serde_json::Value>,
    },
    DaySettle {
        day: Day,
    },
}

/// `order.pay`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the spec's table")]
pub struct OrderPay {
    pub order: Id,
    pub member: Id,
    pub merchant: Option<Id>,
    pub amount: Given<2>,
    pub stable: Given<2>,
    pub reward: Given<6>,
    pub concession: Option<Result<Rate, RateError>>,
}

impl OrderPay {
    /// An order paid all in cash, at the programme's concession.
    #[must_use]
    pub const fn in_cash(order: Id, member: Id, amount: Fen) -> Self {
        Self {
            order,
            member,
            merchant: None,
            amount: Ok(amount),
            stable: Ok(Fen::ZERO),
            reward: Ok(Micro::ZERO),
            concession: None,
        }
    }
}

/// Who redeems or withdraws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A member.
    Member(Id),
    /// A merchant.
    Merchant(Id),
}
