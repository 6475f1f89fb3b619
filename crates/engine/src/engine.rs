use crate::command::{Action, Command};
use crate::day::Day;
use crate::journal::{Head, Journal};
use crate::programme::Programme;
use crate::rejection::Rejection;
use crate::settle::Pieces;
use crate::state::State;

/// Applies commands to a [`State`], one after the other.
#[derive(Debug, Clone)]
pub struct Engine {
    state: State,
}

impl Engine {
    /// An engine without members for a programme. The seed guards the index of names against
    /// chosen collisions; it changes no result.
    #[must_use]
    pub fn new(programme: Programme, seed: u64) -> Self {
        Self { state: State::new(programme, seed) }
    }

    /// An engine that goes on with a state.
    pub(crate) const fn of(state: State) -> Self {
        Self { state }
    }

    /// What the commands so far have come to.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Applies one command wholly and hands its entry to the journal, or refuses it and leaves no
    /// trace.
    ///
    /// # Errors
    /// The [`Rejection`], which is the first check of spec section 4 that failed.
    pub fn apply(&mut self, command: &Command, journal: &mut dyn Journal) -> Result<(), Rejection> {
        let day_before = self.state.open_day;
        let day = self.check_day(command)?;
        self.state.open_day = Some(day);
        self.state.begin();
        let result = match &command.action {
            Action::DaySettle { .. } => self.settle(command, journal),
            action => self.apply_within_day(command, action, day, journal),
        };
        if result.is_err() {
            self.state.roll_back();
            self.state.open_day = day_before;
        }
        result
    }

    /// The settlement that has to come before this command, if it falls on a later day than the
    /// open one. Whoever feeds the engine asks until there is none (spec, section 4, *Days*).
    #[must_use]
    pub fn settlement_due(&self, command: &Command) -> Option<Command> {
        let open = self.state.open_day?;
        let later = !matches!(command.action, Action::DaySettle { .. })
            && Day::of(command.at).is_some_and(|day| day > open);
        later.then_some(())?;
        Some(Command { at: open.end()?, action: Action::DaySettle { day: open } })
    }

    /// The open day for this command; the first command opens its own.
    fn check_day(&self, command: &Command) -> Result<Day, Rejection> {
        let day = Day::of(command.at).ok_or(Rejection::Overflow)?;
        let open = self.state.open_day.unwrap_or(day);
        match command.action {
            Action::DaySettle { day: settled } if settled == open => Ok(open),
            Action::DaySettle { .. } => Err(Rejection::DayOutOfOrder),
            _ if day < open => Err(Rejection::DayClosed),
            _ if day > open => Err(Rejection::DayNotSettled),
            _ => Ok(open),
        }
    }

    fn apply_within_day(
        &mut self,
        command: &Command,
        action: &Action,
        day: Day,
        journal: &mut dyn Journal,
    ) -> Result<(), Rejection> {
        let price = self.state.price();
        self.decide(action)?;
        if self.state.programme.is_limited_by_quota() {
            self.state.guard_touched();
            self.state.force_exits()?;
        }
        self.state.sweep_dust(price)?;
        journal.open(&self.state, &Head { command, day, price });
        journal.post(&self.state, &self.state.draft.postings);
        journal.close(&self.state);
        Ok(())
    }

    fn settle(&mut self, command: &Command, journal: &mut dyn Journal) -> Result<(), Rejection> {
        let state = &mut self.state;
        let (day, next) = state.check_settle()?;
        let price = state.price();
        let mut pieces = Pieces::open(journal, state, &Head { command, day, price });
        state.settle(day, next, &mut pieces)?;
        state.force_exits()?;
        state.sweep_dust(price)?;
        pieces.close(state)
    }

    fn decide(&mut self, action: &Action) -> Result<(), Rejection> {
        let state = &mut self.state;
        match action {
            Action::MemberJoin { member, sponsor } => state.join_member(member, sponsor.as_ref()),
            Action::MerchantJoin { merchant } => state.join_merchant(merchant),
            Action::OrderPay(pay) => state.pay(pay),
            Action::OrderComplete { order } => state.complete(order),
            Action::OrderRefund { order, amount } => state.refund(order, *amount),
            Action::GrowthRedeem { holder, points } => state.redeem(holder, *points),
            Action::GrowthExchange { member, points } => state.exchange(member, *points),
            Action::StableClaim { merchant, amount } => state.claim(merchant, *amount),
            Action::RewardConvert { member, points } => state.convert(member, *points),
            Action::MemberAdjust { member, unit, amount, reason, operator } => {
                state.adjust(member, unit, amount, reason, operator)
            }
            Action::CashWithdraw { holder, amount } => state.withdraw(holder, *amount),
            Action::ProgrammeAmend { programme } => state.amend(programme),
            Action::DaySettle { .. } => Ok(()),
        }
    }
}
