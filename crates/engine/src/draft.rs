use crate::id::{MemberId, OrderId};
use crate::tables::{Chain, Lot, Order, Refunds, Totals, Volume};
use crate::why::Posting;

/// The entry a command is making, and how to take everything back if it must be refused after
/// all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub postings: Vec<Posting>,
    pub undo: Vec<Undo>,
    /// The single numbers as they were.
    pub totals: Totals,
    pub sizes: Sizes,
    /// Whether growth points were burnt: only then can dust be left.
    pub burnt: bool,
    /// Members taken out of the exit queue to be sold out.
    pub exited: Vec<MemberId>,
}

/// What is not a balance but changed with a command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Undo {
    Order(OrderId, Order),
    Refunds(OrderId, Option<Refunds>),
    Volume(MemberId, Volume),
    Chain(MemberId, Chain),
    Grade(MemberId, u16),
    Lot(usize, Lot),
}

/// How long the tables were that only grow.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sizes {
    pub members: usize,
    pub merchants: usize,
    pub orders: usize,
    pub grants: usize,
    pub lots: usize,
    pub grades: usize,
}
