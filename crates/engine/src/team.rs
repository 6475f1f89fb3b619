//! The differential team bonus and the peer bonus (spec, section 4, *Settle a day* 1).
//!
//! The rule lets each released point climb from its member's sponsor to the root: an ancestor
//! with a higher star than any paid so far gets the difference, one with the same star the peer
//! bonus. Climbing for each release is quadratic in a chain. Here all that reaches a starred
//! ancestor together climbs on together: from one *leader* straight to the nearest leader above
//! with a higher star. A leader's row comes before those of its downline, so one pass backwards
//! over the leaders does it.

use ledger::{Micro, Rate};

use crate::Rejection;
use crate::id::MemberId;
use crate::programme::Team;
use crate::state::State;
use crate::tables::Volume;
use crate::why::Parts;

/// A member whose star has a rate, with what its downline released. Other leaders are named by
/// index and one more, 0 for none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leader {
    pub member: MemberId,
    pub star: u16,
    /// The nearest leader above with a higher star.
    higher: u32,
    /// The nearest leader above with the same star, none with a higher one between.
    peer: u32,
    /// Released in the downline where this star was the highest so far.
    pub released: i64,
    /// The sum of `rate * released` over the leaders below that this one comes after, in ppm.
    paid_below: i128,
    /// Released in the downline where peers below were paid last.
    pub released_by_peers: i64,
}

impl Leader {
    /// What lower stars below were paid of what was released.
    pub fn paid(&self) -> Parts {
        Parts::from_millionths(self.paid_below)
    }

    /// `floor` of the sum of `(rate - paid) * released`. It is cut to the member's own lots, so
    /// what would leave 64 bits is as good as the most.
    pub fn bonus(&self, rate: Rate) -> Micro {
        let all = i128::from(rate.ppm()) * i128::from(self.released);
        let bonus = (all - self.paid_below).div_euclid(i128::from(Rate::ONE.ppm()));
        Micro::from_steps(i64::try_from(bonus).unwrap_or(i64::MAX))
    }
}

impl State {
    /// All starred members in joining order, with what team and peer bonuses are computed from.
    pub(crate) fn team_leaders(
        &self,
        released: &[i64],
        team: &Team,
    ) -> Result<Vec<Leader>, Rejection> {
        let (mut leaders, nearest) = self.find_leaders(team)?;
        if leaders.is_empty() {
            return Ok(Vec::new());
        }
        for (row, &steps) in released.iter().enumerate().filter(|&(_, &steps)| steps > 0) {
            let sponsor = self.members.sponsors[row];
            let leader = sponsor.map_or(0, |sponsor| nearest[sponsor.index()]);
            if let Some(leader) = at(leader) {
                leaders[leader].released += steps;
            }
        }
        drop(nearest);
        let rate = |star: u16| team.stars[usize::from(star)].rate;
        for i in (0..leaders.len()).rev() {
            let Leader { star, higher, released, .. } = leaders[i];
            if let Some(higher) = at(higher) {
                leaders[higher].released += released;
                leaders[higher].paid_below += i128::from(rate(star).ppm()) * i128::from(released);
            }
        }
        sum_peers(&mut leaders, team.peer_depth);
        Ok(leaders)
    }

    /// Everybody whose star has a rate above zero, in joining order, and for each member the
    /// nearest of them at or above it.
    fn find_leaders(&self, team: &Team) -> Result<(Vec<Leader>, Vec<u32>), Rejection> {
        let own = |v: &Volume| {
            if team.cash_only { v.cash } else { v.cash + v.points }
        };
        let volumes = self.downline_sums(own);
        let mut leaders: Vec<Leader> = Vec::new();
        let mut nearest = vec![0_u32; volumes.len()];
        for (row, &volume) in volumes.iter().enumerate() {
            let above = self.members.sponsors[row].map_or(0, |sponsor| nearest[sponsor.index()]);
            let star = team.star_for(ledger::Fen::from_steps(volume));
            let Some(star) = star.filter(|&star| !team.stars[star].rate.is_zero()) else {
                nearest[row] = above;
                continue;
            };
            let star = u16::try_from(star).map_err(|_| Rejection::Overflow)?;
            let (higher, peer) = look_up(&leaders, above, star);
            leaders.push(Leader {
                member: MemberId::at(row)?,
                star,
                higher,
                peer,
                released: 0,
                paid_below: 0,
                released_by_peers: 0,
            });
            nearest[row] = u32::try_from(leaders.len()).map_err(|_| Rejection::Overflow)?;
        }
        Ok((leaders, nearest))
    }
}

