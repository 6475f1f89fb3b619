//! Applying many commands in a row. The results are those of one after the other; only the waiting
//! for memory overlaps: what a few dozen commands will touch is read before the first of them is
//! applied, all members at once, then all their sponsors, and so on up. With a million members
//! this is worth a third of the time of an order (see the benchmark page).

use std::hint::black_box;

use crate::account::Unit;
use crate::command::{Action, Command, Party};
use crate::engine::Engine;
use crate::id::MemberId;
use crate::journal::Journal;
use crate::rejection::Rejection;
use crate::state::State;

/// How many commands are read ahead: their members and upline fit in the first-level cache.
const AHEAD: usize = 48;

/// How many generations up are read ahead; more are granted just as well, only not read before.
const GENERATIONS: usize = 4;

impl Engine {
    /// Applies the commands in order, as [`Engine::apply`] does each, and says of each by its index
    /// how it went.
    pub fn apply_all(
        &mut self,
        commands: &[Command],
        journal: &mut dyn Journal,
        mut outcome: impl FnMut(usize, Result<(), Rejection>),
    ) {
        let mut index = 0;
        for window in commands.chunks(AHEAD) {
            self.state().read_ahead(window);
            for command in window {
                outcome(index, self.apply(command, journal));
                index += 1;
            }
        }
    }
}

impl State {
    fn read_ahead(&self, commands: &[Command]) {
        let mut members = [None; AHEAD];
        for (member, command) in members.iter_mut().zip(commands) {
            *member = self.member_of(&command.action);
        }
        for &member in members.iter().flatten() {
            let volume = &self.members.volumes[member.index()];
            black_box(volume.cash);
        }
        for _ in 0..=self.generations_granted().min(GENERATIONS) {
            for member in &mut members {
                let Some(id) = *member else { continue };
                black_box(self.members.holdings[id.index()].balances[Unit::Cash as usize]);
                *member = self.sponsor(id);
            }
        }
    }

    /// The member a command begins with. Looking for an order's name also reads where a new one
    /// will go.
    fn member_of(&self, action: &Action) -> Option<MemberId> {
        match action {
            Action::OrderPay(pay) => {
                black_box(self.find_order(pay.order.as_str()));
                self.find_member(pay.member.as_str())
            }
            Action::OrderComplete { order } | Action::OrderRefund { order, .. } => {
                let id = self.find_order(order.as_str())?;
                Some(self.orders.rows[id.index()].member)
            }
            Action::MemberJoin { member, .. }
            | Action::GrowthExchange { member, .. }
            | Action::RewardConvert { member, .. }
            | Action::MemberAdjust { member, .. }
            | Action::GrowthRedeem { holder: Party::Member(member), .. }
            | Action::CashWithdraw { holder: Party::Member(member), .. } => {
                self.find_member(member.as_str())
            }
            _ => None,
        }
    }

    /// How many sponsor generations an order may grant to.
    fn generations_granted(&self) -> usize {
        let programme = &self.programme;
        let growth = programme.growth.as_ref().map_or(0, |growth| growth.sponsors.len());
        let quota = programme.quota.as_ref().map_or(0, |quota| quota.sponsors.len());
        let share = programme.share.as_ref().map_or(0, |share| share.sponsors.len());
        growth.max(quota).max(share)
    }
}
