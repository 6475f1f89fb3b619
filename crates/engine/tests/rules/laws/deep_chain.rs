//! A chain of very many members is settled, and neither depth nor stack is a limit.

use engine::{Account, Command, Engine, Journal, NoJournal, Unit};
use serde_json::json;

use super::always::units_add_to_zero;
use super::programme;
use crate::fold::Fold;
use crate::streams::toml_of;

const DEEP: usize = 200_000;
/// Too little for a call for each member, or for each hundred of them.
const SMALL_STACK: usize = 64 * 1024;
/// Stars by how many are below, and what each gives.
const STARS: [(usize, i128); 3] = [(100, 10), (50_000, 25), (150_000, 40)];
const PEER_DEPTH: usize = 3;

/// Everybody buys the same, so that what each must get can be counted.
#[test]
fn a_deep_chain_is_settled_on_a_small_stack() {
    let mut engine = chain();
    let settled = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(move || {
        // Nothing is released on the day a lot is granted.
        settle_twice(&mut engine, &mut Fold::default());
        let line = |kind: &str, more: &str| {
            format!(r#"{{"type":"{kind}","at":"2026-01-03T09:00:00+08:00","order":"x"{more}}}"#)
        };
        let pay = format!(r#","member":"{}","amount":"100.00""#, DEEP - 1);
        let expected: Vec<_> = (0..DEEP).map(reward_in_chain).collect();
        let holders = || engine.state().members().map(Account::Member);
        let found: Vec<_> =
            holders().map(|a| i128::from(engine.state().balance(a, Unit::Reward))).collect();
        let kinds = [("order.pay", &*pay), ("order.complete", ""), ("order.refund", "")];
        for (kind, more) in kinds {
            let command = Command::from_json(&line(kind, more)).unwrap();
            engine.apply(&command, &mut NoJournal).unwrap();
        }
        let file = serde_json::to_string(&engine.state().to_file(&[])).unwrap();
        (expected, found, file.len(), engine)
    });
    let (expected, found, _, engine) = settled.unwrap().join().unwrap();
    for (row, (expected, found)) in expected.iter().zip(&found).enumerate() {
        assert_eq!(expected, found, "member {row}");
    }
    units_add_to_zero(engine.state()).unwrap();
}

fn chain() -> Engine {
    let stars = STARS.iter().enumerate().map(|(i, (below, percent))| {
        json!({"name": i.to_string(), "volume": format!("{}.00", below * 100), "rate": format!("{percent}%")})
    });
    let toml = toml_of(&json!({
        "name": "chain",
        "release": {
            "daily": "1%",
            "generations": ["50%", "30%"],
            "packages": [{"name": "a", "price": "100.00", "multiple": "1000x"}],
            "team": {"peer": "3%", "peer_depth": PEER_DEPTH, "stars": stars.collect::<Vec<_>>()},
        },
    }));
    let mut engine = Engine::new(programme(&toml).unwrap(), 0);
    let mut give = |line: String| {
        let line = format!(r#"{{"at":"2026-01-01T09:00:00+08:00",{line}}}"#);
        engine.apply(&Command::from_json(&line).unwrap(), &mut NoJournal).unwrap();
    };
    for row in 0..DEEP {
        let above = row.checked_sub(1);
        let sponsor = above.map_or(String::new(), |above| format!(r#","sponsor":"{above}""#));
        give(format!(r#""type":"member.join","member":"{row}"{sponsor}"#));
        give(format!(r#""type":"order.pay","order":"{row}","member":"{row}","amount":"100.00""#));
        give(format!(r#""type":"order.complete","order":"{row}""#));
    }
    engine
}

fn settle_twice(engine: &mut Engine, journal: &mut dyn Journal) {
    for day in 1..=2 {
        let (at, day) =
            (format!("2026-01-{:02}T00:00:00+08:00", day + 1), format!("2026-01-0{day}"));
        let line = format!(r#"{{"type":"day.settle","day":"{day}","at":"{at}"}}"#);
        engine.apply(&Command::from_json(&line).unwrap(), journal).unwrap();
    }
}

/// The climb in a chain where everybody releases one point, by counting. Stars only grow on the
/// way up, so it is the first above with a star that gets its rate of all below it; those after it
/// get the whole rate of the one right below, and the peer bonus of those the depth lasts for.
fn reward_in_chain(row: usize) -> i128 {
    let below = DEEP - 1 - row;
    let mut reward = 1_000_000;
    reward += if below >= 1 { 500_000 } else { 0 };
    reward += if below >= 2 { 300_000 } else { 0 };
    let Some(star) = STARS.iter().rposition(|&(needs, _)| needs <= below) else {
        return reward;
    };
    let (first, rate) = STARS[star];
    let paid = star.checked_sub(1).map_or(0, |lower| STARS[lower].1);
    if below == first {
        // All below but the nearest have passed a lower star, if there is one.
        reward += (rate * first as i128 - paid * (first as i128 - 1)) * 10_000;
        return reward;
    }
    reward += rate * 10_000;
    // What rose to this star at the first with it, and what rose to it in between.
    let beyond = below - first;
    let mut peers = (PEER_DEPTH.min(beyond - 1)) as i128;
    if beyond <= PEER_DEPTH {
        peers += first as i128;
    }
    reward + peers * 30_000
}
