use std::collections::BTreeMap;

use ledger::Micro;

use crate::account::{Account, Unit};
use crate::id::MemberId;
use crate::journal::Posting;
use crate::state::State;
use crate::why::Why;

/// Whose release a generation bonus came from, for those who explain a settlement: "B released
/// 36.00, you are the first generation".
///
/// The bonus is computed from the sum over a generation, and rounded once, so its posting names
/// the sum. The members behind it are found from the scheduled releases of the same entry.
#[derive(Debug, Clone, Default)]
pub struct ReleaseSources {
    released: BTreeMap<MemberId, i64>,
    by_generation: BTreeMap<u16, BTreeMap<MemberId, Vec<(MemberId, Micro)>>>,
}

impl ReleaseSources {
    /// Notes a posting of the settlement; they come in the order of the entry.
    pub fn note(&mut self, posting: &Posting) {
        if let (Account::Member(member), Unit::Reward, Why::ReleaseScheduled { .. }) =
            (posting.account, posting.unit, posting.why)
        {
            *self.released.entry(member).or_default() += posting.steps;
        }
    }

    /// The members of a generation below `member` who released something, with what they did.
    pub fn of(&mut self, state: &State, member: MemberId, generation: u16) -> &[(MemberId, Micro)] {
        let released = &self.released;
        let receivers = self.by_generation.entry(generation).or_insert_with(|| {
            let mut receivers: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (&source, &steps) in released {
                let receiver = (0..generation).try_fold(source, |below, _| state.sponsor(below));
                if let Some(receiver) = receiver {
                    receivers.entry(receiver).or_default().push((source, Micro::from_steps(steps)));
                }
            }
            receivers
        });
        receivers.get(&member).map_or(&[], Vec::as_slice)
    }
}
