//! What a settlement releases is what comes of climbing the tree for each release by itself.

use std::collections::BTreeMap;

use engine::{Account, Command, Engine, OrderId, State, Unit};
use serde_json::{Value, json};

use super::always::{nobody_below_zero, units_add_to_zero};
use super::tree::{Shape, Tree, tree};
use super::{Checked, must, programme};
use crate::fold::{Fold, balances};
use crate::runner::run;
use crate::streams::toml_of;

#[test]
fn released_amounts_are_those_of_a_plain_climb() {
    run(250, &tree(), |tree| {
        let mut lines = Vec::new();
        release_day_by_day(&tree, &mut lines).map_err(|difference| {
            format!("{difference}\n{}\n{}", toml_of(&tree.programme), lines.join("\n"))
        })
    });
}

/// A tree as the test sees it: sponsors, and what each bought.
struct Forest {
    sponsors: Vec<Option<usize>>,
    /// Cash and points of each downline, in fen.
    teams: Vec<(i128, i128)>,
}

impl Forest {
    fn of(tree: &Tree) -> Self {
        let sponsors = tree.picks.iter().enumerate().map(|(row, &pick)| {
            let pick = pick as usize;
            let above = match tree.shape {
                _ if row == 0 || pick.is_multiple_of(97) => return None,
                Shape::Chain => row - 1,
                Shape::Lines => row.saturating_sub(7),
                Shape::Bush => pick % row.min(6),
                Shape::Random => pick % row,
            };
            Some(above)
        });
        Self { sponsors: sponsors.collect(), teams: vec![(0, 0); tree.picks.len()] }
    }

    fn upline(&self, row: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.sponsors[row], |&row| self.sponsors[row])
    }

    fn bought(&mut self, row: usize, cash: i64, points: i64) {
        for above in self.upline(row).collect::<Vec<_>>() {
            self.teams[above].0 += i128::from(cash);
            self.teams[above].1 += i128::from(points);
        }
    }
}

fn release_day_by_day(tree: &Tree, lines: &mut Vec<String>) -> Checked {
    let toml = toml_of(&tree.programme);
    let mut engine = Engine::new(programme(&toml)?, 0);
    let mut fold = Fold::default();
    let mut forest = Forest::of(tree);
    let mut give = |engine: &mut Engine, command: Value| {
        lines.push(command.to_string());
        let command = Command::from_json(&command.to_string()).map_err(|e| e.to_string())?;
        engine.apply(&command, &mut fold).map_err(|reason| reason.to_string())
    };
    let day = |day: u8| format!("2026-01-{:02}", day + 1);
    let at = |n: u8| format!("{}T09:00:00+08:00", day(n));
    for (row, sponsor) in forest.sponsors.iter().enumerate() {
        let mut join = json!({"type": "member.join", "member": row.to_string(), "at": at(0)});
        if let Some(sponsor) = sponsor {
            join["sponsor"] = json!(sponsor.to_string());
        }
        give(&mut engine, join)?;
    }
    let mut orders = tree.orders.iter().enumerate().peekable();
    for today in 0..tree.days {
        while let Some((number, order)) = orders.next_if(|(_, order)| order.day == today) {
            let row = usize::from(order.pick) % tree.picks.len();
            let holder = Account::Member(engine.state().members().nth(row).unwrap());
            let held = engine.state().balance(holder, Unit::Reward) / 10_000;
            let fen = i64::from(order.fen);
            let points = if order.with_points { held.min(fen / 3) } else { 0 };
            give(
                &mut engine,
                json!({"type": "order.pay", "order": number.to_string(), "member": row.to_string(),
                    "amount": money(fen), "reward": money(points), "at": at(today)}),
            )?;
            let order = number.to_string();
            give(&mut engine, json!({"type": "order.complete", "order": order, "at": at(today)}))?;
            forest.bought(row, fen - points, points);
        }
        let expected = climbed(engine.state(), &forest, &day(today));
        give(&mut engine, json!({"type": "day.settle", "day": day(today), "at": at(today + 1)}))?;
        same_release(engine.state(), &expected)?;
    }
    must(fold.balances == balances(&engine), || "the postings give other balances".into())?;
    units_add_to_zero(engine.state())?;
    nobody_below_zero(engine.state())
}

