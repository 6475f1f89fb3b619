//! The sums over all entries that the summary needs.

use std::collections::BTreeMap;

use engine::{Account, Action, Day, Head, Posting, Sale, Unit, Why};

/// What all entries of a replay come to.
#[derive(Debug, Default)]
pub struct Flows {
    /// Days settled.
    pub settled: u64,
    /// The first and the last business day.
    pub days: Option<(Day, Day)>,
    /// Money and points by the rule that moved them to members, in steps.
    pub paid: BTreeMap<Flow, i64>,
}

/// What the summary adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Cash into the pool from orders.
    Contributed,
    /// Cash out of the pool for redeemed points.
    Redeemed,
    /// Cash out of the pool by forced exit.
    ForcedExits,
    /// Cash paid as dividends.
    Dividends,
    /// Points released by schedule.
    Scheduled,
    /// Points released by generation bonus.
    Generations,
    /// Points released by team and peer bonus.
    Teams,
}

impl Flows {
    /// An entry begins.
    pub fn open(&mut self, head: &Head<'_>) {
        self.settled += u64::from(matches!(head.command.action, Action::DaySettle { .. }));
        let (first, _) = self.days.unwrap_or((head.day, head.day));
        self.days = Some((first, head.day));
    }

    /// One of its postings.
    pub fn add(&mut self, posting: &Posting) {
        let to_member = matches!(posting.account, Account::Member(_)) && posting.steps > 0;
        let flow = match (posting.unit, posting.why) {
            (Unit::Cash, Why::Contributed { .. }) if posting.account == Account::Pool => {
                Flow::Contributed
            }
            (Unit::Cash, Why::Sold { sale: Sale::Redemption, .. }) if posting.steps > 0 => {
                Flow::Redeemed
            }
            (Unit::Cash, Why::Sold { sale: Sale::ForcedExit, .. }) if to_member => {
                Flow::ForcedExits
            }
            (Unit::Cash, Why::DividendByShares { .. } | Why::DividendEqually { .. })
                if to_member =>
            {
                Flow::Dividends
            }
            (Unit::Reward, Why::ReleaseScheduled { .. }) => Flow::Scheduled,
            (Unit::Reward, Why::GenerationBonus { .. }) => Flow::Generations,
            (Unit::Reward, Why::TeamBonus { .. } | Why::PeerBonus { .. }) => Flow::Teams,
            _ => return,
        };
        let sum = self.paid.entry(flow).or_default();
        *sum = sum.saturating_add(posting.steps);
    }
}
