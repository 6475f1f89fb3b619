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
    /// Each loop reads one thing for all commands, so that they wait for memory together.
    fn read_ahead(&self, commands: &[Command]) {
        let mut members = [None; AHEAD];
        for (member, command) in members.iter_mut().zip(commands) {
            *member = self.guess_member(&command.action);
        }
        for &member in members.iter().flatten() {
            black_box(self.members.names.touch(member.index()));
            black_box(self.members.volumes[member.index()].cash);
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
    /// will go. A wrong guess costs time, nothing else.
    fn guess_member(&self, action: &Action) -> Option<MemberId> {
        let name = match action {
            Action::OrderPay(pay) => {
                black_box(self.orders.names.guess(pay.order.as_str()));
                &pay.member
            }
            Action::OrderComplete { order } | Action::OrderRefund { order, .. } => {
                let row = self.orders.names.guess(order.as_str())?;
                return Some(self.orders.rows[row].member);
            }
            Action::MemberJoin { member, .. }
            | Action::GrowthExchange { member, .. }
            | Action::RewardConvert { member, .. }
            | Action::MemberAdjust { member, .. }
            | Action::GrowthRedeem { holder: Party::Member(member), .. }
            | Action::CashWithdraw { holder: Party::Member(member), .. } => member,
            _ => return None,
        };
        self.members.names.guess(name.as_str()).and_then(|row| MemberId::at(row).ok())
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