fn money(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// What a settlement must come to.
struct Released {
    /// By row, in micro-points.
    reward: Vec<i128>,
    /// What is left in each lot.
    lots: BTreeMap<OrderId, i128>,
}

/// The rule as it is written: each release climbs from the sponsor to the root by itself.
fn climbed(state: &State, forest: &Forest, today: &str) -> Released {
    let release = state.programme().release.as_ref().unwrap();
    let mut lots: Vec<_> = state.lots().map(|lot| (*lot, i128::from(lot.remaining))).collect();
    // Every order is completed at once, so the oldest lot is that of the first order.
    lots.sort_by_key(|(lot, _)| lot.order);
    let mut scheduled = vec![0_i128; forest.sponsors.len()];
    for (lot, left) in lots.iter_mut().filter(|(lot, _)| lot.day.to_string().as_str() < today) {
        let steps = (*left).min(lot.daily.into());
        *left -= steps;
        scheduled[lot.member.index()] += steps;
    }
    let generations = generation_bonuses(forest, &scheduled, &release.generations);
    let team = release.team.as_ref().unwrap();
    let teams = team_bonuses(forest, &scheduled, team);
    let mut reward = Vec::new();
    for id in state.members() {
        let mut bonus = generations[id.index()] + teams[id.index()];
        let mut steps = scheduled[id.index()];
        for (_, left) in lots.iter_mut().filter(|(lot, _)| lot.member == id) {
            let taken = bonus.min(*left);
            (*left, bonus, steps) = (*left - taken, bonus - taken, steps + taken);
        }
        reward.push(i128::from(state.balance(Account::Member(id), Unit::Reward)) + steps);
    }
    Released { reward, lots: lots.iter().map(|&(lot, left)| (lot.order, left)).collect() }
}

fn generation_bonuses(forest: &Forest, scheduled: &[i128], rates: &[ledger::Rate]) -> Vec<i128> {
    let mut sums = vec![vec![0_i128; rates.len()]; scheduled.len()];
    for (row, steps) in scheduled.iter().enumerate() {
        for (generation, above) in forest.upline(row).take(rates.len()).enumerate() {
            sums[above][generation] += steps;
        }
    }
    let bonus = |sums: &Vec<i128>| {
        sums.iter().zip(rates).map(|(sum, rate)| sum * i128::from(rate.ppm()) / 1_000_000).sum()
    };
    sums.iter().map(bonus).collect()
}

fn team_bonuses(forest: &Forest, scheduled: &[i128], team: &engine::programme::Team) -> Vec<i128> {
    let rate_of = |row: usize| {
        let (cash, points) = forest.teams[row];
        let volume = if team.cash_only { cash } else { cash + points };
        let star = team.stars.iter().rev().find(|star| i128::from(star.volume.steps()) <= volume);
        star.map_or(0, |star| i128::from(star.rate.ppm()))
    };
    let rates: Vec<i128> = (0..scheduled.len()).map(rate_of).collect();
    let (mut differences, mut peers) = (vec![0; rates.len()], vec![0; rates.len()]);
    for (row, steps) in scheduled.iter().enumerate() {
        let (mut paid, mut depth) = (0, 0);
        for above in forest.upline(row) {
            if rates[above] > paid {
                differences[above] += (rates[above] - paid) * steps;
                (paid, depth) = (rates[above], team.peer_depth);
            } else if rates[above] == paid && paid > 0 && depth > 0 {
                peers[above] += steps;
                depth -= 1;
            }
        }
    }
    let peer = i128::from(team.peer.ppm());
    let both = differences.iter().zip(&peers);
    both.map(|(sum, peers)| sum / 1_000_000 + peers * peer / 1_000_000).collect()
}

fn same_release(state: &State, expected: &Released) -> Checked {
    for (id, &reward) in state.members().zip(&expected.reward) {
        let found = i128::from(state.balance(Account::Member(id), Unit::Reward));
        must(found == reward, || format!("{id:?} has {found} reward points, not {reward}"))?;
    }
    let mut found: BTreeMap<_, _> = expected.lots.keys().map(|&order| (order, 0)).collect();
    found.extend(state.lots().map(|lot| (lot.order, i128::from(lot.remaining))));
    must(found == expected.lots, || {
        let differ = expected.lots.iter().find(|&(order, left)| found.get(order) != Some(left));
        format!("lot {differ:?} has {:?} left", differ.map(|(order, _)| found[order]))
    })
}
