//! Who sponsors whom: the first sponsor that a customer's rows name, in time order.

use super::fault::{Field, Reason, RowFault};
use super::names::{NameId, Names};
use super::table::Order;
use super::text::excerpt;

/// Each member's sponsor. No member is above themselves.
#[derive(Debug)]
pub(super) struct Sponsors(Vec<Option<NameId>>);

impl Sponsors {
    pub(super) fn of(&self, member: NameId) -> Option<NameId> {
        self.0[member.index()]
    }
}

/// Finds the sponsors in orders that are in time order; what cannot be is noted and ignored.
pub(super) fn find(orders: &[Order], members: &Names, faults: &mut Vec<RowFault>) -> Sponsors {
    let mut sponsors = vec![None; members.len()];
    let mut trees = Trees::new(members.len());
    let text = |id| excerpt(members.text(id));
    for order in orders {
        let Some(sponsor) = order.sponsor else { continue };
        let customer = order.customer;
        let reason = match sponsors[customer.index()] {
            _ if sponsor == customer => Reason::OwnSponsor(text(customer)),
            Some(first) if first == sponsor => continue,
            Some(first) => Reason::OtherSponsor {
                customer: text(customer),
                first: text(first),
                second: text(sponsor),
            },
            None if trees.join(customer, sponsor) => {
                sponsors[customer.index()] = Some(sponsor);
                continue;
            }
            None => Reason::SponsorCycle { sponsor: text(sponsor), customer: text(customer) },
        };
        faults.push(RowFault { line: order.line, field: Field::Sponsor, reason });
    }
    Sponsors(sponsors)
}

/// Which members are in one tree. Only the top of a tree has no sponsor, so a member without one
/// may go below another exactly if that one is in another tree.
struct Trees(Vec<usize>);

impl Trees {
    fn new(members: usize) -> Self {
        Self((0..members).collect())
    }

    /// Puts one tree below a member of another; false, and nothing done, if they are the same.
    fn join(&mut self, top: NameId, above: NameId) -> bool {
        let (tree, other) = (self.find(top.index()), self.find(above.index()));
        self.0[tree] = other;
        tree != other
    }

    /// The mark of a member's tree, halving the way to it.
    fn find(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }
}
