//! How often the random tests run: `CASES` and `SEED` make a longer or another run. A failing case
//! is printed whole, smallest first, and belongs into `examples` of its test from then on.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

pub fn run<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> Result<(), String>) {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let config = Config {
        cases: number("CASES").map_or(cases, |n| n as u32),
        rng_seed: RngSeed::Fixed(number("SEED").unwrap_or(1)),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let outcome =
        TestRunner::new(config).run(strategy, |value| check(value).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(other) => panic!("{other}"),
    }
}
