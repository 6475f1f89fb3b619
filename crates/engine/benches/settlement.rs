//! A day's settlement: scheduled release, generations, differential team bonus, peers, and a
//! dividend, over trees of several shapes. Beside it the plain way: every released amount climbs
//! the tree by itself.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

mod support;

use std::process::Command;

use engine::{Action, Engine, MemberId, NoJournal, State};
use support::{Numbers, Tally, apply, command, engine, join, memory, order, peak_memory, seconds};

#[derive(Clone, Copy)]
enum Shape {
    Random,
    Bush,
    Chain,
}

/// Each row in a process of its own, so that its memory is its own.
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let [shape, members] = arguments.as_slice() {
        let shape = match shape.as_str() {
            "bush" => Shape::Bush,
            "chain" => Shape::Chain,
            _ => Shape::Random,
        };
        return measure(shape, members.parse().unwrap());
    }
    println!("settlement: release, 2 generations, 5 stars, peers; 1.2 lots a member; one thread\n");
    println!(
        "| tree | members | lots | seconds | ns/member | postings | bytes/member | plain climb, seconds | ratio |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for row in [
        ["random", "100000"],
        ["random", "1000000"],
        ["random", "10000000"],
        ["bush", "1000000"],
        ["chain", "20000"],
        ["chain", "1000000"],
    ] {
        let status = Command::new(std::env::current_exe().unwrap()).args(row).status().unwrap();
        assert!(status.success());
    }
}

fn measure(shape: Shape, members: u64) {
    let before = memory();
    let mut engine = engine(support::SETTLEMENT);
    let mut numbers = Numbers::new(members);
    populate(&mut engine, shape, members, &mut numbers);
    let joined = memory().saturating_sub(before);
    let lots = buy(&mut engine, members, &mut numbers);
    settle(&mut engine, &mut NoJournal);
    // In a long chain the plain climb takes hours.
    let with_plain = !matches!(shape, Shape::Chain) || members <= 20_000;
    let plain = with_plain.then(|| seconds(|| climb(engine.state())));
    let held = memory();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let mut tally = Tally::default();
    let fast = seconds(|| settle(&mut engine, &mut tally)).0;
    let scratch = peak_memory().saturating_sub(held);
    let (plain_text, ratio) = match plain {
        Some((plain, checksum)) => {
            assert!(checksum > 0);
            (format!("{plain:.3}"), format!("{:.1}", plain / fast))
        }
        None => ("hours".into(), "-".into()),
    };
    let name = match shape {
        Shape::Random => "random",
        Shape::Bush => "bush, 10 each",
        Shape::Chain => "chain",
    };
    println!(
        "| {name} | {members} | {lots} | {fast:.3} | {:.0} | {} | {} | {plain_text} | {ratio} |",
        fast * 1e9 / members as f64,
        tally.postings,
        (joined + scratch) / members,
    );
}

fn populate(engine: &mut Engine, shape: Shape, members: u64, numbers: &mut Numbers) {
    for number in 0..members {
        let sponsor = match (number, shape) {
            (0, _) => None,
            (_, Shape::Random) => Some(numbers.below(number)),
            (_, Shape::Chain) => Some(number - 1),
            (_, Shape::Bush) => Some((number - 1) / 10),
        };
        apply(engine, &[join(number, sponsor)], &mut NoJournal);
    }
}

/// One order for each member, a second one for every fifth.
fn buy(engine: &mut Engine, members: u64, numbers: &mut Numbers) -> u64 {
    let lots = members + members / 5;
    for number in 0..lots {
        let member = if number < members { number } else { numbers.below(members) };
        apply(engine, &order(number, member, 3_000 + numbers.below(10_000)), &mut NoJournal);
    }
    lots
}

fn settle(engine: &mut Engine, journal: &mut dyn engine::Journal) {
    let day = engine.state().open_day().unwrap();
    let command = engine::Command { at: day.end().unwrap(), ..command(Action::DaySettle { day }) };
    engine.apply(&command, journal).unwrap();
}

/// The rule as it is written: each released amount climbs from its member's sponsor to the root.
fn climb(state: &State) -> i128 {
    let release = state.programme().release.as_ref().unwrap();
    let team = release.team.as_ref().unwrap();
    let members: Vec<MemberId> = state.members().collect();
    let mut released = vec![0_i64; members.len()];
    for lot in state.lots() {
        released[lot.member.index()] += lot.daily.min(lot.remaining);
    }
    let volumes = state.team_volumes();
    let star = |id: MemberId| {
        let volume = volumes[id.index()];
        team.star_for(volume.cash.plus(volume.points).unwrap()).map(|star| &team.stars[star])
    };
    let mut bonuses = vec![0_i128; members.len()];
    for &member in &members {
        let steps = i128::from(released[member.index()]);
        let (mut paid, mut peers, mut generation) = (0, 0, 0);
        let mut above = state.sponsor(member);
        while let Some(sponsor) = above {
            if let Some(rate) = release.generations.get(generation) {
                bonuses[sponsor.index()] += steps * i128::from(rate.ppm());
            }
            if let Some(star) = star(sponsor) {
                if star.rate.ppm() > paid {
                    bonuses[sponsor.index()] += steps * i128::from(star.rate.ppm() - paid);
                    (paid, peers) = (star.rate.ppm(), team.peer_depth);
                } else if star.rate.ppm() == paid && peers > 0 {
                    bonuses[sponsor.index()] += steps * i128::from(team.peer.ppm());
                    peers -= 1;
                }
            }
            generation += 1;
            above = state.sponsor(sponsor);
        }
    }
    bonuses.iter().sum()
}
