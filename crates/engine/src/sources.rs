use std::collections::BTreeMap;

use ledger::Micro;

use crate::account::{Account, Unit};
use crate::id::MemberId;
use crate::state::State;
use crate::why::Posting;
use crate::why::Why;

/// How many peers above one are told; more are paid just as well.
const PEERS_TOLD: u32 = 64;

/// Whose release a bonus came from, for those who explain a settlement: "B released 36.00, you are
/// the first generation".
///
/// A bonus is computed from the sum over many members, and rounded once, so its posting names the
/// sum. The members behind it are found from the scheduled releases of the same entry. Ask while
/// the entry is being handed over: team volumes and stars are those of the settlement then.
#[derive(Debug, Clone, Default)]
pub struct ReleaseSources {
    released: BTreeMap<MemberId, Micro>,
    found: BTreeMap<Bonus, Receivers>,
}

type Receivers = BTreeMap<MemberId, Vec<(MemberId, Micro)>>;

/// The bonuses that come from what others released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bonus {
    Generation(u16),
    Team,
    Peer,
}

impl ReleaseSources {
    /// Notes a posting of the settlement; they come in the order of the entry.
    pub fn note(&mut self, posting: &Posting) {
        if let (Account::Member(member), Unit::Reward, Why::ReleaseScheduled { .. }) =
            (posting.account, posting.unit, posting.why)
        {
            let released = self.released.entry(member).or_default();
            *released = released.plus(Micro::from_steps(posting.steps)).unwrap_or(Micro::MAX);
        }
    }

    /// The members whose release a bonus came from, with what they released, in joining order;
    /// `None` for any other posting.
    pub fn of(&mut self, state: &State, posting: &Posting) -> Option<&[(MemberId, Micro)]> {
        let Account::Member(receiver) = posting.account else { return None };
        let bonus = match posting.why {
            Why::GenerationBonus { generation, .. } => Bonus::Generation(generation),
            Why::TeamBonus { .. } => Bonus::Team,
            Why::PeerBonus { .. } => Bonus::Peer,
            _ => return None,
        };
        if !self.found.contains_key(&bonus) {
            let receivers = match bonus {
                Bonus::Generation(generation) => self.one_generation_up(state, generation),
                Bonus::Team => self.leaders_above(state, 0),
                Bonus::Peer => self.leaders_above(state, PEERS_TOLD),
            };
            self.found.insert(bonus, receivers);
        }
        Some(self.found.get(&bonus)?.get(&receiver).map_or(&[], Vec::as_slice))
    }

    fn one_generation_up(&self, state: &State, generation: u16) -> Receivers {
        let mut receivers = Receivers::new();
        for (&source, &released) in &self.released {
            let receiver = (0..generation).try_fold(source, |below, _| state.sponsor(below));
            if let Some(receiver) = receiver {
                receivers.entry(receiver).or_default().push((source, released));
            }
        }
        receivers
    }

    /// Those a release reaches by the differential, or (`peers` above 0) their peers above.
    fn leaders_above(&self, state: &State, peers: u32) -> Receivers {
        let mut receivers = Receivers::new();
        let programme = state.programme();
        let Some(team) = programme.release.as_ref().and_then(|release| release.team.as_ref())
        else {
            return receivers;
        };
        let Ok(leaders) = state.leader_paths(team) else { return receivers };
        for (&source, &released) in &self.released {
            for leader in leaders.above(state.sponsor(source)) {
                if peers == 0 {
                    receivers.entry(leader).or_default().push((source, released));
                    continue;
                }
                for peer in leaders.peers_of(leader, team.peer_depth.min(peers)) {
                    receivers.entry(peer).or_default().push((source, released));
                }
            }
        }
        receivers
    }
}
