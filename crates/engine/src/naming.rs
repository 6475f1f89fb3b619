use std::fmt;

use ledger::Fen;

use crate::id::{DividendId, MemberId, MerchantId, OrderId};
use crate::state::State;

/// What the ids of a posting are called, and the little else that is told of them.
///
/// A [`State`] knows all of it; an entry that was stored with its own names can be described
/// without one. What is not known is the empty text, or nothing.
pub trait Naming: fmt::Debug {
    /// A member's name.
    fn member_name(&self, id: MemberId) -> &str;
    /// A merchant's name.
    fn merchant_name(&self, id: MerchantId) -> &str;
    /// An order's name.
    fn order_name(&self, id: OrderId) -> &str;
    /// A dividend's name.
    fn dividend_name(&self, id: DividendId) -> &str;
    /// The name of a star of the programme in force, by its row.
    fn star_name(&self, star: u16) -> &str;
    /// The name of a dividend's tier in the programme in force, by its row.
    fn tier_name(&self, dividend: DividendId, tier: u16) -> &str;
    /// The package a completed order reached; empty where it reached none.
    fn package_name(&self, order: OrderId) -> &str;
    /// Of a completed order's amount, what had not been refunded when it completed.
    fn completed_amount(&self, order: OrderId) -> Fen;
}

impl Naming for State {
    fn member_name(&self, id: MemberId) -> &str {
        Self::member_name(self, id)
    }

    fn merchant_name(&self, id: MerchantId) -> &str {
        Self::merchant_name(self, id)
    }

    fn order_name(&self, id: OrderId) -> &str {
        Self::order_name(self, id)
    }

    fn dividend_name(&self, id: DividendId) -> &str {
        Self::dividend_name(self, id)
    }

    fn star_name(&self, star: u16) -> &str {
        Self::star_name(self, star)
    }

    fn tier_name(&self, dividend: DividendId, tier: u16) -> &str {
        Self::tier_name(self, dividend, tier)
    }

    fn package_name(&self, order: OrderId) -> &str {
        Self::package_name(self, order)
    }

    fn completed_amount(&self, order: OrderId) -> Fen {
        Self::completed_amount(self, order)
    }
}
