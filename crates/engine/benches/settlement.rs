//! A day's settlement: scheduled release, generations, differential team bonus, peers, and a
//! dividend, over trees of several shapes. Beside it the plain way: every released amount climbs
//! the tree by itself.
#![expect(clippy::unwrap_used, reason = "a benchmark stops on what it did not expect")]

mod support;

use engine::{Action, Command, Engine, MemberId, NoJournal, State};
use support::{Numbers, Tally, apply, command, engine, join, memory, order, peak_memory, seconds};

const PROGRAMME: &str = r#"
name = "settlement"
[release]
daily = "1.2%"
generations = ["50%", "30%"]
[[release.packages]]
name = "P1"
price = "30.00"
multiple = "2.5x"
[[release.packages]]
name = "P2"
price = "90.00"
multiple = "3x"
[release.team]
peer = "3%"
[[release.team.stars]]
name = "S1"
volume = "500.00"
rate = "10%"
[[release.team.stars]]
name = "S2"
volume = "2000.00"
rate = "20%"
[[release.team.stars]]
name = "S3"
volume = "6000.00"
rate = "26%"
[[release.team.stars]]
name = "S4"
volume = "20000.00"
rate = "32%"
[[release.team.stars]]
name = "S5"
volume = "300000.00"
rate = "50%"
"#;

#[derive(Clone, Copy)]
enum Shape {
    Random,
    Chain,
    Bush,
}

fn main() {
    println!("settlement: release, 2 generations, 5 stars, peers; 1.2 lots a member; one thread\n");
    println!(
        "| tree | members | lots | seconds | ns/member | postings | bytes/member | plain climb, seconds | ratio |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let full = sizes.is_empty();
    let sizes = if full { vec![100_000, 1_000_000, 10_000_000] } else { sizes };
    for members in sizes {
        measure("random", Shape::Random, members, true);
    }
    if full {
        measure("bush (10 each)", Shape::Bush, 1_000_000, true);
        measure("chain", Shape::Chain, 20_000, true);
        measure("chain", Shape::Chain, 1_000_000, false);
    }
}

fn measure(name: &str, shape: Shape, members: u64, with_plain: bool) {
    let before = memory();
    let mut engine = engine(PROGRAMME);
    let mut numbers = Numbers::new(members);
    populate(&mut engine, shape, members, &mut numbers);
    let joined = memory() - before;
    let lots = buy(&mut engine, members, &mut numbers);
    settle(&mut engine, &mut NoJournal);
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
        None => ("(hours)".into(), "-".into()),
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
    let command = Command { at: day.end().unwrap(), ..command(Action::DaySettle { day }) };
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
