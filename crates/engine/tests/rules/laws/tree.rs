//! Trees of members who buy for some days, and programmes that release in teams.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A tree of members who buy for some days.
#[derive(Debug, Clone)]
pub struct Tree {
    pub programme: Value,
    pub shape: Shape,
    /// By whom each comes, as the shape reads it.
    pub picks: Vec<u32>,
    pub orders: Vec<Bought>,
    pub days: u8,
}

#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Chain,
    /// A few deep lines side by side.
    Lines,
    Bush,
    Random,
}

#[derive(Debug, Clone)]
pub struct Bought {
    pub day: u8,
    pub pick: u16,
    pub fen: u32,
    /// Whether reward points pay for some of it.
    pub with_points: bool,
}

pub fn tree() -> impl Strategy<Value = Tree> {
    let shape = prop::sample::select(vec![Shape::Chain, Shape::Lines, Shape::Bush, Shape::Random]);
    let picks = prop::collection::vec(any::<u32>(), 100..=400);
    let fen = prop_oneof![1_000_u32..200_000, Just(1_000), Just(100_000), 1_u32..1_000];
    let bought = (0_u8..6, any::<u16>(), fen, any::<bool>())
        .prop_map(|(day, pick, fen, with_points)| Bought { day, pick, fen, with_points });
    // Some with so many lots that finished ones are dropped.
    let orders = prop_oneof![
        3 => prop::collection::vec(bought.clone(), 50..=500),
        1 => prop::collection::vec(bought, 1200..=2000),
    ];
    (released_in_teams(), shape, picks, orders, 4_u8..=9)
        .prop_map(|(programme, shape, picks, mut orders, days)| {
            orders.sort_by_key(|order| order.day);
            Tree { programme, shape, picks, orders, days }
        })
        .boxed()
}

fn released_in_teams() -> impl Strategy<Value = Value> {
    let texts = |list: &[&str]| {
        prop::sample::select(list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>())
    };
    let generation = texts(&["50%", "30%", "10%", "100%", "300%", "0%", "33.3333%"]);
    let star = (prop::sample::select(vec![1_u64, 50_000, 500_000, 2_000_000]), 0_u64..300_000);
    let depth = prop_oneof![10 => 0_u32..=5, 1 => Just(1_000), 1 => Just(u32::MAX)];
    (
        texts(&["0.1%", "1.2%", "10%", "33.3333%", "60%", "100%"]),
        prop::collection::vec(generation, 0..=5),
        prop::collection::vec(star, 0..=6),
        texts(&["3%", "100%", "33.3333%", "0.0001%"]),
        depth,
        texts(&["total", "cash"]),
    )
        .prop_map(|(daily, generations, stars, peer, peer_depth, count)| {
            // The first star may have a rate of nothing: it is no star to the others.
            let (mut volume, mut rate, mut rows) = (0, 0, Vec::new());
            for (i, (more, higher)) in stars.into_iter().enumerate() {
                volume += more;
                rate += if i == 0 && higher % 4 == 0 { 0 } else { higher + 1 };
                let volume = format!("{}.{:02}", volume / 100, volume % 100);
                let rate = format!("{}.{:04}%", rate / 10_000, rate % 10_000);
                rows.push(json!({"name": i.to_string(), "volume": volume, "rate": rate}));
            }
            json!({
                "name": "climb",
                "reward": {},
                "release": {
                    "daily": daily,
                    "generations": generations,
                    "packages": [
                        {"name": "a", "price": "1.00", "multiple": "0.333333x"},
                        {"name": "b", "price": "20.00", "multiple": "2.5x"},
                        {"name": "c", "price": "900.00", "multiple": "4x"},
                    ],
                    "team": {"peer": peer, "peer_depth": peer_depth, "count": count, "stars": rows},
                },
            })
        })
}
