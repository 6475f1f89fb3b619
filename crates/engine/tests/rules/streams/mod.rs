//! Random programmes and streams of commands. A step is symbolic ("redeem half of what the second
//! holder has") and is resolved against the plain model just before it is applied, so that most
//! commands mean something; it shrinks like any other value.

pub mod programmes;
mod resolve;
pub mod steps;

use proptest::prelude::*;
use serde_json::Value;
pub use steps::Step;

#[derive(Clone, Debug)]
pub struct Stream {
    /// A valid programme, as TOML.
    pub programme: String,
    pub steps: Vec<Step>,
}

pub fn toml_of(programme: &Value) -> String {
    toml::to_string(programme).expect("a programme can be written as TOML")
}

/// Members join first (deep, wide or mixed), then merchants, then anything may happen.
pub fn stream() -> BoxedStrategy<Stream> {
    let crowd = prop_oneof![
        prop::collection::vec(steps::joining(steps::Shape::Deep), 3..=25),
        prop::collection::vec(steps::joining(steps::Shape::Wide), 3..=25),
        prop::collection::vec(steps::joining(steps::Shape::Mixed), 3..=25),
        prop::collection::vec(steps::joining(steps::Shape::Mixed), 3..=6),
    ];
    let merchants = prop::collection::vec(steps::merchant_joining(), 1..=3);
    let life = prop::collection::vec(steps::any_step(), 20..=150);
    (programmes::valid(), crowd, merchants, life)
        .prop_map(|(programme, crowd, merchants, life)| Stream {
            programme: toml_of(&programme),
            steps: crowd.into_iter().chain(merchants).chain(life).collect(),
        })
        .boxed()
}

/// Orders paid with points almost wholly, and refunded in many small pieces: here the parts of a
/// refund come out unevenly.
pub fn refunds_in_pieces() -> BoxedStrategy<Stream> {
    let rounds = prop::collection::vec(steps::paid_with_points(), 3..=12);
    (programmes::for_pieces(), rounds)
        .prop_map(|(programme, rounds)| Stream {
            programme: toml_of(&programme),
            steps: steps::holders_of_points()
                .into_iter()
                .chain(rounds.into_iter().flatten())
                .collect(),
        })
        .boxed()
}