/// The ways up from leader to leader, to tell whose release a bonus came from.
pub(crate) struct LeaderPaths {
    leaders: Vec<Leader>,
    nearest: Vec<u32>,
}

impl State {
    pub(crate) fn leader_paths(&self, team: &Team) -> Result<LeaderPaths, Rejection> {
        let (leaders, nearest) = self.find_leaders(team)?;
        Ok(LeaderPaths { leaders, nearest })
    }
}

impl LeaderPaths {
    /// The leaders who are paid a difference for what climbs from this sponsor, nearest first.
    pub fn above(&self, sponsor: Option<MemberId>) -> impl Iterator<Item = MemberId> {
        let first = sponsor.map_or(0, |sponsor| self.nearest[sponsor.index()]);
        self.follow(first, |leader| leader.higher)
    }

    /// The peers above a leader, nearest first, at most `depth`.
    pub fn peers_of(&self, leader: MemberId, depth: u32) -> impl Iterator<Item = MemberId> {
        let first = at(self.nearest[leader.index()]).map_or(0, |i| self.leaders[i].peer);
        self.follow(first, |leader| leader.peer).take(depth as usize)
    }

    fn follow(&self, first: u32, next: fn(&Leader) -> u32) -> impl Iterator<Item = MemberId> {
        std::iter::successors(at(first), move |&i| at(next(&self.leaders[i])))
            .map(|i| self.leaders[i].member)
    }
}

fn at(index_and_one: u32) -> Option<usize> {
    index_and_one.checked_sub(1).map(|index| index as usize)
}

/// The nearest higher star and the nearest peer, from the nearest leader above: each step goes to
/// a higher star, so there are no more steps than stars.
fn look_up(leaders: &[Leader], above: u32, star: u16) -> (u32, u32) {
    let mut next = above;
    while let Some(leader) = at(next) {
        let leader = &leaders[leader];
        if leader.star > star {
            return (next, 0);
        }
        if leader.star == star {
            return (leader.higher, next);
        }
        next = leader.higher;
    }
    (0, 0)
}

/// What each leader's release gives its peers above, up to `depth` of them: carried all the way
/// up, and taken out again where the depth ends.
fn sum_peers(leaders: &mut [Leader], depth: u32) {
    if depth == 0 {
        return;
    }
    let beyond = peers_at(leaders, u64::from(depth) + 1);
    for i in (0..leaders.len()).rev() {
        let Leader { peer, released, released_by_peers, .. } = leaders[i];
        if let Some(peer) = at(peer) {
            leaders[peer].released_by_peers += released + released_by_peers;
        }
        if let Some(beyond) = at(beyond[i]) {
            leaders[beyond].released_by_peers -= released;
        }
    }
}

/// For each leader the one `distance` peers above, by squaring: O(n log distance).
fn peers_at(leaders: &[Leader], mut distance: u64) -> Vec<u32> {
    let mut step: Vec<u32> = leaders.iter().map(|leader| leader.peer).collect();
    let mut found: Vec<u32> = (1_u32..).take(leaders.len()).collect();
    loop {
        if distance & 1 == 1 {
            for to in &mut found {
                *to = at(*to).map_or(0, |i| step[i]);
            }
        }
        distance >>= 1;
        if distance == 0 {
            return found;
        }
        // A peer above has a lower index, so going backwards it still has its shorter step.
        for i in (0..step.len()).rev() {
            step[i] = at(step[i]).map_or(0, |above| step[above]);
        }
    }
}
